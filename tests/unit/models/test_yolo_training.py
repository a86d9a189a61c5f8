"""What of training and export needs no ultralytics; the rest is in tests/integration/models."""

import sys
import tomllib

import numpy as np
import pytest

from models.errors import ModelError
from models.manifest import parse
from models.training.yolo.__main__ import run
from models.training.yolo.agreement import difference
from models.training.yolo.entry import OwnEntry, card, classes_for, manifest_entry
from models.training.yolo.export import Order, export

NAMES = ["fire", "other", "smoke"]


def own(**changed):
    values = {
        "name": "my-fire",
        "task": "fire",
        "classes": ("flame", 'a "quoted" \\ name', "烟"),
        "size_bytes": 10,
        "sha256": "0" * 64,
        "licence": "AGPL-3.0",
        "source": "best.pt",
        "imgsz": 640,
        "multiple_px": 32,
        "score": 0.3,
    }
    return OwnEntry(**(values | changed))


def test_an_entry_is_read_back_as_it_was_meant():
    (entry,) = parse(tomllib.loads(manifest_entry(own())))
    assert (entry.name, entry.task, entry.family, entry.file) == (
        "my-fire",
        "fire",
        "yolo",
        "my-fire.onnx",
    )
    assert entry.classes == own().classes
    assert (entry.input.long_side_px, entry.input.multiple_px, entry.min_score) == (640, 32, 0.3)
    assert (entry.input.colour, entry.input.std) == ("RGB", (255.0, 255.0, 255.0))


def test_entries_follow_each_other():
    text = manifest_entry(own()) + manifest_entry(own(name="other"))
    assert [entry.name for entry in parse(tomllib.loads(text))] == ["my-fire", "other"]


def test_a_text_that_would_break_the_file_is_refused():
    with pytest.raises(ModelError, match="control characters"):
        manifest_entry(own(licence="AGPL\n[[model]]"))


def test_a_card_asks_what_only_the_user_knows():
    text = card(own())
    assert text.startswith("# my-fire\n\nFinds: flame (of 3 classes).")
    assert "AGPL-3.0" in text
    assert text.count("To be filled in") == 3


def test_classes_are_named_in_this_products_words():
    assert classes_for("fire", NAMES) == ("fire", "other", "smoke")
    assert classes_for("fire", NAMES, {"fire": "flame"}) == ("flame", "other", "smoke")


@pytest.mark.parametrize(
    ("task", "renamed", "rule"),
    [
        ("person", {}, "needs a class person, and there are fire, other, smoke"),
        ("person", {"smoke": "people"}, "--class THEIRS=person"),
        ("fire", {"flames": "flame"}, "class 'flames': must be one of fire, other, smoke"),
    ],
)
def test_classes_of_no_use_are_refused(task, renamed, rule):
    with pytest.raises(ModelError, match=rule):
        classes_for(task, NAMES, renamed)


def raw(*columns):
    return np.array(columns, np.float32).T[None]


def final(*rows):
    return np.array(rows, np.float32)[None]


def test_raw_answers_differ_by_their_worst_box():
    one = raw((10, 10, 4, 4, 0.5), (20, 20, 4, 4, 0.4))
    other = raw((10, 10, 4, 4, 0.5), (20, 20.5, 4, 4, 0.3))
    assert difference(one, one, 1) == (0, 0)
    assert difference(one, other, 1) == pytest.approx((0.5, 0.1))


def test_the_order_of_final_boxes_that_are_alike_does_not_matter():
    rows = [
        (0, 0, 9, 9, 0.5, 0),
        (20, 20, 29, 29, 0.5, 0),
        (0, 0, 9, 9, 0.5, 1),
        (5, 5, 6, 6, 0, 0),
    ]
    assert difference(final(*rows), final(rows[2], rows[1], rows[0], rows[3]), 2) == (0, 0)
    moved = [(0, 0, 9, 8, 0.5, 0), *rows[1:]]
    assert difference(final(*rows), final(*moved), 2) == (1, 0)


def test_answers_of_other_forms_or_other_classes_do_not_agree():
    one = final((0, 0, 9, 9, 0.5, 0), (0, 0, 9, 9, 0.1, 0))
    other = final((0, 0, 9, 9, 0.5, 1), (0, 0, 9, 9, 0.1, 1))
    with pytest.raises(ModelError, match="must find the same classes"):
        difference(one, other, 2)
    with pytest.raises(ModelError, match=r"must answer \[1, 2, 6\], not \[1, 1, 6\]"):
        difference(one, other[:, :1], 2)


def order(tmp_path, **changed):
    weights = tmp_path / "best.pt"
    weights.write_bytes(b"weights")
    values = {
        "weights": weights,
        "name": "my-yolo",
        "task": "person",
        "folder": tmp_path / "models",
        "imgsz": 320,
        "score": 0.25,
        "licence": "AGPL-3.0",
    }
    return Order(**(values | changed))


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"name": "../x"}, "name must be of the form"),
        ({"name": "rtmdet-nano-person"}, "is taken"),
        ({"imgsz": 288}, "imgsz must be a multiple of 32 from 320 to 1920, not 288"),
        ({"imgsz": 650}, "imgsz must be a multiple of 32"),
    ],
)
def test_what_can_not_be_added_is_refused_before_anything_is_done(tmp_path, changed, rule):
    with pytest.raises(ModelError, match=rule):
        export(order(tmp_path, **changed))
    assert not (tmp_path / "models").exists()


def test_weights_that_are_not_there_are_named(tmp_path):
    with pytest.raises(ModelError, match=r"none\.pt: No such file"):
        export(order(tmp_path, weights=tmp_path / "none.pt"))


@pytest.fixture
def without_ultralytics(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("YOLO_CONFIG_DIR", "")  # set by what is tested, and put back after it
    monkeypatch.setenv("YOLO_AUTOINSTALL", "")
    monkeypatch.setitem(sys.modules, "ultralytics", None)
    monkeypatch.delitem(sys.modules, "ultralytics.utils", raising=False)


def test_without_its_package_the_command_says_what_to_install(
    without_ultralytics, tmp_path, capsys
):
    with pytest.raises(ModelError, match=r"pip install 'tanshao\[train-yolo\]'"):
        run(["train", "--data", "data.yaml", "--out", str(tmp_path / "out")])
    assert "AGPL-3.0" in capsys.readouterr().out


def test_a_class_without_its_new_name_is_refused(tmp_path):
    command = ["export", "--weights", "best.pt", "--name", "x", "--dir", str(tmp_path)]
    with pytest.raises(ModelError, match="--class must be THEIRS=OURS, not 'fire='"):
        run([*command, "--class", "fire="])


def test_a_file_that_is_no_picture_is_named(tmp_path):
    (tmp_path / "x.jpg").write_bytes(b"no picture")
    command = ["export", "--weights", "best.pt", "--name", "x", "--dir", str(tmp_path)]
    with pytest.raises(ModelError, match=r"x\.jpg: is no picture"):
        run([*command, "--picture", str(tmp_path / "x.jpg")])
