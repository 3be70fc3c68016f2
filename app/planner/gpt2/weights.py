"""A folder of weights: the network, its vocabulary, and what was learnt about its confidence.

`config.json` and `model.safetensors` are those of `transformers`; no file of the folder is executed or unpickled.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlcodegen.errors import InputError
from dlcodegen.planner.gpt2.rows import PlanRow
from dlcodegen.planner.gpt2.vocabulary import Vocabulary

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer
    from transformers import GPT2LMHeadModel

SHIPPED = Path(__file__).parent / "shipped"
POSITIONS = 768
"""The longest sequence: prompt and plan together, in tokens."""
_WEIGHTS_FILE, _CONFIG_FILE, _FACTS_FILE = "model.safetensors", "config.json", "planner.json"
_CONFIG = (
    *("vocab_size", "n_positions", "n_embd", "n_layer", "n_head", "n_inner", "activation_function"),
    *("layer_norm_epsilon", "scale_attn_weights", "scale_attn_by_inverse_layer_idx", "reorder_and_upcast_attn"),
)
"""What is read of a `config.json`. Other entries can name code: `attn_implementation` a kernel to be downloaded."""

_NO_TOKENS: dict[str, Any] = {"bos_token_id": None, "eos_token_id": None, "pad_token_id": None}
"""Generation is told of them each time; a network that knew its padding would warn of what is no mistake."""


@dataclass
class Predictor:
    """Everything a prediction needs."""

    network: "GPT2LMHeadModel"
    vocabulary: Vocabulary
    facts: dict[str, Any] = field(default_factory=dict)
    """How it was trained, and the temperature that makes its confidence a probability."""


def new_network(tokens: int, width: int, depth: int, dropout: float) -> "GPT2LMHeadModel":
    """An untrained GPT-2 for so many tokens: `depth` blocks of `width` channels, 64 a head."""
    from transformers.models.gpt2.configuration_gpt2 import GPT2Config
    from transformers.models.gpt2.modeling_gpt2 import GPT2LMHeadModel

    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=tokens,
            n_positions=POSITIONS,
            n_embd=width,
            n_layer=depth,
            n_head=max(1, width // 64),
            resid_pdrop=dropout,
            embd_pdrop=dropout,
            attn_pdrop=dropout,
            **_NO_TOKENS,
        )
    )


def save(predictor: Predictor, folder: Path) -> None:
    """Write the folder."""
    _save_network(predictor.network, folder)
    predictor.vocabulary.save(folder)
    save_facts(predictor.facts, folder)


def save_base(network: "GPT2LMHeadModel", pieces: "Tokenizer", folder: Path) -> None:
    """A network that knows a language and no plans, and its words: what `from_base` reads of any GPT-2."""
    from transformers import PreTrainedTokenizerFast

    _save_network(network, folder)
    PreTrainedTokenizerFast(tokenizer_object=pieces).save_pretrained(folder)  # type: ignore[no-untyped-call]


def _save_network(network: "GPT2LMHeadModel", folder: Path) -> None:
    """In 16-bit floats: no figure of ours tells them from 32 bits."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    state = network.state_dict()
    del state["lm_head.weight"]  # the output layer is the embedding
    kept = {name: tensor.half().cpu().contiguous() for name, tensor in state.items()}
    save_file(kept, folder / _WEIGHTS_FILE, metadata={"format": "pt"})
    network.config.to_json_file(folder / _CONFIG_FILE)


def save_facts(facts: dict[str, Any], folder: Path) -> None:
    """What was learnt besides the weights."""
    (folder / _FACTS_FILE).write_text(json.dumps(facts, indent=1), encoding="utf-8")


def load(folder: Path) -> Predictor:
    """Raises InputError, one line, when the folder is missing, incomplete, corrupt or of another kind."""
    if not (folder / _WEIGHTS_FILE).is_file():
        raise InputError(f"{folder} holds no weights: train some with `dlcodegen planner train --out {folder}`")
    vocabulary = Vocabulary.load(folder)
    network = _network(folder, vocabulary)
    return Predictor(network, vocabulary, _facts(folder / _FACTS_FILE))


def _facts(path: Path) -> dict[str, Any]:
    try:
        facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if not facts["temperature"] > 0:
            raise ValueError
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(f"{path} is missing or holds no temperature: the weights folder is incomplete") from error
    return facts


def _network(folder: Path, vocabulary: Vocabulary) -> "GPT2LMHeadModel":
    """`safetensors` holds numbers only, and the class is ours to choose: nothing in the folder is run."""
    import torch
    from safetensors.torch import load_file
    from transformers.models.gpt2.configuration_gpt2 import GPT2Config
    from transformers.models.gpt2.modeling_gpt2 import GPT2LMHeadModel

    try:
        written = json.loads((folder / _CONFIG_FILE).read_text(encoding="utf-8"))
        config = GPT2Config(**{name: written[name] for name in _CONFIG if name in written}, **_NO_TOKENS)
        if config.n_head < 1:
            raise ValueError(f"{config.n_head} heads")
        with torch.device("meta"):  # no time is spent on random numbers that are overwritten
            network = GPT2LMHeadModel(config)
        state = {name: tensor.float() for name, tensor in load_file(folder / _WEIGHTS_FILE).items()}
        network.load_state_dict(_tied(state), strict=True, assign=True)
        network.tie_weights()
    except Exception as error:  # for sizes that make no sense, the libraries raise whatever comes first
        raise InputError(f"{folder} holds no usable GPT-2 weights: {_problem(error)}") from error
    if config.vocab_size != vocabulary.size:
        raise InputError(f"{folder}: {config.vocab_size} embeddings for a vocabulary of {vocabulary.size}")
    if config.n_positions < POSITIONS:
        raise InputError(f"{folder}: {config.n_positions} positions, {POSITIONS} are needed")
    network.eval()  # type: ignore[no-untyped-call]
    return network


def _problem(error: Exception) -> str:
    """On one line, and not a long one."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"


def _tied(state: "dict[str, torch.Tensor]") -> "dict[str, torch.Tensor]":
    """The output layer is the embedding, and saved once."""
    return {**state, "lm_head.weight": state["transformer.wte.weight"]} if "lm_head.weight" not in state else state


def from_base(base: str, rows: Sequence[PlanRow]) -> "tuple[GPT2LMHeadModel, Vocabulary]":
    """A trained GPT-2 with room for the tokens of these rows' plans, and its vocabulary.

    `base`: a weights folder of ours, or the folder or hub name of any GPT-2. Raises InputError when it cannot be had or
    is none.
    """
    if (Path(base) / _FACTS_FILE).exists():
        return _from_planner(load(Path(base)), rows)
    return _from_gpt2(base, rows)


def _from_planner(old: Predictor, rows: Sequence[PlanRow]) -> "tuple[GPT2LMHeadModel, Vocabulary]":
    """Same words, other values: a value or a layer that both know keeps what was learnt about it."""
    network, vocabulary = old.network, Vocabulary.of(rows, old.vocabulary.pieces)
    learnt, words = network.transformer.wte.weight.detach().clone(), vocabulary.text_size
    places = {name: place for place, name in enumerate(old.vocabulary.names, words)}
    network.resize_token_embeddings(vocabulary.size, mean_resizing=False)
    embedding = network.transformer.wte.weight.data
    embedding[words:].normal_(std=network.config.initializer_range)
    for place, name in enumerate(vocabulary.names, words):
        if name in places:
            embedding[place] = learnt[places[name]]
    return network, vocabulary


def _from_gpt2(base: str, rows: Sequence[PlanRow]) -> "tuple[GPT2LMHeadModel, Vocabulary]":
    import torch
    from transformers import AutoConfig, AutoTokenizer, GPT2LMHeadModel

    try:
        config = AutoConfig.from_pretrained(base, trust_remote_code=False)
        if config.model_type != "gpt2" or config.n_positions < POSITIONS:
            raise ValueError(f"{config.model_type}, {POSITIONS} positions are needed")
        tokenizer = AutoTokenizer.from_pretrained(base, use_fast=True, trust_remote_code=False)
        network = GPT2LMHeadModel.from_pretrained(
            base, use_safetensors=True, attn_implementation="sdpa", dtype=torch.float32
        )
    except Exception as error:  # of a folder or of the network: whatever the libraries come upon
        raise InputError(f"--base {base}: no GPT-2 could be loaded from there ({_problem(error)})") from error
    vocabulary = Vocabulary.of(rows, tokenizer.backend_tokenizer)
    network.resize_token_embeddings(vocabulary.size, mean_resizing=False)
    network.config.update(_NO_TOKENS)
    return network, vocabulary
