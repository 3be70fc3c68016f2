"""Words that show what the data is and what is to be done with it: stems of several languages, as regular expressions.

One line a family of words; German, French, Spanish, Italian, Portuguese and Chinese ones stand last.
"""


def _any(*families: str) -> str:
    return "|".join(families)


DATA = {
    "image": _any(
        r"images?|imag(?:ing|ery)|slides?|smears?|photo\w*|pictures?|pixels?|frames?|thumbnails?|paintings?|posters?"
        r"|pics?|stills?|snapshots?|shots"
        r"|logos?|portraits?",
        r"cameras?|webcams?|cctv|dash-?cams?|drones?|satellite\w*|sentinel-?2|aerial|telescopes?|galax\w*|visual\w*"
        r"|vision",
        r"scans?|x-?rays?|radiograph\w*|mri|ct|ultrasound|microscop\w*|colonoscop\w*|endoscop\w*|fundus|retina\w*",
        r"mammogra\w*|histopatholog\w*|dermoscop\w*|dermatoscop\w*|skin lesions?|stained|h&e|patch(?:es)?"
        r"|patholog\w* slides?"
        r"|oct scans?",
        r"faces?|facial|selfies?|handwrit\w*|leaf|leaves|flowers?|cats?|dogs?|pets?|birds?|\d{2,4}\s?[x×]\s?\d{2,4}",
        r"f?mnist|cifar\w*|svhn|imagenet\w*|celeb-?a|eurosat|isic|ham10000",
        r"bild\w*|\w+bilder\w*|\w*fotos?|foto\w*|aufnahmen|röntgen\w*|imágen\w*|imagen\w*|imagens|imagem|fotograf\w*"
        r"|immagin\w*",
        r"图像|图片|照片|影像|人脸",
    ),
    "text": _any(
        r"texts?|sentences?|paragraphs?|reviews?|tweets?|(?:e-?)?mails?|sms|documents?|articles?|news|headlines?"
        r"|comments?"
        r"|words?",
        r"nlp|language|corpus|corpora|messages?|posts?|sentiments?|tickets?|abstracts?|essays?|questions?|utterances?"
        r"|intents?",
        r"spam|toxic\w*|hate speech|sarcas\w*|clickbait|complaints?|contracts?|clauses?|lyrics|resumes|cvs|imdb"
        r"|transcripts",
        r"texto?s?|texte\w*|testi|testo|sätze\w*|bewertung\w*|rezension\w*|kundenbewertung\w*|nachrichten\w*|reseñas?"
        r"|correos?",
        r"recensioni|notícias|noticias|avis|文本|评论|情感|新闻|句子",
    ),
    "audio": _any(
        r"audio|sounds?|speech|voices?|spoken|speakers?|speaking|music\w*|songs?|acoustic\w*|wavs?|wav files|spoken"
        r"|barks?|recordings?|mp3",
        r"spectrograms?|mel|bird ?songs?|k?hz|urbansound\w*|esc-?50|gtzan|cough\w*|cry|cries|crying|noise recordings",
        r"klang\w*|klänge|geräusch\w*|musik\w*|sonidos?|sons?(?= )|suoni|musique|música|音频|声音|语音",
    ),
    "series": _any(
        r"time[- ]series|series|signals?|sensors?|accelerometer\w*|gyroscop\w*|imu|smart-?watch\w*|wearable\w*"
        r"|inertial",
        r"ecg|ekg|eeg|emg|ppg|heart ?beats?|waveforms?|vibrations?|telemetry|readings?|current sensor",
        r"temperatures?|prices?|stocks?|weather|electricity|energy|load|traffic|demand|sales|power|inflow|rainfall"
        r"|visit(?:or)?s",
        r"exchange rates?|bitcoin|crypto\w*|glucose|river levels?|cases|hourly|daily|weekly|monthly|\d+-minute"
        r"|counts since",
        r"zeitreihe\w*|signale|stromverbrauch|absatz|temperatur\w*|séries? temporelles?|serie\w* tempora\w*|ventes"
        r"|ventas|vendas",
        r"consomm?ation|consumo|demanda|demande|energ[ií]a|électri\w*|时间序列|股价|股票",
    ),
    "table": _any(
        r"tabular|tables?|csv|columns?|features?|attributes?|variables|rows?|records?|spreadsheets?|numeric\w*"
        r"|descriptors",
        r"patients?|clinical|customers?|clients?|visitors?|employees?|applicants?|passengers?|students?"
        r"|demographic\w*|census",
        r"churn\w*|credit|loans?|fraud\w*|transactions?|orders?|purchases?|insurance|incomes?|salar\w*|rents?"
        r"|click\w*|survey",
        r"houses?|housing|cars?|iris|titanic|wine|diabetes|measurements?|crop (?:yields?|types?)|soil|vital signs"
        r"|ratios",
        r"spalten|merkmal\w*|kunden|tabell\w*|häuser|haus\w*preise?|maisons?|casas?|viviendas?|case|imóveis|colonnes"
        r"|columnas",
        r"cliente?s?|clienti|variables|表格|客户|房价",
    ),
    "video": r"videos?|footage|film clips",
    "graph": r"graphs?|nodes?|edges|citation networks?|social networks?|molecul\w*|gcn|gnn|cora",
}
"""What the data is: kind -> words that show it."""

TASKS = {
    "classify": _any(
        r"classif\w*|categori[sz]\w*|recogni[sz]\w*|recognition|identif\w*|distinguish\w*|discriminat\w*|label(?:s"
        r"|led|l?ing)?",
        r"detect\w*|diagnos\w*|decid(?:e|es|ing)|spot|flag|filter|sort(?:s|ing)?|screening|assign\w*|tagging|grade"
        r"|grading",
        r"tell(?:s|ing)? (?:[\w'-]+ ){0,6}apart|rout(?:e|es|ing)|dispatch\w*|triag\w*|tells? (?:whether|if)"
        r"|tell (?:\w+ ){1,3}from|predict(?:s|ing)? (?:whether|if|which)"
        r"|whether"
        r"|which|what kind",
        r"is (?:it|this|that|there)|does this|will (?:it|an?|this|the|they)|vs\.?|versus|binary(?! cross)|yes or no"
        r"|or not|or no \w+",
        r"class(?:es)?|categories|types?|emotions?|species|breeds?|genres?|topics?|intents?|sentiments?|letters"
        r"|gender|risk",
        r"normal|abnormal|healthy|faulty|defective|benign|malignant|positive|epileptic|fake|conversion|returned",
        r"churn|survived?|survival|defaults?|readmi\w*",
        r"klassifi\w*|\w*erkenn\w*|unterscheid\w*|einteil\w*|einstuf\w*|ob|kündig\w*|abwander\w*",
        r"class(?:er|e)|détect\w*|détection|cancelar|se um|reconna\w*|si un|clasific\w*|reconoc\w*|riconosc\w*"
        r"|classificar\w*|classificação|predecir si",
        r"分类|识别|流失|检测|情感分析",
    ),
    "regress": _any(
        r"regress\w*|estimat\w*|predict\w*|how (?:much|many|old|long|far)|prices?|value|count(?:s|ing)?|age|score"
        r"|amount|rat(?:e|ing)",
        r"salary|cost|yield|strength|consumption|rents?|solubility|stars?",
        r"vorhers\w*|schätz\w*|prédi\w*|prévoir|predec\w*|prev[ei]\w*|prever|estim\w*|预测",
    ),
    "forecast": _any(
        r"forecast\w*|predict\w*|next|future|ahead|horizon|tomorrow\w*|nowcast\w*|coming|upcoming",
        r"vorhers\w*|prognos\w*|prédi\w*|prévi\w*|previs\w*|prevedere|prever|predec\w*|pronostic\w*|预测",
    ),
    "outline": _any(
        r"outlin\w*|contours?|silhouettes?|delineat\w*|cut(?:s|ting)? out|mask(?:s|ing)? out|footprints?",
        r"(?:trace|mark|draw|colou?r)(?:s|ing)? (?:\w+ ){0,4}(?:edges?|borders?|shapes?|areas?|extent|regions?|pixels)",
    ),
    "generate": _any(
        r"generat\w*|synthesi[sz]\w*|creat\w* (?:new|fake|realistic|synthetic)|sample new|invent\w*|produce new"
        r"|draws?|writes?",
        r"génér\w*|erzeug\w*|generier\w*|generar|generación|generare|gerar|生成",
    ),
}
"""What is to be done: task -> words that show it."""

PAIRS: dict[tuple[str, str], tuple[str, float]] = {
    ("image", "classify"): ("image-classification", 4),
    ("image", "outline"): ("image-segmentation", 6),
    ("image", "regress"): ("image-regression", 2),
    ("image", "generate"): ("unconditional-image-generation", 4.5),
    ("text", "classify"): ("text-classification", 4),
    ("text", "regress"): ("text-classification", 2.5),
    ("text", "generate"): ("text-generation", 4),
    ("audio", "classify"): ("audio-classification", 4.5),
    ("series", "classify"): ("time-series-classification", 3.5),
    ("series", "forecast"): ("time-series-forecasting", 4),
    ("table", "classify"): ("tabular-classification", 3),
    ("table", "regress"): ("tabular-regression", 3),
    ("video", "classify"): ("video-classification", 6),
    ("graph", "classify"): ("graph-machine-learning", 4.5),
}
"""The category that data and task together speak for, and how strongly."""

DEEP_LEARNING = _any(
    r"neural|networks?|deep[- ]learning|machine learning|models?|train\w*|learn\w*|predict\w*|classif\w*|regress\w*"
    r"|cnn|lstm|gru",
    r"rnn|mlp|transformers?|auto-?encoders?|pytorch|keras|tensorflow|dataset|epochs?|detect\w*|forecast\w*|segment\w*"
    r"|recogni[sz]\w*",
    r"cluster\w*|embeddings?|fine-?tun\w*",
    r"netz\w*|modell\w*|trainier\w*|lern\w*|modèle|réseau\w*|modelo|red neuronal|rete neurale|rede neural",
    r"神经网络|深度学习|模型|训练",
)
"""Whether the sentence is about learning at all."""

OTHER_WORK = (
    r"\s*(?:please |can you |could you |i want you to )*"
    r"(?:write|compose|tell me|sing|give (?:me|us|an?|some|it)|draft|recite|explain|what|who|when|where|how do"
    r"|how does|why|book|order|send"
    r"|calculate|cook|buy|remind|continue the|hello|hi|thanks|thank you|bonjour|hallo"
    r"|(?:shorten|summari[sz]e|translate|rewrite|correct|proofread|paraphrase) .{0,20}\b(?:below|following|this))\b"
)
"""How a sentence begins that asks for the writing itself, not for a model that writes."""

_KEYWORDS = (
    "classify classification classifier segmentation segment detection detect recognition recognise recognize predict "
    "prediction forecast forecasting generate generation translation translate sentiment summarise summarize recommend "
    "recommendation anomaly regression images photos pictures reviews recordings tabular customers features lesions "
    "temperature electricity diagnosis dermoscopy satellite landmarks captioning denoise"
)
KEYWORDS = tuple(_KEYWORDS.split())
"""Words that a slip of the pen should not hide."""
