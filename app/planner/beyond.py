"""What people ask for that nothing here builds: told with the plan, before anything is written.

A named model, a loss or a setting that the script lacks is a stated fact, and the report judges it. These are wishes of
another kind: data that no task reads, ways of training, what is to be done with the result.
"""

import re
from typing import NamedTuple

from dlcodegen import vocabulary
from dlcodegen.planner.reading import negated


class Beyond(NamedTuple):
    """A wish: what people write (a pattern), and what they get instead.

    It counts in these tasks and this framework, if not in all.
    """

    words: str
    said: str
    tasks: tuple[str, ...] = ()
    framework: str = ""


_COLUMNS = r"(?:variables?|features?|series|channels?|sensors?|columns?)"
BEYOND: tuple[Beyond, ...] = (
    Beyond(
        r"3-?d[- ](?:u-?nets?|mri|ct|volumes?|scans?|medical|segmentation|images?|data)|volumetric|voxels?",
        "volumes are not read: the project works on 2-D images, such as the slices of a volume",
        ("image-", "object-", "anomaly-", "self-"),
    ),
    Beyond(r"point[- ]?clouds?|lidar (?:scans?|points?|sweeps?)", "point clouds are not among the tasks"),
    Beyond(
        vocabulary.SEVERAL_LABELS,
        "several labels at once are told for images and texts only: here everything gets one class",
        ("audio-classification", "video-classification", "time-series-classification", "tabular-classification"),
    ),
    Beyond(
        vocabulary.SEVERAL_LABELS,
        "several labels at once are told in PyTorch only: in Keras everything gets one class",
        ("image-classification", "text-classification"),
        "keras",
    ),
    Beyond(
        r"remaining useful li(?:fe|ves)|(?-i:RUL)|time[- ]to[- ]failure",
        "the next values of the first column are forecast: a window has no number of its own to predict",
        ("time-",),
    ),
    Beyond(
        r"denois\w+ (?!auto)(?:[\w-]+ ){0,2}(?:signals?|ecgs?|eegs?|speech|audio|recordings?)",
        "signals are not cleaned: what a network rebuilds badly is told as an anomaly",
        ("anomaly-", "time-", "audio-"),
    ),
    Beyond(
        r"text[- ]to[- ]speech|(?-i:TTS)|speech synthesis|voice cloning",
        "no speech is made: the task reads what is spoken",
        ("automatic-", "audio-", "text-"),
    ),
    Beyond(
        r"ocr|hand-?writ\w+|licen[cs]e plates?|text recognition",
        "a picture gets a sentence of known words, as a caption is: letters are not read one by one",
        ("image-to-text",),
    ),
    Beyond(
        r"images? and (?:their )?(?:captions?|texts?|descriptions?)|(?:captions?|texts?) and (?:their )?images?"
        r"|image[- ]text pairs?",
        "only the pictures are read, not what is written of them",
        ("self-", "metric-"),
    ),
    Beyond(
        r"(?:session|sequence)[- ]based|(?:click )?sessions?|next[- ]item|sequential(?:ly)? recommend\w*",
        "users and items are matched, in whatever order they met",
        ("recommendation",),
    ),
    Beyond(
        r"(?:documents?|passages?|articles?|answers?) (?:for|to|by) (?:\w+ )?(?:quer(?:y|ies)|questions?)"
        r"|search results?",
        "texts are not read: users and items are known by their numbers and features",
        ("recommendation",),
    ),
    Beyond(
        r"(?:->|→|predict\w*|estimat\w*|regress\w*)(?: \w+){0,2} (?:price|value|cost|rent|age|weight|income|amount)s?",
        "pictures with columns or texts get a class here, not a number",
        ("multimodal-",),
    ),
    Beyond(
        rf"all (?:\w+ )?{_COLUMNS} (?:are |be |to be |get )?(?:predicted|forecast\w*)"
        rf"|(?:forecast|predict)\w* (?:all|every|each)(?: of)?(?: the)?(?: \w+)? {_COLUMNS}"
        r"|multi-?variate (?:outputs?|forecasts?)",
        "the next values of the first column are forecast, from all of them",
        ("time-series-forecasting",),
    ),
    Beyond(
        r"3-?d[- ]?(?:res-?nets?|dense-?nets?)",
        "each frame is read by a 2-D network, and their order by a recurrent one",
        ("video-",),
    ),
    Beyond(
        r"regress\w*|solubilit\w+|rmse|predict(?:s|ing)? (?:the |a )?(?:energy|value|number|property|score)",
        "graphs and nodes get a class here, not a number",
        ("graph-",),
    ),
    Beyond(
        r"link[- ]prediction|predict\w* (?:missing |new )?(?:links|edges)|knowledge[- ]graph completion",
        "nodes and graphs get a class here, not pairs of nodes",
        ("graph-",),
    ),
    Beyond(
        r"(?:knowledge )?distill?ation|teacher[- ]student|student[- ]teacher", "one model is trained, without a teacher"
    ),
    Beyond(
        r"style transfer", "no style is taken from one picture: the project learns from folders of images", ("image-",)
    ),
    Beyond(r"(?-i:CRF)s?|conditional random fields?", "no conditional random field follows the network"),
    Beyond(r"tf-?idf|bag[- ]of[- ]words", "texts are read as sequences of words, not as counts", ("text-",)),
    Beyond(r"mfccs?", "sounds are read as log-mel spectrograms, not as MFCCs", ("audio-", "automatic-")),
    Beyond(
        r"beam[- ]search|beams? (?:of|size|width)",
        "the most likely word is taken at each step, without a beam",
        ("summ", "trans", "image-to-text"),
    ),
    Beyond(
        r"fast-?text|glove|word2vec|pre-?trained (?:word )?(?:embeddings|vectors)",
        "the vectors of words are learnt with the model: none are loaded",
        ("text-", "token-", "summ", "trans", "question-"),
    ),
    Beyond(
        r"(?:(?:res|dense|efficient|mobile|reg|conv-?ne?x?t|shuffle)-?net|vgg|xception|swin|(?-i:MiT))[\w-]*"
        r"(?: (?:encoder|backbone)|(?=.{0,20} as (?:an? |the )?(?:encoder|backbone)))"
        r"|(?:encoder|backbone)\W{1,3}(?:(?:res|dense|efficient|mobile)-?net|vgg)[\w-]*",
        "the encoder is the model's own: no other network is put in its place",
        ("image-segmentation", "depth-", "image-to-image"),
    ),
    Beyond(
        r"spectral[- ]norm\w*", "the discriminator's weights are not normalised by their spectrum", ("unconditional-",)
    ),
    Beyond(
        r"(?:less|fewer|under|below|at most|no more|max(?:imum)?|<)\s?(?:than |of )?\d[\d.,]*\s?"
        r"(?:k|m|million|thousand)? (?:trainable )?(?:param(?:eter)?s|weights)",
        "how many weights the model has is left to its layers",
    ),
    Beyond(r"federated|differential(?:ly)? priva\w+|dp-?sgd", "training takes place in one place, on all the data"),
    Beyond(r"multi-?gpus?|distributed training|(?-i:DDP)|data[- ]parallel\w*", "training uses one device"),
    Beyond(r"lora|(?-i:PEFT)|adapters? (?:layers?|tuning)", "all weights are trained, none of them is given"),
    Beyond(
        r"lunar-?lander|atari|breakout|pong|mu-?jo-?co|half-?cheetah|walker|hopper|acrobot|mountain-?car|frozen-?lake"
        r"|gym(?:nasium)?|robot\w*|drones?|traffic|trading|portfolio|inventory|warehouse\w*|elevators?|vehicles?|games?",
        "the environment in main.py is a simple one, a cart-pole, a pendulum or a grid world: put yours in its place",
        ("reinforcement-",),
    ),
    Beyond(
        r"duell?ing|prioriti[sz]ed (?:experience )?replay|noisy net\w*|(?-i:Rainbow)",
        "the agent's network is a plain one, and what it remembers is drawn at random",
        ("reinforcement-",),
    ),
    Beyond(
        r"(?:ppo|actor[- ]critic|a2c)(?=.*cart-?\s?pole)|cart-?\s?pole(?=.*(?:ppo|actor[- ]critic|a2c))",
        "the agent of main.py that has an actor and a critic swings a pendulum: put your environment in its place",
        ("reinforcement-",),
    ),
    Beyond(
        r"optuna|ray tune|grid search|random search|hyper-?param\w+ (?:search|tuning|optimi[sz]\w+|sweep)",
        "settings are not searched for: each is a flag of main.py",
    ),
    Beyond(r"tensor-?board|wandb|weights (?:&|and) biases|ml-?flow", "training is shown on the terminal only"),
    Beyond(r"grad-?cam|shap(?:ley)?(?: values)?|(?-i:LIME)|saliency maps?", "predictions come without an explanation"),
    Beyond(
        r"onnx|tensor-?rt|tf-?lite|core-?ml|quanti[sz]ation|quanti[sz]ed model",
        "weights are saved as they are: no export, no quantisation",
    ),
    Beyond(
        r"rest api|fast-?api|flask|docker\w*|gradio|streamlit|kubernetes|web ?(?:app|service|site|interface)",
        "the project trains, evaluates and predicts: serving it is left to you",
    ),
)


def beyond_reach(text: str, category: str, framework: str = "") -> list[str]:
    """`“Grad-CAM”: predictions come without an explanation`: a line for each wish in the text that is not fulfilled."""
    lines = []
    for wish in BEYOND:
        if (wish.tasks and not category.startswith(wish.tasks)) or wish.framework not in ("", framework):
            continue
        match = re.search(rf"(?<!\w)(?<!non-)(?:{wish.words})(?!\w)", text, re.IGNORECASE)
        if match and not negated(text, match):
            lines.append(f"“{match.group().strip()}”: {wish.said}")
    return lines
