"""How people write the sizes of a model and the settings of its training: regular expressions of lower-case text.

`{n}` stands for the number. Of several quantities the first that explains a number counts.
"""

from dlcodegen.planner.numbers import IS

_SMALL = r"0?\.\d|\d(?:\.\d+)?e[-−]\d|10\s?(?:\^|\*\*|−)"  # no optimizer is told a rate of one
_OPTIMIZER = r"(?<!\w)(?:n?adam(?:w|ax)?|r-?adam|sgd|rms-?prop|ada(?:grad|delta))"
SETTINGS: dict[str, tuple[str, ...]] = {
    "latent_dim": (
        rf"(?:latent|noise|bottleneck|code)(?:[ _](?:of )?(?:space|vector|code|variable|length|size|dim(?:ension)?(?:s"
        rf"|ality)?)){{0,3}}{IS}{{n}}",
        r"{n}[- ]?(?:dim(?:ension(?:al|s)?)?|d)[- ](?:latent|noise|bottleneck|code)",
        r"\bz\s?=\s?{n}",
        r"{n}[- ](?:latent |hidden )(?:dim(?:ension)?s?|variables|factors|features)",
        r"{n} factors(?!\w)",
        r"(?<![\w@-])(?<!top )k\s?=\s?(?P<n>\d{2,3})(?!\s?(?:\(|nearest|neighbo))",
        r"(?:latent )?factors (?:of|=|:)?\s?{n}(?!\w)",
        r"rank(?:[- ]|\s?(?:of|=|:)\s?){n}(?!\w)",
    ),
    "embedding_dim": (
        rf"(?<!\w)emb(?:ed(?:dings?)?)?(?:[ _]\(?(?:of |have |with (?:a )?)?"
        rf"(?:size|dim(?:ension)?(?:s|ality)?|width|length|vectors?)){{0,2}}{IS}{{n}}(?!\s?(?:classes|epochs|tokens|words|layers))",
        r"{n}[- ]?(?:dim(?:ension(?:al|s)?)?|d)[- ](?:word |token |user |item )?(?:emb(?:edding)?s?|factors|vectors)",
        r"(?<!\w)(?:word|token) vectors (?:of|with)(?: (?:a )?(?:size|dimension|length)(?: of)?)? {n}",
    ),
    "hidden_size": (
        rf"hidden[ _](?:size|dim(?:ension)?s?|units?|width|state(?: size)?){IS}{{n}}",
        r"(?<!\w)hid(?:den)?\s?[=:]?\s?{n}"
        r"(?!\s?(?:layers?|blocks?|heads?|-\d|and \d|[,/]\s?\d+(?=\s?(?:[,)\]/]|$|units|neurons))))",
        r"{n}[- ]?hidden(?!\w|[- ](?:[\w-]+[- ]){0,2}(?:layers?|blocks?))",
        r"(?:lstm|gru|rnn)s?\s\d\s?[x×]\s?(?P<n>\d{2,4})(?!\w)",
        r"(?:lstm|gru|rnn)s? (?:(?:en|de)coder )?{n}(?=\s?(?:->|→|[,;.)]|$))",
        rf"(?<!\w)n_embd{IS}{{n}}",
        r"layers?\s?(?:of|with|x|×|,|at)?\s?{n}\s(?:hidden\s)?(?:units|cells|neurons|nodes)(?!\s?(?:,|and)\s\d)",
        r"{n}\shidden\s(?:units|neurons|nodes|dimensions|cells)",
        r"(?:one|a|single) hidden layer {n}(?!\s?(?:,|and|-)\s?\d|\s?x)",
        r"hidden\slayers?(?:,)?\s(?:of|with|having|each with|each of)\s{n}(?:\s(?:units|neurons|nodes))?(?!\s?(?:,"
        r"|and|-|layers))",
        r"(?:lstm|gru|rnn)s?(?:[ -](?:layers?|network|model|cells?|(?:de|en)coder))?\s?(?:with|of|having|:)?\s?"
        r"\(?{n}\s(?:units|cells|neurons|hidden|nodes)",
        r"(?:lstm|gru|rnn)\(\s?{n}\s?\)",
        r"{n}\s(?:lstm|gru|rnn|recurrent)\s(?:units|cells)",
        r"{n}[- ]unit\s(?:bi)?(?:lstm|gru|rnn)",
        rf"(?:d_model|model dim(?:ension)?)(?:\s?[/(]?\s?hidden\)?)?{IS}{{n}}",
        r"{n}\s(?:units|neurons)(?:\s(?:each|per layer|in each))",
    ),
    "dense_layers": (r"{n}\s(?:(?:final|last|hidden)\s)?(?:dense|fully[- ]connected|linear|fc)\s(?:hidden\s)?layers",),
    "num_layers": (
        r"{n}[- ](?:layers?|layered)(?!\w)(?! of (?:dropout|pooling))",
        r"{n}\s(?:(?:stacked|hidden|bi-?directional|recurrent|lstm|gru|rnn|transformer|encoder|decoder"
        r"|conv(?:olutional|olution)?|graph|message[- ]passing|gcn|gat|attention|self-attention"
        r"|residual|dilated|temporal|1d|2d)[- ]){1,3}(?:layers?|blocks?|stages?)(?!\w)",
        r"(?:lstm|gru|rnn)s?\s(?P<n>\d)\s?[x×]\s?\d{2,4}(?!\w)",
        r"{n}\sstacked\s(?:bi)?(?:lstm|gru|rnn)s?",
        rf"num_layers{IS}{{n}}",
        r"(?:edsr|rcan|srresnet|resnet)\W{1,3}(?:with |of )?{n} blocks",
        r"(?<!\w)(?:n_)?layers?\s?[=:]\s?{n}(?!\s?[,/-]\s?\d)",
        r"(?<!\w)layers {n}(?=\s?(?:[,;.)|]|$))",
        r"(?<!\w)[x×]\s?(?P<n>\d{1,2}) (?:stacked )?layers?(?!\w)",
        r"(?<![\w.])(?P<n>\d{1,2})l(?=\s?[,/ ]\s?\d{1,2}\s?h(?!\w))",
    ),
    "num_heads": (
        r"{n}[- ](?:attention[- ])?heads?(?!\w)",
        r"(?<!\w)(?:num_|n_)?heads?\s?(?:[=:]|of)?\s?{n}(?!\s?(?:layers|->|dense))",
        r"(?<!\w)\d{1,2}l\s?[,/ ]\s?(?P<n>\d{1,2})h(?!\w)",
    ),
    "patch_size": (
        r"(?<![\w.])(?P<n>\d+)\s?[x×]\s?\d+\s(?:pixel\s)?patch(?:es)?(?! of tissue)",
        rf"patch(?:es)?[ _]size{IS}{{n}}",
        r"(?<!\w)patch(?:es)?\s?[=:]?\s?{n}(?!\s?[x×%])",
        r"patches of {n}(?!\s?\w+ )",
        r"(?<!\w)vit\W{1,3}p\s?=\s?{n}",
    ),
    "kernel_size": (
        rf"kernel(?:[ _-]?size)?s?{IS}{{n}}(?!\s?(?:,|and)\s?\d)",
        r"(?<!\w)ks\s?=\s?{n}",
        r"(?<!\w)(?:cnn|tcn|conv\w*|convs)\W{1,3}k\s?=\s?{n}",
        r"(?<!\w)k\s?=\s?{n} \(kernel",
        r"(?<![\w.])(?P<n>\d{1,2})\s?[x×]\s?\d{1,2}\s(?:kernels?|filters?|conv\w*)",
        r"(?:kernels?|filters)(?: size)?(?: of)?\s\(?(?P<n>\d{1,2})\s?[x×,]\s?(?P=n)(?!\d)",
    ),
    "stride": (rf"strides?{IS}{{n}}", r"{n}[- ]step stride"),
    "base_width": (
        rf"base[ _](?:width|filters|channels){IS}{{n}}",
        r"{n}\sbase\s(?:filters|channels)",
        r"(?<!\w)base {n}\s(?:filters|channels)",
        r"starting (?:with|from|at) {n}\s(?:filters|channels)",
        r"blocks?,? (?:(?:and|with|of) )?{n}\s(?:features?(?: maps)?|filters|channels)(?!\w)",
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
        r"(?<!\w)(?:drop-?out\s)?(?:do|drop|p_?drop|drop_?p|p(?=\s?=\s?0?\.[1-6]))\s?[=:]?\s?(?=0?\.\d){n}",
    ),
    "learning_rate": (
        r"(?:learning[- _]?rate|(?<!\w)lr0?|(?<!\w)(?:eta|η)(?:_?0)?(?=\s?=)|step size|lernrate"
        r"|taux d'apprentissage|tasa de aprendizaje|学习率)"
        r"(?:\s?(?:of|is|at|to|was|set|:|=|\(|about|around|von|de|initial(?:ly)?|alpha|eta)){0,3}\s?{n}"
        r"(?!\s?(?:epochs|%))",
        r"{n}\s(?:as\s)?(?:the\s)?(?:initial\s)?(?:learning[- ]rate|lr)(?!\w)",
        r"fine-?tun\w*(?: \w+){0,3}? (?:at|with|@) (?=0?\.0|\d(?:\.\d+)?e[-−]){n}(?!\s?(?:weight|drop-?out|decay))",
        # Adam at 1e-4; AdamW (3e-4); SGD, 0.01
        rf"{_OPTIMIZER}(?:\s?(?:optimi[sz]er|,|\(|@|at|with|of|using|and|a|the|rate|=|:)){{0,3}}\s?(?={_SMALL}){{n}}"
        r"(?!\s?(?:%|momentum|weight|wd|decay|drop-?out|nesterov|l2|label|,\s?0?\.9|and 0?\.9))",
    ),
    "batch_size": (
        rf"(?:batch[- _]?sizes?(?: down| up)?|batch-?grö(?:ß|ss)e|taille de (?:lot|batch)"
        rf"|tamaño de (?:lote|batch)|批大小){IS}{{n}}",
        r"(?:mini-?)?batch(?:es)?\s(?:of\s|von\s)(?:size\s)?{n}",
        r"(?<!\w)bsz?\s?(?:=|:|of)?\s?{n}",
        r"(?<!\w)bs(?P<n>\d{1,5})(?!\w)",
        r"(?<!\w)b\s?=\s?{n} \(batch",
        r"{n}\s?/\s?batch(?!\w)",
        r"{n}\s(?:samples|examples|images|pictures|photos|items|rows|clips|sequences)\sat a time(?!\w)",
        r"{n}\s(?:samples|examples|images|items|sequences)\s(?:per|a|in each)\sbatch",
        r"(?<!\w)(?:mini-?)?batch\s?(?:=|:)?\s?{n}(?! (?:epochs|norm))",
        r"{n}-(?:sample[- ]|image[- ])?batch(?:es)?(?!\w)",
    ),
    "patience": (
        rf"(?<!\w)pat(?:ience)?{IS}{{n}}",
        r"(?:stop\w*|halt\w*)(?: (?:early|training|it))?,? (?:after|when|if|once) (?:[a-z'-]+ ){0,8}?{n} epochs"
        r"(?= (?:without|with no|of no|in a row|running))",
        r"(?:without|no|not|n't|stops?|stopped|fails to|failed to) (?:any )?(?:further )?improv\w* "
        r"(?:for|in|after|over|within) (?:the (?:last|past) )?{n}(?: (?:consecutive|straight|epochs?|rounds))?",
        r"(?:improv\w*|better|progress|gain) (?:for|in|after|over|within) (?:the (?:last|past) )?{n} "
        r"(?:consecutive |straight )?epochs",
        r"early[- ]stop\w*(?: (?:after|with|of|at|window|patience|\()){0,2} ?\(?{n} epochs",
        r"after {n} (?:consecutive |straight |bad )?epochs (?:without|with no|of no)",
    ),
    "epochs": (
        r"{n}\s?(?:training\s|full\s)?(?:eps?(?!\w)|epochs?|epochen|épo(?:ques|cas)|epoche|épocas)(?!\w"
        r"|\s(?:of\s)?(?:linear\s)?warm|\s(?:of\s(?:\d|eeg)|per\s|is\s|are\s|was\s|were\s|label+ed|scored|long|lasting))",
        r"(?<!\w)ep\s?[=:]?\s?{n}",
        r"(?<!\w)e\s?=\s?{n}(?!\s?[-e])",
        r"(?<!per )(?<!every )(?:epochs?|epochen)(?:\s?count)?\s?(?:=|:|of|is|to)\s?{n}"
        r"(?!\s?(?:s|ms|sec\w*|milli\w*|min\w*|samples)(?!\w))",
        r"{n}\spasses\s(?:over|through)",
        r"{n}\s?(?:轮|个epoch)",
    ),
    "seed": (rf"(?:random[- ])?seed(?:ed)?(?: everything)?(?: on)?{IS}{{n}}", r"random_state\s?=\s?{n}"),
    "weight_decay": (
        rf"weight[- _]decay{IS}{{n}}",
        rf"(?<!\w)wd{IS}{{n}}",
        r"{n}\s(?:of\s)?weight[- ]decay(?!\w)",
        r"(?<!\w)l2\s?[=:]?\s?(?=0?\.0|\d(?:\.\d+)?e-){n}",
        rf"(?<!\w)l2(?:[- ](?:regulari[sz]ation|penalty)){IS}{{n}}",
    ),
    "momentum": (rf"(?<!\w)mom(?:entum)?{IS}{{n}}", r"{n}\smomentum", r"(?<!\w)m\s?=\s?(?=0?\.9){n}"),
    "label_smoothing": (
        r"(?<!\w)ls\s?[=:]?\s?(?=0?\.\d){n}",
        rf"label[- _]smoothing{IS}{{n}}",
        r"{n}\slabel[- ]smoothing",
        rf"smooth\w* (?:the )?labels{IS}{{n}}",
    ),
    "gradient_clip": (
        r"(?:clip(?:ped|ping)?\s(?:the\s|all\s|by\s)?(?:gradients?|grads?|norm)"
        r"|grad(?:ient)?s?[- _](?:norm[- _])?clip(?:ping|ped)?|max[_ ]grad[_ ]norm|clip[- _]?(?:norm|value)"
        r"|(?:gradients?|grads?)\s(?:are\s|is\s|get\s|should be\s)?clipped)"
        r"(?:\s?(?:norms?|value))?(?:\s?(?:of|at|to|=|:|by|with|\()){0,2}(?: (?:a )?norm(?: of)?)?\s?{n}",
        r"(?<!\w)(?<!per )clip(?:_grad_norm_?)?\s?[=:(]?\s?{n}(?!\s?(?:s|secs?|seconds?|frames?|per|x|×|%|px)(?!\w))",
    ),
}
