"""Settings as specialists jot them down and as others tell them: shorthand, formulas, tables, numbers in words."""

import pytest

from dlcodegen.planner.notation import unified
from dlcodegen.planner.stated import read_stated

READ: dict[str, tuple[tuple[str, dict[str, object]], ...]] = {
    "image-classification": (
        (
            "7 kinds of tile, AdamW at 2e-4, wd .01, ep 30, bs48",
            {"learning_rate": 2e-4, "weight_decay": 0.01, "epochs": 30, "batch_size": 48},
        ),
        (
            "sort moths, batch 4, gradient accumulation over 8 batches, flips and small rotations",
            {"batch_size": 4, "accumulation_steps": 8, "gradient_accumulation": True, "augmentation": True},
        ),
        (
            "a ResNet for crops of buoys (red, green, yellow and black), ema 0.99",
            {"num_classes": 4, "weight_average": True},
        ),
        ("sort moths with grad_accum=16", {"accumulation_steps": 16, "gradient_accumulation": True}),
        ("sort moths, SGD (0.05), mom=.9, 40ep", {"learning_rate": 0.05, "momentum": 0.9, "epochs": 40}),
        (
            "classify leaves; Adam, 1e-3; LS .1; cosine; BN; do=.4",
            {"learning_rate": 1e-3, "label_smoothing": 0.1, "scheduler": "cosine", "batch_norm": True, "dropout": 0.4},
        ),
        (
            r"classify stamps with $\eta = 5\times 10^{-4}$ and weight decay $\lambda = 10^{-3}$",
            {"learning_rate": 5e-4, "weight_decay": 1e-3},
        ),
        (
            "H=120, W=90, 3 ch, 12 cls of stamp",
            {"image_height": 120, "image_width": 90, "channels": 3, "num_classes": 12},
        ),
        (
            "pictures 90 pixels wide and 120 pixels high, one channel",
            {"image_height": 120, "image_width": 90, "channels": 1},
        ),
        ("stop once nothing got better for nine epochs", {"early_stopping": True, "patience": 9}),
        ("halt when validation has not improved for 4 epochs, 25 epochs at most", {"patience": 4, "epochs": 25}),
        ("early stop after 6 epochs without improvement", {"early_stopping": True, "patience": 6}),
        ("twenty-two sorts of cheese, colour shots, fix the seed on 5", {"num_classes": 22, "channels": 3, "seed": 5}),
        ("| classes | 14 |\n| epochs | 35 |\n| dropout | 0.25 |", {"num_classes": 14, "epochs": 35, "dropout": 0.25}),
        ("say which it is: oak, ash, birch, lime.", {"num_classes": 4}),
        ("it tells apart 43 dutch road signs at 32x32", {"num_classes": 43, "image_height": 32}),
        ("12 Pilzarten, in Farbe, RandAugment", {"num_classes": 12, "channels": 3, "augmentation": True}),
        ("quiero clasificar 5 tipos de aves, input res 160", {"num_classes": 5, "image_height": 160}),
        ("a CNN with filters 16 32 64 on 90x90", {"filters": [16, 32, 64], "image_width": 90}),
        ("grade the ripeness of pears (0-4), input 224.", {"num_classes": 5, "image_height": 224}),
        ("sort nuts, Adam 1e-3 halved every 8 epochs", {"scheduler": "step", "learning_rate": 1e-3}),
        ("sort nuts with CosineAnnealingLR", {"scheduler": "cosine"}),
        ("a frozen net at first, then fine-tuned with 2e-5", {"learning_rate": 2e-5}),
        ("put each print in the right one of our 9 drawers", {"num_classes": 9}),
        (
            "ViT: p=8, 4L/6H, emb dim 192",
            {"architecture": "vit", "patch_size": 8, "num_layers": 4, "num_heads": 6, "embedding_dim": 192},
        ),
        (
            "weigh the classes, EMA of the weights, AMP",
            {"class_weights": True, "weight_average": True, "mixed_precision": True},
        ),
        ("ResNet, warm-up for 5 epochs, 60 epochs in all", {"epochs": 60, "scheduler": "warm-up"}),
        ("25 epochs, lr divided by ten every 8 epochs", {"epochs": 25}),
        ("2 epochs of warm-up, then 40 epochs", {"epochs": 40}),
    ),
    "image-segmentation": (
        ("a map of gravel, grass and tarmac from the air", {"num_classes": 3}),
        ("outline bone and muscle, with the rest as the third class", {"num_classes": 3}),
        ("4 kinds of tissue, Dice + cross-entropy loss", {"loss": "cross-entropy + Dice"}),
        (
            r"minimise $\mathcal{L}_{\mathrm{BCE}} + \mathcal{L}_{\mathrm{Dice}}$",
            {"loss": "binary cross-entropy + Dice"},
        ),
        (
            "attention U-Net with filters 16/32/64, 3x3 kernels",
            {"architecture": "attention-unet", "filters": [16, 32, 64], "kernel_size": 3},
        ),
    ),
    "metric-learning": (("triplets, margin 0.4", {"margin": 0.4}),),
    "depth-estimation": (("scale-invariant log loss", {"loss": "SILog loss"}),),
    "self-supervised-learning": (
        ("SimCLR on 48x48 cell photos", {"image_height": 48}),
        ("NT-Xent at a temperature of 0.3", {"temperature": 0.3}),
    ),
    "reinforcement-learning": (
        ("PPO, discount factor .98, clip 0.1, lambda .9", {"gamma": 0.98, "clip_range": 0.1, "gae_lambda": 0.9}),
        ("PPO, 4 parallel environments, entropy bonus .02", {"num_envs": 4, "entropy_weight": 0.02}),
        ("DQN with a replay buffer of 20,000, clip gradients at 5", {"buffer_size": 20000, "gradient_clip": 5}),
    ),
    "image-to-image": (
        ("a residual CNN with 20 layers", {"architecture": "resnet", "num_layers": 20}),
        ("EDSR with 12 residual blocks and 48 features", {"num_layers": 12, "base_width": 48}),
        ("make old scans four times larger", {"scale_factor": 4}),
        ("upscale thermal frames two times, L1, Adam 1e-4", {"scale_factor": 2, "loss": "mean absolute error"}),
        ("Adam with betas (.5, .999)", {"betas": "0.5, 0.999"}),
        (r"Adam, $\beta_1 = 0.9$, $\beta_2 = 0.99$", {"betas": "0.9, 0.99"}),
        ("Adam, beta1 0.6", {"betas": "0.6, 0.999"}),
    ),
    "text-classification": (
        (
            "bs 32, maxlen=120, vocab=15k, emb 96, hid 48, drop .2, clip 1",
            {
                "batch_size": 32,
                "sequence_length": 120,
                "vocab_size": 15000,
                "embedding_dim": 96,
                "hidden_size": 48,
                "dropout": 0.2,
                "gradient_clip": 1,
            },
        ),
        ("letters land in one of six trays", {"num_classes": 6}),
        ("BiLSTM + attn, macro F1, vocabulary of forty thousand words", {"attention": True, "vocab_size": 40000}),
        ("is a comment rude or polite (binary)", {"num_classes": 2}),
        ("will they answer, yes or no? three months of mails", {"num_classes": 2}),
        ("a size of 200 sounds fine, texts cut after 80 words", {"sequence_length": 80}),
    ),
    "token-classification": (
        ("4 entity types in BIO (9 tags), 3 layers 96 hidden 4 heads", {"num_classes": 9, "hidden_size": 96}),
        ("tags by a BiLSTM 2x96", {"num_layers": 2, "hidden_size": 96, "architecture": "bilstm"}),
        ("tags {O, B-RIVER, I-RIVER}", {"num_classes": 3}),
        ("no sentence over 50 words", {"sequence_length": 50}),
    ),
    "text-generation": (
        (
            "character model, LSTM x3 layers of 200 units, sees 90 characters, alphabet of 60 letters",
            {"num_layers": 3, "hidden_size": 200, "sequence_length": 90, "vocab_size": 60},
        ),
        (
            "n_layer=5, n_head=4, seq len 64, RMSprop 2e-3, exp decay",
            {"num_layers": 5, "num_heads": 4, "sequence_length": 64, "learning_rate": 2e-3, "scheduler": "exponential"},
        ),
    ),
    "summarization": (
        ("texts of 300 tokens, summaries of 40 tokens", {"sequence_length": 300, "summary_length": 40}),
        ("30-word summaries", {"summary_length": 30}),
    ),
    "question-answering": (
        (
            "ctx=256 tokens, layers 3, heads 2, EM and F1",
            {"sequence_length": 256, "num_layers": 3, "num_heads": 2, "metric": ["exact_match", "f1"]},
        ),
    ),
    "tabular-regression": (
        ("2 hidden layers x 48 neurons", {"num_layers": 2, "hidden_size": 48}),
        (
            "from 16 feats, dense [48, 24], NAdam 1e-3, R2",
            {"num_features": 16, "hidden_units": [48, 24], "learning_rate": 1e-3},
        ),
        (
            "we note 9 numbers per sample, MLP, MSE, Adam, report R2",
            {"num_features": 9, "loss": "mean squared error", "metric": ["r2"]},
        ),
        ("a learning rate of one thousandth, SELU", {"learning_rate": 0.001, "activation": "selu"}),
        ("MAE (mean absolute error) loss, RMSE as metric", {"loss": "mean absolute error", "metric": ["rmse"]}),
    ),
    "tabular-classification": (
        ("graded low, medium or high risk", {"num_classes": 3}),
        ("5-fold CV, bal. acc", {"cross_validation": True, "metric": ["balanced_accuracy"]}),
    ),
    "time-series-forecasting": (
        ("look back 96 steps, predict 12 steps", {"window": 96, "horizon": 12}),
        ("from the previous 30 readings predict the 5 readings to come", {"window": 30, "horizon": 5}),
        ("daily sales, 14 days horizon", {"horizon": 14}),
        ("48 steps in, 8 steps out", {"window": 48, "horizon": 8}),
    ),
    "time-series-classification": (
        ("9 channels x 160 steps", {"num_features": 9, "window": 160}),
        ("fault of a pump (7 conditions), windows 512, WDCNN", {"num_classes": 7, "window": 512}),
        ("one guess for every stretch of 80 readings, 4 channels", {"window": 80, "num_features": 4}),
        ("Machine state: idle, cutting, jammed.", {"num_classes": 3}),
        ("wrist data (3 axes, 150 steps, 4 gestures)", {"window": 150, "num_features": 3, "num_classes": 4}),
        ("fields as 20 dates x 8 bands", {"window": 20, "num_features": 8}),
    ),
    "anomaly-detection": (
        ("an autoencoder, threshold at the 97th percentile", {"threshold_quantile": 0.97}),
        ("an autoencoder; flag the top 2%", {"threshold_quantile": 0.98}),
        (
            "odd parts on photos, 96px square, colour; VAE with latent size 12, AP",
            {"image_height": 96, "channels": 3, "latent_dim": 12, "metric": ["average_precision"]},
        ),
        ("over 21 server metrics, win=50", {"num_features": 21, "window": 50}),
    ),
    "audio-classification": (
        ("log-mel 48 bands", {"num_mels": 48}),
        ("cough or none, 2 seconds, mel 80, LSTM 96, recall", {"clip_seconds": 2.0, "num_mels": 80, "hidden_size": 96}),
        ("3-second utterances of 40 speakers", {"clip_seconds": 3.0, "num_classes": 40}),
        (
            "sr=22050, cut in pieces of 4 seconds, mel spectrograms with 48 bands",
            {"sample_rate": 22050, "clip_seconds": 4, "num_mels": 48},
        ),
        ("clip length: 3 s, aug: SpecAugment", {"clip_seconds": 3, "spec_augment": True}),
        ("spoken commands from a robot's microphone, 14 words", {"num_classes": 14}),
    ),
    "video-classification": (
        ("sign language: 24 signs", {"num_classes": 24}),
        ("frames per clip: 12, 80x80, 9 actions", {"num_frames": 12, "num_classes": 9}),
        ("24-frame clips", {"num_frames": 24}),
    ),
    "image-to-text": (
        ("a GRU decoder with 300 units", {"hidden_size": 300}),
        ("captions of herons, caption length 18", {"sequence_length": 18}),
    ),
    "keypoint-detection": (
        (
            "18 kpts per dog, heatmaps w/ MSE, PCK",
            {"num_keypoints": 18, "loss": "mean squared error", "metric": ["pck"]},
        ),
    ),
    "recommendation": (
        ("9k drinkers, 700 stouts, 32 factors", {"num_items": 700}),
        ("factorise 900 users x 400 films, k=24, L2 0.02", {"latent_dim": 24, "weight_decay": 0.02}),
        ("NCF with factors 48, BPR loss", {"architecture": "ncf", "latent_dim": 48, "loss": "BPR loss"}),
        (
            "300 customers, 1,200 wines, MF, emb=24",
            {"num_users": 300, "num_items": 1200, "architecture": "matrix-factorisation", "latent_dim": 24},
        ),
    ),
    "graph-machine-learning": (("GCN, 3 message-passing layers, 40 hidden", {"num_layers": 3, "hidden_size": 40}),),
    "unconditional-image-generation": (
        ("a beta-VAE of shells with beta = 4", {"kl_weight": 4, "architecture": "vae"}),
        ("a VAE, KL weight .5", {"kl_weight": 0.5}),
        ("a GAN, Adam betas 0/0.9", {"betas": "0.0, 0.9"}),
        (
            "diffusion, T=400 steps, latent vector of length 64, 32 images at a time",
            {"num_steps": 400, "latent_dim": 64, "batch_size": 32},
        ),
        ("a diffusion model whose U-Net has 500 timesteps", {"architecture": "diffusion", "num_steps": 500}),
    ),
    "multimodal-classification": (
        (
            "photo and title, titles cut to 20 tokens, image 64x64, vocab 5k",
            {"sequence_length": 20, "vocab_size": 5000, "image_height": 64},
        ),
    ),
}
NOT_READ: dict[str, tuple[tuple[str, str], ...]] = {
    "image-classification": (
        ("SGD with 0.9 momentum", "learning_rate"),
        ("Adam, 20 epochs", "learning_rate"),
        ("cosine similarity of the embeddings", "scheduler"),
        ("significant at p = 0.05", "dropout"),
        ("2 hidden dense layers", "hidden_size"),
        ("the display has 5 levels, 64 filters and 3 blocks", "channels"),
        ("features: age, sex, and weight.", "num_classes"),
        ("test-time augmentation", "augmentation"),
        ("halve the rate after 12 epochs", "epochs"),
        ("warmup 3 epochs", "epochs"),
        ("the first 4 epochs with frozen layers", "epochs"),
    ),
    "audio-classification": (("clip 3 seconds from each file", "gradient_clip"),),
    "self-supervised-learning": (("MAE-style pretraining", "metric"),),
    "unconditional-image-generation": (
        ("diffusion model, cosine schedule", "scheduler"),
        ("a GAN, Adam with beta 0.5", "kl_weight"),
    ),
    "recommendation": (("9k users, 120k ratings of films", "num_items"),),
    "image-to-image": (("U-Net with L1, L2 penalties", "loss"),),
    "object-detection": (("YOLOv5 for boats", "variant"),),
    "metric-learning": (("tell whether two stamps are of one series", "num_classes"),),
    "reinforcement-learning": (("PPO with clip 0.2", "gradient_clip"),),
    "tabular-regression": (("predict 3 values for each plot", "num_features"), ("report MSE and R2", "loss")),
    "anomaly-detection": (("windows of 60 x 12 readings", "image_height"),),
    "time-series-classification": (("healthy, imbalance or bearing damage", "class_weights"),),
    "text-classification": (("we receive around 300 letters every day", "num_classes"),),
    "summarization": (("seq2seq with attention", "variant"),),
}


@pytest.mark.parametrize(
    ("category", "sentence", "expected"),
    [(category, *case) for category, cases in READ.items() for case in cases],
)
def test_a_setting_is_read_however_it_is_written(category: str, sentence: str, expected: dict[str, object]) -> None:
    facts = read_stated(sentence, "", category).facts
    assert {name: facts[name]["value"] if name in facts else None for name in expected} == expected


@pytest.mark.parametrize(
    ("category", "sentence", "name"), [(category, *case) for category, cases in NOT_READ.items() for case in cases]
)
def test_what_only_looks_like_a_setting_is_not_read(category: str, sentence: str, name: str) -> None:
    assert name not in read_stated(sentence, "", category).facts


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("fifty-one classes", "51 classes"),
        ("two hundred and fifty rows", "250 rows"),
        ("three thousand five hundred words", "3500 words"),
        ("2.5 thousand words", "2500 words"),
        ("a hundred and one dishes", "101 dishes"),
        ("one or two", "one or two"),
        ("it costs $500 or $600", "it costs $500 or $600"),
        (r"$3\times10^{-4}$", "3×10^-4"),
        ("C:\\data\\new", "C:\\data\\new"),
        ("one ten-thousandth", "0.0001"),
    ],
)
def test_numbers_come_in_one_notation(written: str, meant: str) -> None:
    assert unified(written) == meant
