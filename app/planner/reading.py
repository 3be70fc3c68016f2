"""What has been read so far: facts by name, and what the user should hear about how they were read."""

import re
from dataclasses import dataclass, field

from dlcodegen.report import Fact

_MAY_CONTRADICT = {
    "image_height", "image_width", "channels", "num_classes", "batch_size", "learning_rate", "epochs", "horizon",
    "window", "num_features", "optimizer", "framework",
}  # fmt: skip


@dataclass
class Reading:
    """Facts and notes; the first value that is read for a name counts."""

    facts: dict[str, Fact] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, name: str, value: object, text: str) -> None:
        """Keep the first value; another one for the same thing is a contradiction to report."""
        text = " ".join(text.split())
        known = self.facts.get(name)
        if known is None:
            self.facts[name] = Fact(name=name, value=value, text=text)  # type: ignore[typeddict-item]
        elif known["value"] != value and name in _MAY_CONTRADICT:
            self.note(
                f"{name} is stated as {known['value']} (“{known['text']}”) and as {value} (“{text}”): the first counts"
            )

    def imply(self, name: str, value: object, text: str) -> None:
        """Keep the value unless something is known already."""
        if name not in self.facts:
            self.add(name, value, text)

    def note(self, line: str) -> None:
        """Say something once, and no more than eight things."""
        if line not in self.notes and len(self.notes) < 8:
            self.notes.append(line)


def blank(text: str, match: re.Match[str]) -> str:
    """The text with the match replaced by spaces, so that its numbers are not read twice."""
    return text[: match.start()] + " " * len(match.group()) + text[match.end() :]


def negated(text: str, match: re.Match[str]) -> bool:
    """Whether the words before the match take it back: "without ...", "no ...", "instead of an LSTM"."""
    before = text[max(0, match.start() - 40) : match.start()]
    return (
        re.search(
            r"(?:\b(?:no|not|without|never|avoid|except|instead of|rather than|better than|compared? (?:to|with)"
            r"|don'?t (?:use|want|need))"
            r"|(?<!\w)(?:ohne|kein\w*|sans|sin|senza|sem))\s(?:an?\s|the\s|any\s|use\s|using\s)?(?:[\w-]+\s){0,1}$",
            before,
            re.IGNORECASE,
        )
        is not None
    )
