"""Preprocessing steps: how a plan words them, which names show them in code, which settings hold their numbers."""

import re
from dataclasses import dataclass

_ANY = r"(?<![\w.])(\d+(?:\.\d+)?)"
_TO = r"\bto (\d+(?:\.\d+)?)"
_TO_SIZE = r"(\d+) ?[x×] ?\d+|\d+ ?[x×] ?(\d+)|\bto (\d+)"


@dataclass(frozen=True)
class Step:
    """A kind of step. `terms` are words of names (`CodeView.terms`) outside the model that show it."""

    pattern: re.Pattern[str]
    terms: tuple[str, ...]
    instead: tuple[str, ...]
    """Names that show that something else is done in its place."""
    fields: tuple[str, ...]
    """Config fields that hold the step's numbers: a number of the step is theirs, or they contradict it."""
    number: re.Pattern[str]
    """Where the step's text has that number."""
    in_model: bool
    """Some models do this themselves."""
    implied: float | None
    """The number that the settings must have, where the step's words say it."""
    by_threshold: bool
    """A comparison with half of the range shows it too."""


def _step(
    pattern: str,
    terms: str,
    *,
    instead: str = "",
    fields: str = "",
    number: str = _ANY,
    implied: float | None = None,
    in_model: bool = False,
    by_threshold: bool = False,
) -> Step:
    whole = re.compile(rf"\b(?:{pattern})", re.IGNORECASE)
    own, other, settings = (tuple(text.split()) for text in (terms, instead, fields))
    return Step(whole, own, other, settings, re.compile(number), in_model, implied, by_threshold)


STEPS: tuple[Step, ...] = (
    _step(
        r"resiz|(?:re)?scale (?:and crop )?(?:the )?images|shrink|enlarge|down-?sampl|up-?sampl",
        "resize resized resizing interpolate thumbnail image_size target_size zoom rescale",
        fields="image_height image_width image_size img_size",
        number=_TO_SIZE,
    ),
    _step(
        r"standardi[sz]|z-?score|zero mean",
        "std standardise standardize standardised standardized standard_scaler normalization zscore z_score"
        " normalize layer_norm per_image_standardization",
        instead="min_max_scaler minmax_scaler",
        in_model=True,
    ),
    _step(
        r"min-?max",
        "min_max_scaler minmax min_max amin",
        instead="standard_scaler",
    ),
    _step(
        r"normali[sz](?!.*\[)",
        "normalize normalise normalized normalised normalization std scaler rescaling to_tensor min_max_scaler",
    ),
    _step(r"augment(?!ed)", "augment augmented augmentation flip fliplr rot90 random_flip random_crop random_rotation"),
    _step(
        r"mirror|(?:random\w*[ -])?(?:horizontal(?:ly)?[ -])?flip",
        "flip fliplr mirror mirrored flip_left_right affine_grid",
    ),
    _step(r"(?:random\w*[ -])?rotat", "rot90 rotate rotation random_rotation affine affine_grid"),
    _step(r"random\w*[ -]crop", "crop random_crop random_resized_crop"),
    _step(r"cent(?:er|re)[ -]crop", "crop center_crop centre_crop"),
    _step(
        r"(?:convert|turn)\w* .*\b(?:grey|gray)|to (?:grey|gray)",
        "grayscale greyscale rgb_to_grayscale to_grayscale channels",
        fields="channels",
        implied=1,
    ),
    _step(
        r"tokeni[sz]e|split (?:\w+ )?into (?:words|tokens|characters)|split into words",
        "findall tokenize tokenise tokenizer tokenized text_vectorization word_tokenize word token",
    ),
    _step(r"lower[- ]?cas|to lower", "lower casefold lowercase text_vectorization lower_and_strip_punctuation"),
    _step(
        r"vocabulary|vocab\b",
        "vocabulary vocab most_common text_vectorization tokenizer string_lookup counter",
        fields="vocab_size max_tokens",
    ),
    _step(
        r"(?:zero[- ])?pad(?:ded)?\b|truncat|cut (?:or pad )?(?:\w+ )?to \d|clip (?:texts|sequences) to",
        "pad_sequences pad_sequence pad padded truncate truncation output_sequence_length sequence_length max_length"
        " maxlen padding length right",
        fields="sequence_length summary_length max_length max_len maxlen output_sequence_length clip_seconds",
        number=_TO,
    ),
    _step(
        r"cut into (?:pieces|chunks|windows|blocks)|sliding windows?|windows of|cut (?:\w+ )?windows",
        "unfold window sliding_window_view timeseries_dataset_from_array chunk piece block_size create_sequences"
        " make_sequences seq_len lookback",
        fields="sequence_length window window_size lookback",
    ),
    _step(r"one[- ]hot", "one_hot onehot to_categorical one_hot_encoder get_dummies category_encoding eye"),
    _step(
        r"(?:label[- ])?encod\w+ (?:the )?(?:classes|labels|categories|targets)|label[- ]encod|number the"
        r"|(?:classes|labels) as numbers",
        "class_to_idx factorize label_encoder string_lookup get_indexer searchsorted class_names enumerate index"
        " unique ids classes labels",
    ),
    _step(r"stratif", "stratify stratified stratified_split stratified_shuffle_split stratified_k_fold by_class"),
    _step(r"shuffl", "shuffle shuffled randperm permutation random_split"),
    _step(
        r"mel\b|spectrogram|mfcc",
        "stft mel_spectrogram spectrogram log_mel melscale mfcc mel",
        fields="num_mels n_mels",
        in_model=True,
    ),
    _step(r"resampl", "resample resampled interp sample_rate", fields="sample_rate"),
    _step(r"(?:mix )?(?:down )?to mono", "mono mean"),
    _step(r"binari[sz]|threshold", "threshold binarise binarize", by_threshold=True),
    _step(
        r"imput|(?:fill|replace|handle|drop|remove)\w* .*(?:missing|empty|gaps?\b|nan|null)|empty cells|missing values",
        "fillna nan isnan nanmean nan_to_num ffill bfill dropna interpolate simple_imputer imputer notna isna",
    ),
    _step(
        r"(?:add|gaussian) .*noise",
        "noise noisy gaussian_noise",
        fields="noise_level noise_std",
    ),
    _step(r"remove (?:stop|punct)|stop-?words", "stopwords stop_words punctuation lower_and_strip_punctuation"),
    _step(r"stem(?:ming)?\b|lemmati", "stemmer porter_stemmer snowball_stemmer lemmatizer lemmatize"),
    _step(r"over-?sampl|under-?sampl|balanc", "weighted_random_sampler smote over_sampler under_sampler balanced"),
    _step(r"class weights|weigh\w* (?:the )?classes", "class_weight class_weights pos_weight"),
    _step(r"take \d+ frames|sample \d+ frames", "num_frames frames linspace", fields="num_frames"),
)  # fmt: skip
"""The kinds that are known; a step may be of several ("shuffled split", "stratified split")."""

UNIT_RANGE = re.compile(r"\[\s*0\s*(?:,|to|\.\.)\s*1\s*\]|between 0 and 1|0 to 1\b|0-1 range|unit range|by 255")
SIGNED_RANGE = re.compile(r"\[\s*-\s*1\s*(?:,|to|\.\.)\s*\+?1\s*\]|between -1 and 1|-1 to 1\b")
SPLIT = re.compile(r"\bsplit\b.*?(\d\d)\s?/\s?(\d\d)(?:\s?/\s?(\d\d))?", re.IGNORECASE)
DIVIDED = re.compile(r"\bdivide\w* .*?\bby (\d+(?:\.\d+)?)", re.IGNORECASE)

UNIT_TERMS = ("to_tensor", "rescaling", "min_max_scaler", "to_image", "convert_image_dtype", "to_float")
SIGNED_TERMS = ("normalize", "rescaling", "random_normal")

_GENERIC = """
at least most than with from into each every per all the and for that this them then ones once other before after its
image images pixel pixels data dataset size sizes value values number numbers random feature features split train
training test validation part parts used using only also like their last first take make turn convert apply read load
loaded get set put fit model input inputs output outputs step steps gets given own known are not has have was one two
"""
GENERIC = frozenset(_GENERIC.split())
"""Words that say nothing about which step is meant."""
