"""Phrases that speak for one category by themselves: points, and a regular expression of whole words."""

_THINGS = (
    r"objects?|cars?|vehicles?|pedestrians?|people|persons?|faces?|ships?|fruits?|helmets?|plates?|signs?|drones?"
    r"|apples?"
    r"|trees|animals|cells|ripe \w+|potholes?|weeds?|boats?|planes?|balls?|wheat heads|tumou?rs in boxes|fish|insects"
)
_LANGUAGES = r"english|german|french|spanish|italian|portuguese|chinese|japanese|hindi|russian|arabic|en|de|fr|es|it"
_WRITINGS = (
    r"texts?|poems?|poetry|lyrics|names|stories|shakespeare\w*|sonnets?|sentences|jokes|code|recipes|tweets|haikus?"
    r"|dialogues?"
)
_MEASURED = (
    r"age|count|number|weight|height|price|angle|steering|bmi|calor\w*|density|ripeness|quality score|severity score"
)
_PICTURES = r"images?|photos?|pictures?|faces?|portraits?|scans?|x-?rays?|dash-?cam\w*|\w* ?camera images?"
_PERIODS = r"days?|hours?|weeks?|months?|steps?|minutes?|value|quarter|years?|readings?"

PHRASES: dict[str, tuple[tuple[float, str], ...]] = {
    "image-classification": (
        (3, r"image[- ]classif\w*|classif\w* (?:of )?(?:\w+ ){0,4}(?:images?|photos?|pictures?|scans?)"),
        (3, r"digits?|f?mnist|cifar-?\d*|imagenet(?:-1k)?|clas\w+ (?:de )?imágenes|sign language"),
        (2, r"resnet[- ]?\d*|vgg[- ]?\d*|efficient-?net\w*|mobile-?net\w*|dense-?net\w*|vit|vision transformer"),
        (2, r"inception|xception|lenet|alexnet|convnext"),
        (
            3.5,
            r"(?:grade|grading|ripeness|classif\w*|recogni\w*|\d+ classes).{1,60}(?:from|of|in"
            r"|on) (?:\w+ ){0,3}(?:photos?|images?|pictures?)",
        ),
        (2.5, r"(?:crack|smoke|fire|tumou?r|defect|damage)s? in (?:this|the) (?:photo|image|picture|scan)"),
    ),
    "image-segmentation": (
        (
            7,
            r"(?<!customer )(?<!market )(?<!user )(?<!client )(?<!word )segment(?!s\b|s of\b|ation of customers)\w*"
            r"|segmentier\w*|分割|pixel-?wise|per[- ]pixel|(?:each|every) pixel|masks?|delineat\w*",
        ),
        (3, r"u-?net\w*|deeplab\w*|segnet|fcn|polyps?|outlin\w*|cityscapes|isic|boundar\w+"),
    ),
    "object-detection": (
        (
            9,
            r"object detection|bounding box\w*|boxes|object detector|yolo\w*|faster r-?cnn|ssd|anchor-free|center-?net"
            r"|objekterkennung|目标检测|détection d'objets|detección de objetos|rilevamento (?:di )?oggetti",
        ),
        (
            5,
            r"(?:detect\w*|locat\w*|locali[sz]\w*|find\w*) (?:and \w+ )?(?:(?:all|the|multiple|several|every|where)\s)?"
            rf"(?:\w+\s){{0,2}}(?:{_THINGS})\b|(?:{_THINGS}) (?:detection|detector)|where (?:are|is) (?:the"
            rf"|all) (?:{_THINGS})",
        ),
        (3, r"(?:face|vehicle|person|car|people) detector"),
    ),
    "keypoint-detection": (
        (9, r"key-?points?|facial landmarks?|landmark (?:detection|locali[sz]ation)|pose estimation|joints|fiducial"),
        (9, r"(?:body|hand|head|animal|human) ?pose|pose:|coordinates in (?:\w+ )?(?:portraits|images|photos|faces)"),
        (4, r"landmarks"),
    ),
    "image-regression": (
        (6, rf"(?:{_MEASURED})\b.{{0,40}}\b(?:from|of|in|given|auf|aus) .{{0,30}}(?:{_PICTURES})|\w*bildern? schätzen"),
        (6, r"crowd counting|image regression|steering angles?|count(?:ing)? (?:the )?(?:cells|people|animals|trees)"),
        (3, r"alter aus|\w*gesichtsbild\w*"),
    ),
    "depth-estimation": (
        (
            9,
            r"(?:scene|relative|metric) depth|depth (?:estimation|maps?|prediction|from)|monocular depth"
            r"|estimat\w* (?:the )?depth|disparity",
        ),
        (6, r"how far away is every pixel"),
    ),
    "image-to-image": (
        (
            8,
            r"denois\w*|de-?blur\w*|super[- ]?resol\w*|upscal\w*|colou?ri[sz]\w*|inpaint\w*|image[- ]to[- ]image"
            r"|style transfer|dehaz\w*|derain\w*|restor(?:e|ing|ation)\b|low[- ]light|arti?e?fact removal|pix2pix"
            r"|cycle-?gan",
        ),
        (8, r"image[- ]to[- ]image translation|cycle-?gan|pix2pix|unpaired (?:images?|photos?|translation)"),
        (
            8,
            r"enhanc\w* (?:\w+ )?(?:images?|photos?)|image enhancement|remov\w* (?:\w+ ){0,2}(?:noise|streaks|blur"
            r"|haze|rain)",
        ),
        (7, r"noisy (?:\w+ )?(?:images?|photos?|scans?|pictures?|ct|mri)|sketch\w* to \w+|low-dose ct"),
        (8, r"entrausch\w*|débruit\w*|eliminar (?:el )?ruido|rimuovere (?:il )?rumore|去噪|超分辨率"),
    ),
    "unconditional-image-generation": (
        (7, r"(?:dc|w|style|wgan-)?-?gans?|wgan-gp|generative adversarial\w*|ddpm|diffusion model\w*|diffusion"),
        (8, r"vae|variational auto-?encoders?"),
        (
            5,
            r"(?:generat|synthesi[sz])\w* (?:\w+ ){0,4}(?:images?|faces?|digits?|pictures?|photos?|paintings?|sprites"
            r"|anime"
            r"|art|textures?|logos?|icons|x-?rays?)",
        ),
    ),
    "image-to-text": (
        (13, r"caption\w* (?:for|of|each)|image caption\w*"),
        (9, r"caption\w*|image[- ]to[- ]text|describ\w* (?:images?|pictures?|photos?)|bildbeschreibung\w*|ocr"),
        (9, r"descriptions? (?:of|for) (?:images?|photos?|pictures?)"),
    ),
    "metric-learning": (
        (10, r"siamese|triplet|metric learning|face verification|re-?identif\w*|image retrieval|same person"),
        (
            8,
            r"similar(?:ity)? (?:search|learning|images|products)|signature verification|embedding space"
            r"|learn embeddings|embeddings (?:so )?that",
        ),
        (8, r"one-shot|few-shot|duplicate (?:images|products)"),
    ),
    "self-supervised-learning": (
        (9, r"self-?supervised|simclr|contrastive (?:pre-?training|learning)|byol|moco|masked auto-?encoder"),
        (9, r"unlabel+ed (?:images|photos)|pretext task"),
    ),
    "video-classification": ((6, r"video classif\w*|action recognition|classif\w* (?:short )?videos?"),),
    "text-classification": (
        (
            4,
            r"sentiments?|sentimento?s?|spam|toxic\w*|hate speech|text classif\w*|topic classif\w*|fake news|clickbait",
        ),
        (
            4,
            r"intent (?:classif|detect|recogn)\w*|imdb|ag[ _]news|sarcas\w*|language identification|authorship"
            r"|text-?cnn",
        ),
        (
            4,
            r"which language|(?:articles|documents|complaints|contracts|comments|tweets|reviews|recensioni"
            r"|resumes) (?:by|into|as)",
        ),
        (
            4,
            r"(?:from|of) (?:its|the|their) text|stimmung\w*|textklassifi\w*|stern\w* bewertung"
            r"|情感分析|垃圾邮件|文本分类",
        ),
        (4, r"(?:clickbait|spam|sarcasm|hate|toxicity) detector"),
        (4, r"(?:kundenbewertungen|rezensionen|texte|e-?mails) (?:als|in|nach)"),
    ),
    "token-classification": (
        (
            9,
            r"named[- ]entit\w*|ner|part[- ]of[- ]speech|pos[- ]tag\w*|token classif\w*|sequence (?:tagging"
            r"|labell?ing)",
        ),
        (
            9,
            r"slot filling|chunking|entit\w* (?:recognition|extraction)|conll\w*|tag(?:ging)? (?:each|every) (?:word"
            r"|token)"
            r"|bio tags",
        ),
        (9, r"extract\w* (?:the )?(?:entities|names|person|persons|people)|punctuation restoration|eigennamen\w*"),
    ),
    "question-answering": (
        (9, r"question[- ]answering|answer\w* (?:the |user )?questions|squad|reading comprehension|q&a"),
        (9, r"extractive qa|qa (?:model|system)|fragen beantworten|répondre aux questions|问答"),
    ),
    "summarization": (
        (9, r"summari[sz]\w*|summary|tl;?dr|abstractive|zusammenfass\w*|résum\w* (?:de|auto)\w*|resum(?:ir|en)\b|摘要"),
        (14, r"headline generation|generat\w* headlines"),
    ),
    "translation": (
        (9, r"translat\w*|übersetz\w*|tradu[ckzi]\w*|transliterat\w*|text[- ]to[- ]sql|翻译|中英"),
        (9, rf"(?:{_LANGUAGES})(?: to |-to-| into |->|→)(?:{_LANGUAGES})|seq(?:uence)?[- ]?(?:2|to)[- ]?seq(?:uence)?"),
        (6, r"date formats?|iso dates|spelling correction|grammar correction"),
    ),
    "text-generation": (
        (
            8,
            r"language model\w*|text generation|character[- ]level|char-?(?:rnn|lstm|level)|next[- ](?:word|character"
            r"|token)",
        ),
        (
            8,
            rf"(?:generat\w*|writes?|invents?) (?:\w+ ){{0,4}}(?:{_WRITINGS})|(?:name|text|poem|lyrics"
            rf"|recipe) generator",
        ),
        (8, r"auto-?complet\w*|gpt(?:-?2)?|chatbots?|sprachmodell\w*|语言模型|文本生成"),
        (8, r"génération de texte|generación de textos?|generazione di testo|geração de texto|texte? generieren"),
    ),
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
        (9, r"speech recognition|speech[- ]to[- ]text|asr|transcri(?:be|bing|ption)\w*|ctc|spracherkennung|语音识别"),
    ),
    "recommendation": (
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
