import io
import json
import zipfile

from central.codes import FalseReason
from central.examples.archive import Picture, archive
from protocol.messages import AlertKind
from tests.support.jpeg import jpeg


def example(folder, number: int, reason: FalseReason = FalseReason.SUNSET, size: int = 90):
    path = folder / f"{number}.jpg"
    path.write_bytes(jpeg(number, size, size))
    return Picture(number, path, AlertKind.FLAME, reason, None, "9f3a01c2", "2026-11-26")


def opened(pieces) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(b"".join(pieces)))


def test_pictures_lie_beside_their_labels_and_are_byte_for_byte_what_was_kept(tmp_path):
    kept = example(tmp_path, 7)
    made = opened(archive([kept]))
    assert made.testzip() is None
    assert made.namelist() == [
        "images/9f3a01c2-000007.jpg",
        "labels/9f3a01c2-000007.txt",
        "fire.toml",
        "examples.json",
    ]
    assert made.read("images/9f3a01c2-000007.jpg") == kept.path.read_bytes()
    assert made.read("labels/9f3a01c2-000007.txt") == b""


def test_where_all_may_burn_nothing_is_said_to_be_a_negative(tmp_path):
    made = opened(archive([example(tmp_path, 1, FalseReason.RITUAL_BURNING)]))
    assert made.namelist() == ["unlabelled/9f3a01c2-000001.jpg", "examples.json"]


def test_a_picture_that_was_deleted_meanwhile_is_left_out_of_the_list_too(tmp_path):
    here, gone = example(tmp_path, 1), example(tmp_path, 2)
    gone.path.unlink()
    made = opened(archive([here, gone]))
    said = json.loads(made.read("examples.json"))["pictures"]
    assert [each["file"] for each in said] == ["images/9f3a01c2-000001.jpg"]


def test_no_more_than_a_picture_waits_in_memory(tmp_path):
    pictures = [example(tmp_path, number, size=200) for number in range(1, 6)]
    largest = max(picture.path.stat().st_size for picture in pictures)
    pieces = list(archive(pictures))
    assert max(len(piece) for piece in pieces[:-1]) < largest + 1000
    assert len(pieces) == len(pictures) + 1


def test_an_archive_of_nothing_is_one_all_the_same():
    assert json.loads(opened(archive([])).read("examples.json")) == {"form": 1, "pictures": []}
