import cv2
import numpy as np
import pytest

from central.errors import InvalidError
from central.examples.frame import bare
from tests.support.jpeg import jpeg, with_segment

EXIF = b"Exif\0\0 25.1 N 101.2 E"


def pixels(coded: bytes) -> np.ndarray:
    shown = cv2.imdecode(np.frombuffer(coded, np.uint8), cv2.IMREAD_COLOR)
    assert shown is not None
    return np.asarray(shown)


@pytest.mark.parametrize(
    ("marker", "payload"),
    [
        (0xE1, EXIF),
        (0xE1, b"http://ns.adobe.com/xap/1.0/\0<creator>wang</creator>"),
        (0xE2, b"ICC_PROFILE\0\1\1 made by wang"),
        (0xED, b"Photoshop 3.0\0 by wang"),
        (0xE0, b"JFXX\0 a small picture"),
        (0xE0, b"JFIF\0"),  # too short for what it says it is
        (0xEE, b"no word of a colour"),
        (0xFE, "王强拍摄".encode()),
    ],
)
def test_what_is_beside_the_picture_goes_and_the_picture_stays(marker, payload):
    plain = jpeg()
    assert bare(with_segment(plain, marker, payload)) == plain


def test_what_follows_the_end_goes(tmp_path):
    assert bare(jpeg() + b"GPS 25.1 N") == jpeg()


def test_the_small_picture_in_a_jfif_segment_goes():
    plain = jpeg()
    assert plain[2:4] == b"\xff\xe0"
    body = plain[20:]  # behind JFIF's sixteen bytes and their marker
    small = plain[6:18] + b"\1\1" + b"rgb"
    with_small = with_segment(plain[:2] + body, 0xE0, small)
    assert b"rgb" not in bare(with_small)
    assert np.array_equal(pixels(bare(with_small)), pixels(plain))


def test_what_a_decoder_needs_to_know_of_colours_stays():
    adobe = b"Adobe\0d\0\0\0\0\1"
    assert bare(with_segment(jpeg(), 0xEE, adobe + b" by wang")) == with_segment(
        jpeg(), 0xEE, adobe
    )


@pytest.mark.parametrize("flag", [cv2.IMWRITE_JPEG_PROGRESSIVE, cv2.IMWRITE_JPEG_RST_INTERVAL])
def test_pictures_of_several_scans_and_with_restarts_stay_as_they_are(flag):
    made, coded = cv2.imencode(".jpg", pixels(jpeg()), [flag, 1])
    assert made
    plain = coded.tobytes()
    assert bare(with_segment(plain, 0xE1, EXIF)) == plain


def test_bytes_that_fill_up_before_a_marker_are_no_part_of_it():
    plain = jpeg()
    assert bare(plain[:2] + b"\xff\xff" + plain[2:]) == plain


def test_a_marker_without_a_length_stays():
    plain = jpeg()
    assert bare(plain[:2] + b"\xff\x01" + plain[2:]) == plain[:2] + b"\xff\x01" + plain[2:]


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"GIF89a",
        b"\xff\xd8",
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\x00",
        b"\xff\xd8nothing",
        b"\xff\xd8\xff\xe0\0\1",  # shorter than its own length
        b"\xff\xd8\xff\xe0\0\x10JFIF\0",  # cut in a segment
        jpeg()[:-2],  # cut before its end
        jpeg()[:-1],
    ],
)
def test_what_is_no_whole_jpeg_is_refused(broken):
    with pytest.raises(InvalidError, match="JPEG"):
        bare(broken)
