"""Ten requirements of different kinds and styles; each must become a project that runs."""

SENTENCES: dict[str, str] = {
    "terse": "MNIST digits, small CNN",
    "the_demo": "I want to segment polyps in colonoscopy images with a U-Net",
    "many_numbers": (
        "Forecast the next 24 hours of electricity load from the past 48 hours of hourly data with 5 features, using "
        "a 2-layer GRU with 64 hidden units, Adam with learning rate 0.0005, batch size 32, 40 epochs, Huber loss; "
        "report MAE and RMSE."
    ),
    "without_numbers": "Tell spam from real e-mails.",
    "wordy": (
        "Our call centre wants to know in advance which customers are going to cancel. We keep a table with 18 columns "
        "about each of them, and only few of them churn, so accuracy alone would mislead us; the area under the ROC "
        "curve matters. A multi-layer perceptron with hidden layers of 64 and 32 units and dropout 0.2 should do."
    ),
    "regression": "Predict the price of used cars from 9 numeric attributes; report R2 and MAE; SGD with momentum 0.9",
    "generative": "Generate 32x32 RGB pictures of flowers with a DCGAN, latent dimension 64",
    "audio": "recognise 12 spoken commands in 1-second clips at 8 kHz with a log-mel CNN",
    "sequence_labels": "Named entities with a BiLSTM, 9 tags, sentences of 40 tokens, vocabulary of 5,000 words",
    "another_language": "Ich möchte Bilder von 6 Obstsorten klassifizieren, 48x48 Pixel, mit einem ResNet",
}
