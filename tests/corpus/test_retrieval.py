"""Which sample comes first: one that can hold the stated shapes, of the named architecture, with the same words."""

import dataclasses

import pytest

from dlcodegen.corpus.pool import Pool, shipped_pool
from dlcodegen.corpus.retrieval import distinct, rank_by_plan, rank_by_words
from dlcodegen.corpus.sample import Sample, all_samples
from dlcodegen.corpus.texts import tokens
from dlcodegen.planner.request import read_requirement
from dlcodegen.report import Fact

POOL = list(all_samples().values())


def of(category: str, framework: str = "pytorch") -> list[str]:
    return [sample.id for sample in POOL if (sample.category, sample.framework) == (category, framework)]


def first(requirement: str) -> str:
    read = read_requirement(requirement)
    return rank_by_words(requirement, read.facts, of(read.category), shipped_pool())[0].sample.id


@pytest.mark.parametrize("sample", POOL, ids=lambda sample: sample.id)
def test_a_samples_own_plan_finds_it(sample: Sample) -> None:
    assert (
        rank_by_plan(sample.plan, [], of(sample.category, sample.framework), shipped_pool())[0].sample.id == sample.id
    )


@pytest.mark.parametrize(
    ("requirement", "found"),
    [
        ("forecast load with a TCN", "time-series-forecasting/tcn"),
        ("forecast load with an LSTM", "time-series-forecasting/lstm"),
        ("forecast load with a GRU", "time-series-forecasting/seq2seq"),
        ("forecast load with a simple RNN", "time-series-forecasting/lstm"),  # the cells are exchanged
        ("forecast load with a transformer", "time-series-forecasting/transformer"),
        ("classify photos with a ResNet-18", "image-classification/resnet"),
        ("classify photos with a small CNN", "image-classification/small-cnn"),
        ("a VAE for faces", "unconditional-image-generation/vae"),
        ("diffusion model for faces", "unconditional-image-generation/diffusion"),
        ("attention U-Net for lung segmentation", "image-segmentation/attention-unet"),
        ("summarize patents with seq2seq and attention", "summarization/seq2seq-attention"),
        ("anomaly detection in hourly pump pressure with an autoencoder", "anomaly-detection/lstm-autoencoder"),
        ("anomaly detection in rows of a table with an autoencoder", "anomaly-detection/autoencoder"),
        ("multi-label classification of posters", "image-classification/multi-label"),
        ("text classification of letters that have more than one topic", "text-classification/multi-label"),
    ],
)
def test_the_named_architecture_comes_first(requirement: str, found: str) -> None:
    assert first(requirement) == found


def test_stated_shapes_outrank_words() -> None:
    """A binary mask has no number of classes: five classes need the other U-Net, whatever the words."""
    words = "binary segmentation of polyps, one mask per image, with a U-Net"
    assert first(words) == "image-segmentation/unet-binary"
    facts = [Fact(name="num_classes", value=5, text="")]
    ranked = rank_by_words(words, facts, of("image-segmentation"), shipped_pool())
    assert ranked[0].sample.id == "image-segmentation/unet-multiclass"


def test_near_duplicates_are_skipped() -> None:
    one = all_samples()["image-segmentation/unet-binary"]
    twin = dataclasses.replace(one, id="image-segmentation/twin", code=f"{one.code}# the same\n")
    pool = Pool({**all_samples(), twin.id: twin})
    ranked = rank_by_words("segment with a U-Net", [], [one.id, twin.id, *of("translation")], pool)
    kept = [item.sample.id for item in distinct(ranked, 3)]
    assert len({"image-segmentation/twin", one.id} & set(kept)) == 1
    assert distinct(ranked, 1) == ranked[:1]


def test_no_samples_rank_as_nothing_and_the_order_is_fixed() -> None:
    assert rank_by_words("anything", [], [], shipped_pool()) == []
    every = list(all_samples())
    ranked = [rank_by_words("no word matches", [], every, shipped_pool()) for _ in range(3)]
    orders = {tuple(item.sample.id for item in order) for order in ranked}
    assert len(orders) == 1


def test_words_are_compared_without_case_and_plural() -> None:
    assert tokens("Images, 64x64: CLASSES!") == ["image", "64", "x", "64", "classe"]
