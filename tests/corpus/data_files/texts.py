"""Tiny data sets in the formats that the samples on texts read."""

from pathlib import Path

from tests.corpus.data_files.files import DataFiles, write_csv

# Commas, quotes, line breaks, other scripts, and words that pandas takes for missing values: all occur in real texts.
REMARKS = ('Great, "really" great!', "NA", "never again\nnever", "Schön, aber teuer", "好", "null", "so so", "fine")


def labelled_texts(folder: Path) -> None:
    texts = [f"{remark} {number}" if number < 8 else remark for number, remark in enumerate(3 * REMARKS)]
    labels = [("bad", "good")[number % 2] for number in range(len(texts))]
    write_csv(folder / "texts.csv", {"id": range(len(texts)), "label": labels, "text": texts})


def texts_of_several_labels(folder: Path) -> None:
    """None, one or all of three labels hold."""
    texts = [f"{remark} {number}" for number, remark in enumerate(3 * REMARKS)]
    labels = {name: [number // 2**place % 2 for number in range(len(texts))] for place, name in enumerate("abc")}
    write_csv(folder / "texts.csv", {"text": texts, **labels})


def book(folder: Path) -> None:
    """Some lines of prose; the end brings characters that the beginning lacks."""
    lines = [f"Chapter {number}: the heron sees the fish.\n" for number in range(60)]
    (folder / "book.txt").write_text("".join(lines) + "Ende gut, alles gut: ÄÖÜ 好\n", encoding="utf-8")


def conll(folder: Path) -> None:
    """Sentences in columns: tabs or spaces, more columns than two, and more than one blank line in between."""
    sentences = ["Ada\tB-PER\nLovelace\tI-PER\nwrites\tO\n", "In IN O\nParis NNP B-LOC\n. . O\n\n", "Ja O\n"]
    (folder / "sentences.conll").write_text("\n".join(4 * sentences), encoding="utf-8")


def sentence_pairs(folder: Path) -> None:
    animals = {"heron": "Reiher", "fish": "Fisch", "cat": "Katze", "dog": "Hund", "bird": "Vogel"}
    lines = [
        f'The {one} says: "{two}".\tDer {animals[one]} sagt: „{animals[two]}“.' for one in animals for two in animals
    ]
    (folder / "pairs.tsv").write_text("\n".join([*lines, ""]), encoding="utf-8")


def questions(folder: Path) -> None:
    """Two questions about each passage; one answer stands in other capitals, and one in no passage."""
    rows = []
    for number, name in enumerate(("Ada", "Alan", "Grace", "Kurt", "Emmy", "NULL", "Édith", "Carl-Friedrich")):
        passage = f"In 19{number:02}, {name} wrote {number} papers.\nThey were read widely."
        rows += [("Who wrote?", passage, name.upper()), ("How many papers?", passage, f"{number} papers")]
    rows.append(("Who read them?", rows[0][1], "nobody"))
    asked, passages, answers = zip(*rows, strict=True)
    write_csv(folder / "questions.csv", {"question": asked, "context": passages, "answer": answers})


def summaries(folder: Path) -> None:
    texts = [f"{remark}, said {number} of them, \n and more words than fit." for number, remark in enumerate(REMARKS)]
    write_csv(folder / "summaries.csv", {"summary": REMARKS, "text": texts})


SHORT = ("--sequence-length", "12")
NARROW = (*SHORT, "--embedding-dim", "8")
ATTENTION = (*SHORT, "--hidden-size", "8", "--num-layers", "1", "--num-heads", "2")

FILES: dict[str, DataFiles] = {
    "text-classification/text-cnn": DataFiles(labelled_texts, (*NARROW, "--num-filters", "4"), "data/texts.csv"),
    "text-classification/bilstm-attention": DataFiles(
        labelled_texts, (*NARROW, "--hidden-size", "8"), "data/texts.csv"
    ),
    "text-classification/transformer-encoder": DataFiles(labelled_texts, ATTENTION, "data/texts.csv"),
    "text-classification/multi-label": DataFiles(
        texts_of_several_labels, (*ATTENTION, "--num-classes", "3"), "data/texts.csv"
    ),
    "text-generation/lstm": DataFiles(
        book, (*NARROW, "--hidden-size", "8", "--generated-length", "5"), "data/book.txt"
    ),
    "text-generation/gpt": DataFiles(book, (*ATTENTION, "--generated-length", "5"), "data/book.txt"),
    "token-classification/bilstm-tagger": DataFiles(
        conll, (*NARROW, "--hidden-size", "8", "--num-classes", "4"), "data/sentences.conll"
    ),
    "translation/seq2seq-attention": DataFiles(sentence_pairs, (*NARROW, "--hidden-size", "8"), "data/pairs.tsv"),
    "question-answering/span-transformer": DataFiles(
        questions, ("--sequence-length", "32", *ATTENTION[2:]), "data/questions.csv"
    ),
    "summarization/seq2seq-attention": DataFiles(
        summaries, (*NARROW, "--hidden-size", "8", "--summary-length", "6"), "data/summaries.csv"
    ),
    "summarization/transformer": DataFiles(summaries, (*ATTENTION, "--summary-length", "6"), "data/summaries.csv"),
}
