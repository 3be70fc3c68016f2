"""What a requirement states, read once: shapes, sizes, names. What the user said wins over anything predicted."""

import re
from dataclasses import dataclass, field

from dlcodegen import vocabulary
from dlcodegen.planner import quantities
from dlcodegen.planner.datasets import known_dataset
from dlcodegen.report import Fact

_IMAGE = {"image_height", "image_width", "channels", "base_width", "depth", "patch_size"}
_TRAINING = {
    "learning_rate", "batch_size", "epochs", "patience", "seed", "weight_decay", "momentum", "betas", "label_smoothing",
    "gradient_clip", "optimizer", "loss", "metric", "scheduler", "split",
}  # fmt: skip
_MODEL = {
    "architecture", "num_layers", "hidden_size", "hidden_units", "filters", "kernel_size", "num_heads", "dropout",
    "bidirectional", "attention", "batch_norm", "pretrained", "activation",
}  # fmt: skip
_EVERYWHERE = _TRAINING | _MODEL | {"framework", "early_stopping", "augmentation", "class_weights"}

# A number is read as a quantity only where the category has that quantity: "128 samples" is a window in a
# time series and nothing in an image task.
_QUANTITIES = {
    "image-classification": _IMAGE | {"num_classes", "embedding_dim"},
    "image-segmentation": _IMAGE | {"num_classes"},
    "object-detection": _IMAGE | {"num_classes"},
    "keypoint-detection": _IMAGE | {"num_keypoints"},
    "image-regression": _IMAGE | {"num_outputs"},
    "depth-estimation": _IMAGE,
    "image-to-image": _IMAGE | {"scale_factor", "noise_level", "latent_dim"},
    "unconditional-image-generation": _IMAGE | {"latent_dim", "num_steps"},
    "image-to-text": _IMAGE | {"vocab_size", "sequence_length", "embedding_dim"},
    "metric-learning": _IMAGE | {"embedding_dim", "num_classes"},
    "self-supervised-learning": _IMAGE | {"embedding_dim", "num_classes"},
    "video-classification": _IMAGE | {"num_classes", "num_frames"},
    "text-classification": {"num_classes", "vocab_size", "sequence_length", "embedding_dim"},
    "token-classification": {"num_classes", "vocab_size", "sequence_length", "embedding_dim"},
    "question-answering": {"vocab_size", "sequence_length", "embedding_dim"},
    "summarization": {"vocab_size", "sequence_length", "embedding_dim"},
    "translation": {"vocab_size", "sequence_length", "embedding_dim"},
    "text-generation": {"vocab_size", "sequence_length", "embedding_dim"},
    "tabular-classification": {"num_features", "num_classes"},
    "tabular-regression": {"num_features", "num_outputs"},
    "time-series-forecasting": {"window", "horizon", "num_features"},
    "time-series-classification": {"window", "num_features", "num_classes"},
    "anomaly-detection": {"num_features", "latent_dim", "window"},
    "audio-classification": {"num_classes", "sample_rate", "clip_seconds", "num_mels"},
    "automatic-speech-recognition": {"vocab_size", "sample_rate", "num_mels"},
    "recommendation": {"num_users", "num_items", "latent_dim", "embedding_dim"},
    "graph-machine-learning": {"num_features", "num_classes"},
    "multimodal-classification": _IMAGE | {"num_features", "num_classes"},
}  # fmt: skip

_FRACTIONS = {"learning_rate", "dropout", "weight_decay", "momentum", "label_smoothing", "gradient_clip", "clip_seconds", "noise_level"}
_RESOLUTIONS = {(640, 480), (320, 240), (800, 600), (1024, 768), (1280, 720), (1920, 1080), (1280, 960)}  # width x height
_UNITS = {"minute": 1, "hour": 60, "day": 1440, "week": 10080}
_SIZE = r"(?<![\d.])(\d{1,4})\s*(?:px|pixels)?\s*(?:x|×|\*|by)\s*(\d{1,4})(?:\s*(?:x|×|\*|by)\s*(\d{1,2}))?(?![\d.]|\s*(?:kernel|conv|filter|pool|stride|patch|grid))"
_ENUMERATION = r"(?:(?:into|as|between|among|:|classes|categories|labels|types|emotions)\s+\(?|\(\s*)((?:[\w'-]+(?: [\w'-]+)?,\s*){1,30}(?:and\s+|or\s+)?[\w'-]+(?:\s(?:and|or)\s[\w'-]+)?)"
_PAIRS_OF_CLASSES = (
    r"binary(?! cross| search|_cross)|(?:cats?|dogs?|\w+)\s(?:vs\.?|versus)\s(?:the\s)?\w+|cats? (?:and|or|from) dogs?|dogs? (?:and|or|from) cats?|yes[/ ](?:or )?no|whether|or not|"
    r"as (?:\w+ ){1,2}or (?:\w+)(?! or)(?=$|[\s.,;])|spam|benign (?:or|and|from) malignant|positive(?:s|as)? (?:or|and|o|ou|oder|vs) negativ\w*|"
    r"churn|fraud\w*|default|katzen und hunde\w*|chats et (?:de )?chiens|gatos y perros|猫和狗"
)


@dataclass
class Reading:
    """Facts by name, and what the user should hear about how they were read."""

    facts: dict[str, Fact] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, name: str, value: object, text: str) -> None:
        """Keep the first value; another one for the same thing is a contradiction to report."""
        text = " ".join(text.split())
        known = self.facts.get(name)
        if known is None:
            self.facts[name] = Fact(name=name, value=value, text=text)  # type: ignore[typeddict-item]
        elif known["value"] != value and name in _QUANTITIES["image-classification"] | {"batch_size", "learning_rate", "epochs", "horizon", "window", "num_features"}:
            self.notes.append(f"{name} is stated as {known['value']} (“{known['text']}”) and as {value} (“{text}”): the first counts")

    def imply(self, name: str, value: object, text: str) -> None:
        """Keep the value unless something is known already."""
        if name not in self.facts:
            self.add(name, value, text)


def read_stated(requirement: str, dataset: str, category: str, framework: str = "") -> Reading:
    """The facts that requirement and dataset description state; the requirement counts first."""
    reading = Reading()
    wanted = _QUANTITIES.get(category, set()) | _EVERYWHERE
    if framework:
        reading.add("framework", framework, f"--framework {framework}")
    for text in filter(None, (requirement, dataset)):
        text = _unquoted(text)
        if wanted & _IMAGE:
            text = _read_image(text, reading)
        text = _read_lists(text, reading, wanted)
        _read_quantities(text, reading, wanted)
        if "num_classes" in wanted:
            _read_classes(text, category, reading)
        _read_names(text, category, reading)
    for name, value in known_dataset(f"{requirement} {dataset}").items():
        if name in wanted and not (name == "num_features" and "window" in wanted and category == "anomaly-detection"):
            reading.imply(name, value, "known of this dataset")
    return reading


def _unquoted(text: str) -> str:
    """Typographic dashes and quotes as plain ones, and European decimals (`0,001`) as ours."""
    for old, new in (("–", "-"), ("—", " - "), ("‑", "-"), ("’", "'"), ("\n", " ")):
        text = text.replace(old, new)
    return re.sub(r"(?<!\d)0,(\d+)", r"0.\1", text)


def _read_image(text: str, reading: Reading) -> str:
    """Image size and channels; returns the text with what was read blanked out."""
    for match in re.finditer(r"\(\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*\)", text):
        a, b, c = map(int, match.groups())
        channels, height, width = (c, a, b) if c <= 16 < a else (a, b, c)
        if min(height, width) > 7 >= 0 and channels <= 16:
            for name, value in (("channels", channels), ("image_height", height), ("image_width", width)):
                reading.add(name, value, match.group())
            text = _blank(text, match)
    for match in re.finditer(_SIZE, text, re.IGNORECASE):
        first, second = int(match.group(1)), int(match.group(2))
        if min(first, second) < 8:
            continue
        width, height = (first, second) if (first, second) in _RESOLUTIONS else (second, first)
        reading.add("image_height", height, match.group())
        reading.add("image_width", width, match.group())
        if match.group(3):
            reading.add("channels", int(match.group(3)), match.group())
        text = _blank(text, match)
    square = (
        r"(?:image|input|resolution|picture|photo|tile|crop)s?[ _]?(?:size|resolution|side)?\s*(?:of|=|:|is|to|size)*\s*(?:size\s*(?:of\s*)?)?(\d{2,4})(?:\s*(?:px|pixels))?(?!\s*(?:k\b|[\w-]*\s*(?:images|classes|epochs|photos|samples|examples|patients|per)|,\d|\.\d|%|\d))"
        r"|(?<![\d.])(\d{2,4})\s?(?:px\b|pixels\b|p\b)|resized?\s+(?:\w+\s){0,2}?to\s+(\d{2,4})|(?<![\d.])(\d{2,4})[- ]pixel"
    )
    if "image_height" not in reading.facts and (match := re.search(square, text, re.IGNORECASE)):
        side = int(next(filter(None, match.groups())))
        for name in ("image_height", "image_width"):
            reading.add(name, side, match.group())
        text = _blank(text, match)
    if match := quantities.image_channels().search(text):
        reading.add("channels", int(quantities.number(match[match.lastgroup or 0])), match.group())
        text = _blank(text, match)
    elif match := re.search(r"gr[ae]y[- ]?scale|black[- ]and[- ]white|monochrome|single[- ]channel|gr[ae]y images|graustufen\w*|niveaux de gris|escala de grises", text, re.IGNORECASE):
        if not re.search(r"colou?ri[sz]", text, re.IGNORECASE):
            reading.add("channels", 1, match.group())
    elif match := re.search(r"\brgb\b|colou?r(?:ed)? (?:images?|photos?|pictures?|photographs?)|in (?:full )?colou?r\b", text, re.IGNORECASE):
        reading.add("channels", 3, match.group())
    return text


def _read_lists(text: str, reading: Reading, wanted: set[str]) -> str:
    """Widths of several layers: `hidden layers of 128 and 64 units`, `filters (32, 64, 128)`, `128-64-32`."""
    numbers = r"\[?\(?(\d+(?:\s*(?:,|and|->|-|→|then|/|,\s*and)\s*\d+)+)\)?\]?"
    patterns = (
        ("split", r"(\d0?\d?\s?/\s?\d+\s?/\s?\d+)(?=\s|%|$|\.|,)"),
        ("betas", r"betas?\s*(?:of|=|:)?\s*\(?(0\.\d+\s*(?:,|and)\s*0\.\d+)\)?"),
        ("filters", rf"(?:filters?|channels|feature maps)(?:\s(?:of|with|sizes?|counts?))*[:=]?\s*{numbers}|{numbers}\s+(?:\w+\s)?(?:filters|channels|feature maps)"),
        ("hidden_units", rf"(?:(?:hidden|dense|fully[- ]connected)\s(?:layers?|sizes?|units)|layers|mlp)(?:\s(?:of|with|sizes?|size|widths?|has|having))*[:=]?\s*{numbers}|{numbers}\s+(?:hidden\s+)?(?:units|neurons|nodes)"),
    )
    for name, pattern in patterns:
        match = re.search(pattern, text, re.IGNORECASE)
        if match and name in wanted:
            found = next(filter(None, match.groups()))
            if name == "split":
                reading.add(name, re.sub(r"\s", "", found), match.group())
            elif name == "betas":
                reading.add(name, ", ".join(re.findall(r"0\.\d+", found)), match.group())
            else:
                reading.add(name, [int(value) for value in re.findall(r"\d+", found)], match.group())
            text = _blank(text, match)
    return text


def _read_quantities(text: str, reading: Reading, wanted: set[str]) -> None:
    step = _minutes_per_step(text)
    taken: set[int] = set()  # a number states one thing only: the first pattern that explains it
    for name in quantities.PATTERNS:
        if name not in wanted:
            continue
        for pattern in quantities.compiled(name):
            for match in pattern.finditer(text):
                if match.start("n") in taken:
                    continue
                value = _value(name, match, step)
                if value is None:
                    continue
                taken.add(match.start("n"))
                reading.add(name, value, match.group())


def _value(name: str, match: re.Match[str], minutes_per_step: int | None) -> int | float | None:
    """The number in the quantity's own unit, or None when it cannot be meant."""
    value = quantities.number(match.group("n"))
    unit = (match.groupdict().get("unit") or "").strip().lower()
    if name == "sample_rate" and unit == "khz":
        value *= 1000
    if name in _FRACTIONS:
        if name == "dropout" and (unit == "%" or value > 1):
            value /= 100
        return value if value > 0 or name == "momentum" else None
    if name in ("window", "horizon") and minutes_per_step:
        minutes = next((m for word, m in _UNITS.items() if unit.startswith(word)), minutes_per_step)
        value = value * minutes / minutes_per_step if minutes >= minutes_per_step else value
    whole = round(value)
    lowest = {"num_classes": 2, "seed": 0}.get(name, 1)
    return whole if whole >= lowest and value == whole else None


def _minutes_per_step(text: str) -> int | None:
    """How far apart the readings are, where the text says so ("hourly", "every 15 minutes")."""
    if match := re.search(r"every (\d+) min|(\d+)[- ]min(?:ute)?s? (?:readings|intervals?|data|resolution)", text, re.IGNORECASE):
        return int(next(filter(None, match.groups())))
    for word, unit in (("hourly", "hour"), ("per hour", "hour"), ("daily", "day"), ("per day", "day"), ("weekly", "week")):
        if re.search(rf"\b{word}\b", text, re.IGNORECASE):
            return _UNITS[unit]
    return None


def _read_classes(text: str, category: str, reading: Reading) -> None:
    """Classes that are named rather than counted."""
    if "num_classes" in reading.facts:
        return
    if match := re.search(_ENUMERATION, text, re.IGNORECASE):
        names = [part for part in re.split(r",\s*(?:and\s+|or\s+)?|\s+(?:and|or)\s+", match.group(1)) if part.strip()]
        if len(names) >= 3 and not any(re.search(r"\d", name) for name in names):
            reading.add("num_classes", len(names), match.group())
            return
    if category != "object-detection" and (match := re.search(_PAIRS_OF_CLASSES, text, re.IGNORECASE)):
        reading.add("num_classes", 2, match.group())


def _read_names(text: str, category: str, reading: Reading) -> None:
    """Optimizer, loss, metric, architecture, framework, and what is only named."""
    unclaimed = text
    for name, table in (("loss", vocabulary.LOSSES), ("optimizer", vocabulary.OPTIMIZERS)):
        for term in table:
            match = term.search(unclaimed)
            if match and not (name == "loss" and _is_metric(term.name, unclaimed, match)):
                reading.add(name, term.name, match.group())
                unclaimed = _blank(unclaimed, match)
                break
    _read_metrics(unclaimed, reading)
    for term in vocabulary.ARCHITECTURES:
        if match := term.search(text):
            reading.add("architecture", term.name, match.group())
            _read_variant(term.name, match.group(), reading)
            break
    for name, value, pattern in _NAMED:
        if match := re.search(pattern, text, re.IGNORECASE):
            reading.add(name, value, match.group())


def _read_variant(architecture: str, words: str, reading: Reading) -> None:
    """A size of a family that has a name of its own: `ResNet-50`, "an 18-layer ResNet"."""
    layers = reading.facts.get("num_layers")
    if layers and architecture in _NUMBERED and int(str(layers["value"])) >= 10:
        reading.add("variant", f"{architecture}-{layers['value']}", layers["text"])
        del reading.facts["num_layers"]
    elif re.search(r"\d|\+\+|bert|gpt", words, re.IGNORECASE):
        reading.add("variant", words, words)


_NUMBERED = {"resnet", "vgg", "densenet", "efficientnet", "mobilenet", "inception"}


def _read_metrics(text: str, reading: Reading) -> None:
    """All metrics that are named, in the order of the sentence; the first is the one that counts."""
    found = []
    for term in vocabulary.METRICS:
        if match := term.search(text):
            found.append((match.start(), term.name, match.group()))
            text = _blank(text, match)
    if found and "metric" not in reading.facts:
        found.sort()
        reading.add("metric", [name for _, name, _ in found], ", ".join(words for _, _, words in found))


def _is_metric(loss: str, text: str, match: re.Match[str]) -> bool:
    """`MAE` and `MSE` name a loss only where the words around say so; otherwise they are how success is measured."""
    if loss not in ("mean absolute error", "mean squared error"):
        return False
    around = text[max(0, match.start() - 25) : match.end() + 12].lower()
    return not re.search(r"loss|criterion|objective|minimi[sz]|optimi[sz]e|train\w* with", around)


_NAMED: tuple[tuple[str, object, str], ...] = (
    ("framework", "keras", r"\b(?:keras|tensorflow|tf\.keras)\b"),
    ("framework", "pytorch", r"\b(?:pytorch|torch)\b"),
    ("bidirectional", True, r"\bbi-?directional\b|\bbi-?(?:lstm|gru|rnn)s?\b"),
    ("attention", True, r"\b(?:with|and|plus|using) (?:\w+ )?attention(?! heads| gates?)\b|\battention (?:layer|mechanism|pooling)\b"),
    ("pretrained", True, r"\bpre-?trained\b|\btransfer[- ]learning\b|\bfine-?tun\w+|\bimagenet weights\b"),
    ("early_stopping", True, r"\bearly[- ]stopping\b|\bstop(?:ping)? early\b"),
    ("augmentation", True, r"\b(?:data |image )?augment\w*|\brandom (?:horizontal )?(?:flips?|crops?|rotations?)\b"),
    ("batch_norm", True, r"\bbatch[- ]?norm(?:ali[sz]ation)?\b"),
    ("class_weights", True, r"\b(?:im|un)balanced?\w*|\bclass[- ]weights?\b|\bweighted loss\b"),
    ("scheduler", "cosine", r"\bcosine(?: annealing)?(?: learning rate)?(?: schedul\w+| decay| annealing)|\bcosine annealing\b"),
    ("scheduler", "step", r"\bstep(?:wise)? (?:learning[- ]rate )?(?:schedul\w+|decay)\b|\bsteplr\b"),
    ("scheduler", "one-cycle", r"\bone-?cycle\b"),
    ("scheduler", "plateau", r"\breduce ?lr ?on ?plateau\b|\bon (?:a )?plateau\b"),
    ("scheduler", "warm-up", r"\bwarm-?up\b"),
    ("activation", "gelu", r"\bgelu\b"),
    ("activation", "leaky_relu", r"\bleaky[- ]?relu\b"),
    ("activation", "elu", r"\belu\b"),
    ("activation", "tanh", r"\btanh\b"),
    ("activation", "silu", r"\bsilu\b|\bswish\b"),
)  # fmt: skip


def _blank(text: str, match: re.Match[str]) -> str:
    """The text with the match replaced by spaces, so that its numbers are not read twice."""
    return text[: match.start()] + " " * len(match.group()) + text[match.end() :]
