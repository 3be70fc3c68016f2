from dlcodegen.corpus.sample import Sample
from dlcodegen.delivery.script import Cap, ScriptNotes, read_script


def test_a_sample_says_what_it_is_and_what_data_it_reads(sample: Sample) -> None:
    notes = read_script(sample.code)
    assert notes.title == "Binary image segmentation with a U-Net"
    assert notes.about.startswith("Finds one kind of object")
    assert "Data (" not in notes.about
    assert notes.data_format.startswith("a folder with images/ and masks/.")
    assert "Dice above" not in notes.data_format


def test_caps_of_smoke_mode_are_those_below_the_default(sample: Sample) -> None:
    notes = read_script(sample.code)
    assert notes.smoke.startswith("A trial that ends in seconds")
    assert sorted(notes.caps, key=lambda cap: cap.name) == [Cap("batch_size", 16, 4), Cap("epochs", 50, 2)]
    large = read_script(sample.code.replace("image_height: int = 128", "image_height: int = 1024"))
    assert Cap("image_height", 1024, 256) in large.caps


def test_a_script_that_is_no_python_says_nothing() -> None:
    assert read_script("def (") == ScriptNotes()
    assert read_script("\0") == ScriptNotes()
    assert read_script("") == ScriptNotes()
