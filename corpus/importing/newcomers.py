"""From a user's files to samples of the user's corpus: what is new, what was known already, what is of no use."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from dlcodegen.corpus.duplicates import nearly_same
from dlcodegen.corpus.importing.derive import Derivation, derive
from dlcodegen.corpus.importing.recognise import framework_of
from dlcodegen.corpus.importing.similarity import fingerprint
from dlcodegen.corpus.importing.sources import Skipped, Source, read_sources
from dlcodegen.corpus.own import OwnCorpus
from dlcodegen.corpus.sample import Sample
from dlcodegen.execution.contract import missing_parts
from dlcodegen.syntax_tree import parse
from dlcodegen.writers.segments import SegmentError, split


@dataclass(frozen=True)
class Newcomer:
    """A script that is not in the pool yet."""

    sample: Sample
    derivation: Derivation
    source: Source
    fingerprint: str


class Newcomers:
    """Reads paths one after the other and remembers what it met, so that copies among them are found too."""

    def __init__(
        self,
        own: OwnCorpus,
        shipped: Iterable[Sample],
        category: str = "",
        licence: str = "",
        near_copies: bool = False,
    ) -> None:
        """`category` and `licence` given count for all, whatever is found; `near_copies`: only copies are skipped."""
        self._near_copies = near_copies
        self._own, self._shipped, self._category, self._licence = own, list(shipped), category, licence
        self._met = {fingerprint(sample.code): sample.id for sample in self._shipped}
        self._kinds: dict[tuple[str, str], list[Sample]] = {}

    def read(self, path: Path) -> Iterator[Newcomer | Skipped]:
        """Every script below `path`, each as soon as it is read. Nothing is executed, nothing is stored.

        Raises InputError when there is nothing at `path`.
        """
        for found in read_sources(path):
            yield found if isinstance(found, Skipped) else self._judge(found)

    def _judge(self, source: Source) -> Newcomer | Skipped:
        framework = framework_of(source)
        if isinstance(framework, Skipped):
            return framework
        mark = fingerprint(source.code)
        if known := self._met.get(mark) or next(iter(self._own.ids(fingerprint=mark)), None):
            return Skipped(source.path, f"a copy of {known}")
        derivation = derive(source.code)
        plan = derivation.plan.model_copy(update={"category": self._category or derivation.plan.category})
        name = re.sub(r"[^a-z0-9]+", "-", source.path.rsplit(".", 1)[0].lower()).strip("-")[-40:].strip("-") or "script"
        sample = Sample(
            id=f"{plan.category}/own-{name}-{mark[:6]}",
            code=source.code,
            plan=plan,
            licence=self._licence or source.licence,
            source=source.origin if source.origin.endswith(source.path) else f"{source.origin}: {source.path}",
            by_contract=keeps_contract(source.code),
        )
        if not self._near_copies and (
            near := next((other.id for other in self._known(sample) if nearly_same(sample, other)), None)
        ):
            return Skipped(source.path, f"nearly the same as {near}")
        self._met[mark] = sample.id
        self._known(sample).append(sample)
        return Newcomer(sample, replace(derivation, plan=plan), source, mark)

    def _known(self, sample: Sample) -> list[Sample]:
        """Those of category and framework: shipped ones, stored ones, and those that were met before."""
        kind = (sample.category, sample.framework)
        if kind not in self._kinds:
            shipped = [other for other in self._shipped if (other.category, other.framework) == kind]
            self._kinds[kind] = shipped + self._own.outlines(category=sample.category, framework=sample.framework)
        return self._kinds[kind]


def keeps_contract(code: str) -> bool:
    """Whether a script has the named parts of the project contract in their order: then it can be cut and changed."""
    try:
        split(code)
    except SegmentError:
        return False
    return not list(missing_parts(parse(code)))
