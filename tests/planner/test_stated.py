"""What a sentence states is read, all of it and nothing else: each table lists every fact of its sentence."""

import pytest

from dlcodegen.planner.request import read_requirement

STATED: list[tuple[str, dict[str, object]]] = [
    ("mnist cnn", {"architecture": "cnn", "image_height": 28, "image_width": 28, "channels": 1, "num_classes": 10}),
    ("Detect pneumonia from 10,000 chest X-rays; 90% accuracy would be nice", {"metric": ["accuracy"]}),
    (
        "fine-tune ResNet-50 on ImageNet-1k, report top-5 accuracy, 2 GPUs, 16-bit precision",
        {
            "architecture": "resnet",
            "variant": "ResNet-50",
            "pretrained": True,
            "metric": ["top_5_accuracy"],
            "image_height": 224,
            "image_width": 224,
            "channels": 3,
            "num_classes": 1000,
        },
    ),
    (
        "classify H&E patches at 20x magnification as tumour or normal; model under 5 MB, trained for 3 hours",
        {"num_classes": 2},
    ),
    (
        "detect COVID-19 in CT slices of 512x512, k-fold 5, version 3 of the 2023 data",
        {"image_height": 512, "image_width": 512, "cross_validation": True},
    ),
    ("Classify photos of 38 diseases of tomato leaves", {"num_classes": 38}),
    ("classify 12 kinds of birds from pictures of 5 cameras", {"num_classes": 12}),
    (
        "image classifier, input (224, 224, 3), 200 images per class, 6 classes",
        {"image_height": 224, "image_width": 224, "channels": 3, "num_classes": 6},
    ),
    ("image classification NHWC (32, 64, 96, 3)", {"image_height": 64, "image_width": 96, "channels": 3}),
    (
        "classify images of shape (N, 1, 48, 48) into 7 emotions",
        {"image_height": 48, "image_width": 48, "channels": 1, "num_classes": 7},
    ),
    (
        "classify 3x96x96 images with filters (16, 32, 64)",
        {"image_height": 96, "image_width": 96, "channels": 3, "filters": [16, 32, 64]},
    ),
    ("classify photos resized to 160 pixels, in colour", {"image_height": 160, "image_width": 160, "channels": 3}),
    (
        "image size 128, batchsize=64, lr: 3e-4, 5-class photo classifier, for 30 epochs, F1-score and AUC",
        {
            "image_height": 128,
            "image_width": 128,
            "batch_size": 64,
            "learning_rate": 0.0003,
            "num_classes": 5,
            "epochs": 30,
            "metric": ["f1", "roc_auc"],
        },
    ),
    ("Sort waste pictures into glass, paper, metal and plastic", {"num_classes": 4}),
    ("classify satellite tiles with 13 bands, 10 classes", {"channels": 13, "num_classes": 10}),
    (
        "classify grey images with SGD (momentum 0.9, nesterov), learning rate 1e-3 decayed by cosine",
        {
            "channels": 1,
            "optimizer": "SGD",
            "momentum": 0.9,
            "nesterov": True,
            "learning_rate": 0.001,
            "scheduler": "cosine",
        },
    ),
    (
        "photo classifier with AdamW optimizer with weight decay 0.01, cross entropy, gradient clipping at 1.0",
        {"optimizer": "AdamW", "weight_decay": 0.01, "loss": "cross-entropy", "gradient_clip": 1.0},
    ),
    (
        "image classifier with kernel size 5, stride 2, tanh, 64-batch",
        {"kernel_size": 5, "stride": 2, "activation": "tanh", "batch_size": 64},
    ),
    (
        "image CNN classifier, 3x3 kernels, two dense layers after the 4 conv layers, 80/20 split",
        {"architecture": "cnn", "kernel_size": 3, "dense_layers": 2, "num_layers": 4, "split": "80/20"},
    ),
    (
        "CNN with skip connections that classifies photos, without batch norm, no augmentation",
        {"architecture": "resnet"},
    ),
    ("classify photos with dropout and early stopping", {"dropout": 0.3, "early_stopping": True}),
    ("classify photos, no dropout, not pretrained", {"dropout": 0.0}),
    ("classify photos with a GRU-free CNN instead of a ViT", {"architecture": "cnn"}),
    (
        "classify photos with 10^-4 learning rate, batch of 16, 1 × 10^-5 weight decay, seed 7",
        {"learning_rate": 0.0001, "batch_size": 16, "seed": 7, "weight_decay": 1e-05},
    ),
    (
        "Ich möchte Bilder von 6 Obstsorten klassifizieren, 48x48 Pixel, Lernrate 0,001, 30 Epochen",
        {"num_classes": 6, "image_height": 48, "image_width": 48, "learning_rate": 0.001, "epochs": 30},
    ),
    (
        "clasificar imágenes en 4 clases, escala de grises, 64x64",
        {"num_classes": 4, "channels": 1, "image_height": 64, "image_width": 64},
    ),
    ("classer des images en 3 catégories, taux d'apprentissage de 0,0005", {"num_classes": 3, "learning_rate": 0.0005}),
    ("对图像进行分类，10个类别，批大小 32", {"num_classes": 10, "batch_size": 32}),
    ("depth map estimation at 240x320", {"image_height": 240, "image_width": 320}),
    (
        "lung segmentation on 256x256 scans, Dice + BCE, IoU > 0.8, U-Net of depth 5",
        {
            "image_height": 256,
            "image_width": 256,
            "loss": "binary cross-entropy + Dice",
            "metric": ["iou"],
            "architecture": "unet",
            "depth": 5,
        },
    ),
    (
        "segment street scenes into 19 classes with DeepLabV3+, mIoU",
        {"num_classes": 19, "architecture": "deeplab", "variant": "DeepLabV3+", "metric": ["iou"]},
    ),
    (
        "find ships in 1280x720 drone frames with boxes, 3 classes, mAP",
        {"image_height": 720, "image_width": 1280, "num_classes": 3, "metric": ["map_50"]},
    ),
    ("17 keypoints of humans, 256x192 crops", {"num_keypoints": 17, "image_height": 256, "image_width": 192}),
    ("x4 super-resolution of photos", {"scale_factor": 4}),
    ("Denoise photos with sigma 25", {"noise_level": 25.0}),
    (
        "generate 32x32 sprites with a DDPM of 200 diffusion steps",
        {"image_height": 32, "image_width": 32, "architecture": "diffusion", "num_steps": 200},
    ),
    ("classify diffusion MRI scans", {}),
    (
        "sentiment of reviews: positive, negative or neutral; top 5,000 words; texts padded to 120",
        {"num_classes": 3, "vocab_size": 5000, "sequence_length": 120},
    ),
    ("Spam filter for SMS with a corpus of 100,000 words and 5 years of messages", {"num_classes": 2}),
    (
        "classify tickets into 12 topics with an LSTM(64), 20.000 Wörter vocabulary",
        {"num_classes": 12, "architecture": "lstm", "hidden_size": 64},
    ),
    ("TextCNN for news with kernel sizes 2, 3 and 4", {"architecture": "cnn", "kernel_sizes": "2,3,4"}),
    (
        "two-layer bidirectional LSTM with 128 units for tagging every token with 9 tags",
        {"num_layers": 2, "bidirectional": True, "hidden_size": 128, "num_classes": 9, "architecture": "bilstm"},
    ),
    (
        "language model, transformer with 6 layers, 8 heads, context length 256, d_model=512",
        {"architecture": "transformer", "num_layers": 6, "num_heads": 8, "sequence_length": 256, "hidden_size": 512},
    ),
    ("predict churn. Features: 20; Classes: 4; rows: 10000", {"num_features": 20, "num_classes": 4}),
    ("Predict churn from columns: age, income, and plan", {"num_classes": 2}),
    ("predict sepsis from vital signs (heart rate, temperature, blood pressure), 70/15/15", {"split": "70/15/15"}),
    ("predict income above 50K from 14 census attributes with default hyperparameters", {"num_features": 14}),
    (
        "A/B test: predict whether a visitor buys from 12 session features in under 10 minutes",
        {"num_features": 12, "num_classes": 2},
    ),
    ("MLP 64-32-16 perceptron for churn", {"hidden_units": [64, 32, 16], "architecture": "mlp", "num_classes": 2}),
    (
        "iris mlp with 2 hidden layers of 16 neurons",
        {"architecture": "mlp", "num_layers": 2, "hidden_size": 16, "num_features": 4, "num_classes": 3},
    ),
    (
        "predict house prices from 8 columns, 80% training, 10% validation, 10% test, MAE loss, report RMSE",
        {"num_features": 8, "split": "80/10/10", "loss": "mean absolute error", "metric": ["rmse"]},
    ),
    ("predict crop yield, precision agriculture, 12 variables", {"num_features": 12}),
    ("predict prices in SGD from 9 attributes of flats", {"num_features": 9}),
    ("forecast river level 6 hours ahead from 5 years of hourly data", {"horizon": 6}),
    ("Predict the next value from the last 30 readings", {"horizon": 1, "window": 30}),
    ("forecast load: next 24 hours from the past 7 days", {"horizon": 24, "window": 168}),
    ("forecast sales for the next 3 months from the past 12 months", {"horizon": 3, "window": 12}),
    ("15-minute data, forecast the next 2 hours from the last 24 hours", {"horizon": 8, "window": 96}),
    ("forecast with input shape (96, 7), horizon 24", {"window": 96, "num_features": 7, "horizon": 24}),
    ("forecast transformer oil temperature, 7 features", {"num_features": 7}),
    (
        "forecast traffic with a TCN, conv layers of 64 channels and 3 sensors",
        {"architecture": "tcn", "num_features": 3},
    ),
    ("Stromverbrauch vorhersagen: nächste 24 Stunden, stündlich", {"horizon": 24}),
    ("12-lead ECG, 5 classes, 10 seconds at 500 Hz", {"num_features": 12, "num_classes": 5}),
    (
        "windows of 2.56 s, 128 samples each, from 6 accelerometer channels; walking vs. sitting",
        {"window": 128, "num_features": 6, "num_classes": 2},
    ),
    (
        "anomaly detection on 38 sensors, autoencoder with bottleneck of 8",
        {"num_features": 38, "latent_dim": 8, "architecture": "autoencoder"},
    ),
    (
        "keyword spotting, 35 words, 1-second clips at 16 kHz, 64 mel bands",
        {"num_classes": 35, "clip_seconds": 1.0, "sample_rate": 16000, "num_mels": 64},
    ),
    ("emotions in speech: 8 emotions, 24 actors, 22,050 Hz", {"num_classes": 8, "sample_rate": 22050}),
    (
        "recommend films: 943 users, 1682 movies, 32-dimensional embeddings",
        {"num_users": 943, "num_items": 1682, "latent_dim": 32},
    ),
    ("photos: 10 classes; focal length 50 mm; RGB-D camera; one million pictures", {"num_classes": 10}),
    ("classify images with batch size 0 and -1 epochs", {}),
    ("classify photos with a learning rate of 5", {}),
    (
        "Keras CNN for photos of 4 flowers classes, RMSprop, SELU",
        {"framework": "keras", "architecture": "cnn", "num_classes": 4, "optimizer": "RMSprop", "activation": "selu"},
    ),
]


def facts(requirement: str, dataset: str = "") -> dict[str, object]:
    return {fact["name"]: fact["value"] for fact in read_requirement(requirement, dataset).facts}


@pytest.mark.parametrize(("sentence", "expected"), STATED, ids=[sentence[:50] for sentence, _ in STATED])
def test_a_sentence_states_exactly_these_facts(sentence: str, expected: dict[str, object]) -> None:
    assert facts(sentence) == expected


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        ("learning rate 1e-3", "learning_rate", 0.001),
        ("lr=10^-4", "learning_rate", 0.0001),
        ("lr: 3e-4", "learning_rate", 0.0003),
        ("learning rate of 0,01", "learning_rate", 0.01),
        ("a learning rate set to 2 x 10^-3", "learning_rate", 0.002),
        ("batches of 16", "batch_size", 16),
        ("bs 128", "batch_size", 128),
        ("mini-batch of sixty", "batch_size", 60),
        ("twenty epochs", "epochs", 20),
        ("epochs: 1,000", "epochs", 1000),
        ("2k epochs", "epochs", 2000),
        ("dropout of 25%", "dropout", 0.25),
        ("20 percent dropout", "dropout", 0.2),
        ("random seed 0", "seed", 0),
        ("weight decay 5e-4", "weight_decay", 0.0005),
        ("patience of 7", "patience", 7),
        ("clip gradients at 0.5", "gradient_clip", 0.5),
        ("betas (0.5, 0.999)", "betas", "0.5, 0.999"),
        ("one-cycle schedule", "scheduler", "one-cycle"),
        ("70:30 train/test split", "split", "70/30"),
        ("32, 64 and 128 filters", "filters", [32, 64, 128]),
        ("smooth L1 loss", "loss", "smooth L1"),
        ("focal loss", "loss", "focal loss"),
        ("report precision, recall and specificity", "metric", ["precision", "recall", "specificity"]),
        ("with class weights", "class_weights", True),
        ("in TensorFlow", "framework", "keras"),
        ("Leaky ReLU", "activation", "leaky_relu"),
    ],
)
def test_how_people_write_it(words: str, name: str, value: object) -> None:
    assert facts(f"classify photos, {words}")[name] == value


@pytest.mark.parametrize(
    "words",
    ["10,000 images", "5 years of photos", "trained for 3 hours", "2 GPUs", "under 5 MB", "in 10 minutes", "5-fold",
     "in 2023", "16-bit", "version 3", "20x magnification", "24/7", "1 million pictures", "12 MP camera",
     "50 mm lens",
     "a 3.5 kg robot", "the map of the site", "on 3 servers", "at 30 fps",
     "100 images a day", "L2 cache",
     "10 x 15 cm prints"],
)  # fmt: skip
def test_other_numbers_and_words_state_nothing(words: str) -> None:
    assert facts(f"classify photos of flowers, {words}") == {}


def test_the_data_sets_description_adds_facts_and_the_requirement_wins() -> None:
    found = facts("classify rows with 12 features", "Features: 20; Classes: 4; rows: 10000")
    assert (found["num_features"], found["num_classes"]) == (12, 4)


def test_what_is_known_of_a_dataset_gives_way_to_what_is_stated() -> None:
    assert facts("MNIST digits at 64x64, 5 classes")["image_height"] == 64
    assert "image_height" not in facts("classify photos, weights pre-trained on CIFAR-10")


def test_facts_keep_the_words_that_state_them() -> None:
    read = read_requirement("Classify photos into 5 classes with Batch Size 32")
    assert {fact["name"]: fact["text"] for fact in read.facts} == {
        "num_classes": "5 classes",
        "batch_size": "Batch Size 32",
    }
