"""The photo of a notice sign reduced to its picture (points I5). Pure.

What a telephone writes beside the picture goes: where and when it was taken, by what, a small
picture, a film. Of a JPEG it keeps which way up it is.
"""

import zlib
from dataclasses import dataclass
from typing import Literal

from central.errors import InvalidError
from central.examples.frame import bare

MAX_BYTES = 5_000_000
#: Beyond it a browser may not show it.
_MOST_PIXELS = 100_000_000

_PNG = b"\x89PNG\r\n\x1a\n"
_CHUNK_BYTES = 12  # length, name and check sum
#: What a decoder needs: palette, transparency, how grey and colours are meant.
_KEPT_CHUNKS = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"sRGB", b"cHRM"})

_APP1, _EXIF = 0xE1, b"Exif\0\0"
_ORIENTATION_TAG = 0x0112
_ENTRY_BYTES = 12
#: Frames of JPEG; DHT, JPG and DAC have numbers between them and are none.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SCAN = 0xDA
#: Markers that nothing belongs to.
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture's own bytes."""

    data: bytes
    media_type: str
    width: int
    height: int


def clean(data: bytes) -> Picture:
    """Return a JPEG or PNG without what does not belong to its picture.

    Raises InvalidError for anything else, for what is damaged, too long, or has too many pixels.
    """
    if not 0 < len(data) <= MAX_BYTES:
        raise InvalidError(f"the photo: must have 1 to {MAX_BYTES} bytes, not {len(data)}")
    picture = _png(data) if data.startswith(_PNG) else _jpeg(data)
    if not 0 < picture.width * picture.height <= _MOST_PIXELS:
        raise InvalidError(f"the photo: {picture.width} × {picture.height} pixels are not taken")
    return picture


def _jpeg(data: bytes) -> Picture:
    try:
        plain = bare(data)
    except InvalidError:
        raise InvalidError("the photo: must be a whole JPEG or PNG") from None
    width, height = _jpeg_size(plain)
    turned = _orientation(data)
    if turned > 1:
        tiff = (
            b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0" + bytes((turned, 0, 0, 0)) + bytes(4)
        )
        payload = _EXIF + tiff
        segment = bytes((0xFF, _APP1)) + (len(payload) + 2).to_bytes(2) + payload
        plain = plain[:2] + segment + plain[2:]
    return Picture(plain, "image/jpeg", width, height)


def _jpeg_size(plain: bytes) -> tuple[int, int]:
    """Return the size that the frame of a bare JPEG says."""
    at = 2
    while at + 9 <= len(plain) and (marker := plain[at + 1]) != _SCAN:
        if marker in _FRAMES:
            return int.from_bytes(plain[at + 7 : at + 9]), int.from_bytes(plain[at + 5 : at + 7])
        at += 2 if marker in _ALONE else 2 + int.from_bytes(plain[at + 2 : at + 4])
    raise InvalidError("the photo: a JPEG that does not say how large it is")


def _orientation(data: bytes) -> int:
    """Return which way up a JPEG's Exif says it is, 1 to 8; 1 where it says nothing sensible."""
    at = 2
    while data[at : at + 1] == b"\xff" and at + 4 <= len(data) and data[at + 1] != _SCAN:
        length = int.from_bytes(data[at + 2 : at + 4])
        payload = data[at + 4 : at + 2 + length]
        if data[at + 1] == _APP1 and payload.startswith(_EXIF):
            return _turned(payload[len(_EXIF) :])
        at += 2 + max(length, 2)
    return 1


def _turned(tiff: bytes) -> int:
    if tiff[:2] not in (b"II", b"MM"):
        return 1
    order: Literal["little", "big"] = "little" if tiff[:2] == b"II" else "big"

    def number(start: int, size: int) -> int:
        return int.from_bytes(tiff[start : start + size], order)

    first = number(4, 4)
    for entry in range(first + 2, first + 2 + _ENTRY_BYTES * number(first, 2), _ENTRY_BYTES):
        if entry + _ENTRY_BYTES > len(tiff):
            return 1
        if number(entry, 2) == _ORIENTATION_TAG:
            value = number(entry + 8, 2)
            return value if value in range(1, 9) else 1
    return 1


def _png(data: bytes) -> Picture:
    made, at = bytearray(_PNG), len(_PNG)
    names: list[bytes] = []
    while not names or names[-1] != b"IEND":
        length = int.from_bytes(data[at : at + 4])
        chunk = data[at : at + length + _CHUNK_BYTES]
        name = chunk[4:8]
        if len(chunk) < length + _CHUNK_BYTES or zlib.crc32(chunk[4:-4]) != int.from_bytes(
            chunk[-4:]
        ):
            raise InvalidError("the photo: must be a whole JPEG or PNG")
        if not names and (name != b"IHDR" or length != 13):  # noqa: PLR2004 - as every PNG begins
            raise InvalidError("the photo: must be a whole JPEG or PNG")
        names.append(name)
        if name in _KEPT_CHUNKS:
            made += chunk
        at += len(chunk)
    if b"IDAT" not in names:
        raise InvalidError("the photo: must be a whole JPEG or PNG")
    width, height = int.from_bytes(made[16:20]), int.from_bytes(made[20:24])
    return Picture(bytes(made), "image/png", width, height)
