"""How people say which readings go in and which come out of a forecast: regular expressions of lower-case text.

`{n}` is the number, `(?P<unit>...)` what it counts. Where the unit is left out ("the next 12 months from the last 36")
the number counts what the other one counts.
"""

from dlcodegen.planner.numbers import IS

_TIME = (
    r"(?P<unit>(?:time[- ]?)?steps?|days?|hours?|minutes?|weeks?|months?|years?|points?|values?|observations?|samples?"
    r"|readings?|measurements?|candles?|quarters?|stunden?|tage?n?|heures|jours|horas|días|dias|ore|giorni)(?!\w)"
)
_ADJECTIVE = r"(?P<unit>(?:half-|quarter-)?hourly|daily|weekly|monthly|quarterly|yearly)"
_NEXT = r"(?:next|following|coming|upcoming|future|nächsten?|kommenden|prochaine?s|próxim[ao]s|prossim[ei])"
_LAST = (
    r"(?:past|last|previous|preceding|prior|latest|most recent|letzten|vergangenen|vorigen|dernières|derniers"
    r"|últim[ao]s|ultim[ei])"
)
_LEFT_OUT = (
    r"(?P<left_out>)(?=\s?(?:$|[.,;:?!)]|(?:from|using|based on|with|given|out of|by|to|in|and|via|as|ahead)\s))"
)
_DAY_OR_WEEK = r"(?:tomorrow|(?:the )?(?:next|coming|following) (?:day|week|month))"

HORIZON: tuple[str, ...] = (
    rf"{_NEXT}\s{{n}}\s?\(?(?:[- ]){_TIME}",
    rf"{_NEXT}\s{{n}} {_ADJECTIVE}(?!\w)",
    rf"{_NEXT}\s{{n}}{_LEFT_OUT}",
    r"(?:tomorrow|next day|coming day)(?:'s|s')? (?:all )?{n}[- ]"
    r"(?P<unit>(?!degrees?|percent|o'clock|am\b|pm\b|per\b)[a-z-]+)",
    rf"{{n}} {_ADJECTIVE} (?:[\w-]+ ){{1,3}}?(?:of|for) {_DAY_OR_WEEK}",
    rf"{{n}}[- ]{_TIME} (?:of|for) {_DAY_OR_WEEK}(?!'s \d)",
    rf"(?:forecast(?:ing)?\s)?horizon{IS}{{n}}(?:\s?{_TIME})?",
    rf"{{n}} (?:future|forecast|predicted|target) {_TIME}",
    rf"{{n}}[- ]?{_TIME}[- ](?:ahead|in advance|into the future|out\b)",
    rf"{{n}}[- ]?{_TIME}[- ](?:(?:forecast|prediction)(?:ing)? )?horizon(?!\w)",
    r"in and {n}(?P<left_out>) ahead(?!\w)",
    rf"{{n}}[- ]{_TIME} (?:to come|to follow|that follow|afterwards|later)(?!\w)",
    rf"(?:predict|forecast|output|estimat|project)\w* (?:the )?{{n}}[- ]{_TIME}"
    r"(?! (?:of (?:the )?(?:history|context|past)|back|before|ago"
    r"|old|windows?))",
    r"{n} (?P<unit>prochaines (?:heures|jours))",
    rf"{{n}}[- ]{_TIME}[- ](?:forecasts?|predictions?)",
    r"(?P<n>next) (?:single )?(?P<unit>day|hour|week|month|step|value|time ?step|price|temperature|reading"
    r"|demand)(?!\w)",
    rf"(?P<n>tomorrow)'s {_ADJECTIVE}",
    rf"(?<!\w){_ADJECTIVE} (?:[\w-]+ ){{1,3}}?(?:of|for) (?P<n>tomorrow)(?!\w)",
    r"(?P<n>tomorrow)(?!\w)",
)
WINDOW: tuple[str, ...] = (
    rf"{_LAST}\s{{n}}\s\(?{_TIME}",
    rf"{_LAST}\s{{n}} {_ADJECTIVE}(?!\w)",
    rf"(?<!but )(?<!but the )(?:the|its|their|die|den|der|les|las|los) {_LAST}\s{{n}}{_LEFT_OUT}",
    rf"(?<!\w)(?:window|win|look[- ]?back|history|context|fenster)(?:[ _](?:size|length|period|window))?{IS}{{n}}"
    rf"(?:\s?{_TIME})?",
    rf"(?:input|series|sequence|signal)[ _](?:length|window){IS}{{n}}(?:\s?{_TIME})?",
    rf"{{n}}[- ]{_TIME}\s(?:(?:input\s)?windows?|look[- ]?back|segments?|sequences?|series|eeg|ecg|signals?)",
    rf"{{n}}[- ]{_TIME}\s(?:of\s)?(?:history|context|past (?:data|values|readings)|lags?)(?!\w)",
    r"{n} (?:lags|lagged \w+)(?!\w)",
    rf"(?:windows?|segments?|sequences?|series|fenstern?|fenêtres?|ventanas?|finestr[ae]|janelas?)\s(?:of|von|de|di)"
    rf"\s(?:length\s)?{{n}}(?:\s?{_TIME})?",
    r"{n} (?P<unit>time[- ]?steps?|zeitschritten?|pas de temps)(?! ahead)",
    r"{n} (?:samples|points|steps|values|readings|measurements) (?:per|in each|each|long)(?: (?:window|segment"
    r"|series|beat|recording|example|sequence))?",
    # 12 steps in, 12 steps out
    rf"{{n}}[- ]?{_TIME}[- ]in(?=\W{{1,3}}(?:and )?\d)",
    # 100 steps of 6 sensor channels
    r"(?!\d{5}|\d{1,3},\d){n} (?:steps|samples|points|readings|ticks|dates) (?:of|x|×|by|with) {n} (?:[\w-]+ ){0,2}?"
    r"(?:channels?|sensors?|signals?|ax[ei]s|leads?|variables|features|electrodes|bands)(?!\w)",
    # 3 axes, 128 steps, 6 activities
    r"(?!\d{5}|\d{1,3},\d)(?<=, ){n} steps(?=\s?[,;)])",
    r"(?:heart)?beats?, (?:\w+ \w+, )?{n} samples",
    rf"(?<!\w)stretch(?:es)? of {{n}} {_TIME}",
    r"{n} (?:samples|points|readings) (?:@|at) \d",
    rf"{{n}} past {_TIME}",
    r"\d (?:channels|sensors|ax[ei]s|leads|variables|features) (?:x|×|by|over) {n} (?:steps|samples|points|readings)",
    r"windows? {n}(?=\s?[,.;)]|$)",
    r"windows? \({n} (?:samples|points|steps|readings)\)",
)
