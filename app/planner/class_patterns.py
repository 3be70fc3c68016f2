"""How people count classes: regular expressions of lower-case text, `{n}` where the number stands.

A noun that only classes have (`types`, `labels`) is enough. Of any other noun the sentence must say that it is what the
model tells apart: `sort ... into 5 queues`, `which of 8 machines`, `recognise 4 hand signs`.
"""

from dlcodegen.planner.numbers import IS

_STRONG_LABELS = (
    r"(?:class(?:es)?|cls|categor(?:y|ies)|labels|klassen|kategorien|clases|catégories|categorías|classi|sorts|sorten|\w+sorten"
    r"|\w*arten|tipos|tipi|espèces|especies|espécies)"
)
_LABELS = (
    r"(?:types|species|kinds|breeds|genres|emotions|diseases|tags|topics|intents|activities|varieties|styles|brands"
    r"|grades|sentiments|instruments|commands|keywords|gestures|actions|defects|dishes|exercises|moods|accents|dialects|postures"
    r"|disorders|subtypes|materials)"
)
_WEAK_LABELS = (
    r"(?:areas|families|states|crops|digits|letters|languages|speakers|groups|objects|(?:sleep )?stages|sounds|persons"
    r"|products|segments|signs(?! of)|identities|authors|novelists|writers|composers|painters)"
)
_NO_LABEL = (
    r"(?!layers|filters|units|epochs|features|columns|rows|gpus?|hours|days|and\b|or\b|of\b|with(?:out)?\b|images\b"
    r"|photos\b|into\b|to\b|per\b|from\b|in\b|for\b|each\b|as\b|\d)"
)

# What is counted of data, models and computers, and so is no class whatever the verb before it.
_DATA = (
    r"folds?|splits?|parts|halves|windows?|patch(?:es)?|crops?|tiles?|(?:milli)?seconds?|secs?|minutes?|hours?|days?"
    r"|weeks?|months?|years?|(?:sub)?sets?|datasets?|batch(?:es)?|frames?|chunks?|dimension\w*|dims?|images?|photos?"
    r"|pictures?|tokens?|characters?|words|sentences?|epochs?|steps?|samples?|points?|features?|columns?|channels?"
    r"|bands?|pixels?|bits?|bytes?|vectors?|embeddings?|numbers?|values?|outputs?|inputs?|records?|rows?|examples?"
    r"|items?|clips?|recordings?|videos?|reviews|documents|texts|files?|folders|percent|times|leads?|ax[ei]s|cameras"
    r"|sensors?|microphones|electrodes|inch(?:es)?|metres|meters"
)
_MACHINERY = (
    r"layers?|units?|blocks?|heads?|filters?|kernels?|neurons?|gpus?|cpus?|cores?|workers?|models?|networks?|nets"
    r"|methods?|approaches|architectures?|optimi[sz]ers?|loss(?:es)?|experts|towers?|levels? of|scales?|resolutions?"
)
_WHOSE = (
    r"customers?|clients?|patients?|employees?|users?|students?|members?|visitors?|accounts?|transactions?|applicants?"
    r"|subscribers?|passengers?|houses|cars"
)
_SMALL = r"(?!\d{4}|\d{1,3}[,.]\d)"  # "which of 10,000 pictures" counts pictures
_OUR = r"(?:(?:the|our|my|its|these|those|exactly|about|only|different|possible|known|following) ){0,2}"
_THING = (
    rf"(?![\w-]* ?(?:{_DATA}|{_MACHINERY})(?![\w-]))"
    r"(?:(?!(?:and|or|of|x|by|from|in|with|per|on|at|for|to|as|is|are|each|all|than|then) )[a-zà-ÿ][\w'-]* ){0,2}?"
    rf"(?!(?:{_DATA}|{_MACHINERY}|and|for|per|with|from|the|each|all|than)(?![\w-]))[a-zà-ÿ][\w'-]{{2,}}"
)
_NOT_WHOSE = rf"(?!(?:\w+ )?(?:{_WHOSE})(?!\w))"
_SORTING = (
    r"(?:classif|classer|clasi|categori[sz]|categor[iy]|sort|group|assign|label(?=\s|l?ed|l?ing)|rout|triag|tag|dispatch|grad|allocat"
    r"|organi[sz]|direct|forward|distribut|bin(?=s|n)|bucket|fil(?=es? |ing|ed)|put|plac|recogni[sz]|map(?=s?\b|ping)"
    r"|klassifi|einordn|einteil|zuordn|sortier)"
)
_APART = (
    r"(?:recogni[sz](?:e|es|ing)|distinguish(?:es|ing)?|identif(?:y|ies|ying)|discriminat(?:e|es|ing)"
    r"|differentiat(?:e|es|ing))"
)
NUM_CLASSES: tuple[str, ...] = (
    rf"(?:number|count|#)\s?(?:of)?\s?(?:\w+\s)?(?:output )?(?:classes|categories|labels|tags){IS}{{n}}",
    r"(?<!\w)(?:num_|n_)?(?:classes|categories|labels|klassen|tags|species|types|groups)\s?[=:]\s?{n}",
    r"{n} (?:bio(?:es)?[- ]?|iob[- ]?)?tags(?!\w| per| for)",
    r"(?:categor(?:y|ies)|class(?:es)?|labels?|types?|departments?|topics?) \({n}(?: of (?:them|these|those))?\)",
    r"{n}[- ](?:way|class)(?!\w|[- ]object)",
    rf"{{n}}\s(?:{_NO_LABEL}[\w-]+\s){{0,3}}?{_STRONG_LABELS}(?!\w|\s(?:of )?(?:layers|blocks|per))",
    r"{n}\s?个?(?:类别|类|种)",
    rf"{{n}}\s(?:{_NO_LABEL}[\w-]+\s){{0,3}}?{_LABELS}(?!\w|\s(?:of )?(?:layers|blocks|per))",
    # "3,391 crops" are pictures, "12 crops" may be classes
    rf"(?<!with )(?!\d{{1,3}}[,.]\d{{3}}|\d{{4}}){{n}}\s(?:{_NO_LABEL}[\w-]+\s){{0,2}}?{_WEAK_LABELS}"
    r"(?!\w|\s(?:of )?(?:layers|blocks|per|long))",
    r"\({n} (?:conditions|faults|states|modes|outcomes)\)",
    r"keyword spotting\W{1,3}(?:with |of |for )?{n} (?:key)?words",
    r"(?:speech commands?|spoken commands?|spoken words|wake[- ]words?)(?!\w)[^.;]{0,60}? {n} (?:key)?words(?!\w| per)",
    # sort support tickets into 5 queues; route each mail to one of 7 departments
    rf"(?<!\w){_SORTING}\w* (?:[^\s.;:!?]+ ){{0,8}}?(?:into|to|among|between|across|onto|under|as|in|zu)"
    rf"(?: (?:any )?one of| eine[rsm]? (?:von|der))? {_OUR}{_SMALL}{{n}} {_THING}",
    # which of 8 machines is running?
    rf"(?<!\w)(?:which|what)(?: one)? of {_OUR}{_SMALL}{{n}} {_NOT_WHOSE}{_THING}",
    rf"(?<!\w)(?:is|are|as|into|to|shows?|says?|belongs to|predict\w*|recogni\w*|identif\w*) (?:exactly |any )?one of "
    rf"{_OUR}{_SMALL}{{n}} {_NOT_WHOSE}{_THING}",
    rf"(?<!\w)(?:in|on|under|the (?:right|correct|proper|best)) one of {_OUR}{_SMALL}{{n}} {_NOT_WHOSE}{_THING}",
    # sort scans by country (24 countries)
    rf"(?<!\w){_SORTING}\w* (?:[^\s.;:!?]+ ){{0,5}}?by (?:[\w-]+ ){{1,3}}\({_SMALL}{{n}} (?:of them|{_THING})",
    # recognise 4 hand signs, tell 6 mushrooms apart
    rf"(?<!\w){_APART} (?:between |among |all )?{_OUR}{_SMALL}{{n}} {_NOT_WHOSE}{_THING}",
    rf"(?<!\w)tell(?:s|ing)? apart {_OUR}{_SMALL}{{n}} {_NOT_WHOSE}{_THING}",
    rf"(?<!\w)tell(?:s|ing)? {_OUR}{_SMALL}{{n}} {_NOT_WHOSE}{_THING}(?= (?:\w+ ){{0,3}}apart|[.,;]|$)",
)
