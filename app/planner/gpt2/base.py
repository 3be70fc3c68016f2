"""What a training starts from when it does not start from nothing: a network that has read much, and no plans yet."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from dlcodegen.errors import InputError, SettingsError
from dlcodegen.planner.gpt2.family import embedding_of, family_named, output_of, without_tokens
from dlcodegen.planner.gpt2.rows import PlanRow
from dlcodegen.planner.gpt2.vocabulary import Vocabulary
from dlcodegen.planner.gpt2.weights import POSITIONS, Predictor, is_planner, load, problem

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

_LOCAL = "local:"


def from_base(base: str, rows: Sequence[PlanRow]) -> "tuple[PreTrainedModel, Vocabulary]":
    """A trained network with room for the tokens of these rows' plans, and its vocabulary.

    `base`: a weights folder of ours; the folder, hub name or GGUF file of a GPT-2 or a Qwen2; or `local:NAME`, a model
    that `dlcodegen model pull` has fetched. Raises InputError when it is none, SettingsError when it cannot be had.
    """
    if is_planner(Path(base)):
        return _from_planner(load(Path(base)), rows)
    return _from_reader(base, rows)


def _from_planner(old: Predictor, rows: Sequence[PlanRow]) -> "tuple[PreTrainedModel, Vocabulary]":
    """Same words, other values: a value or a layer that both know keeps what was learnt about it."""
    # In 32 bits: where there is a GPU, a large one is asked in 16.
    network = old.network.float()  # type: ignore[no-untyped-call]
    vocabulary = Vocabulary.of(rows, old.vocabulary.pieces)
    words = vocabulary.text_size
    learnt = [table.detach().clone() for table in _tables(network)]
    places = {name: place for place, name in enumerate(old.vocabulary.names, words)}
    network.resize_token_embeddings(vocabulary.size, mean_resizing=False)
    for table, before in zip(_tables(network), learnt, strict=True):
        table.data[words:].normal_(std=network.config.initializer_range)
        for place, name in enumerate(vocabulary.names, words):
            if name in places:
                table.data[place] = before[places[name]]
    return network, vocabulary


def _tables(network: "PreTrainedModel") -> "list[torch.Tensor]":
    """A row for each token: of the input layer, and of the output layer where that has numbers of its own."""
    read: torch.Tensor = embedding_of(network).weight
    written: torch.Tensor = output_of(network).weight
    return [read] if written is read else [read, written]


def _from_reader(base: str, rows: Sequence[PlanRow]) -> "tuple[PreTrainedModel, Vocabulary]":
    import torch

    network, tokenizer = reader(base, torch.float32)
    vocabulary = Vocabulary.of(rows, tokenizer.backend_tokenizer)
    network.resize_token_embeddings(vocabulary.size, mean_resizing=False)
    without_tokens(network)
    _begin_as_their_words(network, vocabulary)
    return network, vocabulary


def reader(base: str, dtype: "torch.dtype") -> "tuple[PreTrainedModel, PreTrainedTokenizerFast]":
    """A network that has read much, as it is, and its tokenizer; `base` as in `from_base`, but none of ours.

    Raises InputError when it is none, SettingsError when it cannot be had.
    """
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    place, options = _place(base)
    try:
        config = AutoConfig.from_pretrained(place, trust_remote_code=False, **options)
        family_named(config.model_type)
        if config.max_position_embeddings < POSITIONS:
            raise ValueError(f"{config.max_position_embeddings} positions, {POSITIONS} are needed")
        tokenizer = AutoTokenizer.from_pretrained(place, use_fast=True, trust_remote_code=False, **options)
        network = AutoModelForCausalLM.from_pretrained(
            place,
            trust_remote_code=False,
            use_safetensors=True,
            attn_implementation="sdpa",
            dtype=dtype,
            **options,
        )
    except Exception as error:  # of a folder or of the network: whatever the libraries come upon
        raise InputError(f"{base}: no network could be loaded from there ({problem(error)})") from error
    return cast("PreTrainedModel", network), cast("PreTrainedTokenizerFast", tokenizer)


def _place(base: str) -> tuple[str, dict[str, Any]]:
    """What `from_pretrained` is to be told: a name or folder, and which file of it, if it is one of llama.cpp's.

    Raises SettingsError, with what to type, where such a file is not here or cannot be read.
    """
    path = _pulled(base.removeprefix(_LOCAL)) if base.startswith(_LOCAL) else Path(base)
    if path.suffix != ".gguf":
        return base, {}
    if missing := [name for name in ("gguf", "accelerate") if find_spec(name) is None]:
        raise SettingsError(f"a GGUF file is read with {' and '.join(missing)}: pip install 'dlcodegen[base]'")
    return str(path.parent), {"gguf_file": path.name}


def _pulled(name: str) -> Path:
    """Raises SettingsError, with what to type, where there is no such model or it is not here."""
    from dlcodegen.models.local.store import find_model, path_of

    return path_of(find_model(name))


def _begin_as_their_words(network: "PreTrainedModel", vocabulary: Vocabulary) -> None:
    """A token for a whole value starts as the mean of its pieces: what the network has read of them is not lost."""
    import torch

    tables = _tables(network)
    with torch.no_grad():
        for token, name in enumerate(vocabulary.names, vocabulary.text_size):
            pieces = vocabulary.pieces.encode(name.strip("<>"), add_special_tokens=False).ids
            for table in tables:
                table[token] = table[pieces].mean(dim=0)
