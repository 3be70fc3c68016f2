"""Phrases that speak for one category by themselves: points, and a regular expression of whole words."""

from dlcodegen.planner.image_phrases import IMAGE_PHRASES
from dlcodegen.planner.text_phrases import TEXT_PHRASES

_PERIODS = r"days?|hours?|weeks?|months?|steps?|minutes?|value|quarter|years?|readings?"

PHRASES: dict[str, tuple[tuple[float, str], ...]] = {
    **IMAGE_PHRASES,
    **TEXT_PHRASES,
    "tabular-classification": (
        (4, r"tabular classif\w*|churn\w*|credit (?:risk|default|scoring|card)|loan (?:default|approval)\w*|fraud\w*"),
        (
            4,
            r"titanic|iris|heart disease|diabetes|(?:customers?|clients?) will|income (?:above|over|bracket)|attrition",
        ),
        (4, r"bankrupt\w*|which (?:customers|clients|employees)|(?:is|are) readmi\w*|cover type|crop type|an order be"),
        (7, r"(?:customer|market|user|client) segment\w*|conversion of|sepsis risk"),
        (4, r"abandona|cliente vai|abwander\w*|kündig\w*|résili\w*|客户流失|流失"),
        (3, r"classes?\s*[:=]\s*\d+"),
    ),
    "tabular-regression": (
        (5, r"tabular regress\w*|house prices?|housing|salar\w*|insurance (?:cost|charge)s?|car prices?"),
        (
            5,
            r"prices? of (?:\w+ ){0,2}(?:cars|houses|homes|diamonds|laptops|apartments|flats)|solubility|delivery time",
        ),
        (
            5,
            r"(?:concrete|compressive) strength|fuel (?:consumption|efficiency)|crop yield|rental prices?|rents?"
            r"|miles per gallon|mpg",
        ),
        (
            5,
            r"boston|california|regression (?:on|from|for|model|task|problem)|energy efficiency of buildings"
            r"|rental count",
        ),
        (
            5,
            r"how much (?:will|does|is) (?:\w+ ){1,5}(?:cost|worth)|(?:haus|immobilien|wohnungs|miet)preis\w*"
            r"|prix (?:des|de) (?:maisons?|logements?)",
        ),
        (5, r"precios? de (?:las )?(?:casas|viviendas)|prezz[oi] delle case|preços? de (?:imóveis|casas)|房价"),
    ),
    "time-series-forecasting": (
        (
            6,
            rf"forecast\w*|time[- ]series (?:forecast|predict)\w*|look[- ]?back|(?:{_PERIODS}) ahead|horizon"
            rf"|tomorrow\w*",
        ),
        (6, r"(?:stock|electricity|energy|bitcoin|gold|oil|share|closing) (?:price|load|demand|consumption|use)s?"),
        (6, rf"temperature (?:for|of|over) the next|(?:next|coming|following) (?:\w+ )?(?:{_PERIODS})"),
        (
            6,
            rf"from the (?:past|last|previous) (?:\w+ ){{1,2}}(?:{_PERIODS})|(?:exchange rates?|power) (?:prediction"
            rf"|one day)",
        ),
        (6, r"zeitreihenvorhersage\w*|nächste[nrs]? (?:\w+ )?(?:stunden?|tage?|wochen?)|stromverbrauch vorhers\w*"),
        (6, r"séries? temporelles?|prévision (?:de|des|du)|prochaine?s|pronosticar|pronóstico|próxim[ao]s|prossim[ei]"),
        (6, r"previsione (?:del|della|dei)|previsão de|时间序列预测"),
    ),
    "time-series-classification": (
        (5, r"time[- ]series classif\w*|activity recognition|human activit\w*|arrhythmia\w*|ecg|ekg(?:-\w+)?|eeg|emg"),
        (5, r"heartbeats?|seizures?|sleep stages?|gesture recognition|fault (?:classif|diagnos)\w*|bearing faults?"),
        (5, r"accelerometer\w*|wearable\w*|imu|inertial|motor imagery|fall detection"),
        (4, r"classif\w* .{1,60}time[- ]series|machine state"),
    ),
    "anomaly-detection": (
        (
            9,
            r"(?:odd|weird|strange|suspicious|unexpected|deviating"
            r"|out[- ]of[- ]the[- ]ordinary) (?:\w+ ){0,2}(?:readings?|values?"
            r"|behaviou?r|patterns?|measurements?|signals?|transactions?|connections?|records?|events?|sounds?|parts"
            r"|days|hours)",
        ),
        (
            9,
            r"what (?:is )?normal (?:looks|is|means)|raise\w* an alarm|deviat\w+ from|(?:only|all (?:i|we)) (?:have "
            r"|has |got )?"
            r"(?:\w+ ){0,4}(?:normal|healthy|ordinary|fault-free|intact)(?! (?:or|and)\b)",
        ),
        (9, r"ungewöhnlich\w*|auffällig\w*|inhabituel\w*|inusual\w*|insolit\w*"),
        (
            9,
            r"anomal\w*|d'anomal\w*|outliers?|novelty detection|intrusion\w*|unusual|reconstruction error|ausreißer"
            r"|异常",
        ),
        (
            9,
            r"no labels|abnormal(?:it\w*)? vibrations?|abnormal vibration patterns|abnormal(?:it\w*)? (?:behaviou?r"
            r"|readings|patterns|in)|predictive maintenance",
        ),
    ),
    "audio-classification": (
        (5, r"audio classif\w*|sound classif\w*|speech commands?|keyword spotting|music genres?|urban sounds?"),
        (
            5,
            r"environmental sounds?|speech emotion|spoken (?:digits?|commands?|words?)|bird (?:song|call|sound)s?"
            r"|log-?mel",
        ),
        (
            5,
            r"mel[- ]spectrograms?|speaker identif\w*|cough\w*|mfccs?|wake word|instrument recognition|who is speaking",
        ),
        (
            5,
            r"language spoken|(?:heart|lung|machine|engine|animal) sounds?|emotion in speech|musikgenres?"
            r"|from (?:\w+ )?voices?"
            r"|esc-?50|gtzan",
        ),
    ),
    "automatic-speech-recognition": (
        (
            9,
            r"(?:voice|speech|spoken|dictat\w+|memos?|talks|lectures|calls) (?:[\w-]+ ){0,5}(?:in)?to (?:text"
            r"|writing|characters"
            r"|letters|words)",
        ),
        (9, r"speech recognition|speech[- ]to[- ]text|asr|transcri(?:be|bing|ption)\w*|ctc|spracherkennung|语音识别"),
    ),
    "recommendation": (
        (
            9,
            r"(?:suggest|propos)\w* (?:[\w-]+ ){0,6}(?:to|for|what|next|that) (?:.{0,40} )?(?:buy|watch|read|listen"
            r"|like|order|play|users?"
            r"|customers?|readers?|listeners?|viewers?)|two[- ]towers?",
        ),
        (
            9,
            r"what (?:an? |the |each |every |our )?(?:\w+ )?(?:customer|user|reader|listener|viewer|client|shopper"
            r"|visitor|member)s? "
            r"(?:\w+ ){0,3}(?:buy|like|watch|read|listen|want|order|enjoy|play)",
        ),
        (
            9,
            r"recommend\w*|recommender|collaborative filtering|matrix factori[sz]ation|user[- ]item|movielens"
            r"|two-?tower",
        ),
        (
            9,
            r"ratings? (?:that )?(?:of |by |from )?(?:an? )?users?|users? (?:\w+ ){0,3}(?:rate|ratings?)"
            r"|will a user like",
        ),
        (9, r"\w*empfehl\w*|recomenda\w*|recommandation\w*|raccomanda\w*|推荐"),
    ),
    "graph-machine-learning": (
        (
            9,
            r"graph (?:neural|convolution\w*|attention|classif\w*|network\w*)|gcn|gnn|gat|node classif\w*"
            r"|link prediction",
        ),
        (9, r"cora|citation (?:networks?|graphs?)|molecul\w*|graphsage|message passing"),
    ),
    "reinforcement-learning": (
        (10, r"reinforcement|dqn|q-?learning|policy gradients?|ppo|actor[- ]critic|reinforce|cart-?pole|grid-?world"),
        (10, r"rl agent|an agent (?:that|to)|mountain car|game[- ]playing|play(?:s|ing)? (?:tic|snake|atari|pong)"),
        (10, r"verstärkungslernen|强化学习"),
    ),
    "multimodal-classification": (
        (12, r"multi-?modal|(?:images|photos|scans) with (?:\w+ )?(?:metadata|clinical|tabular|lab)(?: \w+)?"),
        (
            12,
            r"images? and (?:text|tabular|metadata|captions|clinical|numeric)\w*|both (?:the )?(?:image|photo"
            r"|text)s? and",
        ),
        (12, r"(?:text|metadata|tabular(?: data)?|captions) (?:and|with|plus|\+) images?|fus(?:e|ion|ing)"),
    ),
}
