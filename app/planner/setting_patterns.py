"""How people write the sizes of a model and the settings of its training: regular expressions of lower-case text.

`{n}` stands for the number. Of several quantities the first that explains a number counts.
"""

from dlcodegen.planner.numbers import IS

SETTINGS: dict[str, tuple[str, ...]] = {
    "latent_dim": (
        rf"(?:latent|noise|bottleneck|code)(?:[ _](?:space|vector|code|variable|size|dim(?:ension)?(?:s"
        rf"|ality)?)){{0,3}}{IS}{{n}}",
        r"{n}[- ]?(?:dim(?:ension(?:al|s)?)?|d)[- ](?:latent|noise|bottleneck|code)",
        r"\bz\s?=\s?{n}",
        r"{n}[- ](?:latent |hidden )(?:dim(?:ension)?s?|variables|factors|features)",
        r"{n} factors(?!\w)",
        r"rank(?:[- ]|\s?(?:of|=|:)\s?){n}(?!\w)",
    ),
    "embedding_dim": (
        rf"embed(?:dings?)?(?:[ _](?:of |have |with (?:a )?)?(?:size|dim(?:ension)?(?:s|ality)?|width|length"
        rf"|vectors?)){{0,2}}{IS}{{n}}(?!\s?(?:classes|epochs|tokens|words|layers))",
        r"{n}[- ]?(?:dim(?:ension(?:al|s)?)?|d)[- ](?:word |token |user |item )?(?:embeddings?|factors|vectors)",
    ),
    "hidden_size": (
        rf"hidden[ _](?:size|dim(?:ension)?s?|units?|state(?: size)?){IS}{{n}}",
        r"{n}\shidden\s(?:units|neurons|nodes|dimensions|cells)",
        r"hidden\slayers?(?:,)?\s(?:of|with|having|each with|each of)\s{n}(?:\s(?:units|neurons|nodes))?(?!\s?(?:,"
        r"|and|-|layers))",
        r"(?:lstm|gru|rnn)s?(?:[ -](?:layers?|network|model|cells?))?\s?(?:with|of|having|:)?\s?\(?{n}\s(?:units"
        r"|cells|neurons|hidden|nodes)",
        r"(?:lstm|gru|rnn)\(\s?{n}\s?\)",
        r"{n}\s(?:lstm|gru|rnn|recurrent)\s(?:units|cells)",
        r"{n}[- ]unit\s(?:bi)?(?:lstm|gru|rnn)",
        rf"(?:d_model|model dim(?:ension)?){IS}{{n}}",
        r"{n}\s(?:units|neurons)(?:\s(?:each|per layer|in each))",
    ),
    "dense_layers": (r"{n}\s(?:(?:final|last|hidden)\s)?(?:dense|fully[- ]connected|linear|fc)\s(?:hidden\s)?layers",),
    "num_layers": (
        r"{n}[- ](?:layers?|layered)(?!\w)(?! of (?:dropout|pooling))",
        r"{n}\s(?:(?:stacked|hidden|bi-?directional|recurrent|lstm|gru|rnn|transformer|encoder|conv(?:olutional"
        r"|olution)?"
        r"|residual|dilated|temporal|1d|2d)[- ]){1,3}(?:layers?|blocks?|stages?)(?!\w)",
        r"{n}\sstacked\s(?:bi)?(?:lstm|gru|rnn)s?",
        rf"num_layers{IS}{{n}}",
    ),
    "num_heads": (r"{n}[- ](?:attention[- ])?heads?(?!\w)", rf"num_heads{IS}{{n}}"),
    "patch_size": (
        r"(?<![\w.])(?P<n>\d+)\s?[x×]\s?\d+\s(?:pixel\s)?patch(?:es)?(?! of tissue)",
        rf"patch(?:es)?[ _]size{IS}{{n}}",
        r"patches of {n}(?!\s?\w+ )",
    ),
    "kernel_size": (
        rf"kernel(?:[ _-]?size)?s?{IS}{{n}}(?!\s?(?:,|and)\s?\d)",
        r"(?<![\w.])(?P<n>\d{1,2})\s?[x×]\s?\d{1,2}\s(?:kernels?|filters?|conv\w*)",
        r"(?:kernels?|filters)(?: size)?(?: of)?\s\(?(?P<n>\d{1,2})\s?[x×,]\s?(?P=n)(?!\d)",
    ),
    "stride": (rf"strides?{IS}{{n}}", r"{n}[- ]step stride"),
    "base_width": (
        rf"base[ _](?:width|filters|channels){IS}{{n}}",
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
        rf"(?:batch[- _]?sizes?|batch-?grö(?:ß|ss)e|taille de (?:lot|batch)|tamaño de (?:lote|batch)|批大小){IS}{{n}}",
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
    "patience": (rf"patience{IS}{{n}}", r"after\s{n}\sepochs\swithout"),
    "seed": (rf"(?:random[- ])?seed{IS}{{n}}", r"random_state\s?=\s?{n}"),
    "weight_decay": (
        rf"weight[- _]decay{IS}{{n}}",
        rf"(?<!\w)l2(?:[- ](?:regulari[sz]ation|penalty)){IS}{{n}}",
    ),
    "momentum": (rf"momentum{IS}{{n}}", r"{n}\smomentum"),
    "label_smoothing": (rf"label[- ]smoothing{IS}{{n}}",),
    "gradient_clip": (
        r"(?:clip(?:ped|ping)?\s(?:the\s)?(?:gradients?|grad)|gradient[- ]clip(?:ping)?|gradients?\s(?:are\s)?clipped)"
        r"(?:\s?(?:norms?|value))?(?:\s?(?:of|at|to|=|:|by|with)){0,2}\s?{n}",
    ),
}
