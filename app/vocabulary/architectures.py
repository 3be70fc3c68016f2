"""Architectures: how people write them, what the code calls them."""

from dlcodegen.vocabulary.terms import Term

# What shows an architecture in a script: names of classes and calls (compared without case, `_` and `-`). A way of
# stacking plain layers has none: then the script's title says it.
_CNN_AND_THEN = (
    r"(?:cnn|conv(?:olutional)?)"
    r"(?:[-+ /]{1,3}| (?:with|plus|followed by|then) (?:an? )?| on each frame,? and (?:then )?an? )"
)
UNBUILT = (
    Term("yolo", r"yolo(?:[- ]?v?\d+)?[nsmlx]?|yolox", ("YOLO", "YOLOv3", "YOLOv5", "YOLOv8")),
    Term(
        "r-cnn", r"(?:fast(?:er)?|mask|cascade)[- ]?r-?cnn", ("FasterRCNN", "MaskRCNN", "RegionProposalNetwork", "RPN")
    ),
    Term("retinanet", r"retina-?net", ("RetinaNet",)),
    Term("ssd", r"(?-i:SSD)(?! (?:disks?|drives?|storage))", ("SSD",)),
    Term("detr", r"(?-i:DETR)", ("DETR",)),
    Term(
        "3d-cnn",
        r"c3d|i3d|x3d|slow-?fast|r\(2\+1\)d|3-?d[- ](?:cnn|conv(?:olution(?:al|s)?)?)(?: networks?)?",
        ("Conv3d", "Conv3D"),
    ),
    Term("pspnet", r"psp-?net|segformer|mask2former", ("PSPNet", "PyramidPooling", "SegFormer")),
    Term(
        "byol",
        r"byol|moco(?:-?v\d)?|barlow twins|swav|simsiam|(?-i:DINO)",
        ("BYOL", "MoCo", "BarlowTwins", "SwAV", "SimSiam", "DINO"),
    ),
    Term("tab-transformer", r"(?:tab|ft)-?transformer", ("TabTransformer", "FTTransformer")),
    Term("hourglass", r"(?:stacked )?hourglass(?: networks?)?", ("Hourglass",)),
    Term("hrnet", r"hr-?net", ("HRNet",)),
    Term("edsr", r"edsr|srcnn|rcan|e?sr-?gan", ("EDSR", "SRCNN", "RCAN", "SRGAN")),
    Term("pix2pix", r"pix2pix", ("Pix2Pix", "PatchDiscriminator")),
    Term("clip", r"(?-i:CLIP)(?:-like|-style)?", ("CLIPModel", "DualEncoder")),
    Term("bidaf", r"bidaf|qa-?net|dr-?qa", ("BiDAF", "QANet", "DrQA")),
    Term("eegnet", r"eeg-?net", ("EEGNet",)),
    Term("inceptiontime", r"inception-?time", ("InceptionTime",)),
    Term("deepar", r"deep-?ar", ("DeepAR",)),
    Term("n-beats", r"n-?beats", ("NBeats", "NBEATS")),
    Term("dcrnn", r"dcrnn|stgcn", ("DCRNN", "STGCN", "DiffusionConvolution")),
    Term("ncf", r"neural collaborative filtering|(?-i:NCF)|neu-?mf", ("NCF", "NeuMF", "NeuralCollaborativeFiltering")),
    Term("conformer", r"conformer", ("Conformer", "ConformerBlock")),
    Term("gru4rec", r"gru4rec|sas-?rec|bert4rec", ("GRU4Rec", "SASRec", "BERT4Rec")),
    Term("pointer-generator", r"pointer[- ](?:generator(?: networks?)?|networks?)", ("PointerGenerator",)),
    Term("graphsage", r"graph-?sage", ("GraphSAGE", "SAGELayer")),
    Term("mpnn", r"(?-i:MPNN)|message[- ]passing(?: neural)? networks?", ("MPNN", "MessagePassing")),
    Term("pointnet", r"point-?net(?:\+\+)?", ("PointNet",)),
    Term("wide-and-deep", r"wide (?:&|and) deep|deep-?fm", ("WideAndDeep", "WideDeep", "DeepFM")),
    Term("tabnet", r"tab-?net", ("TabNet",)),
)
"""Models that nothing here builds: a chat model may write one; otherwise the report says that it is missing."""

ARCHITECTURES = (
    Term(
        "gcn", r"gcns?|graph[- ]convolution(?:al|s)?(?: neural)?(?: networks?| layers?)?", ("GCN", "GraphConvolution")
    ),
    Term("gat", r"(?-i:GATs?)|graph[- ]attention(?: networks?| layers?)?", ("GAT", "GraphAttention")),
    Term("gin", r"(?-i:GINs?)|graph isomorphism networks?", ("GIN", "GINLayer")),
    Term(
        "attention-unet",
        r"attention[- ]?(?:gated )?u-?net|u-?net (?:with|using) attention(?: gates)?",
        ("AttentionUNet",),
    ),
    Term("unet", r"(?:nn)?u[- ]?net(?:\+\+)?", ("UNet",)),
    Term("segnet", r"seg-?net", ()),
    Term("deeplab", r"deep-?lab(?:v\d\+?)?", ("ASPP",)),
    Term("fcn", r"fcn|fully convolutional(?: network)?", ()),
    Term("wgan-gp", r"w(?:asserstein[- ])?gan(?:[- ]gp)?", ("Critic", "gradient_penalty")),
    Term("cyclegan", r"cycle-?gan", ("cycle_loss",)),
    Term(
        "dcgan",
        r"dc-?gan|(?:deep convolutional )?gans?|generative adversarial(?: networks?)?",
        ("Generator", "Discriminator"),
    ),
    Term(
        "vae",
        r"(?:(?:beta|β|lstm|conv(?:olutional)?)[- ])?vae|variational auto-?encoders?",
        ("VAE", "VariationalAutoencoder"),
    ),
    Term(
        "diffusion",
        r"ddpm|(?:denoising )?diffusion(?: model| probabilistic)?s?(?![- ](?:mri|weighted|tensor))",
        ("Diffusion", "DDPM", "Denoiser", "add_noise"),
    ),
    Term(
        "autoencoder",
        r"(?:denoising |convolutional |sparse |masked )?auto-?encoders?|mae(?=[- ](?:style|pre-?train\w*))",
        ("Autoencoder", "MaskedAutoencoder", "LSTMAutoencoder", "ConvAutoencoder", "DenoisingAutoencoder"),
    ),
    Term("efficientnet", r"efficient-?net(?:v2)?(?:-?b\d)?", ("InvertedResidual", "MBConv")),
    Term("mobilenet", r"mobile-?net(?:-?v\d)?", ("InvertedResidual", "DepthwiseSeparable", "SeparableConv2d")),
    Term("densenet", r"dense-?net(?:-?\d+)?", ("DenseBlock",)),
    Term("inception", r"(?<!since )inception(?:-?v\d)?|google-?net", ("InceptionBlock",)),
    Term("xception", r"xception", ("SeparableConv2d",)),
    Term("convnext", r"conv-?next", ("ConvNeXtBlock",)),
    Term(
        "resnet",
        r"res-?net[- ]?(?:\d+)?|residual (?:network|cnn|neural network|convolutional network|mlp)s?",
        ("ResidualBlock", "ResNet", "ResidualDense"),
    ),
    Term("vgg", r"vgg[- ]?(?:net|\d+)?", ()),
    Term("alexnet", r"alex-?net", ()),
    Term("lenet", r"le-?net(?:-?5)?", ()),
    Term("vit", r"vit|vision transformers?", ("PatchEmbedding", "VisionTransformer")),
    Term("cnn-lstm", rf"{_CNN_AND_THEN}(?:bi-?)?lstm|convlstm|crnn", ()),
    Term("cnn-gru", rf"{_CNN_AND_THEN}(?:bi-?)?gru", ()),
    Term("bilstm", r"bi-?(?:directional)?[- ]?lstms?", ("LSTM",)),
    Term("bigru", r"bi-?(?:directional)?[- ]?grus?", ("GRU",)),
    Term("lstm", r"(?:char-)?lstms?|long short[- ]term memory(?: networks?)?", ("LSTM",)),
    Term("gru", r"grus?|gated recurrent(?: units?)?", ("GRU",)),
    Term(
        "tcn",
        r"tcn|temporal convolutional(?: networks?)?|dilated (?:causal )?convolutions?|wave-?net",
        ("TemporalBlock", "CausalConv1d"),
    ),
    Term(
        "transformer",
        r"(?<!power )(?<!electricity )(?<!electrical )(?<!distribution )transformers?"
        r"(?! (?:oil|temperature|load|stations?|faults?|failures?))|(?:distil|ro)?bert(?:a)?"
        r"|(?:nano|mini)?-?gpt(?:-?2)?"
        r"|self-attention",
        (
            "TransformerEncoder",
            "TransformerEncoderLayer",
            "TransformerDecoderLayer",
            "Transformer",
            "MultiheadAttention",
        ),
    ),
    Term("seq2seq", r"seq(?:uence)?[- ]?(?:2|to)[- ]?seq(?:uence)?|encoder[- ]decoder", ("Encoder", "Decoder")),
    Term("rnn", r"(?:vanilla |simple )?rnns?|recurrent (?:neural )?networks?", ("RNN", "GRU", "LSTM")),
    Term(
        "siamese",
        r"siamese(?: networks?)?",
        ("EmbeddingNetwork", "Encoder", "Embedder", "TripletMarginLoss", "TripletLoss"),
    ),
    Term(
        "matrix-factorisation",
        r"matrix[- ]factori[sz]ation|(?<!neural )collaborative filtering|(?-i:MF)",
        ("MatrixFactorisation",),
    ),
    *UNBUILT,
    Term(
        "mlp",
        r"mlp|multi-?layer perceptrons?|feed-?forward(?: neural)?(?: networks?)?"
        r"|fully[- ]connected(?: neural)? networks?|dense (?:neural )?networks?",
        ("Linear",),
    ),
    Term(
        "cnn",
        r"(?:1d|2d|1-d|2-d)?[- ]?(?:cnns?|conv[- ]?nets?)|convolutional(?: neural)?(?: networks?)?|text-?cnn",
        ("Conv2d", "Conv1d"),
    ),
)
