"""What the fire model is trained on: the split, the targets, the changes made to pictures."""

import cv2
import numpy as np
import pytest

from models.errors import ModelError
from models.evaluation.fire import Seen, score
from models.evaluation.labelled import (
    CLIPS,
    HELD_OUT,
    VALIDATION,
    Labelled,
    Part,
    clip_of,
    coco,
    digest,
    fire8,
    negatives,
    yolo,
)
from models.evaluation.mark import Mark
from models.training.fire import augment, hard
from models.training.fire.kindle import kindle
from models.training.fire.targets import grid


@pytest.mark.parametrize(
    ("name", "clip"),
    [
        ("newsmoke2_mp4-12_jpg.rf.0123.jpg", "newsmoke2"),
        ("pexels-alan-w-8365989_mp4-3_jpg.rf.0123.jpg", "pexels-alan-w"),
        ("pexels-alan-w-8365993_mp4-3_jpg.rf.0123.jpg", "pexels-alan-w"),
        ("img_399_jpg.rf.0123.jpg", "garage"),
        ("img_400_jpg.rf.0123.jpg", "street"),
        ("img_414_jpg.rf.0123.jpg", "garage"),
        ("img_71--2-_jpg.rf.0123.jpg", "compilation"),
        ("img_2036_jpg.rf.0123.jpg", "fog-device"),
    ],
)
def test_a_picture_is_of_the_clip_that_its_name_says(name, clip):
    assert clip_of(name) == clip


def test_a_name_of_another_form_is_refused():
    with pytest.raises(ModelError, match=r"cat\.jpg: must be named"):
        clip_of("cat.jpg")


def test_no_number_is_of_two_clips_and_no_clip_is_on_both_sides():
    numbers = [
        number
        for stretches in CLIPS.values()
        for first, last in stretches
        for number in range(first, last + 1)
    ]
    assert len(numbers) == len(set(numbers))
    assert {"garage", "motorway"} <= HELD_OUT
    assert "street" not in HELD_OUT
    assert not HELD_OUT & VALIDATION


def picture_file(folder, name, labels):
    for part in ("images", "labels"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    path = folder / "images" / f"{name}.jpg"
    assert cv2.imwrite(str(path), np.zeros((32, 32, 3), np.uint8))
    (folder / "labels" / f"{name}.txt").write_text(labels)
    return path


def test_the_sets_own_folders_do_not_decide_the_side(tmp_path):
    root = tmp_path / "fire_images" / "fire-8"
    box = "0.5 0.5 0.2 0.4"
    picture_file(root / "train", "img_601_jpg.rf.a", f"0 {box}\n2 {box}\n")
    picture_file(root / "test", "fire2_mp4-1_jpg.rf.b", f"2 {box}\n")
    picture_file(root / "valid", "img_500_jpg.rf.c", f"1 {box}\n")
    pictures = fire8(tmp_path)
    assert [(each.clip, each.part) for each in pictures] == [
        ("fire2", Part.TRAIN),
        ("street", Part.TRAIN),
        ("motorway", Part.HELD_OUT),
    ]
    assert [(each.has(0), each.has(1)) for each in pictures] == [
        (False, True),
        (False, False),  # "default" is a normal scene
        (True, True),
    ]


def test_every_fifth_picture_of_coco_is_for_choosing_scores(tmp_path):
    folder = tmp_path / "people_images" / "coco128_train2017"
    for index in range(6):
        picture_file(folder, f"{index:06}", "0 0.5 0.5 0.2 0.2\n")
    pictures = coco(tmp_path)
    assert [each.part for each in pictures] == [
        Part.VALIDATION,
        *[Part.TRAIN] * 4,
        Part.VALIDATION,
    ]
    assert not any(each.marks for each in pictures)  # people are no fire


def test_boxes_and_polygons_are_cut_at_the_picture(tmp_path):
    path = picture_file(
        tmp_path, "a", "7 0.1 0.1 0.4 0.4\n3 0.2 0.3 0.6 0.3 0.4 0.9\n5 0 0 1 1\n\n"
    )
    (only,) = yolo(tmp_path, {7: 0, 3: 1})
    assert only.path == path
    box, polygon = only.marks
    assert (box.channel, box.left, box.top) == (0, 0.0, 0.0)
    assert (box.right, box.bottom) == pytest.approx((0.3, 0.3))
    assert (polygon.left, polygon.top, polygon.right, polygon.bottom) == (0.2, 0.3, 0.6, 0.9)


def test_a_folder_without_pictures_or_labels_is_refused(tmp_path):
    with pytest.raises(ModelError, match="must hold images/ and labels/"):
        yolo(tmp_path, {})
    picture_file(tmp_path, "a", "")
    (tmp_path / "labels" / "a.txt").unlink()
    with pytest.raises(ModelError, match=r"none of its pictures has labels, as .*labels/a\.txt"):
        yolo(tmp_path, {})


def test_a_picture_without_a_text_has_nothing_labelled_where_others_have(tmp_path):
    picture_file(tmp_path, "a", "0 0.5 0.5 0.1 0.1")
    picture_file(tmp_path, "b", "")
    (tmp_path / "labels" / "b.txt").unlink()
    assert [len(each.marks) for each in yolo(tmp_path, {0: 0})] == [1, 0]


def test_labels_lie_at_the_pictures_own_path_below_labels(tmp_path):
    picture_file(tmp_path, "a", "0 0.5 0.5 0.1 0.1")
    for part, name in (("images", "a.jpg"), ("labels", "a.txt")):
        (tmp_path / part / "val").mkdir()
        (tmp_path / part / name).rename(tmp_path / part / "val" / name)
    (only,) = yolo(tmp_path, {0: 0})
    assert (only.path.parent.name, len(only.marks)) == ("val", 1)


@pytest.mark.parametrize("line", ["0 0.5 half 0.1 0.1", "0", "0 0.1 0.2 0.3 0.4 0.5", "x 1 1 1 1"])
def test_labels_that_are_wrong_are_refused_with_file_and_line(tmp_path, line):
    picture_file(tmp_path, "a", f"0 0.5 0.5 0.1 0.1\n\n{line}\n")
    with pytest.raises(ModelError, match=r"labels/a\.txt: line 3: must be a class and a box"):
        yolo(tmp_path, {0: 0})


def false_alarm(folder, name, label=""):
    for part, suffix, text in (("images", ".jpg", ""), ("labels", ".txt", label)):
        (folder / part).mkdir(parents=True, exist_ok=True)
        (folder / part / f"{name}{suffix}").write_text(text)


def test_a_villages_false_alarms_are_trained_with_by_camera(tmp_path):
    false_alarm(tmp_path / "xiacun", "9f3a01c2-000002")
    false_alarm(tmp_path / "xiacun", "9f3a01c2-000001")
    false_alarm(tmp_path / "shangcun", "01ab45cd-000001")
    (tmp_path / "xiacun" / "unlabelled").mkdir()
    (tmp_path / "xiacun" / "unlabelled" / "9f3a01c2-000003.jpg").write_text("")
    found = negatives(tmp_path)
    assert [each.clip for each in found] == ["example-01ab45cd", *["example-9f3a01c2"] * 2]
    assert {(each.part, each.marks) for each in found} == {(Part.TRAIN, ())}


def test_a_picture_with_a_fire_on_it_is_no_negative(tmp_path):
    false_alarm(tmp_path, "9f3a01c2-000001", "1 0.5 0.5 0.2 0.2")
    with pytest.raises(ModelError, match=r"9f3a01c2-000001\.jpg: has flame or smoke on it"):
        negatives(tmp_path)


def test_the_digest_changes_with_a_label(tmp_path):
    path = tmp_path / "a.jpg"
    one = Labelled(path, "a", (Mark(0, 0, 0, 1, 1),))
    assert digest([one]) == digest([one])
    assert digest([one]) != digest([Labelled(path, "a", (Mark(1, 0, 0, 1, 1),))])


# -- targets --------------------------------------------------------------------------------------


def test_the_middle_of_a_box_is_sure_and_its_edge_says_nothing():
    target, weight = grid([Mark(0, 0.25, 0.25, 0.75, 0.75)], 320, 320)
    assert target.shape == (2, 20, 20)
    assert target[0, 10, 10] == weight[0, 10, 10] == 1
    assert target[0, 5, 10] == weight[0, 5, 10] == 0  # in the box, but at its edge
    assert target[0, 1, 1] == 0
    assert weight[0, 1, 1] == 1
    assert not target[1].any()
    assert weight[1].all()


def test_the_smallest_box_is_a_cell():
    target, _ = grid([Mark(1, 0.999, 0.999, 1.0, 1.0)], 320, 256)
    assert target.sum() == target[1, 15, 19] == 1


# -- changes --------------------------------------------------------------------------------------


def scene():
    return np.random.default_rng(5).integers(0, 255, (120, 160, 3), np.uint8)


def test_marks_move_with_what_they_mark():
    """A white square on black is still under its mark, wherever chance has put it."""
    for seed in range(30):
        bgr = np.zeros((200, 200, 3), np.uint8)
        bgr[60:120, 80:150] = 255
        moved, marks = augment.place(
            bgr, [Mark(0, 0.4, 0.3, 0.75, 0.6)], (160, 96), np.random.default_rng(seed)
        )
        assert moved.shape == (96, 160, 3)
        for mark in marks:
            ys = slice(int(mark.top * 96) + 1, int(mark.bottom * 96) - 1)
            xs = slice(int(mark.left * 160) + 1, int(mark.right * 160) - 1)
            assert moved[ys, xs].mean() > 240
            outside = moved.astype(int).sum() - moved[ys, xs].astype(int).sum()
            assert outside < 0.25 * moved.astype(int).sum()


def test_what_is_nearly_cut_off_is_not_labelled():
    mark = Mark(0, 0.0, 0.0, 0.05, 0.05)
    kept = [
        augment.place(scene(), [mark], (64, 64), np.random.default_rng(seed))[1]
        for seed in range(40)
    ]
    assert () in kept


@pytest.mark.parametrize("make", [augment.camera, *hard.MAKERS], ids=lambda make: make.__name__)
def test_a_change_is_of_its_seed_alone_and_leaves_its_picture_as_it_was(make):
    before = scene()
    for seed in range(12):
        given = before.copy()
        made = make(given, np.random.default_rng(seed))
        assert (given == before).all()
        assert (made.shape, made.dtype) == (before.shape, np.uint8)
        assert (made == make(before, np.random.default_rng(seed))).all()
    assert (made != before).any()


def test_a_flame_is_laid_over_a_place_and_marked_where_it_burns():
    flames = np.zeros((100, 100, 3), np.uint8)
    flames[20:80, 20:80] = (20, 120, 250)
    place = np.full((120, 200, 3), 40, np.uint8)
    for seed in range(20):
        made, mark = kindle(place, flames, Mark(0, 0.1, 0.1, 0.9, 0.9), np.random.default_rng(seed))
        changed = np.abs(made.astype(int) - place).max(axis=2) > 60
        ys, xs = np.nonzero(changed)
        assert mark.channel == 0
        assert mark.left * 200 <= xs.min() + 2
        assert mark.right * 200 >= xs.max() - 1
        assert mark.top * 120 <= ys.min() + 2
        assert mark.bottom * 120 >= ys.max() - 1
    assert (place == 40).all()


def test_what_does_not_shine_kindles_nothing():
    place, dark = scene(), np.zeros((50, 50, 3), np.uint8)
    rng = np.random.default_rng(1)
    for mark in (Mark(0, 0.0, 0.0, 1.0, 1.0), Mark(0, 0.5, 0.5, 0.51, 0.51)):
        made, burning = kindle(place, dark, mark, rng)
        assert burning is None
        assert (made == place).all()


# -- the score ------------------------------------------------------------------------------------


def test_pictures_are_found_by_their_best_score_and_negatives_marked_by_any():
    seen = [
        Seen((True, False), (0.6, 0.9)),
        Seen((True, True), (0.4, 0.5)),
        Seen((False, False), (0.1, 0.5)),
        Seen((False, False), (0.1, 0.1)),
    ]
    one = score(seen, (0.5, 0.45))
    assert (one.flames_found, one.flames) == (1, 2)
    assert (one.smokes_found, one.smokes) == (1, 1)
    assert (one.false_marks, one.negatives) == (1, 2)
    assert one.figures()["fire_recall"] == 0.5
    assert score([], (0.5, 0.5)).figures()["fire_recall"] is None
