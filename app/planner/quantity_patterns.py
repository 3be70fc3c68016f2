"""How people write each quantity: regular expressions of lower-case text.

`{n}` in a pattern stands for the number (`dlcodegen.planner.numbers`). A pattern may hold `(?P<unit>...)`, the unit of
time that the number counts. Of several patterns, and of several quantities, the first that explains a number counts.
"""

_IS = r"(?:\s?(?:of|is|was|=|:|to|at|with|set to|about|around|~|up to|\(|a|the)){0,4}\s?"
_TIME = (
    r"(?P<unit>(?:time[- ]?)?steps?|days?|hours?|minutes?|weeks?|months?|years?|points?|values?|observations?|samples?"
    r"|readings?|measurements?|candles?|quarters?|stunden?|tage?n?|heures|jours|horas|días|dias|ore|giorni)(?!\w)"
)
_STRONG_LABELS = (
    r"(?:class(?:es)?|categor(?:y|ies)|labels|klassen|kategorien|clases|catégories|categorías|classi|sorten|\w+sorten"
    r"|arten)"
)
_LABELS = (
    r"(?:types|species|kinds|breeds|genres|emotions|diseases|tags|topics|intents|activities|varieties|styles|brands"
    r"|grades"
    r"|sentiments|instruments|commands|gestures|defects|dishes)"
)
_WEAK_LABELS = (
    r"(?:crops|digits|letters|languages|speakers|groups|objects|(?:sleep )?stages|sounds|persons|products|segments)"
)
_NO_LABEL = (
    r"(?!layers|filters|units|epochs|features|columns|rows|gpus?|hours|days|and\b|or\b|of\b|with(?:out)?\b|images\b"
    r"|photos\b"
    r"|into\b"
    r"|to\b|per\b|from\b|in\b|for\b|each\b|as\b|\d)"
)

PATTERNS: dict[str, tuple[str, ...]] = {
    "vocab_size": (
        rf"vocab(?:ulary)?(?:[ _]?size)?{_IS}{{n}}",
        r"{n}[- ]?(?:words?|tokens?|characters?)?\s?vocab(?:ulary)?",
        r"(?:top|most (?:common|frequent)) {n} (?:words|tokens)",
        r"{n} most (?:common|frequent) (?:words|tokens)",
    ),
    "num_classes": (
        rf"(?:number|count|#)\s?(?:of)?\s?(?:\w+\s)?(?:output )?(?:classes|categories|labels|tags){_IS}{{n}}",
        r"(?:num_|n_)?(?:classes|categories|labels|klassen)\s?[=:]\s?{n}",
        r"{n}[- ](?:way|class)(?!\w|[- ]object)",
        rf"{{n}}\s(?:{_NO_LABEL}[\w-]+\s){{0,3}}?{_STRONG_LABELS}(?!\w|\s(?:of )?(?:layers|blocks|per))",
        r"{n}\s?个?(?:类别|类|种)",
        rf"{{n}}\s(?:{_NO_LABEL}[\w-]+\s){{0,3}}?{_LABELS}(?!\w|\s(?:of )?(?:layers|blocks|per))",
        # "3,391 crops" are pictures, "12 crops" may be classes
        rf"(?<!with )(?!\d{{1,3}}[,.]\d{{3}}|\d{{4}}){{n}}\s(?:{_NO_LABEL}[\w-]+\s){{0,2}}?{_WEAK_LABELS}"
        r"(?!\w|\s(?:of )?(?:layers|blocks|per|long))",
        r"keyword spotting\W{1,3}(?:with |of |for )?{n} (?:key)?words",
    ),
    "sequence_length": (
        r"(?:sequence|sentence|token|text|input|context|document|review|max(?:imum)?|padded)[ _](?:length|len|window)"
        rf"{_IS}{{n}}(?!\s?(?:days|hours|time|steps))",
        r"{n}[- ](?:tokens?|words?|characters?)\s(?:long|each|max(?:imum)?|sequences?|texts?|reviews?|sentences?"
        r"|documents?)",
        r"(?:at most|maximum(?: of)?|max|first|(?:sequences|sentences|texts|reviews|documents|pieces|up) (?:of|to)"
        r"|to) {n} "
        r"(?:tokens|words|characters)",
        r"(?:pad\w*|cut|truncat\w*|limit\w*) (?:\w+ ){0,3}(?:to|at) {n}",
        rf"seq_?len(?:gth)?{_IS}{{n}}",
        rf"(?:max_?len(?:gth)?|block_size|context){_IS}{{n}}",
    ),
    "horizon": (
        rf"(?:next|following|coming|upcoming|future|nächsten?|prochaine?s|próxim[ao]s|prossim[ei])\s{{n}}[- ]{_TIME}",
        rf"(?:forecast(?:ing)?\s)?horizon{_IS}{{n}}(?:\s?{_TIME})?",
        rf"{{n}}[- ]?{_TIME}[- ](?:ahead|in advance|into the future|out\b)",
        r"{n} (?P<unit>prochaines (?:heures|jours))",
        rf"{{n}}[- ]{_TIME}[- ](?:forecasts?|predictions?)",
        r"(?P<n>next) (?:single )?(?P<unit>day|hour|week|month|step|value|time ?step|price|temperature|reading"
        r"|demand)(?!\w)",
        r"(?P<n>tomorrow)(?!\w)",
    ),
    "window": (
        rf"(?:past|last|previous|preceding|prior|letzten|vergangenen|dernières|derniers|últim[ao]s"
        rf"|ultim[ei])\s{{n}}\s{_TIME}",
        rf"(?:window|look[- ]?back|history|fenster)(?:[ _](?:size|length|period|window))?{_IS}{{n}}(?:\s?{_TIME})?",
        rf"(?:input|series|sequence|signal)[ _](?:length|window){_IS}{{n}}(?:\s?{_TIME})?",
        rf"{{n}}[- ]{_TIME}\s(?:(?:input\s)?windows?|look[- ]?back|segments?|sequences?|series|eeg|ecg|signals?)",
        rf"(?:windows?|segments?|sequences?|series)\sof\s(?:length\s)?{{n}}(?:\s?{_TIME})?",
        r"{n} (?P<unit>time[- ]?steps?)(?! ahead)",
        r"{n} (?:samples|points|steps|values|readings|measurements) (?:per|in each|each|long)(?: (?:window|segment"
        r"|series|beat"
        r"|recording|example|sequence))?",
        r"(?:heart)?beats?, (?:\w+ \w+, )?{n} samples",
    ),
    "num_features": (
        rf"(?:number|count|#)\s?(?:of)?\s?(?:input )?(?:features|columns|attributes|variables){_IS}{{n}}",
        r"(?:num_|n_)?(?:features|columns|attributes|variables|merkmale)\s?[=:]\s?{n}",
        r"{n}\s(?:(?!layers|filters|units|epochs|class|and\b|of\b|with\b|rows\b|\d)[\w-]+\s){0,2}?(?:features|columns"
        r"|attributes|variables|predictors|inputs|sensors|indicators|channels|leads|signals|factors|descriptors|ratios"
        r"|measurements|merkmalen?|spalten|variabl[ei]s?|colonnes|columnas)(?!\w|\s?maps)",
        r"{n}[- ](?:lead|feature|variable|axis|axes|channel|dimensional (?:feature )?(?:vectors?|inputs?|data))(?!\w)",
    ),
    "latent_dim": (
        rf"(?:latent|noise|bottleneck|code)(?:[ _](?:space|vector|code|variable|size|dim(?:ension)?(?:s"
        rf"|ality)?)){{0,3}}{_IS}{{n}}",
        r"{n}[- ]?(?:dim(?:ension(?:al|s)?)?|d)[- ](?:latent|noise|bottleneck|code)",
        r"\bz\s?=\s?{n}",
        r"{n} latent (?:dimensions|variables|factors)",
    ),
    "embedding_dim": (
        rf"embeddings?(?:[ _](?:size|dim(?:ension)?(?:s|ality)?|vectors?)){{0,2}}{_IS}{{n}}(?!\s?(?:classes|epochs"
        rf"|tokens|words))",
        r"{n}[- ]?(?:dim(?:ension(?:al|s)?)?|d)[- ](?:word |token |user |item )?(?:embeddings?|factors|vectors)",
    ),
    "hidden_size": (
        rf"hidden[ _](?:size|dim(?:ension)?s?|units?|state(?: size)?){_IS}{{n}}",
        r"{n}\shidden\s(?:units|neurons|nodes|dimensions|cells)",
        r"hidden\slayers?(?:,)?\s(?:of|with|having|each with|each of)\s{n}(?:\s(?:units|neurons|nodes))?(?!\s?(?:,"
        r"|and|-|layers))",
        r"(?:lstm|gru|rnn)s?(?:[ -](?:layers?|network|model|cells?))?\s?(?:with|of|having|:)?\s?\(?{n}\s(?:units"
        r"|cells|neurons|hidden|nodes)",
        r"(?:lstm|gru|rnn)\(\s?{n}\s?\)",
        r"{n}\s(?:lstm|gru|rnn|recurrent)\s(?:units|cells)",
        r"{n}[- ]unit\s(?:bi)?(?:lstm|gru|rnn)",
        rf"(?:d_model|model dim(?:ension)?){_IS}{{n}}",
        r"{n}\s(?:units|neurons)(?:\s(?:each|per layer|in each))",
    ),
    "dense_layers": (r"{n}\s(?:(?:final|last|hidden)\s)?(?:dense|fully[- ]connected|linear|fc)\s(?:hidden\s)?layers",),
    "num_layers": (
        r"{n}[- ](?:layers?|layered)(?!\w)(?! of (?:dropout|pooling))",
        r"{n}\s(?:(?:stacked|hidden|bi-?directional|recurrent|lstm|gru|rnn|transformer|encoder|conv(?:olutional"
        r"|olution)?"
        r"|residual|dilated|temporal|1d|2d)[- ]){1,3}(?:layers?|blocks?|stages?)(?!\w)",
        r"{n}\sstacked\s(?:bi)?(?:lstm|gru|rnn)s?",
        rf"num_layers{_IS}{{n}}",
    ),
    "num_heads": (r"{n}[- ](?:attention[- ])?heads?(?!\w)", rf"num_heads{_IS}{{n}}"),
    "patch_size": (
        r"(?<![\w.])(?P<n>\d+)\s?[x×]\s?\d+\s(?:pixel\s)?patch(?:es)?(?! of tissue)",
        rf"patch(?:es)?[ _]size{_IS}{{n}}",
        r"patches of {n}(?!\s?\w+ )",
    ),
    "kernel_size": (
        rf"kernel(?:[ _-]?size)?s?{_IS}{{n}}(?!\s?(?:,|and)\s?\d)",
        r"(?<![\w.])(?P<n>\d{1,2})\s?[x×]\s?\d{1,2}\s(?:kernels?|filters?|conv\w*)",
        r"(?:kernels?|filters)(?: size)?(?: of)?\s\(?(?P<n>\d{1,2})\s?[x×,]\s?(?P=n)(?!\d)",
    ),
    "stride": (rf"strides?{_IS}{{n}}", r"{n}[- ]step stride"),
    "base_width": (
        rf"base[ _](?:width|filters|channels){_IS}{{n}}",
        r"{n}\sbase\s(?:filters|channels)",
        r"starting (?:with|from|at) {n}\s(?:filters|channels)",
    ),
    "depth": (
        r"(?<!colour )(?<!color )(?<!bit )depth\s?(?:of|=|:)?\s?{n}(?!-bit)",
        r"{n}[- ](?:levels?|down-?sampling (?:steps|stages|levels))(?!\w)",
    ),
    "dropout": (
        r"drop-?out(?:\s?(?:rate|probability|layers?|regulari[sz]ation|ratio)){0,2}(?:\s?(?:of|is|=|:|at|with|\(|p="
        r"|rate)){0,3}"
        r"\s?{n}(?P<unit>\s?(?:%|percent))?(?!\s?(?:epochs|units|layers|classes|hidden))",
        r"{n}(?P<unit>\s?(?:%|percent))?\sdrop-?out",
    ),
    "learning_rate": (
        r"(?:learning[- _]?rate|(?<!\w)lr|step size|lernrate|taux d'apprentissage|tasa de aprendizaje|学习率)"
        r"(?:\s?(?:of|is|at|to|was|set|:|=|\(|about|around|von|de|initial(?:ly)?)){0,3}\s?{n}(?!\s?(?:epochs|%))",
        r"{n}\s(?:as\s)?(?:the\s)?(?:initial\s)?(?:learning[- ]rate|lr)(?!\w)",
    ),
    "batch_size": (
        rf"(?:batch[- _]?sizes?|batch-?grö(?:ß|ss)e|taille de (?:lot|batch)|tamaño de (?:lote|batch)|批大小){_IS}{{n}}",
        r"(?:mini-?)?batch(?:es)?\s(?:of\s|von\s)(?:size\s)?{n}",
        r"(?<!\w)bs\s?(?:=|:|of)?\s?{n}",
        r"{n}\s(?:samples|examples|images|items|sequences)\s(?:per|a|in each)\sbatch",
        r"(?<!\w)batch\s?(?:=|:)?\s?{n}(?! (?:epochs|norm))",
        r"{n}-(?:sample[- ]|image[- ])?batch(?:es)?(?!\w)",
    ),
    "epochs": (
        r"{n}\s(?:training\s|full\s)?(?:epochs?|epochen|épo(?:ques|cas)|epoche|épocas)(?!\w"
        r"|\s(?:of\s(?:\d|eeg)|per\s|is\s|are\s|was\s|were\s|label+ed|scored|long|lasting))",
        r"(?<!per )(?<!every )(?:epochs?|epochen)(?:\s?count)?\s?(?:=|:|of|is|to)\s?{n}"
        r"(?!\s?(?:s|ms|sec\w*|milli\w*|min\w*|samples)(?!\w))",
        r"{n}\spasses\s(?:over|through)",
        r"{n}\s?(?:轮|个epoch)",
    ),
    "patience": (rf"patience{_IS}{{n}}", r"after\s{n}\sepochs\swithout"),
    "seed": (rf"(?:random[- ])?seed{_IS}{{n}}", r"random_state\s?=\s?{n}"),
    "weight_decay": (
        rf"weight[- _]decay{_IS}{{n}}",
        rf"(?<!\w)l2(?:[- ](?:regulari[sz]ation|penalty)){_IS}{{n}}",
    ),
    "momentum": (rf"momentum{_IS}{{n}}", r"{n}\smomentum"),
    "label_smoothing": (rf"label[- ]smoothing{_IS}{{n}}",),
    "gradient_clip": (
        r"(?:clip(?:ped|ping)?\s(?:the\s)?(?:gradients?|grad)|gradient[- ]clip(?:ping)?|gradients?\s(?:are\s)?clipped)"
        r"(?:\s?(?:norms?|value))?(?:\s?(?:of|at|to|=|:|by|with)){0,2}\s?{n}",
    ),
    "sample_rate": (r"{n}\s?(?P<unit>k?hz)(?!\w)",),
    "clip_seconds": (
        r"{n}[- ]?(?:s|secs?|seconds?|sekunden)[- ](?:\w+\s)?(?:clips?|audio|recordings?|long|snippets|excerpts"
        r"|segments|sounds)",
        r"(?:clips?|recordings?|snippets|excerpts|segments)\s(?:of|lasting)\s{n}\s?(?:s|secs?|seconds?)(?!\w)",
        r"{n}\s?seconds?(?: of audio| each| long| at)",
    ),
    "num_mels": (
        r"{n}[- ]?(?:log[- ])?mel(?:s|[- ]?(?:bands|bins|filters|frequency|coefficients|channels))?(?!\w)",
        rf"n_mels{_IS}{{n}}",
    ),
    "scale_factor": (
        r"(?<![\w.])(?P<n>[2348])\s?[x×](?=[\s-](?:super|up|enlarg|larger|resolution|sr\b|single[- ]image))",
        r"(?<![\w.])[x×](?P<n>[2348])(?=[\s-](?:super|up|sr\b))",
        r"(?:factor|scale)(?:\s?(?:of|=|:|by)){0,2}\s?{n}",
        r"(?:upscal\w+|enlarg\w+|upsampl\w+)\s(?:\w+\s){0,3}?(?:by\s)?(?P<n>[2348])\s?[x×](?!\w)",
        r"super[- ]?resol\w+\s\(?(?:by\s)?[x×]\s?(?P<n>[2348])(?!\w)",
        r"super[- ]?resol\w+\s\(?(?:by\s)?(?P<n>[2348])\s?[x×](?!\w)",
    ),
    "num_keypoints": (r"{n}\s(?:\w+\s){0,2}?(?:key-?points?|landmarks?|joints)(?!\w)",),
    "num_users": (r"{n}\s(?:\w+\s)?users(?!\w)", r"users\s?[=:]\s?{n}"),
    "num_items": (
        r"{n}\s(?:movies|items|products|books|songs|articles|films|tracks|games)(?!\w)",
        r"(?:items|movies|products)\s?[=:]\s?{n}",
    ),
    "num_outputs": (r"{n}\s(?:targets?|target variables|outputs|output values)(?!\w)",),
    "num_frames": (r"{n}\s?frames?(?:\s(?:each|per (?:clip|video)|long))?",),
    "noise_level": (r"(?:noise (?:level|std|standard deviation)|(?<!\w)sigma|σ)(?:\s?(?:of|=|:|is)){0,2}\s?{n}",),
    "num_steps": (r"{n}\s(?:diffusion|denoising|noise)\s(?:time[- ]?)?steps",),
}
