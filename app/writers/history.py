"""What the attempts so far tell about the next one: a repair that repeats itself changes its way (issue 6)."""

from dlcodegen.report import Candidate, Diagnosis

_NOTHING_LEFT = "nothing else is at hand"


def something_ran(history: list[Candidate]) -> bool:
    """Whether any script so far passed its check."""
    return any(item["report"] is not None and item["report"]["status"] == "passed" for item in history)


def unchanged(failed: Candidate) -> Candidate:
    """The repair of one for whom nothing else is at hand."""
    return {**failed, "origin": [_NOTHING_LEFT]}


def nothing_left(history: list[Candidate]) -> bool:
    """Whether the newest repair is `unchanged`: then the repairs are over."""
    return history[-1]["origin"][-1:] == [_NOTHING_LEFT]


def same_error_again(history: list[Candidate]) -> bool:
    """Whether the newest repair failed exactly as what it was to mend: asking once more would bring the same again."""
    return repeats(history) > 0


def repeats(history: list[Candidate]) -> int:
    """How many repairs in a row, the newest last, brought back an error or a text that was there before."""
    count = 0
    for place in range(len(history) - 1, 0, -1):
        newest, before = history[place], history[:place]
        if not newest["name"].startswith("repair") or not any(_alike(newest, other) for other in before):
            break
        count += 1
    return count


def _alike(one: Candidate, other: Candidate) -> bool:
    first, second = (item["report"]["error"] if item["report"] else None for item in (one, other))
    same_error = first is not None and second is not None and _told(first) == _told(second)
    return same_error or one["code"] == other["code"]


def _told(error: Diagnosis) -> tuple[str, str, str]:
    """What went wrong, wherever it stands now: an edit above moves the line."""
    return error["rung"], error["exception"], error["message"]
