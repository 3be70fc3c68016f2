"""A folder of weights: the network, its vocabulary, and what was learnt about its confidence.

`config.json` and `model.safetensors` are those of `transformers`; no file of the folder is executed or unpickled.
"""

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlcodegen.errors import InputError
from dlcodegen.planner.gpt2.family import HEAD, family_named
from dlcodegen.planner.gpt2.grammar import PlanGrammar
from dlcodegen.planner.gpt2.vocabulary import Vocabulary

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedModel

SHIPPED = Path(__file__).parent / "shipped"
POSITIONS = 768
"""The longest sequence: prompt and plan together, in tokens."""
_WEIGHTS_FILE, _CONFIG_FILE, _FACTS_FILE = "model.safetensors", "config.json", "planner.json"
_LARGE = 100_000_000
"""Parameters. A network that has more is asked on the GPU where there is one, in 16-bit floats."""


@dataclass
class Predictor:
    """Everything a prediction needs."""

    network: "PreTrainedModel"
    vocabulary: Vocabulary
    facts: dict[str, Any] = field(default_factory=dict)
    """How it was trained, and the temperature that makes its confidence a probability."""

    @cached_property
    def grammar(self) -> PlanGrammar:
        """Of whole plans in its vocabulary: what may come where is worked out once, not for each plan."""
        return PlanGrammar(self.vocabulary, POSITIONS)


def new_network(tokens: int, width: int, depth: int, dropout: float) -> "PreTrainedModel":
    """An untrained GPT-2 for so many tokens: `depth` blocks of `width` channels, 64 a head."""
    family = family_named("gpt2")
    config = family.config(
        {
            "vocab_size": tokens,
            "n_positions": POSITIONS,
            "n_embd": width,
            "n_layer": depth,
            "n_head": max(1, width // 64),
        }
    )
    config.update(dict.fromkeys(("resid_pdrop", "embd_pdrop", "attn_pdrop"), dropout))
    return family.network(config)


def save(predictor: Predictor, folder: Path) -> None:
    """Write the folder."""
    _save_network(predictor.network, folder)
    predictor.vocabulary.save(folder)
    save_facts(predictor.facts, folder)


def save_base(network: "PreTrainedModel", pieces: "Tokenizer", folder: Path) -> None:
    """A network that knows a language and no plans, and its words: what `from_base` reads of any GPT-2."""
    from transformers import PreTrainedTokenizerFast

    _save_network(network, folder)
    PreTrainedTokenizerFast(tokenizer_object=pieces).save_pretrained(folder)  # type: ignore[no-untyped-call]


def _save_network(network: "PreTrainedModel", folder: Path) -> None:
    """In 16-bit floats: no figure of ours tells them from 32 bits."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    state = network.state_dict()
    if network.config.tie_word_embeddings:
        del state[HEAD]
    kept = {name: tensor.half().cpu().contiguous() for name, tensor in state.items()}
    save_file(kept, folder / _WEIGHTS_FILE, metadata={"format": "pt"})
    network.config.to_json_file(folder / _CONFIG_FILE)


def save_facts(facts: dict[str, Any], folder: Path) -> None:
    """What was learnt besides the weights."""
    (folder / _FACTS_FILE).write_text(json.dumps(facts, indent=1), encoding="utf-8")


def is_planner(folder: Path) -> bool:
    """Whether it holds weights of a plan predictor, and not of any network."""
    return (folder / _FACTS_FILE).exists()


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


def _network(folder: Path, vocabulary: Vocabulary) -> "PreTrainedModel":
    """`safetensors` holds numbers only, and the class is ours to choose: nothing in the folder is run."""
    import torch
    from safetensors.torch import load_file

    try:
        written = json.loads((folder / _CONFIG_FILE).read_text(encoding="utf-8"))
        family = family_named(written.get("model_type", "gpt2"))
        config = family.config(written)
        state = {name: tensor.float() for name, tensor in load_file(folder / _WEIGHTS_FILE).items()}
        network = family.network_of(config, state)
    except Exception as error:  # for sizes that make no sense, the libraries raise whatever comes first
        raise InputError(f"{folder} holds no usable weights: {problem(error)}") from error
    if config.vocab_size != vocabulary.size:
        raise InputError(f"{folder}: {config.vocab_size} embeddings for a vocabulary of {vocabulary.size}")
    if config.max_position_embeddings < POSITIONS:
        raise InputError(f"{folder}: {config.max_position_embeddings} positions, {POSITIONS} are needed")
    network.eval()  # type: ignore[no-untyped-call]
    if network.num_parameters() > _LARGE and torch.cuda.is_available():
        network.to("cuda", torch.bfloat16)  # type: ignore[arg-type]
    return network


def problem(error: Exception) -> str:
    """On one line, and not a long one."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"
