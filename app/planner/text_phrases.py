"""Phrases that speak for one of the tasks on text: points, and a regular expression of whole words."""

_LANGUAGES = (
    r"english|german|french|spanish|italian|portuguese|chinese|mandarin|japanese|korean|vietnamese|thai|hindi|urdu|bengali"
    r"|tamil|russian|ukrainian|polish|czech|slovak|slovene|croatian|serbian|bulgarian|romanian|hungarian|greek|turkish"
    r"|persian|farsi|arabic|hebrew|swahili|yoruba|hausa|amharic|dutch|flemish|danish|swedish|norwegian|finnish|icelandic"
    r"|faroese|estonian|latvian|lithuanian|welsh|irish|breton|basque|catalan|galician|latin|quechua|luganda|malay"
    r"|indonesian|en|de|fr|es|it"
)
_WRITINGS = (
    r"limericks?|ballads?|rhymes?|verses?|novels?|fairy ?tales?|tales?|fables?|riddles?|slogans?|puns?|proverbs?|quotes"
    r"|essays?|screenplays?|aphorisms?|prayers?|sermons?|couplets?|odes?|epigrams?|horoscopes?|raps?|love letters|"
    r"texts?|poems?|poetry|lyrics|names|stories|shakespeare\w*|sonnets?|sentences|jokes|code|recipes|tweets|haikus?"
    r"|dialogues?"
)

TEXT_PHRASES: dict[str, tuple[tuple[float, str], ...]] = {
    "text-classification": (
        (
            4,
            r"sentiments?|sentimento?s?|spam|toxic\w*|hate speech|text classif\w*|topic classif\w*|fake news|clickbait",
        ),
        (
            4,
            r"intent (?:classif|detect|recogn)\w*|imdb|ag[ _]news|sarcas\w*|language identification|authorship"
            r"|text-?cnn",
        ),
        (
            4,
            r"which language|(?:articles|documents|complaints|contracts|comments|tweets|reviews|recensioni"
            r"|resumes) (?:by|into|as)",
        ),
        (
            4,
            r"(?:from|of) (?:its|the|their) text|stimmung\w*|textklassifi\w*|stern\w* bewertung"
            r"|情感分析|垃圾邮件|文本分类",
        ),
        (4, r"(?:clickbait|spam|sarcasm|hate|toxicity) detector"),
        (4, r"(?:kundenbewertungen|rezensionen|texte|e-?mails) (?:als|in|nach)"),
    ),
    "token-classification": (
        (
            9,
            r"named[- ]entit\w*|ner|part[- ]of[- ]speech|pos[- ]tag\w*|token classif\w*|sequence (?:tagging"
            r"|labell?ing)",
        ),
        (
            9,
            r"slot filling|chunking|entit\w* (?:recognition|extraction)|conll\w*|tag(?:ging)? (?:each|every) (?:word"
            r"|token)"
            r"|bio tags",
        ),
        (9, r"extract\w* (?:the )?(?:entities|names|person|persons|people)|punctuation restoration|eigennamen\w*"),
    ),
    "question-answering": (
        (9, r"question[- ]answering|answer\w* (?:the |user )?questions|squad|reading comprehension|q&a"),
        (9, r"extractive qa|qa (?:model|system)|fragen beantworten|répondre aux questions|问答"),
    ),
    "summarization": (
        (9, r"summari[sz]\w*|summary|tl;?dr|abstractive|zusammenfass\w*|résum\w* (?:de|auto)\w*|resum(?:ir|en)\b|摘要"),
        (14, r"headline (?:generation|generators?|writ\w+)|(?:generat|writ|produc)\w* (?:\w+ ){0,2}headlines"),
        (
            9,
            r"(?:boil|condens|shorten|shrink|compress|distil|reduc|cut)\w* (?:[\w-]+ ){0,7}?(?:down )?(?:to"
            r"|into) (?:\w+ ){0,3}(?:lines?"
            r"|sentences?|words|paragraphs?|bullets?|gist|key points)",
        ),
    ),
    "translation": (
        (9, r"translat\w*|übersetz\w*|tradu[ckzi]\w*|transliterat\w*|text[- ]to[- ]sql|翻译|中英"),
        (9, rf"(?:{_LANGUAGES})(?: to |-to-| into | ?(?:->|→|=>|⇒) ?)(?:{_LANGUAGES})"),
        (4, r"seq(?:uence)?[- ]?(?:2|to)[- ]?seq(?:uence)?"),  # so are summaries made
        (6, r"date formats?|iso dates|spelling correction|grammar correction"),
    ),
    "text-generation": (
        (3, r"char(?:acter)?[- ]?(?:level|wise|based)"),
        (
            6,
            r"(?:model|network|net|rnn|lstm|gru|gpt|transformer|bot) (?:that|which|to) (?:writes?|makes? up|invents?"
            r"|continues?"
            r"|babbles?) (?!(?:\w+ ){0,2}(?:captions?|summar\w+|headlines?|descriptions?|translations?|melod\w+"
            r"|music|tunes?))\w+",
        ),
        (
            8,
            r"language model\w*|text generation|char-?(?:acter)?[- ]?(?:level |wise )?(?:rnn|lstm|gru|gpt)"
            r"|next[- ](?:word|character"
            r"|token)",
        ),
        (
            8,
            rf"(?:generat\w*|writes?|invents?) (?:\w+ ){{0,4}}(?:{_WRITINGS})|(?:name|text|poem|lyrics"
            rf"|recipe) generator",
        ),
        (8, r"auto-?complet\w*|gpt(?:-?2)?|chatbots?|sprachmodell\w*|语言模型|文本生成"),
        (8, r"génération de texte|generación de textos?|generazione di testo|geração de texto|texte? generieren"),
    ),
}
