"""People's sentences, in many styles and languages, find their category; what is no task for a model is refused."""

import pytest

from dlcodegen.categories import CATEGORIES
from dlcodegen.errors import RequirementError
from dlcodegen.planner.category import find_category

SENTENCES: dict[str, str] = {
    "image-classification": """
        mnist cnn
        CNN for cifar10, pls
        clasify skin leisons as benign or malignant from dermoscopy photos
        Detect pneumonia from chest X-rays
        detect COVID-19 in chest CT slices with DenseNet
        H&E stained histopathology patches at 20x magnification, tumour vs. normal
        diabetic retinopathy grading from fundus photographs, 5 grades
        Which of 38 diseases does this tomato leaf have? Train an EfficientNet on leaf photos
        sort recyclable waste pictures into glass, paper, metal and plastic
        spot defects on steel surfaces from camera images, 6 defect types
        recognise traffic signs from 32x32 crops
        Is there a crack in this photo of concrete? yes or no
        Identify the bird species in camera-trap photos
        facial emotion recognition, 48x48 greyscale, 7 emotions
        land-use classification of Sentinel-2 satellite tiles, 13 bands
        fine-tune ResNet-50 on ImageNet-1k, report top-5 accuracy
        Ich möchte Röntgenbilder in gesund und krank einteilen
        classer des photos de plantes par espèce
        Clasificar imágenes de hojas enfermas y sanas
        riconoscere razze di cani dalle foto
        classificar imagens de raios-X como normal ou pneumonia
        识别手写数字图像
        multi-label classification of movie posters
        Galaxy morphology: tell spirals from ellipticals in telescope pictures
        does this mammogram show a malignant tumour
        sign language letters from webcam pictures, 24 letters
        quality control: OK vs. defective castings on 300x300 grey images
        grade the ripeness of bananas from photos into 4 classes
        brain tumor MRI classifier, 4 types
        A vision transformer that recognises food dishes
        wildfire smoke recognition in drone images: smoke or no smoke
        Build a model that tells me whether a cervical smear slide is abnormal
        I need to grade cataracts from slit-lamp photographs (4 grades)
        Given a picture of a mushroom, decide if it is edible
        fashion-mnist with LeNet-5, sgd, 10 epochs
        knee osteoarthritis severity (KL grade 0-4) classification of radiographs
        Rust or no rust? inspect photos of pipelines
        Weed species recognition in sugar beet fields, camera images
        Erkennung von Pflanzenkrankheiten auf Blattfotos
        对X光图像进行肺炎检测
    """,
    "image-segmentation": """
        I want to segment polyps in colonoscopy images with a U-Net
        road segmantation... segmentation of aerial imagery, 512x512
        delineate tumours on MRI slices
        label every pixel of a street scene, 19 classes
        Segmentierung von Zellkernen in Mikroskopiebildern
        segmentation sémantique d'images satellite en 6 classes
        segmentación de vasos sanguíneos en imágenes de retina
        lung mask prediction from chest x-rays
        water bodies from Sentinel-2: per-pixel map of water
        DeepLab on Cityscapes
        医学图像分割 U-Net
        outline the left ventricle in ultrasound frames
        predict binary masks of cracks in pavement photos with Dice + BCE
        skin lesion boundary segmentation ISIC
        pixel-accurate outline of glaciers in Landsat scenes
        separate foreground and background of product photos (binary mask)
        liver tumour segmentation in CT
        segmentazione di immagini mediche con U-Net
    """,
    "object-detection": """
        detect cars
        detect cars and pedestrians in dashcam frames
        find ships in satellite images with bounding boxes
        YOLO-like detector for safety helmets on construction sites
        localise weeds in field photos so the robot can hit them
        apple detection for a harvesting robot: where are the apples in the picture
        draw boxes around licence plates
        locate wheat heads in photos
        face detector with boxes and scores, 300x300
        Objekterkennung: Fahrzeuge und Fußgänger in Kamerabildern
        détection d'objets dans des images de drone
        目标检测 行人 车辆
        pothole detection with anchor-free CenterNet
        count and localise palm trees in aerial images with boxes
        detect fruit flies on sticky traps and mark each with a bounding box
    """,
    "keypoint-detection": """
        predict 68 facial landmarks from face photos
        human pose estimation, 17 joints, 256x192 crops
        hand keypoints from a webcam
        cephalometric landmark localisation on X-rays, 19 landmarks
        find the eye, nose and mouth coordinates in portraits
        animal pose: 12 keypoints on horses
        locate 21 hand joints in webcam frames
    """,
    "image-regression": """
        estimate a person's age from a face photo
        Predict the steering angle from a dashcam image
        count cells in microscopy images
        count the people in a crowd photo
        predict bone age from hand x-rays
        regress the BMI from a portrait
        estimate the weight of pigs from camera images
        guess the price of a house from its photo
        wie alt ist die Person auf dem Foto? Alter aus Gesichtsbildern schätzen
        predict the biomass of grass from top-view photos
    """,
    "depth-estimation": """
        monocular depth estimation from indoor photos
        predict a depth map from a single RGB image, 240x320
        how far away is every pixel? depth from one camera
        disparity from stereo images
        estimate scene depth with a U-Net from NYU images
    """,
    "image-to-image": """
        Image-to-image translation of horses to zebras with a CycleGAN
        denoise photographs with an autoencoder
        4x super-resolution of photos
        colorize black and white pictures
        remove rain streaks from images
        deblur motion-blurred photos
        inpaint missing regions of paintings
        low-light image enhancement
        JPEG artefact removal
        Bilder entrauschen mit einem Autoencoder
        débruiter des images
        pix2pix from sketches to shoes
        reconstruct clean low-dose CT from noisy CT
        style transfer from photo to Monet with CycleGAN
        turn blurry licence plate photos into sharp ones (deblurring)
        make thermal images sharper: super resolution by factor 2
    """,
    "unconditional-image-generation": """
        generate faces with a DCGAN
        VAE on MNIST
        DDPM for 32x32 pokemon sprites
        GAN to create new anime characters
        a diffusion model that draws flowers
        synthesize realistic chest x-rays with a WGAN-GP
        erzeuge neue Gesichter mit einem GAN
        generar imágenes de rostros con una GAN
        生成人脸图像的GAN
        fashion mnist variational autoencoder, latent 20
        synthetic brain MRI slices with a GAN to augment our dataset
        sample new handwritten digits from a VAE
    """,
    "image-to-text": """
        image captioning with a CNN encoder and an LSTM decoder
        describe pictures in one sentence
        OCR for licence plates
        write a caption for each chest X-ray
        generate captions for product photos
    """,
    "metric-learning": """
        siamese network for signature verification
        find similar products from photos with triplet loss
        face verification: are these two photos the same person
        person re-identification across cameras
        image retrieval embeddings for landmarks
        one-shot recognition of whales
        learn embeddings so that photos of the same whale are close
    """,
    "self-supervised-learning": """
        SimCLR pre-training on unlabelled images
        self-supervised learning on satellite tiles
        pretrain an encoder with BYOL
    """,
    "video-classification": """
        action recognition in short videos
        classify video clips of sports, 16 frames each
        is there a fight in this CCTV footage? video classifier
        classify gym exercises in video clips
    """,
    "text-classification": """
        sentiment analysis of movie reviews
        sentimant analysis imdb lstm
        spam filter for SMS
        is this tweet sarcastic?
        sort support tickets into 12 categories
        detect fake news headlines
        fine-tune BERT for intent classification, 77 intents
        clickbait detector for headlines
        classify legal contracts by clause type
        toxic comment detection, multi-label
        which language is this sentence written in
        Kundenbewertungen als positiv oder negativ einstufen
        analyse de sentiments de tweets en français
        clasificar correos como spam o no spam
        classificare recensioni di film come positive o negative
        classificação de notícias por tema com LSTM
        情感分析 电影评论
        predict the star rating of a review from its text
        predict whether a question on a forum is a duplicate from its text
        emotion recognition from tweets, 6 emotions
        ICD code assignment from discharge summaries text classification
        TextCNN for news topics
        classify customer complaints about banks by product
        hate speech detection on social media posts
        rate essays from 1 to 6
        Assign newspaper articles to one of 8 sections
        Is a Yelp review positive?
        triage of patient messages: urgent or not urgent
        predict the genre of a book from its blurb text
        detect phishing e-mails
        financial news sentiment (bullish, bearish, neutral)
        détecter les spams dans les e-mails
    """,
    "token-classification": """
        named entity recognition on clinical notes
        NER
        part-of-speech tagging with a BiLSTM
        extract persons, places and organisations from news sentences
        slot filling for a voice assistant's text commands
        Eigennamenerkennung (NER) in deutschen Texten
        tag every token of a recipe as ingredient, quantity or other
        find drug and disease names in medical abstracts, BIO tags
        POS tagger for Latin
    """,
    "question-answering": """
        question answering over Wikipedia passages
        SQuAD style reading comprehension
        answer questions about a paragraph by pointing at the answer span
        extractive QA
        a model which answers questions from a given paragraph
    """,
    "summarization": """
        summarise news articles
        abstractive summarization of scientific papers
        generate headlines for news stories
        Zusammenfassung von Nachrichtenartikeln
        résumé automatique d'articles
        resumir noticias
        文本摘要
        shorten long reports into a summary
    """,
    "translation": """
        translate English to German with attention
        English-to-French seq2seq
        neural machine translation EN->DE
        Übersetzung von Deutsch nach Englisch
        traducir del inglés al español
        中英翻译 transformer
        transliterate Hindi names
        convert human-readable dates into ISO dates with a seq2seq model
        French to English translator
        machine translation from Spanish into English with a transformer
    """,
    "text-generation": """
        character-level language model on Shakespeare
        predict the next word
        Predict the next character of a text with an LSTM
        generate poems with an LSTM
        train a small GPT on python code
        a model that writes haikus
        write jokes like the ones in my file with an RNN
        autocomplete for search queries
        baby name generator
        Sprachmodell auf Goethe-Texten
        generación de texto con LSTM
        a character LSTM that generates song lyrics
        next word prediction for a keyboard
    """,
    "tabular-classification": """
        predict customer churn from 20 features
        titanic survival
        iris mlp
        will this loan default? table with 23 columns
        Detect fraudulent credit card transactions
        heart disease prediction from 13 clinical attributes
        predict whether a patient is readmitted within 30 days
        which employees will leave? HR spreadsheet
        wine quality classification from physicochemical measurements
        predict income above 50K from census data
        MLP for breast cancer diagnosis from 30 numeric features
        bankruptcy prediction from 64 financial ratios
        Kündigen unsere Kunden? Vorhersage ob Kunden abwandern
        prédire si un client va résilier son contrat
        predecir si un cliente abandona la empresa
        预测客户流失
        Features: 20; Classes: 4; rows: 10000
        classify rows of a CSV with 16 numeric columns into 5 classes
        diabetes prediction Pima
        customer segmentation: assign each customer to one of 4 known segments from purchase data
        credit scoring with a neural net
        predict crop type from soil nutrients N, P, K, pH and rainfall
        sepsis risk from vital signs at admission, tabular
        will an order be returned? columns of shop data
        A/B test: predict conversion of a visitor from 12 session features
        forest cover type from cartographic variables
        predict which patients will develop diabetes from lab values
        classify network flows as benign or attack from 41 features in a csv
        predict whether a machine will fail from 14 columns of settings
        classify stars from 8 spectral attributes
        lead scoring: will this customer buy? 30 columns
        prever se um cliente vai cancelar
    """,
    "tabular-regression": """
        house price prediction with an MLP
        price of diamonds
        predict salary from years of experience and education
        California housing regression
        concrete strength from mix components
        estimate insurance costs from age, bmi and smoker columns
        predict the price of used cars
        predict fuel consumption (mpg) of cars
        crop yield per hectare from soil and weather attributes
        Hauspreise vorhersagen aus 13 Merkmalen
        prédire le prix des maisons
        predecir el precio de casas a partir de 8 variables
        prevedere il prezzo delle case
        prever o preço de imóveis
        预测房价
        regression on 10 numeric features with 2 targets
        predict rent of apartments in Berlin
        how many calories does a person burn, from heart rate, weight and age columns
        estimate delivery time from distance, weather and courier columns
        solubility of compounds from 12 numeric descriptors
        predict bike rental count from a table of weather columns
        predict the compressive strength of concrete from 8 ingredients
        estimate the taxi fare from distance, hour and passengers
        how much will a flat in Munich cost? csv with 11 columns
        predict student exam scores from study hours table
        Mietpreise aus 9 Merkmalen schätzen
    """,
    "time-series-forecasting": """
        forecast electricity load for the next 24 hours
        stock price prediction with LSTM, window 60
        Predict tomorrow's temperature using a GRU
        bitcoin forecasting
        predict sales of each shop for the coming 4 weeks
        hourly traffic volume, predict the next value
        river level forecast 6 hours ahead from 5 years of daily data
        wind power prediction from the past 48 readings
        demand forecasting for retail
        Stromverbrauch vorhersagen: nächste 24 Stunden
        prévision de la consommation électrique des prochaines 48 heures
        pronosticar la demanda de energía
        previsione del consumo di energia
        previsão de vendas para os próximos 30 dias
        时间序列预测 LSTM
        predict exchange rates one day ahead
        glucose level 30 minutes ahead from CGM data
        weekly dengue cases forecast
        TCN for multivariate sensor forecasting
        predict remaining solar output for the next hour
        how many visitors tomorrow? daily counts since 2019
        predict the number of passengers for the next 12 months
        forecast PV power output 4 hours ahead
        predict next week's sales per store
        air quality PM2.5 forecast, 48 hours history
        multi-step prediction of CPU load with a transformer
        previsión de ventas diarias
    """,
    "time-series-classification": """
        classify human activity from accelerometer windows
        detect arrhythmia in ECG signals
        seizure detection from EEG
        sleep stage classification from EEG, 5 stages
        bearing fault diagnosis from vibration signals
        gesture recognition from a smartwatch's IMU
        epileptic or not from 178-sample EEG
        ECG heartbeats, 5 classes, 187 samples
        classify machine state (idle, cutting, broken) from current sensor series
        EKG-Signale klassifizieren
        fall detection with a wearable sensor
        crop classification from satellite NDVI time series
        detect atrial fibrillation from single-lead ECG
        classify appliance type from its power consumption curve time series
        recognise gait from IMU recordings
    """,
    "anomaly-detection": """
        anomaly detection in sensor readings with an autoencoder
        find outliers in network traffic
        intrusion detection
        detect unusual pump behaviour, only normal data is available
        predictive maintenance by reconstruction error
        Anomalien in Maschinendaten erkennen
        détection d'anomalies
        detección de anomalías en transacciones
        异常检测
        spot anomalies in server metrics
        flag abnormal vibration patterns; no labels for faults
    """,
    "audio-classification": """
        music genre classification
        recognise spoken digits from audio recordings at 16 kHz
        heart sounds: normal or abnormal
        urban sound classification
        keyword spotting, 35 words
        bird song identification from recordings
        classify the emotion in speech recordings
        is this cough COVID-19 positive? audio clips
        detect chainsaw sounds in rainforest audio
        who is speaking? speaker identification, 20 speakers
        machine sounds: OK or faulty, 10 seconds at 16 kHz
        Musikgenres erkennen
        classifier des sons d'oiseaux
        baby cry classification from wav files
        gender from voice
        ESC-50 with log-mel spectrograms
        tell dog barks from cat meows in wav files
        classify lung sounds into crackle, wheeze, both or none
        detect glass breaking in audio
        language spoken in a recording, 6 languages
        clasificar géneros de música
    """,
    "automatic-speech-recognition": """
        speech to text for Swahili
        transcribe meeting recordings
        ASR with CTC
        turn dictation into text, speech recognition
    """,
    "recommendation": """
        movie recommendation by matrix factorization
        recommend books to users
        collaborative filtering on MovieLens-100k
        which products will a user like? user-item ratings
        Filmempfehlungen aus Bewertungen
        sistema de recomendación de películas
        电影推荐
        predict the rating a user gives to a film
        suggest songs to listeners from their play history (collaborative filtering)
        predict ratings users give to restaurants
    """,
    "graph-machine-learning": """
        node classification with a GCN
        Cora
        predict toxicity of molecules with a GNN
        link prediction in a social network
        classify papers in a citation graph
        predict properties of molecules from their graph
    """,
    "reinforcement-learning": """
        train a DQN for cartpole
        an agent that learns to play snake
        PPO for lunar lander
        teach an agent to balance a pole with Q-learning
    """,
    "multimodal-classification": """
        classify products from images and text descriptions
        fuse chest x-rays with clinical metadata
        multimodal fake news detection from text and images
        combine dermoscopy images with patient metadata to classify lesions
    """,
}
PAIRS = [(category, line.strip()) for category, block in SENTENCES.items() for line in block.strip().splitlines()]


@pytest.mark.parametrize(("category", "sentence"), PAIRS, ids=[sentence[:50] for _, sentence in PAIRS])
def test_a_sentence_finds_its_category(category: str, sentence: str) -> None:
    assert find_category(sentence).name == category


def test_every_category_is_found_by_some_sentence() -> None:
    assert set(SENTENCES) == set(CATEGORIES) - {"other"}


def test_the_data_sets_description_decides_where_the_requirement_leaves_it_open() -> None:
    goal = "classify them into 5 groups"
    assert find_category(goal, "chest X-rays as PNG images").name == "image-classification"
    assert find_category(goal, "CSV with 20 numeric columns").name == "tabular-classification"
    assert find_category(goal, "wav recordings of speech").name == "audio-classification"


@pytest.mark.parametrize(
    ("dataset", "category"),
    [
        ("X-ray images of knees, classified by three doctors", "image-classification"),
        ("calls of bats as wav files, the species of each is to be recognised", "audio-classification"),
        ("a table of flats with 12 columns; the rent is to be predicted", "tabular-regression"),
    ],
)
def test_where_the_requirement_says_nothing_the_description_tells_the_goal_too(dataset: str, category: str) -> None:
    assert find_category("prepare this, train a deep network, evaluate it", dataset).name == category


def test_the_requirement_counts_more_than_the_description() -> None:
    assert find_category("segment polyps in images", "a CSV table lists the patients").name == "image-segmentation"


def test_confidence_tells_the_clear_from_the_doubtful() -> None:
    clear = find_category("segment polyps in colonoscopy images with a U-Net").confidence
    doubtful = find_category("churn from recordings of calls and a table of clients").confidence
    assert 0 <= doubtful < clear == 1


@pytest.mark.parametrize("sentence", ["clasify fotos", "image segmantation", "forcast temperture", "sumarize artcles"])
def test_slips_of_the_pen_are_read_over(sentence: str) -> None:
    assert find_category(sentence).name != "other"


@pytest.mark.parametrize(
    "sentence",
    ["hello", "write a poem", "write a poem about cats", "What is the capital of France?", "make me a sandwich", "42",
     "Shall I compare thee to a summer's day? Thou art more lovely and more temperate", "guten Tag"],
)  # fmt: skip
def test_what_is_no_task_for_a_model_is_refused(sentence: str) -> None:
    with pytest.raises(RequirementError, match="does not ask for a deep-learning task"):
        find_category(sentence)


@pytest.mark.parametrize("sentence", ["train a neural network", "I need deep learning", "a PyTorch model please"])
def test_a_vague_wish_is_other(sentence: str) -> None:
    assert find_category(sentence) == ("other", 0.0)
