"""A JPEG reduced to its picture: no place, time, name or remark beside it (examples I2). Pure.

What is *in* the picture stays as it is: what a camera writes into its own corner, too.
"""

from central.errors import InvalidError

_BEGIN, _END, _SCAN = 0xD8, 0xD9, 0xDA
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
#: JFIF says how the samples lie, Adobe's how the colours are meant; a decoder needs both.
_JFIF, _ADOBE = (0xE0, b"JFIF\0"), (0xEE, b"Adobe")
#: What JFIF's and Adobe's segments hold besides, such as a small picture, is left out.
_JFIF_BYTES, _ADOBE_BYTES = 14, 12
_REMARKS = frozenset({*range(0xE0, 0xF0), 0xFE})
_LENGTH_BYTES = 2


def bare(jpeg: bytes) -> bytes:
    """Return the JPEG without what does not belong to its picture, and without what follows it.

    Raises InvalidError for what is no whole JPEG.
    """
    if jpeg[:2] != bytes((0xFF, _BEGIN)):
        raise InvalidError("not a JPEG")
    made, at = bytearray(jpeg[:2]), 2
    while True:
        at, marker = _marker(jpeg, at)
        if marker == _END:
            return bytes(made + bytes((0xFF, _END)))
        if marker in _ALONE:
            made += bytes((0xFF, marker))
            continue
        segment = _segment(jpeg, at)
        at += len(segment)
        made += _kept(marker, segment[_LENGTH_BYTES:])
        if marker == _SCAN:
            end = _end_of_scan(jpeg, at)
            made += jpeg[at:end]
            at = end


def _marker(jpeg: bytes, at: int) -> tuple[int, int]:
    """Return where the marker at ``at`` ends, and which it is."""
    if at >= len(jpeg) or jpeg[at] != 0xFF:  # noqa: PLR2004 - what markers begin with
        raise InvalidError("not a whole JPEG")
    while at < len(jpeg) and jpeg[at] == 0xFF:  # noqa: PLR2004 - it may be filled up with more
        at += 1
    if at >= len(jpeg) or jpeg[at] == 0:
        raise InvalidError("not a whole JPEG")
    return at + 1, jpeg[at]


def _segment(jpeg: bytes, at: int) -> bytes:
    """Return the segment at ``at``, its length first."""
    length = int.from_bytes(jpeg[at : at + _LENGTH_BYTES])
    segment = jpeg[at : at + length]
    if length < _LENGTH_BYTES or len(segment) < length:
        raise InvalidError("not a whole JPEG")
    return segment


def _kept(marker: int, payload: bytes) -> bytes:
    """Return a segment as it is kept; nothing for a remark."""
    if marker in _REMARKS:
        if marker == _JFIF[0] and payload.startswith(_JFIF[1]) and len(payload) >= _JFIF_BYTES:
            payload = payload[: _JFIF_BYTES - 2] + b"\0\0"  # a small picture of 0 × 0
        elif marker == _ADOBE[0] and payload.startswith(_ADOBE[1]):
            payload = payload[:_ADOBE_BYTES]
        else:
            return b""
    return bytes((0xFF, marker)) + (len(payload) + _LENGTH_BYTES).to_bytes(2) + payload


def _end_of_scan(jpeg: bytes, at: int) -> int:
    """Return where the coded picture that begins at ``at`` ends: at the next marker of its own."""
    while True:
        at = jpeg.find(0xFF, at)
        if at < 0 or at + 1 >= len(jpeg):
            raise InvalidError("not a whole JPEG")
        if jpeg[at + 1] != 0 and jpeg[at + 1] not in _ALONE:
            return at
        at += 2
