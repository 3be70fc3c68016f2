"""Optimizers, losses and metrics: how people write them, what the code calls them."""

from dlcodegen.vocabulary.terms import Term, find

OPTIMIZERS = (
    Term("AdamW", r"adam[- ]?w", ("AdamW",)),
    Term("NAdam", r"n[- ]?adam", ("NAdam",)),
    Term("RAdam", r"r(?:ectified )?[- ]?adam", ("RAdam",)),
    Term("Adamax", r"adamax", ("Adamax",)),
    Term("Adam", r"adam", ("Adam",)),
    Term("RMSprop", r"rms[- ]?prop", ("RMSprop",)),
    Term("Adagrad", r"ada[- ]?grad", ("Adagrad",)),
    Term("Adadelta", r"ada[- ]?delta", ("Adadelta",)),
    Term("LBFGS", r"l-?bfgs", ("LBFGS",)),
    Term("SGD", r"(?<!in )sgd|stochastic gradient descent|nesterov(?: momentum)?", ("SGD",)),
)

# The order matters: the first that matches wins, so the special stands before the general.
LOSSES = (
    Term(
        "binary cross-entropy + Dice",
        r"(?:bce|binary[- ]cross[- ]?entropy)\s?(?:\+|and|plus|&|/|with|-)\s?(?:[\d.]+\s?[*×]?\s?)?(?:soft )?"
        r"dice(?:[- ]loss)?"
        r"|dice\s?(?:loss)?\s?(?:\+|and|plus|&|/|-)\s?(?:bce|binary[- ]cross[- ]?entropy)|combo loss",
        ("BCEDiceLoss",),
    ),
    Term(
        "cross-entropy + Dice",
        r"(?:(?-i:CE)|cross[- ]?entropy)\s?(?:\+|and|plus|&|/|with|-)\s?(?:soft )?dice(?:[- ]loss)?"
        r"(?! (?:score|coeff|metric))"
        r"|dice\s?(?:loss)?\s?(?:\+|and|plus|&|/|-)\s?(?:(?-i:CE)|cross[- ]?entropy)(?:[- ]loss)?",
        ("CrossEntropyDiceLoss", "BCEDiceLoss"),
    ),
    Term(
        "binary cross-entropy",
        r"binary[- _]cross[- _]?entropy|bce(?:withlogits)?(?:[- ]?loss)?|(?<!invariant )log[- ]loss",
        (),
    ),
    Term(
        "focal loss",
        r"focal(?:[- ]loss)?(?! (?:length|points?|spots?|plane|lesions?|seizures?))",
        ("FocalLoss", "BinaryFocalLoss"),
    ),
    Term("Tversky loss", r"tversky(?:[- ]loss)?", ("TverskyLoss",)),
    Term("Dice loss", r"(?:soft[- ])?dice[- ]loss", ("DiceLoss",)),
    Term("IoU loss", r"[gdc]?(?:iou|jaccard)[- ]loss", ("IoULoss", "generalized_box_iou_loss")),
    Term(
        "triplet loss",
        r"triplet(?:[- ]margin)?(?:[- ]loss)?",
        ("TripletMarginLoss", "TripletLoss", "triplet_margin_loss"),
    ),
    Term(
        "cross-entropy",
        r"(?:sparse[- _])?(?:categorical[- _])?cross[- _]?entropy(?:[- _]loss)?|softmax loss|negative"
        r" log[- ]likelihood|(?-i:CE)",
        ("CrossEntropyLoss", "cross_entropy", "SegmentationLoss", "TaggingLoss"),
    ),
    Term("berHu loss", r"ber-?hu(?:[- ]loss)?", ("BerHuLoss",)),
    Term("wing loss", r"(?:adaptive )?wing[- ]loss", ("WingLoss", "AdaptiveWingLoss")),
    Term("SILog loss", r"si-?log(?:[- ]loss)?|scale[- ]invariant (?:log(?:arithmic)? )?(?:loss|error)", ("SILogLoss",)),
    Term("BPR loss", r"(?-i:BPR)(?:[- ]loss)?|bayesian personali[sz]ed ranking", ("BPRLoss",)),
    Term("perceptual loss", r"perceptual[- ]loss|(?-i:LPIPS)[- ]loss", ("PerceptualLoss", "LPIPS")),
    Term("SSIM loss", r"ssim[- ]loss", ("SSIMLoss",)),
    Term("ArcFace", r"(?:arc|cos|sphere)-?face(?:[- ]loss)?", ("ArcFace", "ArcMarginProduct", "CosFace")),
    Term("Lovász loss", r"lov[aá]sz(?:[- ](?:softmax|hinge|loss))*", ("LovaszLoss", "LovaszSoftmax")),
    Term("Charbonnier loss", r"charbonnier(?:[- ]loss)?", ("CharbonnierLoss",)),
    Term("Huber", r"huber(?:[- ]loss)?", ("HuberLoss", "SmoothL1Loss", "huber_loss", "smooth_l1_loss")),
    Term("smooth L1", r"smooth[- ]l1(?:[- ]loss)?", ("SmoothL1Loss", "HuberLoss", "smooth_l1_loss")),
    Term("log-cosh", r"log[- ]?cosh(?:[- ]loss)?", ("LogCoshLoss",)),
    Term("quantile loss", r"(?:quantile|pinball)[- ]loss", ("QuantileLoss",)),
    Term("contrastive loss", r"contrastive(?:[- ]loss)?|nt-?xent|info-?nce", ("ContrastiveLoss", "NTXentLoss")),
    Term(
        "mean absolute error",
        r"(?:l1|mae|mean absolute error)[- ]loss|mean[- _]absolute[- _]error"
        r"|mae(?![- ](?:style|pre-?train\w*|vit))|l1(?![- ](?:reg|penalt|norm|cache))",
        ("L1Loss", "l1_loss", "MeasuredL1Loss"),
    ),
    Term(
        "mean squared error",
        r"(?:mse|l2|mean[- ]squared?[- ]error)[- ]loss|mean[- _]squared?[- _]error|mse",
        ("MSELoss", "mse_loss"),
    ),
    Term("hinge loss", r"hinge[- ]loss", ("HingeLoss", "MultiMarginLoss")),
    Term("KL divergence", r"kl[- ]divergence|kullback", ("KLDivLoss", "kl_div", "ELBOLoss")),
)

BINARY_CROSS_ENTROPY_CODE = (
    "BCEWithLogitsLoss",
    "BCELoss",
    "binary_cross_entropy_with_logits",
    "BinaryCrossEntropy",
    "BCEDiceLoss",
)

METRICS = (
    Term("balanced_accuracy", r"bal(?:anced|\.)? ?acc(?:uracy)?"),
    Term("top_5_accuracy", r"top[- ]?5(?: acc(?:uracy)?| error)?(?![,.]?\d| (?:words|tokens|features))"),
    Term("accuracy", r"accuracy|acc|genauigkeit|exactitude|准确率"),
    Term("f1", r"(?:macro|micro|weighted)?[- ]?f[- _]?1(?:[- _]?scores?)?|f-?score|f-?measure"),
    Term(
        "precision",
        r"(?<!mixed )(?<!mixed-)(?<!half )(?<!half-)(?<!double )(?<!full )(?<!single )(?<!bit )"
        r"precision(?! (?:recall curve|agriculture|farming|medicine|engineering))",
    ),
    Term("recall", r"recall(?!@| at \d)|sensitivity(?! (?:analysis|sensors?))"),
    Term("specificity", r"specificity"),
    Term("roc_auc", r"(?:roc[- _]?)?auc(?:[- _]?roc)?|auroc|area under the (?:roc )?curve"),
    Term("average_precision", r"(?:average|avg\.?) precision|auprc|pr[- ]auc"),
    Term("mcc", r"mcc|matthews(?: correlation(?: coefficient)?)?"),
    Term("cohen_kappa", r"(?:cohen'?s? |quadratic weighted )?kappa|(?-i:QWK)"),
    Term("dice", r"dice(?: score| coefficient| similarity)?(?![- ]loss| (?:rolls?|games?|faces?|images?|photos?))"),
    Term("iou", r"m?iou|(?:mean )?intersection over union|jaccard(?: index)?(?![- ]loss)"),
    Term("map_50", r"(?-i:mAP|MAP|AP)(?:@?[ ]?0?\.?50?)?|map@[ ]?0?\.?50?|mean average precision"),
    Term("rmsle", r"rmsle|root[- ]mean[- ]squared?[- ]log(?:arithmic)?[- ]error"),
    Term("rmse", r"rmse|root[- ]mean[- ]squared?[- ]error"),
    Term("smape", r"s-?mape|symmetric (?:mape|mean absolute percentage error)"),
    Term("mape", r"mape|mean absolute percentage error"),
    Term("mae", r"mae(?![- ](?:style|pre-?train\w*|vit))|mean absolute error"),
    Term("mse", r"mse|mean squared error"),
    Term("r2", r"r2|r[- ]?squared|r²|r\^2|coefficient of determination"),
    Term("psnr", r"psnr|peak signal[- ]to[- ]noise(?: ratio)?"),
    Term("ssim", r"ssim|structural similarity"),
    Term("bleu", r"bleu"),
    Term("rouge_l", r"rouge(?:[- ]?[l12])?|(?-i:R-L)"),
    Term("perplexity", r"perplexity"),
    Term("exact_match", r"exact[- ]match|(?-i:EM)"),
    Term("pck", r"pck"),
    Term("nme", r"(?-i:NME)|normali[sz]ed mean error"),
    Term("fid", r"fid|fréchet inception distance|frechet inception distance"),
    Term("recall_at_1", r"recall(?:@| at )1|rank-?1|(?-i:R@1)"),
    Term("recall_at_10", r"recall(?:@| at )10|(?-i:R@10)"),
    Term("hit_rate_at_10", r"hit[- ]?(?:rate|ratio)(?:(?:@| at )10)?|(?-i:HR@10)"),
    Term("ndcg", r"n?dcg(?:(?:@| at )\d+)?"),
    Term("mrr", r"(?-i:MRR)|mean reciprocal rank"),
    Term("abs_rel", r"abs(?:olute)?[- _]?rel(?:ative)?(?: error)?"),
    Term("delta_1", r"(?:delta|δ)[_ ]?(?:1(?!\.)|<\s?1\.25)"),
    Term("crps", r"crps"),
    Term("meteor", r"(?-i:METEOR)"),
    Term("cider", r"(?-i:CIDEr)"),
    Term("word_error_rate", r"wer|word error rate"),
    Term("character_error_rate", r"(?-i:CER)|character error rate"),
)


def metric_keys(stated: str) -> set[str]:
    """What a plan's metric may be called in metrics.json: its canonical name, or its own words joined."""
    known = find(METRICS, stated)
    return {known.name if known else "", stated.lower().replace(" ", "_")}
