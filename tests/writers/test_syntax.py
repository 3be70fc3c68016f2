"""The embedded writer: what is stated arrives in the code, comments and layout survive, evidence decides the merge."""

import ast
import re
from collections.abc import Callable

import pytest

from dlcodegen.errors import DLCodeGenError
from dlcodegen.execution.conformance.table import conformance
from dlcodegen.report import Candidate, CheckReport, Diagnosis
from dlcodegen.writers.history import nothing_left
from dlcodegen.writers.syntax import SyntaxWriter
from tests.writers.conftest import Job

MakeJob = Callable[[str], Job]
WRITER = SyntaxWriter(seed=7)


def draft_a(job: Job) -> str:
    return WRITER.draft_from_code(job.request, job.plan, job.samples)["code"]


def draft_b(job: Job) -> str:
    template = WRITER.abstract(job.plan, job.samples)
    return WRITER.draft_from_template(job.request, job.plan, template)["code"]


@pytest.mark.parametrize("draft", [draft_a, draft_b])
@pytest.mark.parametrize(
    ("requirement", "expected"),
    [
        (
            "Classify 40x30 grayscale photos into 7 classes",
            ["image_height: int = 40", "channels: int = 1", "num_classes: int = 7"],
        ),
        (
            "segment cells with a U-Net, Dice loss, SGD with momentum 0.9",
            ["return DiceLoss()", "torch.optim.SGD(", "momentum=0.9"],
        ),
        (
            "segment polyps, focal loss, RMSprop, lr 3e-4",
            ["return BinaryFocalLoss()", "torch.optim.RMSprop(", "learning_rate: float = 0.0003"],
        ),
        (
            "predict rents from 6 features, Huber loss, report R2 and MAPE",
            ["return nn.HuberLoss()", '"r2"', '"mape"'],
        ),
        ("classify news into 5 topics, label smoothing 0.1", ["nn.CrossEntropyLoss(label_smoothing=0.1)"]),
        (
            "classify images into 4 classes, gradient clipping at 1.0, cosine annealing",
            [
                "clip_grad_norm_(model.parameters(), max_norm=1.0)",
                "CosineAnnealingLR(optimizer, T_max=config.epochs)",
                "scheduler.step()",
            ],
        ),
        (
            "classify iris flowers from 4 features into 3 classes, report balanced accuracy and MCC",
            ['"balanced_accuracy": balanced_accuracy(', '"mcc": mcc('],
        ),
    ],
)
def test_what_is_stated_arrives_in_the_code(
    draft: Callable[[Job], str], requirement: str, expected: list[str], job: MakeJob
) -> None:
    code = draft(job(requirement))
    ast.parse(code)
    for text in expected:
        assert text in code
    assert "seed: int = 7" in code


def test_a_template_is_the_sample_with_slots_and_filling_them_gives_a_script(job: MakeJob) -> None:
    work = job("Classify 32x32 photos into 6 classes with a CNN, batch size 48")
    template = WRITER.abstract(work.plan, work.samples)
    assert {"config.batch_size", "config.num_classes", "loss", "optimizer", "model"} <= set(template["slots"])
    assert "batch_size: int = {{config.batch_size}}" in template["code"]
    assert any(line.startswith("evaluate: shared by") for line in template["origin"])
    assert "batch_size: int = 48" in draft_b(work)


def test_comments_and_layout_of_the_sample_survive(job: MakeJob) -> None:
    work = job("I want to segment polyps with a U-Net, batch size 4")
    own = re.findall(r"#.*", work.samples[0].code)
    assert own
    assert set(own) <= set(re.findall(r"#.*", draft_a(work)))


def test_the_samples_claim_about_its_own_result_is_not_handed_on(job: MakeJob) -> None:
    work = job("I want to segment polyps with a U-Net")
    assert "Result (--smoke)" in work.samples[0].code
    assert "Result (--smoke)" not in draft_a(work)


def test_another_architecture_is_built_from_the_plans_layers(job: MakeJob) -> None:
    work = job("classify tweets as positive, negative or neutral with a TCN")
    assert any("TemporalBlock" in layer for layer in work.plan.layers)
    code = draft_b(work)
    assert "class TemporalBlock" in code
    assert "class BiLSTM" not in code
    rows = {row["name"]: row["verdict"] for row in conformance(code, work.plan, work.request["facts"])}
    assert rows["architecture"] == "honoured"


def test_a_recurrent_cell_is_exchanged_in_names_and_words(job: MakeJob) -> None:
    code = draft_a(job("forecast the next 6 hours from the past 24 hours with a GRU"))
    assert "nn.GRU(" in code
    assert "LSTM" not in code
    assert "lstm" not in code


def test_an_lstm_in_the_place_of_a_gru_gives_a_pair_of_states(job: MakeJob) -> None:
    work = job("sort gym videos into 8 exercises with a CNN-LSTM")
    code = draft_a(work)
    assert "nn.LSTM(" in code
    assert "_, (states, _) = self.lstm(frames)" in code
    rows = {row["name"]: row["verdict"] for row in conformance(code, work.plan, work.request["facts"])}
    assert rows["architecture"] == "honoured"


def test_without_samples_it_says_so(job: MakeJob) -> None:
    work = job("segment polyps")
    with pytest.raises(DLCodeGenError, match="works on samples, and none was retrieved"):
        WRITER.draft_from_code(work.request, work.plan, [])


def report(work: Job, code: str, status: str, error: Diagnosis | None = None) -> CheckReport:
    return CheckReport(
        status="passed" if status == "passed" else "failed", rungs=[], error=error, metrics={}, lint=0, sandbox={},
        untrained={}, conformance=conformance(code, work.plan, work.request["facts"]), seconds=0.0,
    )  # fmt: skip


def candidates(work: Job, first: str, second: str) -> list[Candidate]:
    codes = {"draft_from_code": draft_a(work), "draft_from_template": draft_b(work)}
    return [
        Candidate(name=name, code=code, origin=[], report=report(work, code, status))
        for (name, code), status in zip(codes.items(), (first, second), strict=True)
    ]


def test_the_merge_takes_each_segment_from_the_draft_that_honours_more(job: MakeJob) -> None:
    work = job("classify customers who churn from 9 features, MLP with hidden layers of 96 and 24 units")
    merged = WRITER.merge(work.request, work.plan, candidates(work, "passed", "passed"))
    lines = {line.split(":")[0]: line for line in merged["origin"]}
    assert lines["model"].startswith("model: draft_from_template - honours")
    assert lines["data"].startswith("data: draft_from_code")
    assert "96" in merged["code"]
    ast.parse(merged["code"])


def test_title_settings_and_help_go_with_the_model_that_is_merged(job: MakeJob) -> None:
    work = job("text classification: tags of letters, 5 labels that can be combined, an LSTM")
    merged = WRITER.merge(work.request, work.plan, candidates(work, "passed", "passed"))["code"]
    title, first, data, *_ = (ast.get_docstring(ast.parse(merged)) or "").split("\n\n")
    assert title == "Multi-label text classification: LSTM."
    assert first.startswith("Tells which of several labels hold for a text") and "attention" not in first
    assert data.startswith("Data (--data PATH): a CSV file with the column text, then one column per label")
    assert 'description="Multi-label text classification: LSTM."' in merged
    assert "num_heads" not in merged


def test_what_ran_counts_before_what_it_honours(job: MakeJob) -> None:
    work = job("classify customers who churn from 9 features, MLP with hidden layers of 96 and 24 units")
    drafts = candidates(work, "passed", "failed")
    merged = WRITER.merge(work.request, work.plan, drafts)
    assert merged["code"] == drafts[0]["code"]


def test_a_script_without_the_parts_of_the_contract_gives_way_to_the_sample(job: MakeJob) -> None:
    work = job("segment polyps")
    failed = Candidate(name="merged", code="broken", origin=[], report=None)
    history = [*candidates(work, "failed", "failed"), failed]
    mended = WRITER.repair(work.request, work.plan, history, work.samples, 3)
    assert mended["code"] == work.samples[0].code
    assert mended["origin"] == [f"all: {work.samples[0].id} - the sample as it is, for nothing else ran"]


def test_where_nothing_is_left_a_repair_says_so(job: MakeJob) -> None:
    work = job("segment polyps")
    failed = Candidate(name="merged", code="broken", origin=[], report=None)
    assert nothing_left([failed, WRITER.repair(work.request, work.plan, [failed], [], 3)])


def test_a_repair_exchanges_the_segment_in_which_the_script_failed(job: MakeJob) -> None:
    work = job("classify customers who churn from 9 features, MLP with hidden layers of 96 and 24 units")
    drafts = candidates(work, "failed", "failed")
    code = drafts[1]["code"]
    line = next(number for number, text in enumerate(code.splitlines(), 1) if text.startswith("def build_model"))
    error = Diagnosis(
        rung="smoke run", exception="RuntimeError", message="shapes", line=line + 2, code="", tensors=[], hint=""
    )
    failed = Candidate(name="merged", code=code, origin=[], report=report(work, code, "failed", error))
    mended = WRITER.repair(work.request, work.plan, [drafts[0], failed], [], 3)
    assert mended["origin"] == ["model: draft_from_code - the script failed there"]
    assert "96" not in mended["code"]


@pytest.mark.parametrize(
    ("stopped", "message"), [("timeout", ""), ("out of memory", ""), ("RuntimeError", "can't allocate memory: ...")]
)
def test_a_trial_that_takes_too_much_is_made_smaller_and_nothing_else(stopped: str, message: str, job: MakeJob) -> None:
    work = job("classify 384x384 photos into 7 classes, 40 epochs")
    code = draft_a(work)
    error = Diagnosis(rung="smoke run", exception=stopped, message=message, line=None, code="", tensors=[], hint="")
    failed = Candidate(name="merged", code=code, origin=[], report=report(work, code, "failed", error))
    mended = WRITER.repair(work.request, work.plan, [failed], work.samples, 3)
    assert mended["origin"] == ["config: a smaller trial - it took too much time or memory"]
    assert "image_height: int = 384" in mended["code"]
    changed = set(mended["code"].splitlines()) ^ set(code.splitlines())
    assert changed
    assert all(line.startswith(" " * 8) for line in changed), "the last lines of for_smoke"
    again = mended | {"report": failed["report"]}
    assert "smaller trial" not in WRITER.repair(work.request, work.plan, [failed, again], work.samples, 2)["origin"][0]


@pytest.mark.parametrize("name", ["SegNet", "FCN"])
def test_a_stack_of_plain_layers_is_told_from_another_architecture(name: str, job: MakeJob) -> None:
    work = job(f"segment cracks with a {name}")
    verdicts = [
        next(
            row["verdict"]
            for row in conformance(code, work.plan, work.request["facts"])
            if row["name"] == "architecture"
        )
        for code in (draft_a(work), draft_b(work))
    ]
    assert verdicts == ["not found", "honoured"]
