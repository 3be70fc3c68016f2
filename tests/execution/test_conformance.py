"""Plan conformance: each field of the plan honoured, contradicted and not found, in PyTorch and in Keras code."""

from typing import Any

import pytest

from dlcodegen.corpus.sample import all_samples
from dlcodegen.plan import SolutionPlan
from dlcodegen.report import Fact, Verdict
from tests.execution.conformance_cases import KERAS, TORCH, fact, keras_plan, row, rows, seen, torch_plan


@pytest.mark.parametrize(("code", "plan"), [(TORCH, torch_plan()), (KERAS, keras_plan())])
def test_a_plan_that_is_true_of_its_code(code: str, plan: SolutionPlan) -> None:
    wrong = [found for found in rows(code, plan) if found["verdict"] != "honoured"]
    assert not wrong


def test_every_field_of_the_plan_has_its_rows_with_the_line_as_evidence() -> None:
    found = rows(TORCH, torch_plan())
    names = [one["name"] for one in found]
    assert names == [
        *("learning_rate", "batch_size", "epochs", "optimizer", "loss", "metric", "category", "input", "output"),
        *["preprocess"] * 3,
        *["layer"] * 5,
    ]
    lines = TORCH.split("\n")
    for one in found:
        assert one["line"] is not None
        assert one["evidence"] == lines[one["line"] - 1].strip()


def test_the_plan_of_another_task_is_contradicted_or_not_found() -> None:
    found = {one["name"]: one["verdict"] for one in rows(KERAS, torch_plan())}
    assert (found["category"], found["input"], found["output"]) == ("contradicted", "not found", "contradicted")
    assert sum(one["verdict"] == "honoured" for one in rows(KERAS, torch_plan())) <= 4


def test_evidence_is_short() -> None:
    code = TORCH.replace("nn.CrossEntropyLoss()", f"nn.CrossEntropyLoss()  # {'very ' * 100}")
    assert max(len(one["evidence"]) for one in rows(code, torch_plan())) == 200


NOTHING = "print('nothing')\n"


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("category", {"category": "image-segmentation"}),
        ("input", {"input": "RGB images, shape (N, 3, 64, 64)"}),
        ("output", {"output": "one of 7 classes per image, shape (N,)"}),
        ("preprocess", {"preprocess": "scale pixels to [-1, 1]"}),
        ("layer", {"layers": ["Dense(7)"]}),
        ("loss", {"loss_function": "mean squared error"}),
        ("optimizer", {"optimizer": "AdamW"}),
        ("learning_rate", {"learning_rate": 0.01}),
        ("batch_size", {"batch_size": 16}),
        ("epochs", {"epochs": 100}),
        ("metric", {"evaluation_metric": "MAE"}),
    ],
)
def test_each_field_is_honoured_contradicted_or_not_found(name: str, wrong: dict[str, Any]) -> None:
    assert row(TORCH, torch_plan(), name)["verdict"] == "honoured"
    contradicted = row(TORCH, torch_plan(**wrong), name)
    assert contradicted["verdict"] == "contradicted"
    assert contradicted["line"] is not None
    missing = row(NOTHING, torch_plan(), name)
    assert missing["verdict"] == "not found"
    assert missing["evidence"]
    assert missing["line"] is None


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("learning_rate", {"learning_rate": 0.01}),
        ("category", {"category": "image-segmentation"}),
        ("input", {"input": "sentences as 200 token ids, shape (N, 200)"}),
        ("output", {"output": "one of 7 classes per sentence, shape (N,)"}),
        ("preprocess", {"preprocess": "pad or cut to 200 tokens"}),
        ("layer", {"layers": ["LSTM(64)"]}),
        ("loss", {"loss_function": "mean squared error"}),
        ("optimizer", {"optimizer": "SGD"}),
        ("batch_size", {"batch_size": 16}),
        ("epochs", {"epochs": 100}),
        ("metric", {"evaluation_metric": "MAE"}),
    ],
)
def test_each_field_in_keras_code(name: str, wrong: dict[str, Any]) -> None:
    assert row(KERAS, keras_plan(), name)["verdict"] == "honoured"
    other = row(KERAS, keras_plan(**wrong), name)
    assert other["verdict"] == "contradicted"


def test_a_field_in_which_nothing_can_be_checked_has_no_row() -> None:
    plan = torch_plan(category="other", input="photos", output="what is on them", preprocess="", layers=[])
    assert not {"category", "input", "output", "preprocess", "layer"} & {one["name"] for one in rows(TORCH, plan)}


def test_a_setting_that_nobody_reads_is_no_evidence() -> None:
    code = TORCH.replace("lr=config.learning_rate", "lr=0.1")
    assert row(code, torch_plan(), "learning_rate")["verdict"] == "contradicted"
    assert row(code, torch_plan(learning_rate=0.1), "learning_rate")["verdict"] == "honoured"
    code = TORCH.replace("range(config.epochs)", "range(len(loader))")
    found = row(code, torch_plan(), "epochs")
    assert (found["verdict"], found["evidence"]) == ("not found", "the setting epochs is never read")


def test_the_loader_that_shuffles_tells_the_batch_size() -> None:
    code = "a = DataLoader(x, batch_size=16, shuffle=True)\nb = DataLoader(y, 64)\n"
    assert row(code, torch_plan(batch_size=16), "batch_size")["verdict"] == "honoured"
    assert row(code, torch_plan(batch_size=64), "batch_size")["verdict"] == "contradicted"


def test_without_a_config_the_options_of_the_command_line_are_the_settings() -> None:
    code = TORCH.replace("config.", "args.").replace("@dataclass\nclass Config", "class Unread")
    code += 'parser.add_argument("--learning-rate", type=float, default=0.05)\n'
    code = code.replace("args.learning_rate", "args.lr").replace("--learning-rate", "--lr")
    assert row(code, torch_plan(learning_rate=0.05), "learning_rate")["verdict"] == "honoured"
    assert row(code, torch_plan(), "learning_rate")["verdict"] == "contradicted"


def test_an_optimizer_without_a_rate_has_its_default() -> None:
    code = KERAS.replace('optimizer="adam"', 'optimizer="sgd"')
    assert row(code, keras_plan(learning_rate=0.01), "learning_rate")["verdict"] == "honoured"
    assert row(code, keras_plan(learning_rate=0.001), "learning_rate")["verdict"] == "contradicted"


@pytest.mark.parametrize(
    ("planned", "verdict"),
    [
        ("SGD", "honoured"),
        ("SGD with momentum 0.9", "honoured"),
        ("SGD(momentum=0.9, weight_decay=0.0)", "honoured"),
        ("SGD(momentum=0.5)", "contradicted"),
        ("SGD(momentum=0.9, nesterov=True)", "contradicted"),
        ("RMSprop", "contradicted"),
    ],
)
def test_the_optimizers_settings_count(planned: str, verdict: Verdict) -> None:
    assert row(TORCH, torch_plan(optimizer=planned), "optimizer")["verdict"] == verdict


@pytest.mark.parametrize(
    ("planned", "returned", "verdict"),
    [
        ("binary cross-entropy + Dice", "BCEDiceLoss()", "honoured"),
        ("cross-entropy + Dice", "CrossEntropyDiceLoss()", "honoured"),
        ("cross-entropy + Dice", "nn.CrossEntropyLoss()", "not found"),
        ("binary cross-entropy + Dice", "bce + dice_loss(logits, targets)", "not found"),
        ("smooth L1 + cross-entropy", "nn.SmoothL1Loss() + nn.CrossEntropyLoss()", "honoured"),
        ("smooth L1 + cross-entropy", "nn.CrossEntropyLoss()", "not found"),
        ("smooth L1 + cross-entropy", "nn.MSELoss()", "contradicted"),
        ("focal loss", "FocalLoss()", "honoured"),
        ("Huber", "nn.SmoothL1Loss()", "honoured"),
        ("CTC", "nn.CTCLoss()", "honoured"),
        ("CTC", "nn.MSELoss()", "not found"),
    ],
)
def test_a_loss_of_several_parts_needs_each(planned: str, returned: str, verdict: Verdict) -> None:
    code = TORCH.replace("nn.CrossEntropyLoss()", returned)
    assert row(code, torch_plan(loss_function=planned), "loss")["verdict"] == verdict


def test_what_is_returned_as_the_loss_decides_and_not_what_else_is_named() -> None:
    code = TORCH.replace("return nn.CrossEntropyLoss()", "return nn.MSELoss()  # not nn.CrossEntropyLoss")
    code += "\n\ndef unused():\n    return nn.CrossEntropyLoss()\n"
    assert row(code, torch_plan(), "loss")["verdict"] == "contradicted"


def test_metrics_are_known_by_their_other_names() -> None:
    code = TORCH.replace('"accuracy":', '"test_f1_score":')
    assert row(code, torch_plan(evaluation_metric="F1"), "metric")["verdict"] == "honoured"
    stated = [fact("metric", ["f1", "mcc"])]
    verdicts = [one["verdict"] for one in rows(code, torch_plan(), facts=stated) if one["name"] == "metric"]
    assert verdicts == ["honoured", "not found"]


@pytest.mark.parametrize(
    ("code", "stated", "verdict"),
    [
        (TORCH, fact("num_classes", 10), "honoured"),
        (TORCH, fact("num_classes", 4), "contradicted"),
        (KERAS, fact("num_classes", 3), "honoured"),
        (TORCH, fact("split", "70/15/15"), "honoured"),
        (TORCH, fact("split", "80/10/10"), "contradicted"),
        (TORCH, fact("framework", "keras"), "contradicted"),
        (KERAS, fact("framework", "keras"), "honoured"),
        (KERAS, fact("hidden_size", 128), "honoured"),
        (KERAS, fact("embedding_dim", 64), "honoured"),
        (KERAS, fact("dropout", 0.5), "honoured"),
        (KERAS, fact("bidirectional", True), "honoured"),
        (TORCH, fact("batch_norm", True), "honoured"),
        (KERAS, fact("batch_norm", True), "not found"),
        (TORCH, fact("early_stopping", True), "not found"),
        (TORCH, fact("hidden_size", 512), "not found"),
        (KERAS, fact("architecture", "bilstm"), "honoured"),
        (KERAS, fact("architecture", "unet"), "contradicted"),
        (TORCH, fact("pretrained", True), "not found"),
    ],
)
def test_stated_facts(code: str, stated: Fact, verdict: Verdict) -> None:
    plan = keras_plan() if code == KERAS else torch_plan()
    assert rows(code, plan, facts=[stated])[-1]["verdict"] == verdict


@pytest.mark.parametrize(("stated", "verdict"), [(8, "honoured"), (64, "not found"), (16, "not found")])
def test_what_an_autoencoder_squeezes_everything_through_is_its_latent_dim(stated: int, verdict: Verdict) -> None:
    code = "\n".join(
        [
            "def build_model(config):",
            "    widths = nn.Linear(config.num_features, 64), nn.Linear(64, 8), nn.Linear(8, 64)",
            "    return nn.Sequential(*widths, nn.Linear(64, config.num_features))",
            "probe = nn.Linear(2, 1)",
        ]
    )
    assert rows(code, torch_plan(), facts=[fact("latent_dim", stated)])[-1]["verdict"] == verdict


def test_a_fact_that_the_code_hides_is_seen_in_the_running_model() -> None:
    code = "from helpers import make\n\nmodel = make()\n"
    facts = [fact("num_classes", 10), fact("dropout", 0.3), fact("momentum", 0.9), fact("hidden_size", 77)]
    found = rows(code, torch_plan(), seen(), facts)[-4:]
    assert [one["verdict"] for one in found] == ["honoured", "honoured", "honoured", "not found"]


def test_the_parts_of_a_model_show_its_architecture() -> None:
    seq2seq = all_samples()["translation/seq2seq-attention"]
    found = rows(seq2seq.code, seq2seq.plan, facts=[fact("architecture", "seq2seq")])[-1]
    assert found["verdict"] == "honoured"


@pytest.mark.parametrize(
    ("sample", "verdict"),
    [
        ("translation/seq2seq-attention", "honoured"),
        ("summarization/transformer", "honoured"),
        ("time-series-forecasting/lstm", "not found"),
    ],
)
def test_a_transformer_has_attention_whatever_its_parts_are_called(sample: str, verdict: str) -> None:
    found = all_samples()[sample]
    assert rows(found.code, found.plan, facts=[fact("attention", True)])[-1]["verdict"] == verdict


def test_a_random_generator_is_no_gan() -> None:
    code = "import torch\n\ngenerator = torch.Generator().manual_seed(0)\n"
    found = rows(code, torch_plan(), facts=[fact("architecture", "unet")])[-1]
    assert (found["verdict"], found["evidence"]) == ("not found", "nothing in the code is called so")


@pytest.mark.parametrize(
    "code",
    [
        "",
        "w = 'a' * 10**9 * 10**9\nlayer = nn.Linear(w, 9**9**9**9)\n",
        f"import torch\nlayer = torch.nn.Linear(2, {'+'.join('1' * 500)})\n",
        "def f(x):\n    return f(f(x))\n\n\nlayer = nn.Linear(f(3), 1)\nx = y\ny = x\nother = nn.Linear(x, y)\n",
        "class A(A):\n  def __init__(self):\n    self.a = self.b\n    self.b = self.a\n    nn.Linear(self.a, 2)\n",
        "\n".join(f"for y{i} in range(60):\n    pass" for i in range(12))
        + "\nlayer = nn.Linear(2, min(y0, y1, y2, y3, y4))",
        "class Config:\n    epochs: int = 1e999\n    def for_smoke(self):\n        return min(self.epochs, None)\n",
        "text = 'a'\x0c\nmodel = 1\r\nother = 2\r",
    ],
)
def test_no_script_is_too_strange_to_be_judged(code: str) -> None:
    assert len(rows(code, torch_plan())) == len(rows(TORCH, torch_plan()))


def test_lines_are_counted_as_python_counts_them() -> None:
    code = "first = '''\x0c\x1c\u2028'''\noptimizer = torch.optim.Adam(x)\n"
    assert row(code, torch_plan(optimizer="Adam"), "optimizer")["evidence"] == "optimizer = torch.optim.Adam(x)"


def test_code_that_does_not_parse_raises() -> None:
    with pytest.raises(SyntaxError):
        rows("def (", torch_plan())
