import cv2
import numpy as np
import pytest

from bench import material
from bench.footage import looks, pictures_in, read_truth, truth_of
from models.errors import ModelError
from tests.support.clips import write_clip
from tests.support.tools import ROOT

GREY = np.full((48, 64, 3), 90, np.uint8)

WHOLE = """
[[clip]]
file = "square.mp4"
fps = 7.0
ground = [
  { image = [0.1, 0.2], metres = [0, 10] },
  { image = [0.9, 0.2], metres = [10, 10] },
  { image = [1.0, 0.9], metres = [10, 0] },
  { image = [0.0, 0.9], metres = [0, 0] },
]
[[clip.gathering]]
rule = { mode = "close_together", levels = { ordinary = 3 }, hold_s = 5 }
spans = [[4.5, 12.0]]
[[pictures]]
folder = "square"
person = [0, 2]
"""


def times_of(path, fps, true_fps=None):
    return [each.at_s for each in looks(path, fps, true_fps)]


def written(folder, text, name="truth.toml"):
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


# -- looks -------------------------------------------------------------------------------------


def test_looks_come_at_their_rate_and_no_wider_than_a_sub_stream(tmp_path):
    write_clip(tmp_path / "wide.mp4", [np.zeros((480, 1280, 3), np.uint8)] * 8)
    seen = list(looks(tmp_path / "wide.mp4", 2.0))
    assert [each.at_s for each in seen] == pytest.approx([0.0, 0.5, 1.0, 1.5])
    assert seen[0].bgr.shape == (240, 640, 3)
    assert seen[0].luma.shape == (240, 640)


def test_the_time_of_a_clip_of_changing_rate_is_its_own(tmp_path):
    at_ms = [0, 100, 1000, 1040, 3000]
    write_clip(tmp_path / "a.mkv", [GREY] * 5, at_ms=at_ms)
    assert times_of(tmp_path / "a.mkv", 25.0) == pytest.approx([0.0, 0.1, 1.0, 1.04, 3.0])


def test_the_time_of_a_clip_that_was_cut_out_of_another_begins_at_its_first_picture(tmp_path):
    write_clip(tmp_path / "a.mkv", [GREY] * 3, at_ms=[7000, 7500, 8000])
    assert times_of(tmp_path / "a.mkv", 2.0) == pytest.approx([0.0, 0.5, 1.0])


def test_a_true_rate_overrules_the_files_times(tmp_path):
    write_clip(tmp_path / "a.mkv", [GREY] * 8, fps=4)
    assert times_of(tmp_path / "a.mkv", 25.0, 2.0) == pytest.approx([n / 2 for n in range(8)])


@pytest.mark.parametrize(("width", "height"), [(101, 57), (64, 2), (3, 3)])
def test_pictures_of_odd_sizes_are_looked_at(tmp_path, width, height):
    write_clip(tmp_path / "a.mkv", [np.zeros((height, width, 3), np.uint8)])
    (seen,) = looks(tmp_path / "a.mkv", 2.0)
    assert seen.luma.shape == (max(2, height // 2 * 2), width // 2 * 2)


def test_a_damaged_stretch_costs_only_itself(tmp_path):
    rng = np.random.default_rng(1)
    pictures = [rng.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(8)]
    write_clip(tmp_path / "a.mkv", pictures)
    data = bytearray((tmp_path / "a.mkv").read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4000] = rng.bytes(4000)
    (tmp_path / "a.mkv").write_bytes(data)
    assert len(times_of(tmp_path / "a.mkv", 25.0)) >= 2


def test_a_file_that_is_no_video_is_named(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"no video")
    with pytest.raises(ModelError, match=r"a\.mp4: "):
        list(looks(tmp_path / "a.mp4", 2.0))


def test_a_file_that_is_missing_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"a\.mp4: No such file"):
        list(looks(tmp_path / "a.mp4", 2.0))


# -- truth -------------------------------------------------------------------------------------


def test_a_truth_file_says_gatherings_pictures_and_ground(tmp_path):
    truth = read_truth(written(tmp_path, WHOLE))
    clip, pictures = truth.clip[0], truth.pictures[0]
    assert clip.fps == 7.0
    assert clip.plane().metres((0.0, 0.9)) == pytest.approx((0.0, 0.0))
    assert (clip.gathering[0].threshold, clip.gathering[0].rule.hold_s) == (3, 5.0)
    assert clip.gathering[0].spans == ((4.5, 12.0),)
    assert clip.is_negative
    assert not pictures.are_of_fire


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[[clip]]\nfile = "a"\nflames = [[0, 1]]\n', r"clip\.0\.flames"),
        ('[[clip]]\nfile = "a"\nflame = [[5, 1]]\n', "a start and a later end"),
        ('[[clip]]\nfile = "a"\nfps = 0\n', r"clip\.0\.fps"),
        ("[[clip]\n", r"truth\.toml: "),
        (WHOLE.replace("hold_s", "hold"), r"clip\.0\.gathering\.0\.rule\.hold"),
        (WHOLE.replace("[1.0, 0.9]", "[0.9, 0.2]"), r"'ground' must be four points"),
        (WHOLE.replace('mode = "close', 'schedule = { monday = ["08:00-09:00"] }, mode = "close'),
         "'schedule' must be absent"),
    ],
)  # fmt: skip
def test_a_truth_file_that_is_wrong_is_refused(tmp_path, text, problem):
    with pytest.raises(ModelError, match=problem) as refused:
        read_truth(written(tmp_path, text))
    assert "truth.toml" in str(refused.value)


def test_a_missing_truth_file_is_named(tmp_path):
    (tmp_path / "holiday.mp4").touch()
    with pytest.raises(ModelError, match=r"must hold a truth\.toml"):
        truth_of(tmp_path)


def test_a_fire_toml_is_read_where_there_is_no_truth_toml(tmp_path):
    written(tmp_path, '[[clip]]\nfile = "older"\n', "fire.toml")
    assert truth_of(tmp_path).clip[0].file == "older"
    written(tmp_path, '[[clip]]\nfile = "newer"\n')
    assert truth_of(tmp_path).clip[0].file == "newer"


def test_videos_without_a_truth_file_are_known_by_their_names(tmp_path):
    (tmp_path / "videos").mkdir()
    for name in ("neg_lamp.mp4", "fire_yard.avi", "smoke_hill.mkv", "holiday.mp4", "fire.txt"):
        (tmp_path / "videos" / name).touch()
    clips = {clip.file: (clip.begins_s, clip.is_negative) for clip in truth_of(tmp_path).clip}
    assert clips == {
        "videos/fire_yard.avi": (0.0, False),
        "videos/neg_lamp.mp4": (None, True),
        "videos/smoke_hill.mkv": (None, False),
    }


def test_the_form_that_the_documentation_shows_is_read(tmp_path):
    page = (ROOT / "docs" / "design" / "evaluation.md").read_text(encoding="utf-8")
    shown = page.split("```toml\n")[1].split("```")[0]
    truth = read_truth(written(tmp_path, shown))
    assert [clip.file for clip in truth.clip] == ["yard.mp4", "square.avi"]
    assert [table.are_of_fire for table in truth.pictures] == [True, False]


def test_the_assets_truth_can_be_read():
    truth = read_truth(material._ASSETS_TRUTH)
    assert sum(clip.is_negative for clip in truth.clip) == 8


# -- pictures ----------------------------------------------------------------------------------


def test_a_folder_of_pictures_that_is_missing_or_wrong_costs_only_itself(tmp_path):
    for name, label in (("good", "2 0.5 0.5 0.2 0.4"), ("bad", "2 0.5 half")):
        (tmp_path / name / "images").mkdir(parents=True)
        (tmp_path / name / "labels").mkdir()
        cv2.imwrite(str(tmp_path / name / "images" / "a.png"), GREY)
        (tmp_path / name / "labels" / "a.txt").write_text(label)
    (tmp_path / "good" / "images" / "b.jpg").write_bytes(b"no picture")
    (tmp_path / "good" / "labels" / "b.txt").write_text("")
    tables = "".join(
        f'[[pictures]]\nfolder = "{name}"\nperson = [2]\n' for name in ("bad", "good", "none")
    )
    lost = []
    found = pictures_in(tmp_path, read_truth(written(tmp_path, tables)).pictures, lost)
    assert [each.path.name for each in found] == ["a.png"]
    assert found[0].marks[0].left == pytest.approx(0.4)
    assert [message.split(": ")[0].removeprefix(str(tmp_path)) for message in lost] == [
        "/bad/labels/a.txt",
        "/good/images/b.jpg",
        "/none",
    ]
    assert "line 1: must be a class and a box" in lost[0]


@pytest.mark.parametrize(
    ("keys", "are_of_fire"),
    [
        ("", True),
        ("person = [0]", False),
        ("person = [0]\nflame = []", True),
        ("flame = [0]", True),
    ],
)
def test_pictures_with_people_alone_are_no_negatives(tmp_path, keys, are_of_fire):
    table = read_truth(written(tmp_path, f'[[pictures]]\nfolder = "a"\n{keys}\n')).pictures[0]
    assert table.are_of_fire is are_of_fire
