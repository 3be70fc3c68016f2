"""Phrases that speak for one of the tasks on pictures: points, and a regular expression of whole words."""

_THINGS = (
    r"objects?|cars?|vehicles?|pedestrians?|people|persons?|faces?|ships?|fruits?|helmets?|plates?|signs?|drones?"
    r"|apples?"
    r"|trees|animals|cells|ripe \w+|potholes?|weeds?|boats?|planes?|balls?|wheat heads|tumou?rs in boxes|fish|insects"
)
_LINKS = r"(?:and|or|from|with|of|in|on|into|by|as|whether|that|which|for)\b"
_CONDITIONS = (
    r"(?:defects|diseases|tumou?rs|cracks|anomalies|lesions|scratches|faults|errors|fakes|forgeries|emotions|cancers"
    r"|signs"
    r"|changes|edges|keypoints|joints|landmarks|corners|fingertips|eyes|polyps|infections|species|types|kinds|pests"
    r"|symptoms|patterns|differences|outlines|borders|boundaries|masks)\b"
)
_MANY = r"(?:[a-z]{3,}(?<!s)s|people|persons|men|women|children|sheep|fish|deer|cattle|geese|mice)"
_SETTINGS = (
    r"(?:classes|epochs|layers|units|channels|images|photos|pictures|samples|features|filters|categories|labels"
    r"|parameters|heads|steps|bands|outputs)\b"
)
_MEASURED = (
    r"age|count|number|weight|height|price|angle|steering|bmi|calor\w*|density|ripeness|quality score|severity score"
)
_PICTURES = r"images?|photos?|pictures?|faces?|portraits?|scans?|x-?rays?|dash-?cam\w*|\w* ?camera images?"

IMAGE_PHRASES: dict[str, tuple[tuple[float, str], ...]] = {
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
        # many things of one kind in one picture; a defect or a disease is more often said to be there or not
        (
            4,
            r"(?:detect(?:s|ing)?|locat(?:e|es|ing)|locali[sz](?:e|es|ing)|find(?:s|ing)?|spot(?:s|ting)?) "
            rf"(?:(?:all|every|the|each|any|where) )?(?:(?!{_LINKS})[\w-]+ ){{0,2}}(?!{_CONDITIONS}){_MANY} "
            rf"(?:and (?:[\w-]+ )?{_MANY} )?(?:in|on) (?:(?!{_LINKS})[\w-]+ ){{0,3}}(?:frames?|photos?|images?"
            rf"|pictures?"
            r"|pics?|footage|stills|shots)",
        ),
        (3, r"detect\w* .{0,80}(?:only|just) one class|single[- ]class detector"),
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
        (
            5,
            rf"(?:number|count|amount) of (?!{_SETTINGS})(?:[\w-]+ ){{1,3}}(?:(?:visible|shown|growing"
            rf"|sitting) )?(?:in|on|per|from|at)"
            rf" (?:.{{0,40}} )?(?:{_PICTURES})|how many (?!{_SETTINGS})(?:[\w-]+ ){{1,4}}(?:are |is )?(?:there "
            rf"|visible )?(?:in|on|at) "
            rf"(?:.{{0,30}} )?(?:{_PICTURES})|count(?:s|ing)? (?:the |all )?(?:[\w-]+ ){{0,2}}[a-z]+s (?:in|on"
            rf"|from) (?:[\w-]+ ){{0,3}}"
            rf"(?:{_PICTURES})",
        ),
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
        (
            14,  # more than "every pixel" says of a segmentation
            r"(?:distances?|depths?|how far|range)\b[^.;:]{0,40}\b(?:each|every|per|all)[- ](?:the )?pixels?"
            r"|(?:each|every|per|all the)[- ]pixels?'?s? (?:[\w'-]+ ){0,4}(?:distances?|depths?|how far|away)",
        ),
        (
            9,
            r"how far (?:away )?(?:everything|each|every|all|the (?:things|objects|surfaces))|(?:depth|distance"
            r"|range) (?:maps?"
            r"|images?) (?:from|of|for|out of)|distances? (?:to|from) (?:the )?(?:camera|lens|viewer)",
        ),
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
        (
            8,
            r"(?:turn|convert|make|transform)\w* (?:[\w-]+ ){0,8}?(?:into|to) (?:[\w-]+ ){0,3}?(?:sharp\w*|crisp"
            r"|clean|clear|colou?r\w*"
            r"|high[- ]res\w*|larger|bigger|detailed) (?:\w+ )?(?:ones?|images?|pictures?|photos?|versions?)"
            r"|(?:images?|photos?|pictures?|pictures) (?:\w+ ){0,2}(?:two|three|four|\d) times (?:as large|larger"
            r"|bigger|the size"
            r"|the resolution)|(?:re-?)?tint(?:s|ing)?|(?:give|add)\w* .{0,70}colou?rs|cycle[- ]consisten\w*",
        ),
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
        (
            12,
            r"(?:sentences?|text|words) (?:about|on|for|that (?:describes?|says?|tells?)) (?:what )?(?:an? |the "
            r"|each |every |this )?"
            r"(?:photos?|pictures?|images?)",
        ),
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
    "video-classification": (
        (
            6,
            r"(?:moves?|actions?|exercises?|dances?|strokes?|tricks?|activit\w+) (?:[\w-]+ ){0,6}(?:in|from"
            r"|on) (?:[\w-]+ ){0,3}"
            r"(?:clips?|videos?|footage|frames)",
        ),
        (6, r"video classif\w*|action recognition|classif\w* (?:short )?videos?"),
    ),
}
