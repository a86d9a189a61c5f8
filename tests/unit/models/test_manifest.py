import copy
import tomllib

import pytest

from models import manifest
from models.errors import ModelError
from models.manifest import HERE, find, parse

DOCUMENT = tomllib.loads((HERE / "manifest.toml").read_text(encoding="utf-8"))


def changed(path, value, index=0):
    document = copy.deepcopy(DOCUMENT)
    table = document["model"][index]
    *tables, key = path.split(".")
    for name in tables:
        table = table[name]
    if value is None:
        del table[key]
    else:
        table[key] = value
    return document


def test_the_manifest_names_the_default_before_the_fallback():
    entries = manifest.load()
    assert [entry.name for entry in entries] == [
        "rtmdet-nano-person",
        "ssdlite-mobilenetv2-person",
        "fire-lite0",
    ]
    assert [entry.fallback for entry in entries] == [False, True, False]
    assert [entry.task for entry in entries] == ["person", "person", "fire"]
    assert entries[0].url is not None
    assert entries[0].url.startswith("https://raw.githubusercontent.com/")
    assert entries[1].url is None


def test_every_model_has_a_card_that_names_its_licence():
    for entry in manifest.load():
        card = (HERE / entry.card).read_text(encoding="utf-8")
        assert card.startswith(f"# {entry.name}\n")
        assert entry.licence in card


def test_a_model_is_found_by_name_or_the_names_are_listed():
    assert find("rtmdet-nano-person").size_bytes == 4_038_157
    with pytest.raises(ModelError, match=r"'yolo'.*rtmdet-nano-person, ssdlite.*or auto"):
        find("yolo")


def test_classes_have_scores_of_their_own_or_the_one_for_all():
    plain = copy.deepcopy(DOCUMENT)
    plain["model"][0]["task"] = "fire"
    plain["model"][0]["classes"] = ["flame", "smoke"]
    assert parse(plain)[0].scores == (0.4, 0.4)
    plain["model"][0]["thresholds"]["class_scores"] = [0.5, 0.45]
    assert parse(plain)[0].scores == (0.5, 0.45)


@pytest.mark.parametrize(
    ("path", "value", "rule"),
    [
        ("name", "Not A Name", "'name' must be of the form"),
        ("name", None, "'name' must be a text, not None"),
        ("version", "", "'version' must be a text"),
        ("file", "../../etc/passwd", "'file' must be of the form"),
        ("bytes", 0, "'bytes' must be a whole number from 1"),
        ("bytes", True, "'bytes' must be a whole number"),
        ("sha256", "abc", "'sha256' must be of the form"),
        (
            "thresholds.class_scores",
            [0.5, 0.4],
            "'class_scores' must be a list of 1 numbers between 0 and 1",
        ),
        (
            "thresholds.class_scores",
            [1.5],
            "'class_scores' must be a list of 1 numbers between 0 and 1",
        ),
        (
            "thresholds.class_scores",
            0.5,
            "'class_scores' must be a list of 1 numbers between 0 and 1",
        ),
        ("url", "http://example.org/m.onnx", "'url' must be an https address"),
        ("url", "https:///m.onnx", "'url' must be an https address"),
        ("classes", [], "'classes' must be a list of texts"),
        ("fallback", "yes", "'fallback' must be true or false"),
        ("input", 3, "'input' must be a table"),
        ("input.colour", "YUV", "'colour' must be of the form"),
        ("input.mean", [1, 2], "'mean' must be three numbers"),
        ("input.tiles", 99, "'tiles' must be a whole number from 1 to 8"),
        ("thresholds.score", 1.5, "'score' must be a number between 0 and 1"),
    ],
)
def test_what_breaks_a_rule_is_named(path, value, rule):
    with pytest.raises(ModelError, match=rule):
        parse(changed(path, value))


@pytest.mark.parametrize("document", [{}, {"model": []}, {"model": {"name": "x"}}])
def test_a_manifest_without_models_is_refused(document):
    with pytest.raises(ModelError, match="must be a list of tables"):
        parse(document)


def test_a_model_that_is_no_table_is_refused():
    with pytest.raises(ModelError, match="model 1 must be a table"):
        parse({"model": ["rtmdet"]})


def test_two_models_of_one_name_are_refused():
    with pytest.raises(ModelError, match="must differ"):
        parse(changed("name", "rtmdet-nano-person", index=1))
