"""The writer for small models: what holds in the sandbox is taken, whatever else it answers."""

import re
from collections.abc import Callable

import pytest

from dlcodegen.execution.sandbox.limits import Limits
from dlcodegen.execution.script import Conditions
from dlcodegen.models.scripted import ScriptedChatModel
from dlcodegen.report import Candidate, Diagnosis
from dlcodegen.writers.pieces import UselessAnswerError, with_segment
from dlcodegen.writers.segment_search import best_segments
from dlcodegen.writers.segments import split
from dlcodegen.writers.small_model import SmallModelWriter
from dlcodegen.writers.syntax import SyntaxWriter, segment_of
from tests.writers.conftest import Job, asker_of

MakeJob = Callable[..., Job]
SENTENCE = "predict house prices from 6 features with an MLP that uses group normalisation"
GOOD = """Sure:
```python
import torch
from torch import nn


class Regressor(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.register_buffer("mean", torch.zeros(config.num_features))
        self.register_buffer("std", torch.ones(config.num_features))
        self.layers = nn.Sequential(
            nn.Linear(config.num_features, 32), nn.GroupNorm(4, 32), nn.ReLU(), nn.Linear(32, 1)
        )

    def forward(self, inputs):
        return self.layers(inputs).squeeze(-1)


def build_model(config):
    \"\"\"Shapes: (N, num_features) -> (N,).\"\"\"
    return Regressor(config)
```"""


def writer_of(*answers: str) -> tuple[SmallModelWriter, ScriptedChatModel]:
    model = ScriptedChatModel(answers=list(answers))
    conditions = Conditions(Limits(wall=60.0))
    return SmallModelWriter(asker_of(model), SyntaxWriter(seed=1), conditions, len(answers), None), model


def test_the_answer_that_runs_and_does_what_is_missing_is_taken(job: MakeJob) -> None:
    work = job(SENTENCE)
    broken = GOOD.replace("nn.Linear(32, 1)", "nn.Linear(31, 1)")
    writer, model = writer_of("I cannot do that.", broken, GOOD)
    draft = writer.draft_from_code(work.request, work.plan, work.samples)
    assert draft["report"] is not None and draft["report"]["status"] == "passed"
    assert "GroupNorm(4, 32)" in draft["code"]
    assert "3 answers of the model, 2 usable, 1 of them ran; the best is taken: " in draft["origin"][-1]
    assert "group_norm" in draft["origin"][-1]
    assert "- group norm: use `nn.GroupNorm(1, channels)`" in model.history[0]
    assert writer.usage["calls"] == 3


@pytest.mark.parametrize("answer", ["", "no", "```python\nimport os\nos.system('rm -rf /')\n```"])
def test_the_skeleton_stands_where_no_answer_holds(job: MakeJob, answer: str) -> None:
    work = job(SENTENCE)
    draft = writer_of(answer)[0].draft_from_code(work.request, work.plan, work.samples)
    assert draft["report"] is not None and draft["report"]["status"] == "passed"
    assert draft["origin"][-1].endswith("none is better than the syntax writer's")
    assert "os.system" not in draft["code"]


def test_a_model_that_is_down_is_said_and_does_no_harm(job: MakeJob) -> None:
    work = job(SENTENCE)
    draft = SmallModelWriter(asker_of(ScriptedChatModel()), SyntaxWriter(1), Conditions(), 2, None).draft_from_code(
        work.request, work.plan, work.samples
    )
    assert "the model was of no help (the scripted model has no answer left" in draft["origin"][-1]


def test_a_keras_script_is_given_the_keras_part(job: MakeJob) -> None:
    work = job("tell 6 kinds of mushrooms apart in photos, a plain CNN with squeeze-and-excitation blocks", "keras")
    skeleton = SyntaxWriter(seed=1).draft_from_code(work.request, work.plan, work.samples)["code"]
    model = split(skeleton)["model"]
    better = re.sub(r"( +)(x = layers.(?:ReLU|Activation)\(.*\n)", r"\1\2\1x = squeeze_excitation(x)\n", model)
    assert better != model
    writer, asked = writer_of(f"```python\n{better}\n```")
    draft = writer.draft_from_code(work.request, work.plan, work.samples)
    (prompt,) = asked.history
    assert "def squeeze_excitation(x: keras.KerasTensor)" in prompt
    assert "- squeeze excitation: put `x = squeeze_excitation(x)` after each convolution's activation" in prompt
    assert "a keras script" in prompt and "torch" not in prompt.lower()
    assert "How another script does it" not in prompt
    assert draft["report"] is not None and draft["report"]["status"] == "passed"
    assert "the best is taken: squeeze_excitation" in draft["origin"][-1]


def test_each_framework_has_its_own_place_for_a_technique() -> None:
    assert segment_of("spec_augment", "pytorch") == "data"
    assert segment_of("spec_augment", "keras") == "model"
    assert segment_of("loss", "keras") == "train"


def test_a_technique_without_a_line_for_keras_is_shown_by_its_name_alone(job: MakeJob) -> None:
    work = job("tell 6 kinds of mushrooms apart in photos with a plain CNN and deep supervision", "keras")
    writer, asked = writer_of("no")
    writer.draft_from_code(work.request, work.plan, work.samples)
    assert "- deep supervision\n" in asked.history[0]


def test_the_last_repair_asks_nobody(job: MakeJob) -> None:
    work = job(SENTENCE)
    error = Diagnosis(rung="step", exception="E", message="m", line=None, code="", tensors=[], hint="")
    failed = Candidate(name="merged", code=work.samples[0].code + "# changed\n", origin=[], report=None)
    writer, model = writer_of("nothing")
    mended = writer.repair(work.request, work.plan, [failed], work.samples, left=1)
    assert model.history == [] and error["rung"] == "step"
    assert mended["origin"][0].startswith(f"all: {work.samples[0].id}")


def test_a_segment_of_another_task_shows_how_it_is_done() -> None:
    (found,) = best_segments("model", "attention gate", ["positional_encoding"], "pytorch", 1)
    assert found.shows("positional_encoding")


def test_foreign_segments_in_an_answer_are_dropped(job: MakeJob) -> None:
    script = job(SENTENCE).samples[0].code
    answer = GOOD.replace("class Regressor", "def evaluate(model, loader):\n    return {}\n\n\nclass Regressor")
    changed = with_segment(script, "model", answer)
    assert split(changed)["evaluate"].split() == split(script)["evaluate"].split()
    assert "GroupNorm" in split(changed)["model"]


@pytest.mark.parametrize("answer", ["", "prose", "```python\nprint('hello')\n```", "```python\ndef f(:\n```"])
def test_an_answer_that_defines_nothing_is_useless(job: MakeJob, answer: str) -> None:
    with pytest.raises(UselessAnswerError):
        with_segment(job(SENTENCE).samples[0].code, "model", answer)


def test_the_example_given_back_is_useless(job: MakeJob) -> None:
    script = job(SENTENCE).samples[0].code
    with pytest.raises(UselessAnswerError, match="as it was"):
        with_segment(script, "model", f"```python\n{split(script)['model']}\n```")
