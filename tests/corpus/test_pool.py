"""Shipped samples and the user's own as one pool, whose index lasts and follows every change."""

import dataclasses
import logging
from pathlib import Path
from typing import Any

import pytest

from dlcodegen.corpus import pool_index
from dlcodegen.corpus.own import OwnCorpus
from dlcodegen.corpus.pool import Pool, Usable
from dlcodegen.corpus.pool_index import PoolIndex, opened
from dlcodegen.corpus.retrieval import Search, demonstrations, rank_by_words
from dlcodegen.corpus.sample import Sample, all_samples

ONE = all_samples()["translation/seq2seq-attention"]
SHIPPED = {key: sample for key, sample in all_samples().items() if sample.category in ("translation", "summarization")}


def own_sample(name: str, category: str = "translation", **changes: Any) -> Sample:
    code = ONE.code.replace("Translation with", f"Translation of {name} with", 1)
    changed: dict[str, Any] = {"id": f"{category}/own-{name}", "code": code, "source": "me", **changes}
    return dataclasses.replace(ONE, **changed)


@pytest.fixture
def own(tmp_path: Path) -> OwnCorpus:
    return OwnCorpus(tmp_path / "corpus")


def first(query: str, pool: Pool) -> str:
    return rank_by_words(query, [], [*pool.shipped, *(pool.own.ids() if pool.own else [])], pool)[0].sample.id


def test_own_samples_are_ranked_beside_the_shipped_ones(own: OwnCorpus) -> None:
    own.add([own_sample("cuneiform")])
    pool = Pool(SHIPPED, own)
    assert first("cuneiform tablets", pool) == "translation/own-cuneiform"
    ids = pool.ids("translation", Usable("pytorch", only_by_contract=False))
    assert {"translation/own-cuneiform", ONE.id} <= set(ids)
    assert [sample.id for sample in pool.samples(["translation/own-cuneiform", "no/such", ONE.id])] == [
        "translation/own-cuneiform",
        ONE.id,
    ]


def test_only_what_keeps_the_contract_serves_the_syntax_writer(own: OwnCorpus) -> None:
    own.add([own_sample("free", by_contract=False)])
    own.add([own_sample("strict")])
    ids = Pool(SHIPPED, own).ids("translation", Usable("pytorch", only_by_contract=True))
    assert "translation/own-strict" in ids
    assert "translation/own-free" not in ids


def test_the_index_on_disk_follows_what_is_added_and_removed(
    own: OwnCorpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "index"
    own.add([own_sample("cuneiform")])
    made = opened(SHIPPED, own, folder)
    read: list[str] = []
    fetched = OwnCorpus.samples
    monkeypatch.setattr(OwnCorpus, "samples", lambda self, ids: fetched(self, read.extend(ids) or ids))  # type: ignore[func-returns-value]
    assert opened(SHIPPED, own, folder).ids == made.ids
    own.add([own_sample("runes")])
    grown = opened(SHIPPED, own, folder)
    assert read == ["translation/own-runes"], "only what is new is read"
    whole = PoolIndex.build([*SHIPPED.values(), own_sample("cuneiform"), own_sample("runes")])
    for query in ("runes and cuneiform", "translation"):
        for over in ("plans", "descriptions"):
            assert grown.scores(over, query, whole.ids).tolist() == whole.scores(over, query, whole.ids).tolist()
    own.remove(["translation/own-cuneiform"])
    assert sorted(opened(SHIPPED, own, folder).ids) == sorted([*SHIPPED, "translation/own-runes"])
    assert len([path for path in folder.iterdir() if path.is_dir()]) == 1, "earlier states are dropped"


@pytest.mark.parametrize("damage", ["ids.json", "plans/bm25.index", "descriptions/bm25.index"])
def test_a_broken_index_is_made_anew_and_said_so(
    own: OwnCorpus, tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "index"
    own.add([own_sample("cuneiform")])
    made = opened(SHIPPED, own, folder)
    (broken,) = folder.glob(f"*/{damage}")
    broken.write_bytes(broken.read_bytes()[:-20])
    with caplog.at_level(logging.WARNING):
        assert opened(SHIPPED, own, folder).ids == made.ids
    assert "the index of your corpus was broken and is made anew" in caplog.text
    caplog.clear()
    assert opened(SHIPPED, own, folder).ids == made.ids
    assert not caplog.text


def test_where_nothing_can_be_written_it_is_made_each_time(
    own: OwnCorpus, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    own.add([own_sample("cuneiform")])
    with caplog.at_level(logging.WARNING):
        assert "translation/own-cuneiform" in opened(SHIPPED, own, tmp_path / "file" / "index").ids
    assert "cannot be used" in caplog.text


def test_large_corpora_are_read_in_parts(own: OwnCorpus, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(pool_index, "_AT_ONCE", 2)
    for number in range(5):
        own.add([own_sample(f"part{number}")])
    assert len(opened(SHIPPED, own, tmp_path / "index").ids) == len(SHIPPED) + 5


def test_neighbours_fill_up_a_category_that_has_too_few() -> None:
    pool = Pool()
    usable = Usable("pytorch", only_by_contract=True)
    search = Search(all_samples()["question-answering/span-transformer"].plan, [], usable, pool)
    ids = pool.ids("question-answering", usable)
    found = search.best(ids, 3)
    assert [sample.category for sample in found][: len(ids)] == ["question-answering"] * len(ids)
    assert len(found) == 3
    assert {sample.category for sample in found[len(ids) :]} <= {"token-classification", "text-classification"}
    assert [sample.id for sample in search.best(ids, 1)] == ["question-answering/span-transformer"]


def test_a_second_opinion_counts_as_much_as_the_first_but_not_more_than_the_shapes() -> None:
    pool = Pool()
    usable = Usable("pytorch", only_by_contract=True)
    plan = all_samples()["time-series-forecasting/lstm"].plan
    ids = pool.ids("time-series-forecasting", usable)
    alone = [sample.id for sample in Search(plan, [], usable, pool).best(ids, len(ids))]
    agreed = Search(plan, [], usable, pool, second=list).best(ids, len(ids))
    assert [sample.id for sample in agreed] == alone
    turned = Search(plan, [], usable, pool, second=lambda order: list(order[::-1])).best(ids, len(ids))
    assert {sample.id for sample in turned} == set(alone)
    assert turned[0].id in (alone[0], alone[-1])


def test_demonstrations_are_chosen_by_words_alone_whatever_their_task() -> None:
    usable = Usable("pytorch", only_by_contract=True)
    found = demonstrations("translate sentences with attention, then summarise them", usable, Pool(), 4)
    assert len(found) == 4
    assert len({sample.category for sample in found}) > 1
    assert "translation/seq2seq-attention" in [sample.id for sample in found]
