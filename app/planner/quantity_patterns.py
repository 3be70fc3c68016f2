"""How people write each quantity: regular expressions of lower-case text.

`{n}` in a pattern stands for the number (`dlcodegen.planner.numbers`). A pattern may hold `(?P<unit>...)`, the unit of
time that the number counts. Of several patterns, and of several quantities, the first that explains a number counts.
"""

from dlcodegen.planner.class_patterns import NUM_CLASSES
from dlcodegen.planner.numbers import IS
from dlcodegen.planner.setting_patterns import SETTINGS
from dlcodegen.planner.span_patterns import HORIZON, WINDOW

_WORD = (
    r"(?:tok(?:en)?s?|sub-?words?|word-?pieces?|words?|char(?:acter)?s?|letters|wörtern?|zeichen|mots|palabras|parole)"
)
_TEXTS = (
    r"seq(?:uence)?s?|sentences?|adverts?|captions?|titles?|listings?|descriptions?|texts?|reviews?|documents?|pieces|passages?|paragraphs?|contexts?|articles?|tickets?|tweets?"
    r"|messages?|e-?mails?|comments?|posts?|abstracts?|questions?|chunks?|snippets?|transcripts?|inputs?|contracts?"
    r"|sätzen?|texten?|phrases|textes"
)
_SOUNDS = (
    r"clips?|recordings?|snippets?|excerpts?|segments?|sounds?|utterances?|audio files|wavs?|aufnahmen|tracks|pieces"
    r"|chunks|slices|takes|cries|calls|samples|files"
)
_HAPPENINGS = (  # between users and items, and what else is counted beside them
    r"(?:ratings?|scores|clicks|views|plays|purchases|orders|reviews|events|interactions|transactions|days|weeks"
    r"|months|years|factors|features|epochs|dimensions|columns|stars|sessions|rows|users)"
)

PATTERNS: dict[str, tuple[str, ...]] = {
    "vocab_size": (
        rf"vocab(?:ulary)?(?:[ _]?size)?{IS}{{n}}",
        r"{n}[- ]?(?:words?|tokens?|characters?|symbols?|bpe|sub-?words?|word-?pieces?)?\s?vocab(?:ulary)?",
        r"(?:top|most (?:common|frequent)) {n} (?:words|tokens)",
        r"{n} most (?:common|frequent) (?:words|tokens)",
        r"{n} (?:distinct|different|unique) (?:words|tokens|characters|symbols|letters)(?!\w)",
        r"(?:alphabet|dictionary|lexicon)(?: \([\w ]{1,20}\))?(?: size)? (?:of|with|has|is) {n}(?! texts| documents)",
        r"{n}[- ](?:characters?|letters?|symbols?|words?|tokens?)[- ](?:alphabet|dictionary|lexicon)",
    ),
    "num_classes": NUM_CLASSES,
    "summary_length": (
        rf"summar(?:y|ies)(?:[ :=](?:length|of|up to|at most|in|with|to|limited to|max(?:imum)?|not over)){{0,3}}[ :=]"
        rf"{{n}} {_WORD}(?!\w)",
        rf"{{n}}[- ]{_WORD}[- ](?:long )?summar(?:y|ies)(?!\w)",
        rf"summary[ _]length{IS}{{n}}",
    ),
    "sequence_length": (
        r"(?:seq(?:uence)?|sentence|token|text|input|context|document|review|max(?:imum)?|padded)[ _]"
        r"(?:length|len|window)"
        rf"{IS}{{n}}(?!\s?(?:days|hours|time|steps))",
        rf"{{n}}[- ]{_WORD}[- ](?:long|each|max(?:imum)?|(?!abstract\b)(?:{_TEXTS}))(?!\w)",
        r"(?:at most|maximum(?: of)?|max|first|up to|to|(?:no|never|not) (?:longer|more) than"
        r"|(?:fewer|less|shorter) than|<=|≤"
        r"|no(?: \w+|thing) (?:over"
        rf"|above|beyond|exceeds)|longer than) {{n}} (?:output |input )?{_WORD}(?!\w)",
        rf"(?:{_TEXTS})[\w ]{{0,20}} (?:of|with|are|is|has|have|having|contains?|runs?|von|de|di) "
        rf"(?:(?:about|around|roughly|exactly|some|only|all|cut to|padded to|length|a length of) ){{0,2}}"
        rf"{{n}} {_WORD}(?!\w)",
        r"(?:pad\w*|cut|truncat\w*|limit\w*) (?:\w+ ){0,3}(?:to|at|after|@|beyond) {n}",
        rf"(?<!\w)(?:seq_?len(?:gth)?|ctx|seq){IS}{{n}}",
        rf"captions?[ _](?:length|len){IS}{{n}}",
        rf"{{n}} {_WORD} (?:of )?(?:context|per (?:text|sentence|sequence|line)|windows?|at a time)(?!\w)",
        r"(?<!\w)[lnt]?\s?=?\s?{n} tok(?:en)?s?(?=\s?(?:[.,;)|]|$))",
        rf"(?:look(?:s|ing)? (?:back )?(?:at|over)|see(?:s|ing)?|read(?:s|ing)?|given|context of|conditioned on) "
        rf"(?:the (?:last|previous|preceding) )?{{n}} {_WORD}(?!\w)",
        rf"(?:max_?len(?:gth)?|block[_ ]size|context){IS}{{n}}",
    ),
    "horizon": HORIZON,
    "window": WINDOW,
    "num_features": (
        rf"(?:number|count|#)\s?(?:of)?\s?(?:input )?(?:features|columns|attributes|variables){IS}{{n}}",
        r"(?<!\w)(?:num_|n_|in_)?(?:features|columns|attributes|variables|merkmale|sensors|inputs|feats|vars)\s?[=:]\s?{n}",
        r"{n}\s(?:(?!and\b|of\b|\d)[\w-]+\s){0,1}?(?:feats|vars|gauges)(?!\w)",
        r"(?<!predict )(?<!estimate )(?<!forecast )(?<!output )(?<!return )(?<!report )"
        r"{n}\s(?:(?!and\b|of\b|\d|layer|hidden)[\w-]+\s){0,1}?(?:quantities|metrics|numbers|values|things|figures|facts"
        r"|answers|readings)\s(?:per\s\w|(?:on|in|about|for|from|of)\s(?:an?|the|each|every|it)\b)",
        r"(?:over|across) {n}\s(?:[\w-]+\s)?(?:metrics|signals|values|readings)(?!\w)",
        r"{n}\s(?:(?!layers|filters|units|epochs|class|and\b|of\b|with\b|rows\b|\d)[\w-]+\s){0,2}?(?:features|columns"
        r"|attributes|variables|predictors|inputs|sensors|indicators|channels|leads|signals|factors|descriptors|ratios"
        r"|measurements|merkmalen?|spalten|variabl[ei][sn]?|colonnes|columnas|sensor(?:en|es|i)|capteurs|kanälen?|eingänge"
        r"|messgrößen|kennzahlen|attributen?|canaux|canales|canali|canais|caract[ée]r[ií]stiques|características"
        r"|caratteristiche|entradas|elektroden|électrodes|electrodos|electrodes|probes|gauges|thermometers"
        r"|thermocouples|(?:spectral )?bands)(?!\w|\s?maps)",
        # forecast the load of 5 stations together
        r"{n}\s(?:[\w-]+\s){0,2}?(?:series|stations|sites|machines|stores|shops|meters|streams|turbines|stocks|assets"
        r"|regions|pumps) (?:all )?(?:at once|jointly|together|in parallel|simultaneously|at the same time)",
        r"{n}[- ](?:lead|feature|variable|axis|axes|channel|dimensional (?:feature )?(?:vectors?|inputs?|data))(?!\w)",
    ),
    "accumulation_steps": (
        r"accum(?:ulat\w+)?(?:[- _](?:gradients?|grads?|steps?|of|over|for|across|every|the)|\s?[=:x×]){0,4}\s?{n}"
        r"(?!\s?(?:epochs|gb|%))",
        r"{n}[- ]?(?:x |× |times |steps? |batch(?:es)? )(?:of )?(?:gradient )?accumulation(?!\w)",
    ),
    # before the settings of every training: "clip 0.2" is no clipping of gradients here
    "gamma": (rf"(?<!\w)(?:gamma|γ|discount(?:[- ](?:factor|rate))?){IS}{{n}}",),
    "gae_lambda": (rf"(?<!\w)(?:gae[- ]?)?(?:lambda|λ){IS}{{n}}",),
    "clip_range": (
        rf"(?<!gradient )(?<!gradient-)(?<!grad )(?<!\w)clip(?:ping)?(?:[- _](?:range|ratio|eps(?:ilon)?|param\w*))?"
        rf"{IS}{{n}}",
    ),
    "kl_weight": (
        rf"(?<!\w)kl(?:[- ](?:divergence|term|loss))?[- ](?:weight|coefficient|factor){IS}{{n}}",
        rf"(?<!\w)(?:β|beta)?[- ]?vae(?!\w)[^.;]{{0,60}}?(?<!\w)(?:beta|β){IS}{{n}}(?!\s?[,/]\s?0?\.)",
    ),
    "entropy_weight": (
        rf"(?<!\w)entropy[- ](?:(?:bonus|loss|regulari[sz]ation)[- ]?)?(?:weight|coef(?:ficient)?|bonus|term){IS}{{n}}",
        rf"(?<!\w)ent(?:ropy)?_coef{IS}{{n}}",
        rf"(?<!\w)entropy(?: bonus)?{IS}{{n}}",
    ),
    "threshold_quantile": (
        r"{n}(?:st|nd|rd|th)?[- ]?(?P<unit>percentiles?|quantiles?)",
        r"(?:percentile|quantile)\s?(?:of|=|:|at)?\s?{n}",
        r"(?:flag|alarm|mark|report)\w* (?:on )?(?:the )?(?P<unit>top|highest|worst) {n}\s?(?:%|percent)",
    ),
    "num_envs": (r"{n} (?:parallel |vectori[sz]ed )?env(?:ironment)?s(?!\w)", rf"(?<!\w)n(?:um)?_envs{IS}{{n}}"),
    "buffer_size": (
        rf"(?<!\w)(?:replay (?:buffer|memory)|buffer|memory|replay)(?: (?:size|capacity))?{IS}{{n}}",
        r"{n} (?:\w+ )?transitions(?!\w)",
    ),
    "margin": (rf"(?<!\w)margin{IS}{{n}}",),
    "temperature": (rf"(?<!\w)(?:temperature|tau|τ){IS}{{n}}",),
    **SETTINGS,
    "sample_rate": (
        r"{n}\s?(?P<unit>k?hz)(?!\w)",
        r"(?<!\w)(?:sr|fs|sample[_ ]rate|sampling[_ ]rate)\s?(?:=|:|of|is)?\s?{n}",
    ),
    "clip_seconds": (
        r"{n}[- ]?(?:s|secs?|seconds?|sekunden)[- ](?:\w+\s)?(?:clips?|audio|recordings?|long|snippets|excerpts"
        r"|segments|sounds|utterances?|samples|files|calls|windows?)",
        rf"(?:{_SOUNDS})\s(?:of|lasting|are|is|lasts?|takes?|have|has|run|von|de|di|sind)\s"
        r"(?:(?:all|each|about|around|roughly|exactly|only|length|a length of|cut to|trimmed to|padded to)\s){0,3}"
        r"{n}\s?(?:s|secs?|seconds?|sekunden|secondes|segundos|secondi)(?!\w)",
        rf"{{n}}\s?(?:s|secs?|seconds?|sekunden|secondes|segundos|secondi)\s(?:per|in each|for each|a)\s(?:{_SOUNDS})",
        r"{n}\s?(?:s|secs?|seconds?)(?: of (?:audio|sound|speech)| each| long| at)(?!\w)",
        r"(?<=, ){n}\s?(?:s|secs?|seconds?)(?=\s?[,;.])",
        r"(?:up to|at most|no longer than) {n}\s?(?:s|secs?|seconds?)(?!\w)",
        rf"(?:{_SOUNDS}) (?:length|duration){IS}{{n}}\s?(?:s|secs?|seconds?)(?!\w)",
        rf"(?<!\w)(?:{_SOUNDS})\s?(?::|,|up to|at most|of up to|no longer than)\s?{{n}}\s?(?:s|secs?|seconds?)(?!\w)",
    ),
    "num_mels": (
        r"{n}[- ]?(?:log[- ])?mel(?:s|[- ]?(?:bands|bins|filters|frequency|coefficients|channels))?(?!\w)",
        rf"n_mels{IS}{{n}}",
        r"(?<!\w)mels? {n}(?=\s?(?:[,;.)]|$))",
        r"mel(?:[- ]?spectr\w+)?\s?(?:with|of|,|in|\()?\s?{n}[- ](?:bands|bins|filters|mels|channels)",
    ),
    "scale_factor": (
        r"(?<![\w.])(?P<n>[2348])\s?[x×](?=[\s-](?:super|up|enlarg|larger|resolution|sr\b|single[- ]image))",
        r"(?<![\w.])[x×](?P<n>[2348])(?=[\s-](?:super|up|sr\b))",
        r"(?:factor|scale)(?:\s?(?:of|=|:|by)){0,2}\s?{n}",
        r"(?:upscal\w+|enlarg\w+|upsampl\w+)\s(?:\w+\s){0,3}?(?:by\s)?(?P<n>[2348])\s?[x×](?!\w)",
        r"{n}[- ]?(?:times|fold|x|×) (?:as )?(?:larger?|bigger|big|enlarge\w*|upscal\w*|higher|the (?:size|resolution))"
        r"(?!\w)",
        r"(?:upscal\w+|enlarg\w+|upsampl\w+)\s(?:[\w-]+\s){0,5}?{n} times(?!\w)",
        r"(?:super[- ]?resol\w+|(?<!\w)sr)\s\(?(?:by\s)?[x×]\s?(?P<n>[2348])(?!\w)",
        r"super[- ]?resol\w+\s\(?(?:by\s)?(?P<n>[2348])\s?[x×](?!\w)",
    ),
    "num_keypoints": (
        r"{n}\s(?:(?!\d)[\w-]+\s){0,2}?(?:key-?points?|kpts?|landmarks?|joints)(?!\w)",
        # in this task points are what is found; "2000 data points" are pictures
        r"(?!\d{4}|\d,\d){n}\s(?:\([^)]{1,12}\)\s)?(?:(?!percent\w*|data|per|of|in|from|\d)[\w-]+\s){0,2}?"
        r"(?:points|dots|corners|fiducials|markers"
        r"|coordinate pairs|pairs of coordinates)(?!\w|\s(?:of )?(?:improvement|accuracy|iou|better|worse))",
        r"(?!\d{4}|\d,\d){n}\s(?:(?!\d)[\w-]+\s)?(?P<unit>coordinates)(?!\w)",
    ),
    "num_users": (
        r"{n}\s(?:\w+\s)?(?:users|customers|clients|members|readers|listeners|viewers|players|guests|subscribers|visitors"
        r"|students|shoppers|patients|nurses)(?!\w)",
        r"(?:users|customers|members|players|readers)\s?[=:]\s?{n}",
    ),
    "num_items": (
        r"{n}\s(?:(?!users|customers)\w+\s)?(?:movies|items|products|books|songs|articles|films|tracks|games|recipes|courses|titles"
        r"|podcasts|episodes|dishes|wines|restaurants|shows|albums|papers)(?!\w)",
        r"(?:items|movies|products|books|songs|articles|games|films)\s?[=:]\s?{n}",
        # 40k users, 7k beers
        r"(?:users|customers|members|readers|listeners|players|drinkers|shoppers)\s?(?:,|and|x|×|by|/|&)\s?{n}\s"
        rf"(?!(?:\w+ )?{_HAPPENINGS})(?:[\w-]+\s)?[a-z-]+s(?!\w)",
    ),
    "num_outputs": (
        r"{n}\s(?:continuous |numeric |real )?(?:targets?|target variables|outputs|output values)(?!\w)",
        r"(?:predict|estimat|regress|output|return)\w* (?:(?!from|of|with|using|by|to)\w+ ){0,2}?{n} (?:[\w-]+ )?"
        r"(?:numbers|values|quantities|responses|angles)(?= (?:from|for|per|of|at once)|[.,:;]|$)",
    ),
    "num_frames": (
        r"frames(?: per (?:clip|video|sample))?\s?[:=]\s?{n}",
        r"{n}[- ]?frames?(?:\s(?:each|per (?:clip|video)|long))?",
    ),
    "noise_level": (r"(?:noise (?:level|std|standard deviation)|(?<!\w)sigma|σ)(?:\s?(?:of|=|:|is)){0,2}\s?{n}",),
    "num_steps": (
        r"{n}\s(?:diffusion|denoising|noise)\s(?:time[- ]?)?steps",
        r"{n}\stime[- ]?steps(?!\w)",
        r"(?:ddpm|diffusion)[^.;]{0,40}? (?:with|of|in|over) {n} steps(?!\w)",
        r"(?<!\w)t\s?=\s?{n}(?:\s(?:time[- ]?)?steps)?",
    ),
}
