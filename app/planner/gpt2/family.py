"""Kinds of networks that can predict plans: ours is a GPT-2; a base that has read more may be a Qwen2.

A folder of weights names its kind, and never a class: which class is made, and with which entries of its
`config.json`, is said here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import torch
    from transformers import PretrainedConfig, PreTrainedModel

HEAD = "lm_head.weight"
"""The output layer: in most networks the embedding itself, and then saved once."""

_NO_TOKENS: dict[str, Any] = {"bos_token_id": None, "eos_token_id": None, "pad_token_id": None}
"""Generation is told of them each time; a network that knew its padding would warn of what is no mistake."""


@dataclass(frozen=True)
class Family:
    """Networks of one design, as `transformers` implements it."""

    name: str
    config_class: str
    network_class: str
    entries: tuple[str, ...]
    """What is read of a `config.json`. Other entries can name code: `attn_implementation` a kernel to be downloaded."""
    heads: str
    """The entry that says how many there are."""
    embedding: str
    """Name of the tensor."""

    def config(self, written: Mapping[str, Any]) -> "PretrainedConfig":
        """Raises ValueError, or whatever `transformers` raises for entries that make no sense."""
        module = import_module(f"transformers.models.{self.name}.configuration_{self.name}")
        known = {name: written[name] for name in self.entries if name in written}
        config: PretrainedConfig = getattr(module, self.config_class)(**known, **_NO_TOKENS)
        if getattr(config, self.heads) < 1:
            raise ValueError(f"{getattr(config, self.heads)} heads")
        return config

    def network(self, config: "PretrainedConfig") -> "PreTrainedModel":
        """Untrained."""
        module = import_module(f"transformers.models.{self.name}.modeling_{self.name}")
        network: PreTrainedModel = getattr(module, self.network_class)(config)
        return network

    def network_of(self, config: "PretrainedConfig", state: "dict[str, torch.Tensor]") -> "PreTrainedModel":
        """With these numbers. Raises RuntimeError for those of another network."""
        import torch

        with torch.device("meta"):  # no time is spent on random numbers that are overwritten
            network = self.network(config)
        if config.tie_word_embeddings and HEAD not in state:
            state = {**state, HEAD: state[self.embedding]}
        network.load_state_dict(state, strict=True, assign=True)
        network.tie_weights()
        for name, module in list(network.named_modules()):
            if any(buffer.is_meta for buffer in module.buffers(recurse=False)):
                network.set_submodule(name, type(module)(config))  # what turns by position is computed, never saved
        return network


_FAMILIES = {
    family.name: family
    for family in (
        Family(
            "gpt2",
            "GPT2Config",
            "GPT2LMHeadModel",
            (
                *("vocab_size", "n_positions", "n_embd", "n_layer", "n_head", "n_inner", "activation_function"),
                *("layer_norm_epsilon", "scale_attn_weights", "scale_attn_by_inverse_layer_idx"),
                *("reorder_and_upcast_attn", "tie_word_embeddings"),
            ),
            heads="n_head",
            embedding="transformer.wte.weight",
        ),
        Family(
            "qwen2",
            "Qwen2Config",
            "Qwen2ForCausalLM",
            (
                *("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads"),
                *("num_key_value_heads", "hidden_act", "max_position_embeddings", "rms_norm_eps"),
                *("rope_parameters", "tie_word_embeddings"),
            ),
            heads="num_attention_heads",
            embedding="model.embed_tokens.weight",
        ),
    )
}


def family_named(name: object) -> Family:
    """Raises ValueError, with the names there are."""
    if name not in _FAMILIES:
        raise ValueError(f"a network of kind {name}; {' and '.join(_FAMILIES)} can predict plans")
    return _FAMILIES[str(name)]


def embedding_of(network: "PreTrainedModel") -> "torch.nn.Embedding":
    """The input layer: a row for each token."""
    return cast("torch.nn.Embedding", network.get_input_embeddings())


def output_of(network: "PreTrainedModel") -> "torch.nn.Linear":
    """The output layer: a row for each token, too, and in most networks the same numbers."""
    return cast("torch.nn.Linear", network.get_output_embeddings())  # type: ignore[no-untyped-call]


def without_tokens(network: "PreTrainedModel") -> None:
    """What a base says of its own beginnings and ends does not hold for plans."""
    network.config.update(_NO_TOKENS)
    if network.generation_config is not None:
        network.generation_config.update(**_NO_TOKENS)  # type: ignore[no-untyped-call]
