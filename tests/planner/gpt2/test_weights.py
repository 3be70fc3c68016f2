"""A folder of weights: missing, damaged and foreign ones are one line, and nothing that lies in one is ever run."""

import json
import pickle
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dlcodegen.errors import InputError, SettingsError
from dlcodegen.planner.gpt2.base import from_base
from dlcodegen.planner.gpt2.decoding import Decoder
from dlcodegen.planner.gpt2.family import embedding_of, output_of
from dlcodegen.planner.gpt2.planner import GPT2Planner
from dlcodegen.planner.gpt2.rows import PlanRow
from dlcodegen.planner.gpt2.training import Training
from dlcodegen.planner.gpt2.training_recipe import Recipe
from dlcodegen.planner.gpt2.weights import SHIPPED, Predictor, load, save
from tests.plan_rows import TASKS, tiny_base


@pytest.fixture
def folder(trained_folder: Path, tmp_path: Path) -> Path:
    return shutil.copytree(trained_folder, tmp_path / "weights")


def change(path: Path, **values: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def refused(folder: Path) -> str:
    """What is said of the folder: always one line that names it."""
    with pytest.raises(InputError) as caught:
        load(folder)
    said = str(caught.value)
    assert str(folder) in said
    assert "\n" not in said
    assert len(said) < 400
    return said


def test_what_is_saved_is_loaded(trained: Predictor, tmp_path: Path) -> None:
    save(trained, tmp_path)
    loaded = load(tmp_path)
    asked = f"I want to {TASKS['Text Classification']['asked'][0]}"
    assert Decoder(loaded).decode(asked) == Decoder(trained).decode(asked)
    assert loaded.facts == trained.facts
    assert not loaded.network.training
    numbers = sum(parameter.numel() for parameter in loaded.network.parameters())
    assert (tmp_path / "model.safetensors").stat().st_size < 2 * numbers + 10_000  # 16 bits, the embedding once


def test_the_shipped_weights_are_small_enough() -> None:
    if not SHIPPED.is_dir():
        pytest.skip("no weights are shipped yet")
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 40e6


@pytest.mark.parametrize("name", [None, "model.safetensors"])
def test_missing_weights_say_how_to_get_some(folder: Path, name: str | None) -> None:
    if name is None:
        shutil.rmtree(folder)
    else:
        (folder / name).unlink()
    assert "holds no weights: train some with `dlcodegen planner train --out" in refused(folder)


def test_a_planner_without_weights_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no weights"):
        GPT2Planner(tmp_path)


@pytest.mark.parametrize("name", ["config.json", "planner.json", "values.json", "tokenizer.json"])
@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b"{}", b"null", b"\xff\xfe", b"3"])
def test_a_damaged_file_is_one_line(folder: Path, name: str, content: bytes | None) -> None:
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    refused(folder)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:7],
        lambda content: content[:100],
        lambda content: content[: len(content) // 2],
        lambda content: content[:-1],
        lambda content: b"\xff" * 8 + content[8:],
        lambda content: b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
        lambda content: pickle.dumps({"transformer.wte.weight": [1.0]}),
    ],
    ids=range(8),
)
def test_truncated_and_foreign_weights_are_one_line(folder: Path, damage: Callable[[bytes], bytes]) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(damage(path.read_bytes()))
    assert "holds no usable weights" in refused(folder)


def test_weights_of_other_names_or_shapes_are_one_line(folder: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    path = folder / "model.safetensors"
    state = load_file(path)
    for name in ("transformer.wte.weight", "transformer.h.0.attn.c_attn.weight"):
        save_file({key: tensor for key, tensor in state.items() if key != name}, path)
        assert "holds no usable weights" in refused(folder)
        save_file({**state, name: torch.zeros(3, 3)}, path)
        assert "holds no usable weights" in refused(folder)
    save_file({**state, "classifier.weight": torch.zeros(3, 3)}, path)
    assert "holds no usable weights" in refused(folder)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("n_embd", value) for value in (0, -1, 63, 128, "wide", None, [64], 1e9)),
        *(("n_head", value) for value in (0, -1, 3, "many")),
        *(("n_layer", value) for value in (2, -1, "deep")),
        *(("n_positions", value) for value in (32, 0, 10**12)),
        *(("vocab_size", value) for value in (1, 50257, -5, None)),
        *(("activation_function", value) for value in ("none of that name", 3)),
    ],
)
def test_a_configuration_that_makes_no_sense_is_one_line(folder: Path, name: str, value: Any) -> None:
    change(folder / "config.json", **{name: value})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch tells of weights without elements before the shapes are compared
        refused(folder)


def test_a_vocabulary_of_another_size_is_told(folder: Path) -> None:
    values = json.loads((folder / "values.json").read_text())
    change(folder / "values.json", layers=[*values["layers"], "Dense(77)"])
    assert "embeddings for a vocabulary of" in refused(folder)


@pytest.mark.parametrize("temperature", [0, -1.0, "warm", None, [1.0], float("nan")])
def test_a_temperature_is_a_positive_number(folder: Path, temperature: Any) -> None:
    change(folder / "planner.json", temperature=temperature)
    assert "holds no temperature" in refused(folder)


class Bomb:
    """Unpickled, it leaves a file behind."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> Any:
        return (exec, (f"import pathlib; pathlib.Path({str(self.trace)!r}).write_text('ran')",))


def booby_trap(folder: Path, trace: Path) -> None:
    """Everything that libraries are known to run or unpickle, in a folder that is fine otherwise."""
    bomb = pickle.dumps(Bomb(trace))
    for name in ("pytorch_model.bin", "model.pkl", "training_args.bin", "checkpoint.pt", "optimizer.pt", "vocab.pkl"):
        (folder / name).write_bytes(bomb)
    code = f"import pathlib\npathlib.Path({str(trace)!r}).write_text('ran')\nclass Evil: pass\n"
    for name in ("modeling_evil.py", "configuration_evil.py", "tokenization_evil.py", "__init__.py", "setup.py"):
        (folder / name).write_text(code)
    change(
        folder / "config.json",
        auto_map={
            "AutoConfig": "configuration_evil.Evil",
            "AutoModel": "modeling_evil.Evil",
            "AutoModelForCausalLM": "modeling_evil.Evil",
            "AutoTokenizer": ["tokenization_evil.Evil", "tokenization_evil.Evil"],
        },
        custom_pipelines={"evil": {"impl": "modeling_evil.Evil"}},
        trust_remote_code=True,
        attn_implementation="evil/kernel",
        _attn_implementation="evil/kernel",
    )
    (folder / "tokenizer_config.json").write_text(
        json.dumps(
            {
                "tokenizer_class": "Evil",
                "auto_map": {"AutoTokenizer": ["tokenization_evil.Evil", "tokenization_evil.Evil"]},
                "trust_remote_code": True,
            }
        )
    )


def test_the_trap_works(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    pickle.loads(pickle.dumps(Bomb(trace)))
    assert trace.read_text() == "ran"


def test_no_code_in_a_folder_of_weights_is_run(folder: Path, trained: Predictor, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    booby_trap(folder, trace)
    loaded = load(folder)
    asked = f"I want to {TASKS['Text Classification']['asked'][0]}"
    assert Decoder(loaded).decode(asked) == Decoder(trained).decode(asked)
    assert not trace.exists()
    (folder / "model.safetensors").write_bytes((folder / "pytorch_model.bin").read_bytes())
    refused(folder)
    (folder / "model.safetensors").unlink()
    refused(folder)
    assert not trace.exists()


class TestBase:
    @pytest.mark.parametrize("kind", ["gpt2", "qwen2"])
    def test_a_base_gets_room_for_the_plans_tokens(self, rows: list[PlanRow], tmp_path: Path, kind: str) -> None:
        network, vocabulary = from_base(str(tiny_base(tmp_path, kind)), rows)
        assert output_of(network).weight.shape[0] == network.config.vocab_size == vocabulary.size
        assert vocabulary.text(vocabulary.prompt("sort letters")[1:-1]) == "sort letters"
        assert max(vocabulary.prompt("<|endoftext|> <end>")[1:-1]) < vocabulary.text_size
        assert set(vocabulary.values["category"]) == set(TASKS)

    def test_a_value_begins_as_the_mean_of_its_words(self, rows: list[PlanRow], tmp_path: Path) -> None:
        network, vocabulary = from_base(str(tiny_base(tmp_path, "qwen2")), rows)
        value = vocabulary.value_ids["metric"].start
        pieces = vocabulary.pieces.encode(f"metric {vocabulary.values['metric'][0]}").ids
        for layer in (embedding_of(network), output_of(network)):
            assert layer.weight[value].tolist() == pytest.approx(layer.weight[pieces].mean(dim=0).tolist(), abs=1e-6)

    def test_weights_trained_on_a_qwen2_are_saved_and_loaded(
        self, rows: list[PlanRow], dev: list[PlanRow], tmp_path: Path
    ) -> None:
        base = str(tiny_base(tmp_path, "qwen2"))
        recipe = Recipe(base=base, epochs=1, learning_rate=1e-3, batch_tokens=512)
        training = Training(rows, dev, tmp_path / "out", recipe)
        before = training.dev_loss()
        training.run(lambda *_: None, lambda _: None)
        assert training.progress.best_loss < before
        loaded = load(tmp_path / "out")
        assert loaded.network.config.model_type == "qwen2"
        plan = Decoder(loaded).decode("outline barnacles on hull photos").to_paper()
        assert plan["Task Category"] in TASKS
        network, vocabulary = from_base(str(tmp_path / "out"), rows[:4])
        assert vocabulary.size < loaded.vocabulary.size
        value = vocabulary.values["metric"][0]
        [before], [after] = (each.closed("metric", value)[1:] for each in (loaded.vocabulary, vocabulary))
        for layer in (embedding_of, output_of):
            assert layer(network).weight[after].tolist() == layer(loaded.network).weight[before].tolist()

    def test_a_local_model_that_is_not_here_is_told(
        self, rows: list[PlanRow], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        with pytest.raises(SettingsError, match=r"dlcodegen model pull qwen2\.5-coder-0\.5b"):
            from_base("local:qwen2.5-coder-0.5b", rows)

    def test_a_file_that_needs_more_packages_is_told(
        self, rows: list[PlanRow], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("dlcodegen.planner.gpt2.base.find_spec", lambda name: None)
        with pytest.raises(SettingsError, match=r"pip install 'dlcodegen\[base\]'"):
            from_base("model.gguf", rows)

    def test_a_base_with_code_runs_none(self, rows: list[PlanRow], tmp_path: Path) -> None:
        trace = tmp_path / "trace"
        base = tiny_base(tmp_path)
        booby_trap(base, trace)
        try:
            from_base(str(base), rows)
        except InputError as error:
            assert "\n" not in str(error)
        (base / "model.safetensors").unlink()
        with pytest.raises(InputError):
            from_base(str(base), rows)
        assert not trace.exists()

    @pytest.mark.parametrize(
        ("values", "said"), [({"model_type": "bert"}, "bert"), ({"n_positions": 128}, "128 positions, 768 are needed")]
    )
    def test_a_base_of_another_kind_is_refused(
        self, rows: list[PlanRow], tmp_path: Path, values: dict[str, Any], said: str
    ) -> None:
        base = tiny_base(tmp_path)
        change(base / "config.json", **values)
        with pytest.raises(InputError, match="no network could be loaded from there") as caught:
            from_base(str(base), rows)
        assert said in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_an_empty_folder_is_no_base(self, rows: list[PlanRow], tmp_path: Path) -> None:
        with pytest.raises(InputError, match="no network could be loaded from there") as caught:
            from_base(str(tmp_path), rows)
        assert "\n" not in str(caught.value)
