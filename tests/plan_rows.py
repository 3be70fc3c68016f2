"""A few training rows of our own for a toy plan predictor: four tasks, each in words that no other task has."""

import json
from pathlib import Path
from random import Random
from typing import Any

TASKS: dict[str, dict[str, Any]] = {
    "Image Segmentation": {
        "asked": ["outline barnacles on hull photos", "paint the rust on bridge pictures", "mask moss on roof images"],
        "dataset": ["photos with a mask each", "pictures: 300; masks: png"],
        "input": "photo, shape (N, 3, 64, 64)",
        "output": "mask, shape (N, 1, 64, 64)",
        "layers": ["Conv2D(8, kernel_size=3)", "UpSampling2D(2)", "Conv2D(1, kernel_size=1)"],
        "settings": ("Adam", "Dice loss", 0.001, 8, 20, "IoU"),
    },
    "Text Classification": {
        "asked": ["sort letters by tone", "tell which reviews are angry", "which department should read this memo"],
        "dataset": ["sentences and a label", "text: str; label: 0-4"],
        "input": "token ids, shape (N, 40)",
        "output": "one of five labels, shape (N,)",
        "layers": ["Embedding(5000, 32)", "GRU(32)", "Dense(5)"],
        "settings": ("RMSprop", "Cross-entropy", 0.002, 16, 8, "accuracy"),
    },
    "Tabular Regression": {
        "asked": ["estimate the rent of flats", "what will this tractor cost", "guess the weight of fish from lengths"],
        "dataset": ["a csv with nine columns", "columns: 9; rows: 4000"],
        "input": "nine numbers, shape (N, 9)",
        "output": "a price, shape (N, 1)",
        "layers": ["Dense(64, activation='relu')", "Dropout(0.1)", "Dense(1)"],
        "settings": ("SGD(momentum=0.9)", "MSE", 0.01, 64, 60, "RMSE"),
    },
    "Time Series Forecasting": {
        "asked": ["forecast tides for next week", "tomorrow's bread sales from the past", "predict river levels ahead"],
        "dataset": ["hourly values of two years", "series: 1; step: 1 h"],
        "input": "48 past values, shape (N, 48, 1)",
        "output": "24 values to come, shape (N, 24)",
        "layers": ["LSTM(32)", "Dense(24)"],
        "settings": ("AdamW", "Huber loss", 0.0005, 32, 40, "MAE"),
    },
}


def plan(category: str, **changes: Any) -> dict[str, Any]:
    """The paper's JSON object for one of TASKS; `changes`: other values of its hyperparameters."""
    task = TASKS[category]
    names = ("optimizer", "loss function", "learning rate", "batch size", "epochs", "evaluation metric")
    return {
        "Task Category": category,
        "Dataset": {"Input": task["input"], "Output": task["output"]},
        "Preprocess": "Scale to [0, 1]",
        "Model Architecture": {
            "Layers": task["layers"],
            "Hyperparameters": dict(zip(names, task["settings"], strict=True)) | changes,
        },
    }


def toy_rows(count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Rows as `planner train` reads them, the four tasks in turn."""
    random = Random(seed)
    rows = []
    for place in range(count):
        category = list(TASKS)[place % len(TASKS)]
        asked = random.choice(TASKS[category]["asked"])
        requirement = random.choice(("I want to {}", "{}", "please {}, quickly", "Project: {}")).format(asked)
        dataset = random.choice([*TASKS[category]["dataset"], ""])
        rows.append({"requirement": requirement, "dataset": dataset, "plan_text": json.dumps(plan(category))})
    return rows


def write_rows(path: Path, rows: list[Any]) -> Path:
    """One JSON value on each line; text is written as it is."""
    lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def tiny_base(folder: Path, kind: str = "gpt2") -> Path:
    """A GPT-2 or Qwen2 of 64 channels with a tokenizer of bytes, saved as `transformers` saves them.

    The Qwen2 has more places for tokens than its tokenizer has tokens, and an output layer of its own.
    """
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM
    from transformers.utils import logging

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({letter: place for place, letter in enumerate(letters)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<|endoftext|>"])
    torch.manual_seed(0)
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    if kind == "gpt2":
        gpt2 = GPT2Config(
            vocab_size=257, n_positions=768, n_embd=64, n_layer=1, n_head=1, bos_token_id=256, eos_token_id=256
        )
        GPT2LMHeadModel(gpt2).save_pretrained(folder / "base")
    else:
        qwen2 = Qwen2Config(
            vocab_size=300,
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=1024,
            rope_parameters={"rope_type": "default", "rope_theta": 1e6},
            tie_word_embeddings=False,
            bos_token_id=256,
            eos_token_id=256,
        )
        Qwen2ForCausalLM(qwen2).save_pretrained(folder / "base")
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|endoftext|>")  # type: ignore[no-untyped-call]
    fast.save_pretrained(folder / "base")
    return folder / "base"
