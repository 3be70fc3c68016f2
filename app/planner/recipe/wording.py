"""How hasty people write: slips of the finger, no capitals, no full stop, a please or two."""

from random import Random

_BESIDE = {
    "a": "sqz", "b": "vgn", "c": "xvd", "d": "sfe", "e": "wrd", "f": "dgr", "g": "fht", "h": "gjy", "i": "uok",
    "k": "jl", "l": "ko", "m": "n", "n": "bm", "o": "ip", "p": "o", "r": "et", "s": "ad", "t": "ry", "u": "yi",
    "v": "cb", "w": "qe", "y": "tu",
}  # fmt: skip
_SHORT = {
    "please": "pls", "with": "w/", "images": "imgs", "image": "img", "and": "&", "you": "u", "neural network": "NN",
    "classification": "clf", "because": "bc", "without": "w/o", "convolutional": "conv", "dataset": "data set",
}  # fmt: skip
_BEFORE = (
    "Hi, ",
    "Hello! ",
    "hey, ",
    "Goal: ",
    "TASK: ",
    "Project: ",
    "For work: ",
    "Help: ",
    "OK so ",
    "* ",
    "Idea: ",
)
_AFTER = (
    " Thanks!",
    " thx",
    " Please help.",
    " No idea how to start.",
    " Must run on a laptop.",
    " It is urgent.",
    " :)",
    "...",
)


def as_typed(text: str, random: Random) -> str:
    """The text as some hurried people would type it; most write it as it is."""
    if random.random() < 0.08:
        text = random.choice(_BEFORE) + text
    if random.random() < 0.08:
        text += random.choice(_AFTER)
    if random.random() < 0.10:
        text = _shortened(text, random)
    if random.random() < 0.15:
        text = _slipped(text, random)
    if random.random() < 0.15:
        text = text.rstrip(".") or text
    return text


def _shortened(text: str, random: Random) -> str:
    for long, short in _SHORT.items():
        if random.random() < 0.5:
            text = text.replace(f" {long} ", f" {short} ")
    return text


def _slipped(text: str, random: Random) -> str:
    """One slip in about every twelve words; numbers stay as they are."""
    words = text.split(" ")
    for place, word in enumerate(words):
        if len(word) > 3 and word.isalpha() and random.random() < 1 / 12:
            words[place] = _slip(word, random)
    return " ".join(words)


def _slip(word: str, random: Random) -> str:
    """A letter left out, doubled, exchanged with the next, or hit beside."""
    place = random.randrange(1, len(word) - 1)
    before, letter, after = word[:place], word[place], word[place + 1 :]
    beside = random.choice(_BESIDE.get(letter.lower(), letter))
    return random.choice(
        (before + after, before + letter * 2 + after, before + after[:1] + letter + after[1:], before + beside + after)
    )
