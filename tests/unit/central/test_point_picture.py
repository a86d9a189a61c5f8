import struct
import zlib

import cv2
import numpy as np
import pytest

from central.errors import InvalidError
from central.points.picture import MAX_BYTES, clean
from tests.support.jpeg import jpeg, with_segment


def exif(turned: int, order: str = "<") -> bytes:
    """Return an Exif segment as a telephone writes it: which way up, and where it was taken."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    entries = [
        (0x010F, 2, 4, b"wang"),
        (0x0112, 3, 1, struct.pack(f"{order}HH", turned, 0)),
        (0x8825, 4, 1, b"GPS!"),
    ]
    ifd = struct.pack(f"{order}H", len(entries))
    for tag, kind, count, value in entries:
        ifd += struct.pack(f"{order}HHI", tag, kind, count) + value
    return b"Exif\0\0" + mark + struct.pack(f"{order}I", 8) + ifd + bytes(4) + b"25.1 N 101.2 E"


def png(*, extra: bytes = b"") -> bytes:
    made, coded = cv2.imencode(".png", np.zeros((9, 16, 3), np.uint8))
    assert made
    plain = coded.tobytes()
    return plain[:33] + extra + plain[33:]


def chunk(name: bytes, payload: bytes) -> bytes:
    return len(payload).to_bytes(4) + name + payload + zlib.crc32(name + payload).to_bytes(4)


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_telephones_photo_keeps_which_way_up_it_is_and_nothing_of_where(order):
    sent = with_segment(jpeg(), 0xE1, exif(6, order))
    kept = clean(sent)
    assert (kept.media_type, kept.width, kept.height) == ("image/jpeg", 160, 90)
    for trace in (b"GPS!", b"wang", b"101.2"):
        assert trace in sent
        assert trace not in kept.data
    turned = cv2.imdecode(np.frombuffer(kept.data, np.uint8), cv2.IMREAD_COLOR)
    assert turned is not None
    assert turned.shape == (160, 90, 3)  # a reader turns it
    assert clean(kept.data) == kept


@pytest.mark.parametrize("turned", [0, 1, 9])
def test_one_that_stands_upright_has_no_exif_at_all(turned):
    assert clean(with_segment(jpeg(), 0xE1, exif(turned))).data == jpeg()


@pytest.mark.parametrize(
    "payload", [b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", exif(6)[:24], b"Exif\0\0XX*\0"]
)
def test_a_broken_exif_costs_no_photo(payload):
    assert clean(with_segment(jpeg(), 0xE1, payload)).data == jpeg()


def test_a_png_keeps_its_picture_alone():
    sent = png(extra=chunk(b"tEXt", b"Author\0wang") + chunk(b"eXIf", b"GPS 25.1 N"))
    kept = clean(sent)
    assert kept.data == png()
    assert (kept.media_type, kept.width, kept.height) == ("image/png", 16, 9)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GIF89a",
        jpeg()[:-40],
        png()[:-4],
        png().replace(b"IDAT", b"IDAX"),
        png(extra=b"\0\0\0\0tEXtbad!"),
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", bytes(13))
        + chunk(b"IDAT", b"")
        + chunk(b"IEND", b""),
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", bytes(13)) + chunk(b"IEND", b""),
        b"\x89PNG\r\n\x1a\n" + chunk(b"IEND", b""),
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8" + b"\xff\xd0" * 9 + b"\xff\xd9",
        jpeg() + bytes(MAX_BYTES),
    ],
)
def test_what_is_no_whole_picture_is_refused(sent):
    with pytest.raises(InvalidError, match="the photo"):
        clean(sent)


def test_a_picture_that_no_browser_would_show_is_refused():
    head = (50_000).to_bytes(4) + (50_000).to_bytes(4) + b"\x08\x02\0\0\0"
    sent = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    with pytest.raises(InvalidError, match="50000 × 50000"):
        clean(sent)
