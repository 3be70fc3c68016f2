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
    from transformers import GPT2LMHeadModel

SHIPPED = Path(__file__).parent / "shipped"
POSITIONS = 768
"""The longest sequence: prompt and plan together, in tokens."""
_FACTS_FILE = "planner.json"


@dataclass
class Predictor:
    """Everything a prediction needs."""

    network: "GPT2LMHeadModel"
    vocabulary: Vocabulary
    facts: dict[str, Any] = field(default_factory=dict)
    """How it was trained, and the temperature that makes its confidence a probability."""


def new_network(vocabulary: Vocabulary, width: int, depth: int, dropout: float) -> "GPT2LMHeadModel":
    """An untrained GPT-2: `depth` blocks of `width` channels, 64 a head."""
    from transformers.models.gpt2.modeling_gpt2 import GPT2Config, GPT2LMHeadModel

    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=vocabulary.size,
            n_positions=POSITIONS,
            n_embd=width,
            n_layer=depth,
            n_head=max(1, width // 64),
            resid_pdrop=dropout,
            embd_pdrop=dropout,
            attn_pdrop=dropout,
            bos_token_id=None,
            eos_token_id=vocabulary.marker["<end>"],
            pad_token_id=vocabulary.marker["<pad>"],
        )
    )


def save(predictor: Predictor, folder: Path, half: bool = True) -> None:
    """Write the folder; `half`: 16-bit floats, which no figure of ours tells from 32 bits."""
    import copy

    folder.mkdir(parents=True, exist_ok=True)
    network = copy.deepcopy(predictor.network).half() if half else predictor.network
    network.save_pretrained(folder)
    predictor.vocabulary.save(folder)
    save_facts(predictor.facts, folder)


def save_facts(facts: dict[str, Any], folder: Path) -> None:
    """What was learnt besides the weights."""
    (folder / _FACTS_FILE).write_text(json.dumps(facts, indent=1), encoding="utf-8")


def load(folder: Path) -> Predictor:
    """Raises InputError, one line, when the folder is missing, incomplete, corrupt or of another kind."""
    if not (folder / "model.safetensors").is_file():
        raise InputError(f"{folder} holds no weights: train some with `dlcodegen planner train --out {folder}`")
    vocabulary = Vocabulary.load(folder)
    network = _network(folder, vocabulary)
    try:
        facts = json.loads((folder / _FACTS_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{folder / _FACTS_FILE} is missing or no JSON: the weights folder is incomplete") from error
    return Predictor(network, vocabulary, facts)


def _network(folder: Path, vocabulary: Vocabulary) -> "GPT2LMHeadModel":
    """`safetensors` holds numbers only, and the class is ours to choose: nothing in the folder is run."""
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file
    from transformers.models.gpt2.modeling_gpt2 import GPT2Config, GPT2LMHeadModel

    try:
        config = GPT2Config(**json.loads((folder / "config.json").read_text(encoding="utf-8")))
        with torch.device("meta"):  # no time is spent on random numbers that are overwritten
            network = GPT2LMHeadModel(config)
        state = {name: tensor.float() for name, tensor in load_file(folder / "model.safetensors").items()}
        network.load_state_dict(_tied(state), strict=True, assign=True)
        network.tie_weights()
    except (OSError, ValueError, TypeError, RuntimeError, SafetensorError) as error:
        problem = str(error).splitlines()[0][:120]
        raise InputError(f"{folder} holds no usable GPT-2 weights: {type(error).__name__}: {problem}") from error
    if network.config.vocab_size != vocabulary.size:
        raise InputError(f"{folder}: {network.config.vocab_size} embeddings for a vocabulary of {vocabulary.size}")
    return network.eval()


def _tied(state: "dict[str, torch.Tensor]") -> "dict[str, torch.Tensor]":
    """The output layer is the embedding, and saved once."""
    return {**state, "lm_head.weight": state["transformer.wte.weight"]} if "lm_head.weight" not in state else state


def from_base(base: str, rows: Sequence[PlanRow]) -> "tuple[GPT2LMHeadModel, Vocabulary]":
    """A pretrained GPT-2 by folder or hub name, with room for the plan's tokens, and its vocabulary.

    Raises InputError when it cannot be had or is no GPT-2.
    """
    from transformers import AutoTokenizer, GPT2LMHeadModel

    try:
        tokenizer = AutoTokenizer.from_pretrained(base, use_fast=True, trust_remote_code=False)
        network = GPT2LMHeadModel.from_pretrained(base, use_safetensors=True)
    except (OSError, ValueError, RuntimeError, ImportError) as error:
        problem = str(error).splitlines()[0][:120]
        raise InputError(f"--base {base}: no GPT-2 could be loaded from there ({problem})") from error
    vocabulary = Vocabulary.of(rows, tokenizer.backend_tokenizer)
    network.resize_token_embeddings(vocabulary.size)
    network.config.pad_token_id = vocabulary.marker["<pad>"]
    network.config.eos_token_id = vocabulary.marker["<end>"]
    return network, vocabulary
