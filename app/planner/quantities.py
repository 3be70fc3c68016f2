"""Numbers that a requirement states: how people write each of them (issue 2, "Plan").

`{n}` in a pattern stands for the number, in digits ("20,000", "20k", "1e-3", "10^-4") or in words ("twenty"). A pattern
may hold `(?P<unit>...)`, the unit of time that the number counts.
"""

import re
from functools import cache

_WORDS = {
    word: value
    for value, word in enumerate(
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"]
    )
} | {"single": 1, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "hundred": 100, "a hundred": 100, "thousand": 1000}

_NUMBER = (
    r"(?<![\w.])(?P<n>10\s?\^\s?[-−]?\d+|10−\d+|\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?(?:e[-−+]?\d+)?(?:\s?k(?![\w-]))?|\.\d+"
    rf"|{'|'.join(sorted(_WORDS, key=len, reverse=True))})(?![\w.]*\d)"
)
_IS = r"(?:\s*(?:of|is|=|:|to|at|with|set to|about|around|~|up to|\(|a|the))*\s*"
_TIME = r"(?P<unit>(?:time[- ]?)?steps?|days?|hours?|minutes?|weeks?|months?|years?|points?|values?|observations?|samples?|readings?|measurements?|candles?|quarters?)"
_LABELS = (
    r"(?:class(?:es)?|categor(?:y|ies)|labels|types|species|kinds|breeds|genres|emotions|diseases|tags|topics|intents|activities|"
    r"varieties|groups|digits|letters|languages|speakers|styles|brands|grades|sentiments|instruments|commands|objects|stages|gestures|sounds)"
)

PATTERNS: dict[str, tuple[str, ...]] = {
    "vocab_size": (
        rf"vocab(?:ulary)?(?:[ _]?size)?{_IS}{{n}}",
        r"{n}[- ]?(?:words?|tokens?|characters?)?\s*vocab(?:ulary)?",
        r"(?:top|most (?:common|frequent)) {n} (?:words|tokens)",
        r"{n} most (?:common|frequent) (?:words|tokens)",
    ),
    "num_classes": (
        rf"(?:number|count|#)\s*(?:of)?\s*(?:\w+\s)?(?:output )?(?:classes|categories|labels|tags){_IS}{{n}}",
        r"(?:num_|n_)?(?:classes|categories|labels)\s*(?:=|:)\s*{n}",
        r"{n}[- ](?:way|class)(?![- ](?:object))",
        rf"{{n}}\s+(?:(?!layers|filters|units|epochs|features|and\b|of\b|with\b|images\b|into\b|to\b|per\b)[\w-]+\s+){{0,3}}?{_LABELS}(?!\s+(?:of )?(?:layers|blocks|per))",
    ),
    "sequence_length": (
        rf"(?:sequence|sentence|token|text|input|context|document|review|max(?:imum)?|padded)[ _](?:length|len|window){_IS}{{n}}(?!\s*(?:days|hours|time|steps))",
        r"{n}[- ](?:tokens?|words?|characters?)\s+(?:long|each|max(?:imum)?|sequences?|texts?|reviews?|sentences?|documents?)",
        r"(?:of|to|at|most|maximum|first)\s+{n}\s+(?:tokens|words|characters)",
        r"{n}\s+(?:tokens|words|characters)(?! in | vocab)",
        rf"seq_?len(?:gth)?{_IS}{{n}}",
    ),
    "horizon": (
        rf"(?:next|following|coming|upcoming|future)\s+{{n}}[- ]{_TIME}",
        rf"(?:forecast(?:ing)?\s+)?horizon{_IS}{{n}}(?:\s*{_TIME})?",
        rf"{{n}}[- ]?{_TIME}[- ](?:ahead|in advance|into the future|out\b)",
        rf"{{n}}[- ]{_TIME}[- ](?:forecasts?|predictions?)",
        r"(?P<n>next) (?:single )?(?P<unit>day|hour|week|step|value|time ?step|price|temperature|reading|demand)(?!\w)",
        r"(?P<n>tomorrow)(?!\w)",
    ),
    "window": (
        rf"(?:past|last|previous|preceding|prior)\s+{{n}}\s+{_TIME}",
        rf"(?:window|look[- ]?back|history)(?:[ _](?:size|length|period|window))*{_IS}{{n}}(?:\s*{_TIME})?",
        rf"(?:input|series|sequence|signal)[ _](?:length|window){_IS}{{n}}(?:\s*{_TIME})?",
        rf"{{n}}[- ]{_TIME}\s+(?:windows?|look[- ]?back|history|of history|segments?|sequences?|series)",
        rf"(?:windows?|segments?|sequences?|series)\s+of\s+(?:length\s+)?{{n}}(?:\s*{_TIME})?",
        r"{n} (?P<unit>time[- ]?steps?)(?! ahead)",
        r"{n} \w+ per (?:window|segment|series|beat|recording|example|sequence)",
    ),
    "num_features": (
        rf"(?:number|count|#)\s*(?:of)?\s*(?:input )?(?:features|columns|attributes|variables){_IS}{{n}}",
        r"(?:num_|n_)?(?:features|columns)\s*(?:=|:)\s*{n}",
        r"{n}\s+(?:(?!layers|filters|units|epochs|classes|and\b|of\b|with\b|rows\b)[\w-]+\s+){0,2}?(?:features|columns|attributes|variables|predictors|inputs|sensors|indicators|channels|leads|signals|factors)(?!\s*maps)",
        r"{n}[- ](?:lead|feature|variable|axis|dimensional (?:feature )?(?:vectors?|inputs?|data))",
    ),
    "latent_dim": (
        rf"(?:latent|noise|bottleneck|code)(?:[ _](?:space|vector|code|variable|size|dim(?:ension)?(?:s|ality)?))*{_IS}{{n}}",
        r"{n}[- ]?(?:dim(?:ension(?:al|s)?)?|d)[- ](?:latent|noise|bottleneck|code)",
        r"\bz\s*=\s*{n}",
        r"{n} latent (?:dimensions|variables|factors)",
    ),
    "embedding_dim": (
        rf"embeddings?(?:[ _](?:size|dim(?:ension)?(?:s|ality)?|vectors?))*{_IS}{{n}}(?!\s*classes)",
        r"{n}[- ]?(?:dim(?:ension(?:al|s)?)?|d)[- ](?:word |token |user |item )?embeddings?",
    ),
    "hidden_size": (
        rf"hidden[ _](?:size|dim(?:ension)?s?|units?|state(?: size)?){_IS}{{n}}",
        r"{n}\s+hidden\s+(?:units|neurons|nodes|dimensions|cells)",
        r"(?:lstm|gru|rnn)s?(?:[ -](?:layers?|network|model|cells?))?\s*(?:with|of|having)\s+{n}\s+(?:units|cells|neurons|hidden|nodes)",
        r"(?:lstm|gru|rnn)\(\s*{n}\s*\)",
        r"{n}\s+(?:lstm|gru|rnn|recurrent)\s+(?:units|cells)",
        r"{n}[- ]unit\s+(?:bi)?(?:lstm|gru|rnn)",
        rf"(?:d_model|model dim(?:ension)?){_IS}{{n}}",
        r"{n}\s+(?:units|neurons)(?:\s+(?:each|per layer|in each))",
    ),
    "num_layers": (
        r"{n}[- ](?:layers?|layered)(?!\w)",
        r"{n}\s+(?:(?:stacked|hidden|bi-?directional|recurrent|lstm|gru|rnn|transformer|encoder|conv(?:olutional|olution)?|residual|dilated|temporal|1d|2d)[- ]){1,3}(?:layers?|blocks?|stages?)",
        r"{n}\s+stacked\s+(?:bi)?(?:lstm|gru|rnn)s?",
        rf"num_layers{_IS}{{n}}",
    ),
    "num_heads": (r"{n}[- ](?:attention[- ])?heads?(?!\w)", rf"num_heads{_IS}{{n}}"),
    "patch_size": (r"(?<![\w.])(?P<n>\d+)\s?[x×]\s?\d+\s+patch(?:es)?", rf"patch(?:es)?(?:[ _]size)?{_IS}{{n}}"),
    "base_width": (rf"base[ _](?:width|filters|channels){_IS}{{n}}", r"{n}\s+base\s+(?:filters|channels)", r"starting (?:with|from|at) {n}\s+(?:filters|channels)"),
    "depth": (r"depth(?:\s*(?:of|=|:))?\s*{n}", r"{n}[- ](?:levels?|down-?sampling (?:steps|stages|levels))"),
    "dropout": (
        r"drop-?out(?:\s*(?:rate|probability|layers?|regulari[sz]ation|ratio))*(?:\s*(?:of|is|=|:|at|with|\(|p=|rate))*\s*{n}(?P<unit>\s?%)?",
        r"{n}(?P<unit>\s?%)?\s+drop-?out",
    ),
    "learning_rate": (
        r"(?:learning[- _]?rate|(?<!\w)lr|step size)(?:\s*(?:of|is|at|to|was|set|:|=|\(|about|around|initial(?:ly)?))*\s*{n}",
        r"{n}\s+(?:as\s+)?(?:the\s+)?(?:initial\s+)?(?:learning[- ]rate|lr)(?!\w)",
    ),
    "batch_size": (
        rf"batch[- _]?sizes?{_IS}{{n}}",
        r"(?:mini-?)?batch(?:es)?\s+of\s+(?:size\s+)?{n}",
        r"(?<!\w)bs\s*(?:=|:|of)?\s*{n}",
        r"{n}\s+(?:samples|examples|images|items|sequences)\s+(?:per|a|in each)\s+batch",
        r"(?<!\w)batch\s*(?:=|:)?\s*{n}",
    ),
    "epochs": (
        r"{n}\s+(?:training\s+|full\s+)?epochs?",
        r"(?<!per )epochs?(?:\s*count)?\s*(?:=|:|of|is|to)\s*{n}",
        r"{n}\s+passes\s+(?:over|through)",
    ),
    "patience": (rf"patience{_IS}{{n}}", r"after\s+{n}\s+epochs\s+without"),
    "seed": (rf"(?:random[- ])?seed{_IS}{{n}}",),
    "weight_decay": (rf"weight[- _]decay{_IS}{{n}}", rf"l2(?:[- ](?:regulari[sz]ation|penalty))?{_IS}{{n}}"),
    "momentum": (rf"momentum{_IS}{{n}}", r"{n}\s+momentum"),
    "label_smoothing": (rf"label[- ]smoothing{_IS}{{n}}",),
    "gradient_clip": (r"(?:clip(?:ped|ping)?\s+(?:the\s+)?gradients?|gradient[- ]clip(?:ping)?)(?:\s*(?:norm|value))?(?:\s*(?:of|at|to|=|:))*\s*{n}",),
    "sample_rate": (r"{n}\s?(?P<unit>k?hz)(?!\w)",),
    "clip_seconds": (
        r"{n}[- ]?(?:s|secs?|seconds?)[- ](?:\w+\s+)?(?:clips?|audio|recordings?|long|snippets|excerpts|segments|sounds)",
        r"(?:clips?|recordings?|snippets|excerpts|segments)\s+of\s+{n}\s*(?:s|secs?|seconds?)(?!\w)",
        r"{n}\s+seconds?(?: of audio| each| long)",
    ),
    "num_mels": (r"{n}[- ]?mel(?:s|[- ]?(?:bands|bins|filters|frequency|coefficients))?(?!\w)",),
    "scale_factor": (
        r"(?<![\w.])(?P<n>[2348])\s?[x×](?=[\s-]+(?:super|up|enlarg|larger|resolution|sr\b|single[- ]image))",
        r"(?:factor|scale)(?:\s*(?:of|=|:|by))*\s*{n}",
        r"(?:upscal\w+|enlarg\w+)\s+(?:\w+\s+){0,3}?(?:by\s+)?(?P<n>[2348])\s?[x×](?!\w)",
    ),
    "num_keypoints": (r"{n}\s+(?:\w+\s+){0,2}?(?:key-?points?|landmarks?|joints)",),
    "num_users": (r"{n}\s+users",),
    "num_items": (r"{n}\s+(?:movies|items|products|books|songs|articles|films)",),
    "num_outputs": (r"{n}\s+(?:targets?|target variables|outputs|output values)(?!\w)",),
    "noise_level": (r"(?:noise (?:level|std|standard deviation)|sigma|σ)(?:\s*(?:of|=|:|is))*\s*{n}",),
    "num_steps": (r"{n}\s+(?:diffusion|denoising|noise)\s+(?:time[- ]?)?steps",),
}


@cache
def compiled(name: str) -> tuple[re.Pattern[str], ...]:
    """The patterns of one quantity, `{n}` replaced by what a number looks like."""
    return tuple(re.compile(pattern.replace("{n}", _NUMBER), re.IGNORECASE) for pattern in PATTERNS[name])


def number(text: str) -> float:
    """The value of a number as people write it: `20,000`, `20k`, `10^-4`, `twenty`; `next` and `tomorrow` count one."""
    plain = text.strip().lower().replace("−", "-")
    if plain in _WORDS:
        return _WORDS[plain]
    if plain.startswith(("next", "tomorrow")):
        return 1
    if power := re.fullmatch(r"10\s?\^?\s?(-?\d+)", plain) if "^" in plain or plain.startswith("10-") else None:
        return float(10.0 ** int(power.group(1)))
    if plain.endswith("k"):
        return float(plain[:-1]) * 1000
    return float(plain.replace(",", ""))


@cache
def image_channels() -> re.Pattern[str]:
    """Channels of an image, the number being the last group; those of a convolution ("64 channels") are not meant."""
    pattern = (
        r"{n}[- ](?:colou?r[- ])?channels?(?=\s+(?:images?|inputs?|scans?|mri|pictures?|photos?|satellite|multispectral|data|volumes?))"
        r"|images?\s+(?:[\w-]+\s+){0,4}(?:with|have|having|of)\s+{m}\s+(?:channels|bands)|{k}\s+(?:spectral\s+)?bands"
        r"|channels\s*[=:]\s*{l}"
    )
    for slot in "mkl":
        pattern = pattern.replace(f"{{{slot}}}", _NUMBER.replace("?P<n>", f"?P<{slot}>"))
    return re.compile(pattern.replace("{n}", _NUMBER), re.IGNORECASE)
