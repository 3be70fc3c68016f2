"""What a requirement names: optimizer, loss, metrics, architecture, framework, schedule and other wishes."""

import re
from collections.abc import Iterator

from dlcodegen import vocabulary
from dlcodegen.planner.reading import Reading, blank, negated
from dlcodegen.techniques import TECHNIQUES

_NUMBERED = {"resnet", "vgg", "densenet", "efficientnet", "mobilenet", "inception"}

_NAMED: tuple[tuple[str, object, str], ...] = (
    ("framework", "keras", r"\b(?:keras|tensorflow|tf\.keras)\b"),
    ("framework", "pytorch", r"\b(?:pytorch|torch)\b"),
    ("bidirectional", True, r"\bbi-?directional\b|\bbi-?(?:lstm|gru|rnn)s?\b|\bbidirektional\w*"),
    (
        "attention",
        True,
        r"(?:\b(?:with|and|plus|using|mit)|[+&]|w/) ?(?:\w+ )?att(?:entio)?n\b(?! heads| gates?| to|[- ]?u-?net)\b"
        r"|\battention (?:layer|mechanism|pooling)\b",
    ),
    ("pretrained", True, r"\bpre-?trained\b|\btransfer[- ]learning\b|\bfine-?tun\w+|\bimagenet weights\b"),
    (
        "early_stopping",
        True,
        r"\bearly[- ]stop(?:p(?:ing|ed)|s)?\b|(?-i:\bES\b)(?=\s?(?:\(|pat|with|after))"
        r"|\bstop(?:s|ping)?(?: the)?(?: training)? (?:early|once|when|if|as soon as)\b",
    ),
    (
        "augmentation",
        True,
        r"(?<!time )(?<!time-)\b(?:rand|auto|trivial)?augment\w*|\baugs?\b(?!\s?:)"
        r"|\brandom (?:horizontal )?(?:flips?|crops?|rotations?)\b"
        r"|\b(?:flips|mirror(?:ed|ing)|flipping)(?:,| and| or)[\w ,-]{0,20}\b(?:rotat|crop|shift|zoom|jitter)\w*",
    ),
    ("batch_norm", True, r"\bbatch[- _]?norm(?:ali[sz]ation)?\b|(?-i:\bBN\b)"),
    (
        "class_weights",
        True,
        r"\b(?:im|un)balanced\b|\bclass imbalance|\bimbalance (?:of|in|between) (?:the )?(?:class|label)"
        r"|\bclass[- _]weight\w*|\bweigh(?:t|ed|ting|ing)? (?:the |rare |our ){0,2}class\w*"
        r"|\bweighted (?:loss|bce|ce|(?:binary |categorical )?cross[- ]entropy|classes)\b",
    ),
    (
        "scheduler",
        "cosine",
        r"\bcosine(?:annealing(?:lr)?)?\b(?![- ](?:similarit|distance|embedding|loss|score|margin|metric|proximity))",
    ),
    (
        "scheduler",
        "step",
        r"\bstep(?:wise)? (?:learning[- ]rate |lr )?(?:schedul\w+|decay)\b|\bstep[- ]?lr\b"
        r"|\b(?:halv|reduc|decay|divid|drop|multipl)\w*(?: (?:by|the|it|learning|rate|lr|[\d.]+|a|factor|of))* every"
        r" \w+(?: \w+)? epochs?\b",
    ),
    ("scheduler", "one-cycle", r"\bone-?cycle(?:lr)?\b"),
    ("scheduler", "plateau", r"\breduce ?lr ?on ?plateau\b|\bon (?:a )?plateau\b"),
    ("scheduler", "exponential", r"\bexp(?:onential)?(?: lr| learning[- ]rate)? (?:decay|schedul\w+)"),
    ("scheduler", "warm-up", r"\bwarm[- ]?up\b"),
    ("activation", "gelu", r"\bgelu\b"),
    ("activation", "leaky_relu", r"\bleaky[- _]?relu\b"),
    ("activation", "selu", r"\bselu\b"),
    ("activation", "elu", r"\belu\b"),
    ("activation", "tanh", r"\btanh\b"),
    ("activation", "silu", r"\bsilu\b|\bswish\b"),
    ("activation", "relu", r"(?<!leaky )(?<!leaky-)(?<!leaky_)\brelu\b"),
    ("nesterov", True, r"\bnesterov\b"),
)


_OVERLAP = re.compile(
    r"\s?(?:\(|(?:at|@|with|for)\s?){1,2}(?:an? )?iou\s?(?:of|=|>=?|threshold(?: of)?)?\s?0?\.\d+", re.IGNORECASE
)
_MEANS_LOSS = (  # "MSE, Adam, 20 epochs" lists how it is trained
    r"(?: (?!and\b|or\b)[a-z]+){0,5}? (?:as (?:the |a )?(?:training )?)(?:loss|criterion|objective)"
    r"| (?:loss|criterion|objective)| on (?!the |held|test|val)\w| both to train"
    r"|[.,;]? (?:and |with )?(?:n?adam|radam|sgd|rms|ada)"
)
_LEADS_TO_LOSS = (
    r"(?:(?:n?adamw?|sgd|rms-?prop)(?=\W*$)|loss(?: function)?|criterion|objective|minimi[sz]\w+"
    r"|optimi[sz]\w+|train\w* (?:with|on|by|against)|w/)"
    r"(?:[ :=,]|of|is|the){0,6}$"
)
_ENDS_AN_ITEM = r"\s?(?:$|[,.;:)\]+](?! ?l2)| (?:and|plus|as|for|with)(?! l2)\b)"
_LEADS_TO_METRIC = (
    r"(?:metric|report\w*|measur\w*|scor\w*|evaluat\w*|judg\w*|quot\w*|care\w* (?:about|for)|show\w*|print\w*|tell|give"
    r"|track\w*|compar\w*|eval|test)\W(?:[\w:=]+ ){0,3}$"
)
_PICTURES = ("image", "object-", "keypoint-", "depth-", "unconditional-image", "metric-", "self-supervised", "video")
_MAPS = ("image-segmentation", "image-to-image", "depth-")
_LOOSELY: dict[str, tuple[str, tuple[str, ...]]] = {
    "seq2seq": ("encoder", _PICTURES),
    "tcn": ("dilated", (*_PICTURES, "text-", "token-", "tabular-")),
}
"""Architectures that a description names too ("an encoder-decoder"), and the tasks where it means another one."""
_PARTS = {"unet": "diffusion", "attention-unet": "diffusion", "autoencoder": "vit"}
"""What is only a part, or the way of training, where the other one is named: a U-Net removes a diffusion's noise."""
_NOISE_SCHEDULE = re.compile(r"\bcosine (?:noise |beta |variance )?schedul\w+", re.IGNORECASE)


def settings_in_words() -> Iterator[str]:
    """Patterns of what is said of the training, or of any model, and so tells no task."""
    names = ("scheduler", "activation", "early_stopping", "batch_norm", "nesterov")
    return (pattern for name, _, pattern in _NAMED if name in names)


def read_names(text: str, category: str, reading: Reading) -> None:
    """Everything that has a name; what the sentence takes back ("without dropout") is left out."""
    unclaimed = _read_loss_and_optimizer(text, reading)
    _read_metrics(unclaimed, category, reading)
    _read_architecture(text, category, reading)
    if (named := reading.facts.get("architecture")) and named["value"] == "diffusion":
        text = _NOISE_SCHEDULE.sub("", text)  # it is the noise's, not the learning rate's
    techniques = ((technique.name, True, rf"\b(?:{technique.words})") for technique in TECHNIQUES)
    for name, value, pattern in (*_NAMED, *techniques):
        for match in re.finditer(pattern, text, re.IGNORECASE):
            if not negated(text, match):
                reading.add(name, value, match.group())
                break
    _read_skip_connections(text, category, reading)
    _read_dropout(text, reading)


def _read_loss_and_optimizer(text: str, reading: Reading) -> str:
    """The text comes back without them: `MSE loss` names no metric."""
    for name, table in (("loss", vocabulary.LOSSES), ("optimizer", vocabulary.OPTIMIZERS)):
        for term in table:
            match = term.search(text)
            if match and not negated(text, match) and not (name == "loss" and _is_metric(term.name, text, match)):
                reading.add(name, term.name, match.group())
                text = blank(text, match)
                if again := re.match(rf"\s?\((?:the )?(?:{term.pattern})\)", text[match.end() :], re.IGNORECASE):
                    text = text[: match.end()] + " " * len(again.group()) + text[match.end() + len(again.group()) :]
                break
    return text


def _is_metric(loss: str, text: str, match: re.Match[str]) -> bool:
    """`MAE` and `MSE` name a loss only where the words around say so; otherwise they are how success is measured."""
    if loss not in ("mean absolute error", "mean squared error"):
        return False
    before, after = (
        text[max(0, match.start() - 25) : match.start()].lower(),
        text[match.end() : match.end() + 40].lower(),
    )
    stands_alone = match.group().lower() == "l1" and re.match(_ENDS_AN_ITEM, after)  # of itself it measures nothing
    names_loss = (
        stands_alone
        or "loss" in match.group().lower()
        or re.match(_MEANS_LOSS, after)
        or re.search(_LEADS_TO_LOSS, before)
    )
    if names_loss or not match.group().isupper():
        return not names_loss
    # of "MLP, MSE. Report R2" the one that stands alone is the loss, and of "MSE, NME metric" the other one
    others = [term for term in vocabulary.METRICS if term.name not in ("mae", "mse") and term.search(text)]
    called_so = any(
        re.match(rf",? (?:{term.pattern}) (?:as (?:the |a )?)?metric", after, re.IGNORECASE) for term in others
    )
    beside = not called_so and any(
        re.match(rf"\s?(?:,|and|&|\+|/|or) ?(?:the )?(?:{term.pattern})", after, re.IGNORECASE)
        or re.search(rf"(?:{term.pattern})\s?(?:,|and|&|\+|/|or) ?(?:and )?$", before, re.IGNORECASE)
        for term in others
    )
    return not others or beside or re.search(_LEADS_TO_METRIC, before) is not None


def _read_metrics(text: str, category: str, reading: Reading) -> None:
    """All metrics that are named, in the order of the sentence; the first is the one that counts.

    The longest name comes first: "mean average precision at IoU 0.5" names neither a precision nor an IoU.
    """
    found = []
    named = [(term, match) for term in vocabulary.METRICS if (match := term.search(text))]
    for term, _ in sorted(named, key=lambda item: -len(item[1].group())):
        match = term.search(text)
        if match and not _is_dismissed(text, match):
            is_ranking = match.group() in ("AP", "MAP", "mAP") and category != "object-detection"
            found.append((match.start(), "average_precision" if is_ranking else term.name, match.group()))
            text = blank(text, match)
            if term.name == "map_50" and (at := _OVERLAP.match(text, match.end())):
                text = blank(text, at)
    if found and "metric" not in reading.facts:
        found.sort()
        reading.add("metric", [name for _, name, _ in found], ", ".join(words for _, _, words in found))


def _is_dismissed(text: str, match: re.Match[str]) -> bool:
    """`accuracy alone would mislead us`, `not accuracy`."""
    return (
        negated(text, match) or re.match(r"\s(?:alone|is (?:useless|misleading|not))", text[match.end() :]) is not None
    )


def _read_architecture(text: str, category: str, reading: Reading) -> None:
    named = {term.name: match for term in vocabulary.ARCHITECTURES if (match := term.search(text))}
    for name, match in named.items():
        if _PARTS.get(name) in named:
            continue
        if not _is_described(name, match.group(), category) and not negated(text, match):
            reading.add("architecture", name, match.group())
            only_like = re.match(r"[- ](?:like|style|inspired|ish)\b", text[match.end() :]) is not None
            if vocabulary.term(vocabulary.UNBUILT, name) is None and not only_like:
                _read_variant(name, match.group(), reading)
            return


def _is_described(architecture: str, words: str, category: str) -> bool:
    """Whether these words only describe another architecture of this task."""
    description, tasks = _LOOSELY.get(architecture, ("", ()))
    return bool(tasks) and description in words.lower() and category.startswith(tasks) and category != "image-to-text"


def _read_variant(architecture: str, words: str, reading: Reading) -> None:
    """A size of a family that has a name of its own: `ResNet-50`, "an 18-layer ResNet"."""
    layers = reading.facts.get("num_layers")
    if layers and architecture in _NUMBERED and "net" in words.lower() and int(str(layers["value"])) >= 10:
        reading.add("variant", f"{architecture}-{layers['value']}", layers["text"])
        del reading.facts["num_layers"]
    elif re.search(r"\d|\+\+|bert|gpt", words, re.IGNORECASE) and not re.match(
        r"[12]-?d|seq2seq|nano|mini", words, re.IGNORECASE
    ):
        reading.add("variant", words, words)


def _read_skip_connections(text: str, category: str, reading: Reading) -> None:
    """A plain CNN with skip connections is a residual network, an encoder-decoder of images with them a U-Net.

    Other architectures have them or do without.
    """
    match = re.search(r"\b(?:skip|residual|shortcut)[- ]connections?\b", text, re.IGNORECASE)
    known = reading.facts.get("architecture")
    if match and not negated(text, match) and (known is None or known["value"] in ("cnn", "mlp")):
        halves = category.startswith(_MAPS) and re.search(r"\bencoder(?:[- /]| and )decoder\b", text, re.IGNORECASE)
        before = halves.group() if halves else known["text"] if known else ""
        reading.facts.pop("residual", None)
        reading.facts.pop("architecture", None)
        words = f"{before} ... {match.group()}" if before else match.group()
        reading.add("architecture", "unet" if halves else "resnet", words)


def _read_dropout(text: str, reading: Reading) -> None:
    """`dropout` without a rate asks for a usual one; `no dropout` for none."""
    match = re.search(r"\bdrop-?out\b", text, re.IGNORECASE)
    if match and negated(text, match):
        reading.imply("dropout", 0.0, f"no {match.group()}")
    elif match and not any(note.startswith("dropout ") for note in reading.notes):
        reading.imply("dropout", 0.3, f"{match.group()} (no rate stated)")
