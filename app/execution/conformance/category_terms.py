"""What shows a task category in code: words of names, keys and file names, as `CodeView.terms` has them.

A script shows a category when it shows a strong word of each of the category's groups. It lacks the category when a
group has neither a strong nor a weak word in it. Words that scripts of all kinds use (`text` of `write_text`, `action`
of argparse, `depth` for a number of levels) stand nowhere.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Group:
    """Words that show one trait of a task, and weaker ones that only keep it from being absent."""

    strong: tuple[str, ...]
    weak: tuple[str, ...] = ()


def _group(strong: str, weak: str = "") -> Group:
    return Group(tuple(strong.split()), tuple(weak.split()))


_IMAGES = _group(
    "image pixel image_height img pil img_size torchvision cifar10 cifar100 mnist",
    "conv2d conv_2d picture photo vision channels",
)
_TEXT = _group(
    "token vocab vocabulary vocab_size tokenizer text_vectorization embedding_bag",
    "word sentence embedding embed nlp corpus texts sequence_length",
)
_SERIES = _group("window time_series timestep series window_size lookback", "sensor signal sequence seq_len")
_TABLE = _group("num_features feature tabular standard_scaler", "csv read_csv column table row x_train")
_SOUND = _group("audio waveform wav sample_rate mel log_mel spectrogram stft mfcc", "sound clip wave")
_VIDEO = _group("num_frames video frames_per_clip", "frame clip")
_CLASSES = _group(
    "cross_entropy cross_entropy_loss num_classes class_names accuracy argmax bce_with_logits_loss bce_loss"
    " binary_cross_entropy binary_crossentropy sparse_categorical_crossentropy categorical_crossentropy crossentropy"
    " roc_auc confusion_matrix f1_score",
    "class label softmax sigmoid nll_loss classes",
)
_NUMBERS = _group(
    "mse_loss l1_loss smooth_l1_loss huber_loss mean_squared_error mean_absolute_error mse mae rmse r2 huber"
    " regression regressor",
    "quantile_loss mape",
)

CATEGORY_TERMS: dict[str, tuple[Group, ...]] = {
    "image-classification": (_IMAGES, _CLASSES),
    "image-segmentation": (
        _group("dice iou miou mean_iou jaccard segmentation bce_dice_loss dice_loss dice_score", "mask segment unet"),
        _group("mask segmentation label_map", "segment per_pixel"),
    ),
    "object-detection": (
        _group("box bbox boxes bounding_box", "detect detection detector anchor"),
        _group("map_50 iou nms anchor box_iou giou mean_average_precision detection detector", "box boxes bbox heat"),
    ),
    "keypoint-detection": (_group("keypoint landmark pck", "joint pose heatmap coordinate"),),
    "image-regression": (_IMAGES, _NUMBERS),
    "depth-estimation": (_group("depths abs_rel depth_map disparity depth_estimation", "depth monocular"),),
    "image-to-image": (
        _group(
            "psnr ssim denoise denoiser denoising super_resolution super_resolver upscale deblur inpaint"
            " low_resolution colorize cycle_loss style_transfer",
            "noisy clean generator restored",
        ),
    ),
    "unconditional-image-generation": (
        _group("discriminator vae diffusion ddpm add_noise gan generator_loss", "generator latent_dim latent noise"),
        _group("sample fake generated elbo sliced_wasserstein fid", "generate"),
    ),
    "image-to-text": (_group("caption captioning", "vocab token word"), _IMAGES),
    "metric-learning": (
        _group("triplet siamese contrastive recall_at_1 recall_at_k arc_face", "anchor margin pair similarity"),
        _group("embedding embed embedder", "similarity distance"),
    ),
    "self-supervised-learning": (
        _group(
            "nt_xent sim_clr simclr byol pretext linear_probe masked_autoencoder info_nce barlow",
            "projection augment contrastive",
        ),
    ),
    "video-classification": (_VIDEO, _CLASSES),
    "text-classification": (_TEXT, _CLASSES),
    "token-classification": (_group("tag tagger ner entity", "token_label bio"), _TEXT),
    "question-answering": (
        _group("answer", "span question"),
        _group("question span exact_match", "start end context"),
    ),
    "summarization": (_group("summaries summary_length summarizer summarise summarize rouge rouge_l", "summary"),),
    "translation": (
        _group("bleu translate translation translator", "source target src tgt seq2_seq seq2seq encoder decoder"),
        _group(
            "source target src tgt source_sentence target_sentence source_vocab target_vocab",
            "encoder decoder language",
        ),
        _TEXT,
    ),
    "text-generation": (
        _group(
            "perplexity next_character next_char next_token next_word generate_text language_model gpt sample_text",
            "generate generated prompt temperature",
        ),
        _group("character char token vocabulary", "text word"),
    ),
    "tabular-classification": (_TABLE, _CLASSES),
    "tabular-regression": (_TABLE, _NUMBERS),
    "time-series-forecasting": (
        _group("horizon forecast forecaster forecasting", "future window lookback series steps_ahead"),
    ),
    "time-series-classification": (_SERIES, _CLASSES),
    "anomaly-detection": (
        _group(
            "anomaly anomalies anomalous outlier novelty reconstruction_error", "normal threshold reconstruction fraud"
        ),
    ),
    "audio-classification": (_SOUND, _CLASSES),
    "automatic-speech-recognition": (
        _group("ctc ctc_loss transcript transcription word_error_rate wer", "character text token"),
        _SOUND,
    ),
    "recommendation": (_group("user num_users", "rating"), _group("item movie num_items rating", "product book")),
    "graph-machine-learning": (
        _group("adjacency edge_index gcn gat graph_convolution graph_conv", "graph edge node"),
        _group("node edge", "graph"),
    ),
    "reinforcement-learning": (
        _group("reward q_network replay returns", "agent gym gymnasium"),
        _group("action episode policy transition", "env environment state"),
    ),
    "multimodal-classification": (
        _IMAGES,
        _group("num_features tabular vocab sample_rate fusion fused modality modalities", "table text audio token"),
        _CLASSES,
    ),
}
"""Category -> its groups of words; `other` has none."""

BROAD = {
    "image-classification": ("video-classification", "multimodal-classification"),
    "image-regression": (),
    "text-classification": ("multimodal-classification", "image-classification"),
    "tabular-classification": (
        "image-classification", "text-classification", "audio-classification", "time-series-classification",
    ),
    "tabular-regression": ("image-regression",),
    "time-series-classification": ("audio-classification", "video-classification"),
    "audio-classification": (),
    "video-classification": (),
    "multimodal-classification": (),
}  # fmt: skip
"""Categories that other tasks look like too -> those of them that are told apart by their data.

Whatever is not listed here is a task of its own: a script that shows it, shows no category of this table.
"""
