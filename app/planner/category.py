"""Which task category a requirement asks for, by its words.

Two kinds of evidence are added up for each category: phrases of its own ("bounding box"), and pairs of what the data
is with what is to be done ("reviews" + "classify"). Stems of German, French, Spanish, Italian and Portuguese, and a few
Chinese words, are included, so that a requirement in another language is often understood.
"""

import re
from typing import NamedTuple

from dlcodegen.errors import RequirementError

_DATA = {
    "image": r"images?|imag\w*|photo\w*|pictures?|pixels?|scans?|x-?rays?|radiograph\w*|mri|ct|mnist|cifar\w*|satellite|microscop\w*|colonoscop\w*|endoscop\w*|"
    r"bild\w*|foto\w*|immagin\w*|fundus|retina\w*|faces?|facial|selfies?|leaf|leaves|x-ray|mammogra\w*|histopatholog\w*|dermoscop\w*|handwrit\w*|cctv|camera|"
    r"frames?|paintings?|logos?|flowers?|skin lesions?|cats?|dogs?|pets?|birds?|galax\w*|vision|visual\w*|图像|图片|images|röntgen\w*",
    "text": r"texts?|sentences?|reviews?|tweets?|e-?mails?|sms|documents?|articles?|news|headlines?|comments?|words?|nlp|language|corpus|messages?|posts?|sentiments?|"
    r"spam|toxic\w*|tickets?|abstracts?|essays?|questions?|utterances?|intents?|imdb|textos?|texte\w*|testo|sätze|bewertung\w*|reseñas?|文本|评论|lyrics|resumes?|hate speech|sarcasm",
    "audio": r"audio|sounds?|speech|voices?|spoken|speakers?|music\w*|songs?|acoustic\w*|wav|recordings?|spectrograms?|mel|bird ?songs?|k?hz|urbansound\w*|esc-?50|"
    r"utterances|heart ?beat sounds?|cough\w*|noise recordings|klang\w*|geräusch\w*|sonidos?|sons?(?= )|musique|音频|genres?",
    "series": r"time[- ]series|series|signals?|sensors?|accelerometer\w*|gyroscop\w*|imu|ecg|ekg|eeg|emg|heart ?beats?|waveforms?|vibrations?|temperatures?|prices?|stocks?|"
    r"weather|electricity|energy|load|traffic|demand|sales|telemetry|hourly|daily|weekly|monthly|minutes?|zeitreihe\w*|séries? temporelles?|serie\w* tempora\w*|时间序列|wearable\w*|"
    r"readings?|power consumption|exchange rates?|bitcoin|crypto\w*|inflow|rainfall|visits",
    "table": r"tabular|tables?|csv|columns?|features?|attributes?|rows?|records?|patients?|customers?|clients?|churn\w*|credit|loans?|fraud\w*|houses?|housing|salar\w*|incomes?|"
    r"iris|titanic|wine|diabetes|insurance|numeric\w*|spreadsheets?|passengers?|employees?|applicants?|transactions?|demographic\w*|students?|spalten|kunden|tabell\w*|cars?|表格|"
    r"measurements?|survey|clinical|crop yields?|rents?|click\w*",
    "video": r"videos?|clips of video|footage|film clips",
    "graph": r"graphs?|nodes?|edges|citation networks?|social networks?|molecul\w*|gcn|gnn|cora",
}
_TASKS = {
    "classify": r"classif\w*|klassifi\w*|clasific\w*|categori[sz]\w*|recogni[sz]\w*|identif\w*|distinguish\w*|tell(?:s|ing)? apart|tells? (?:whether|if)|detect\w*|label(?:s|led|ing)?|"
    r"predict(?:s|ing)? (?:whether|if|which)|whether|diagnos\w*|erkenn\w*|reconna\w*|reconoc\w*|unterscheid\w*|class(?:es)?|categories|分类|识别|sentiments?|decide|types?|grade|grading|churn|"
    r"survived?|survival|defaults?|vs\.?|versus|spot|flag|filter|sort|screening|"
    r"binary(?! cross)|emotions?|species|breeds?|genres?|topics?|intents?",
    "regress": r"regress\w*|estimat\w*|predict\w*|how (?:much|many|old|long)|price|prices|value|count(?:ing)?|age|score|vorhers\w*|prédi\w*|predec\w*|previs\w*|predic\w*|预测|amount|rating|salary|cost|yield|strength|consumption|rent",
    "forecast": r"forecast\w*|predict\w*|next|future|ahead|horizon|tomorrow\w*|vorhers\w*|prédi\w*|previ\w*|predec\w*|pronostic\w*|预测|nowcast\w*|coming|upcoming",
    "generate": r"generat\w*|synthesi[sz]\w*|creat\w* (?:new|fake|realistic|synthetic)|sample new|génér\w*|erzeug\w*|generar|生成|invent\w*|produce new|draw",
}

_PAIRS: dict[tuple[str, str], tuple[str, float]] = {
    ("image", "classify"): ("image-classification", 4),
    ("image", "regress"): ("image-regression", 2),
    ("image", "generate"): ("unconditional-image-generation", 4.5),
    ("text", "classify"): ("text-classification", 4),
    ("text", "generate"): ("text-generation", 4),
    ("audio", "classify"): ("audio-classification", 4.5),
    ("series", "classify"): ("time-series-classification", 3.5),
    ("series", "forecast"): ("time-series-forecasting", 4),
    ("table", "classify"): ("tabular-classification", 3),
    ("table", "regress"): ("tabular-regression", 3),
    ("video", "classify"): ("video-classification", 6),
    ("graph", "classify"): ("graph-machine-learning", 4.5),
}

_PHRASES: dict[str, tuple[tuple[float, str], ...]] = {
    "image-classification": (
        (3, r"image[- ]classif\w*|classif\w* (?:of )?(?:\w+ ){0,4}(?:images?|photos?|pictures?|scans?)|digits?|mnist|cifar-?\d*|imagenet"),
        (2, r"resnet[- ]?\d*|vgg[- ]?\d*|efficient-?net\w*|mobile-?net\w*|dense-?net\w*|vit|vision transformer|inception|xception|lenet|alexnet|convnext"),
    ),
    "image-segmentation": (
        (7, r"segment(?!s of|ation of customers|s\b)\w*|segmentier\w*|分割|pixel-?wise|per[- ]pixel|masks?|delineat\w*"),
        (3, r"u-?net\w*|deeplab\w*|segnet|fcn|polyps?|outlin\w*"),
    ),
    "object-detection": (
        (9, r"object detection|bounding box\w*|boxes|detector|yolo\w*|faster r-?cnn|ssd|anchor-free|center-?net|objekterkennung|目标检测|détection d'objets"),
        (
            5,
            r"(?:detect\w*|locat\w*|locali[sz]\w*|find\w*) (?:and \w+ )?(?:(?:all|the|multiple|several|every|where)\s)?(?:\w+\s){0,2}(?:objects?|cars?|vehicles?|pedestrians?|people|persons?|faces?|ships?|"
            r"fruits?|helmets?|plates?|signs?|drones?|apples|trees|animals|cells|ripe \w+|potholes?|weeds?|boats?|planes?|balls?)\b",
        ),
    ),
    "keypoint-detection": ((9, r"key-?points?|landmarks?|pose estimation|joints|fiducial|body pose|hand pose"),),
    "image-regression": ((6, r"(?:age|count|weight|height|price|angle|steering|bmi|calor\w*|density|ripeness|quality score|severity score)\b.{0,40}\b(?:from|of|in|given) .{0,30}(?:images?|photos?|pictures?|faces?|scans?|x-?rays?)|crowd counting|image regression|steering angles?"),),
    "depth-estimation": ((9, r"depth (?:estimation|maps?|prediction|from)|monocular depth|estimat\w* (?:the )?depth|disparity"),),
    "image-to-image": (
        (8, r"denois\w*|de-?blur\w*|super[- ]?resol\w*|upscal\w*|colou?ri[sz]\w*|inpaint\w*|image[- ]to[- ]image|style transfer|dehaz\w*|derain\w*|restor\w*|low[- ]light|artefact removal|artifact removal|enhanc\w* (?:\w+ )?(?:images?|photos?)|remov\w* noise|entrausch\w*|débruit\w*|pix2pix|cycle-?gan|去噪|noisy (?:\w+ )?(?:images?|photos?|scans?|pictures?)"),
    ),
    "unconditional-image-generation": (
        (7, r"(?:dc|w|style|wgan-)?-?gans?|generative adversarial\w*|ddpm|diffusion model\w*|diffusion"),
        (8, r"vae|variational auto-?encoders?"),
        (5, r"generat\w* (?:\w+ ){0,4}(?:images?|faces?|digits?|pictures?|photos?|paintings?|sprites|anime|art|textures?|logos?|icons)"),
    ),
    "image-to-text": ((9, r"caption\w*|image[- ]to[- ]text|describ\w* (?:images?|pictures?|photos?)|descriptions? (?:of|for) (?:images?|photos?|pictures?)|ocr|bildbeschreibung\w*"),),
    "metric-learning": ((8, r"siamese|triplet|metric learning|face verification|re-?identif\w*|similar(?:ity)? (?:search|learning|images)|image retrieval|same person|signature verification|embedding space|one-shot|few-shot|duplicate (?:images|products)"),),
    "self-supervised-learning": ((9, r"self-?supervised|simclr|contrastive (?:pre-?training|learning)|byol|moco|masked auto-?encoder|unlabel+ed images|pretext task"),),
    "video-classification": ((6, r"video classif\w*|action recognition|classif\w* (?:short )?videos?"),),
    "text-classification": (
        (4, r"sentiments?|spam|toxic\w*|hate speech|text classif\w*|topic classif\w*|fake news|intent (?:classif|detect|recogn)\w*|imdb|ag[ _]news|sarcasm|stimmung\w*|textklassifi\w*|sarcastic|language identification|authorship"),
    ),
    "token-classification": ((9, r"named[- ]entit\w*|ner|part[- ]of[- ]speech|pos[- ]tag\w*|token classif\w*|sequence (?:tagging|labell?ing)|slot filling|chunking|entit\w* (?:recognition|extraction)|extract\w* (?:the )?(?:entities|names|person|persons|people)|conll\w*|tag (?:each|every) (?:word|token)|bio tags|punctuation restoration"),),
    "question-answering": ((9, r"question[- ]answering|answer\w* (?:the |user )?questions|squad|reading comprehension|q&a|qa (?:model|system)|fragen beantworten"),),
    "summarization": ((9, r"summari[sz]\w*|summary|summaries|tl;?dr|abstractive|zusammenfass\w*|résum\w* (?:de|auto)\w*|resum(?:ir|en)\b|headline generation|generat\w* headlines|摘要"),),
    "translation": ((9, r"translat\w*|übersetz\w*|tradu\w*|(?:english|german|french|spanish|italian|chinese|japanese|hindi)[- ](?:to|into|-)[- ]?(?:english|german|french|spanish|italian|chinese|japanese|hindi)|seq(?:uence)?[- ]?(?:2|to)[- ]?seq(?:uence)?|翻译|transliterat\w*|text[- ]to[- ]sql|date formats?|spelling correction|grammar correction"),),
    "text-generation": ((8, r"language model\w*|text generation|generat\w* (?:\w+ ){0,4}(?:texts?|poems?|poetry|lyrics|names|stories|shakespeare\w*|sonnets?|sentences|jokes|code|recipes|tweets|haikus?|dialogue)|character[- ]level|char-?(?:rnn|lstm|level)|next[- ](?:word|character|token)|auto-?complet\w*|gpt(?:-?2)?|sprachmodell\w*|语言模型|chatbots?"),),
    "tabular-classification": ((4, r"tabular classif\w*|churn\w*|credit (?:risk|default|scoring|card)|loan (?:default|approval)\w*|fraud\w*|titanic|iris|heart disease|diabetes|customers? will|income (?:above|over|bracket)|attrition|bankrupt\w*|which (?:customers|clients|employees)|readmi\w*"),),
    "tabular-regression": ((5, r"tabular regress\w*|house prices?|housing|prix (?:des|de) (?:maisons?|logements?)|precios? de (?:casas|viviendas)|hauspreis\w*|immobilienpreis\w*|salar\w*|insurance (?:cost|charge)s?|car prices?|prices? of (?:used )?(?:cars|houses|homes|diamonds|laptops|apartments)|concrete|fuel (?:consumption|efficiency)|crop yield|rental prices?|rents|miles per gallon|mpg|boston|california|regression (?:on|from|for|model|task|problem)|energy efficiency of buildings"),),
    "time-series-forecasting": ((6, r"forecast\w*|time[- ]series (?:forecast|predict)\w*|look[- ]?back|steps? ahead|horizon|(?:stock|electricity|energy|bitcoin|gold|oil|share|closing) (?:price|load|demand|consumption|use)s?|temperature (?:for|of|over) the next|next (?:\w+ )?(?:days?|hours?|weeks?|months?|steps?|minutes?|value|quarter)|tomorrow\w*|zeitreihenvorhersage\w*|séries? temporelles?|from the (?:past|last|previous) (?:\w+ ){1,2}(?:days|hours|weeks|months|steps|minutes|years)"),),
    "time-series-classification": ((5, r"time[- ]series classif\w*|activity recognition|human activit\w*|arrhythmia\w*|ecg|ekg|eeg|emg|heartbeats?|seizures?|sleep stages?|gesture recognition|fault (?:classif|diagnos)\w*|bearing faults?|accelerometer\w*|wearable\w*|imu|inertial|motor imagery"),),
    "anomaly-detection": ((9, r"anomal\w*|outliers?|novelty detection|intrusion\w*|unusual|abnormal(?:it\w*)? (?:behaviou?r|readings|patterns|in)|reconstruction error|ausreißer|predictive maintenance|异常"),),
    "audio-classification": ((5, r"audio classif\w*|sound classif\w*|speech commands?|keyword spotting|music genres?|urban sounds?|environmental sounds?|speech emotion|spoken (?:digits?|commands?|words?)|bird (?:song|call|sound)s?|log-?mel|mel[- ]spectrograms?|speaker identif\w*|cough\w*|mfccs?|wake word|instrument recognition"),),
    "automatic-speech-recognition": ((9, r"speech recognition|speech[- ]to[- ]text|asr|transcri\w*|ctc|spracherkennung"),),
    "recommendation": ((9, r"recommend\w*|recommender|collaborative filtering|matrix factori[sz]ation|user[- ]item|movielens|empfehl\w*|recomenda\w*|two-?tower|ratings? (?:that )?(?:of |by |from )?users?|users? (?:\w+ ){0,3}(?:rate|ratings?)|推荐"),),
    "graph-machine-learning": ((9, r"graph (?:neural|convolution\w*|attention|classif\w*|network\w*)|gcn|gnn|gat|node classif\w*|link prediction|cora|citation networks?|molecul\w*|graphsage|message passing"),),
    "reinforcement-learning": ((10, r"reinforcement|dqn|q-?learning|policy gradients?|ppo|actor[- ]critic|reinforce|cart-?pole|grid-?world|rl agent|an agent (?:that|to)|mountain car|verstärkungslernen|game[- ]playing|play(?:s|ing)? (?:tic|snake|atari|pong)"),),
    "multimodal-classification": ((9, r"multi-?modal|images? and (?:text|tabular|metadata|captions|clinical|numeric)\w*|(?:text|metadata|tabular(?: data)?|captions) (?:and|with|plus|\+) images?|both (?:the )?(?:image|photo|text)s? and|fus(?:e|ion|ing)"),),
}

_DEEP_LEARNING = (
    r"neural|network\w*|deep learning|deep-learning|machine learning|models?|modell\w*|modèle|modelo|train\w*|trainier\w*|learn\w*|lern\w*|predict\w*|classif\w*|regress\w*|cnn|lstm|gru|rnn|mlp|"
    r"transformers?|auto-?encoders?|pytorch|keras|tensorflow|dataset|epochs?|detect\w*|forecast\w*|segment\w*|recogni[sz]\w*|cluster\w*|embeddings?|finetun\w*|fine-tun\w*|神经网络|深度学习|模型|训练"
)
# Asked for the writing itself, not for a model that writes.
_OTHER_WORK = r"\s*(?:please |can you |could you |i want you to )*(?:write|compose|tell me|sing|give|draft|recite|explain|what|who|when|where|how do|how does|why|book|order|send|calculate|cook|buy|remind|hello|hi|thanks|thank you|bonjour|hallo)\b"


class Category(NamedTuple):
    """The best category, and how clear the choice was, from 0 to 1."""

    name: str
    confidence: float


def _matches(pattern: str, text: str) -> bool:
    """Whether the pattern occurs as whole words; alphabets without spaces (Chinese) have no word borders."""
    return re.search(rf"(?<![a-zà-ÿ0-9_-])(?:{pattern})(?![a-zà-ÿ0-9_])", text) is not None


def scores(requirement: str, dataset: str = "") -> dict[str, float]:
    """Evidence for each category; what the dataset's description says counts a quarter."""
    text = requirement.lower()
    total: dict[str, float] = {}
    for source, weight in ((text, 1.0), (dataset.lower(), 0.25)):
        for category, phrases in _PHRASES.items():
            for points, pattern in phrases:
                if _matches(pattern, source):
                    total[category] = total.get(category, 0) + weight * points
        data = {name for name, pattern in _DATA.items() if _matches(pattern, f"{text} {source}" if weight < 1 else source)}
        tasks = {name for name, pattern in _TASKS.items() if _matches(pattern, text)}
        for (kind, task), (category, points) in _PAIRS.items():
            if kind in data and task in tasks:
                total[category] = total.get(category, 0) + weight * points
    return total


def find_category(requirement: str, dataset: str = "") -> Category:
    """The category with the most evidence.

    Raises RequirementError when nothing in the requirement asks for a deep-learning task.
    """
    found = scores(requirement, dataset)
    is_about_learning = _matches(_DEEP_LEARNING, requirement.lower())
    if re.match(_OTHER_WORK, requirement.lower()) and not is_about_learning:
        found = {}
    if not found and not is_about_learning:
        raise RequirementError(
            "this does not ask for a deep-learning task: say what should be learnt from which data, "
            'such as "classify chest X-rays as healthy or ill with a CNN"'
        )
    if not found:
        return Category("other", 0.0)
    ranked = sorted(found.items(), key=lambda item: -item[1])
    second = ranked[1][1] if len(ranked) > 1 else 0.0
    return Category(ranked[0][0], round(ranked[0][1] / (ranked[0][1] + second), 2))
