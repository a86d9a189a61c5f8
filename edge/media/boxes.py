"""Reading our own fragmented MP4 back, box by box: after a crash, and while a file still grows.

The end of such a file may be torn anywhere; what is complete is returned and the rest is ignored.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from edge.errors import MediaError
from edge.media.fmp4 import NOTE_ID, SYNC_FLAGS, TRUN_FLAGS
from edge.media.parameters import mime_codec
from edge.media.sample import Codec, CodecParameters

_HEAD = struct.Struct(">I4s")
_HEAD_BYTES = 8
#: Ours are a few kilobytes: a second of samples, or two parameter sets.
_MAX_INDEX_BOX_BYTES = 1 << 20
_CODECS = {b"avc1": (Codec.H264, b"avcC"), b"hvc1": (Codec.H265, b"hvcC")}
_VISUAL_ENTRY_BYTES = 78  # of a VisualSampleEntry before its boxes
_NON_SYNC = 0x0001_0000


@dataclass(frozen=True, slots=True)
class SampleEntry:
    """Where one sample's bytes are in the file, and its times."""

    offset: int
    size_bytes: int
    dts_90k: int
    duration_90k: int
    cts_90k: int
    is_key: bool


@dataclass(frozen=True, slots=True)
class Fragment:
    """A complete ``moof`` and ``mdat``; ``offset`` is the moof's, ``samples`` are never empty."""

    offset: int
    size_bytes: int
    samples: tuple[SampleEntry, ...]

    @property
    def dts_90k(self) -> int:
        """The media time of its first sample in its run."""
        return self.samples[0].dts_90k

    @property
    def end_90k(self) -> int:
        """The media time at which the next fragment begins."""
        return self.samples[-1].dts_90k + self.samples[-1].duration_90k

    @property
    def starts_key(self) -> bool:
        """Whether decoding can begin here."""
        return self.samples[0].is_key


@dataclass(frozen=True, slots=True)
class Head:
    """A file's initialisation segment: its length, the writer's note, the track's parameters."""

    init_bytes: int
    note: bytes
    parameters: CodecParameters


def read_head(file: BinaryIO, size_bytes: int) -> Head:
    """Return what the first boxes of a file of ``size_bytes`` say.

    Raises MediaError where the initialisation segment is not complete or not one of ours.
    """
    note = b""
    for kind, start, end in _top_boxes(file, 0, size_bytes):
        if kind == b"uuid":
            body = _body(file, start, end)
            note = body[16:] if body.startswith(NOTE_ID) else b""
        elif kind == b"moov":
            return Head(end, note, _track(_body(file, start, end)))
        elif kind != b"ftyp":
            break
    raise MediaError(f"no complete initialisation segment in {size_bytes} bytes")


def fragments(file: BinaryIO, start: int, size_bytes: int) -> Iterator[Fragment]:
    """Yield the complete fragments between ``start`` (a box's beginning) and ``size_bytes``.

    It ends at the first box that is torn or that this product does not write; it raises nothing
    but OSError for the file itself.
    """
    moof: tuple[int, bytes] | None = None
    for kind, begin, end in _top_boxes(file, start, size_bytes):
        if kind == b"moof" and end - begin <= _MAX_INDEX_BOX_BYTES:
            moof = begin, _body(file, begin, end)
        elif kind == b"mdat" and moof is not None:
            try:
                samples = _samples(*moof, payload=(begin + _HEAD_BYTES, end))
            except MediaError:
                return
            yield Fragment(moof[0], end - moof[0], samples)
            moof = None
        else:
            return


def holds_nal_units(data: bytes | memoryview) -> bool:
    """Say whether a sample is made of whole length-prefixed NAL units.

    After a power cut a file may have its full length and zeros where the data should be.
    """
    position = 0
    while position + 4 <= len(data):
        length = int.from_bytes(data[position : position + 4])
        if length == 0:
            return False
        position += 4 + length
    return position == len(data) > 0


def _top_boxes(file: BinaryIO, start: int, size_bytes: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start and end of each complete box at the top of the file."""
    while start + _HEAD_BYTES <= size_bytes:
        file.seek(start)
        head = file.read(_HEAD_BYTES)
        if len(head) < _HEAD_BYTES:
            return
        size, kind = _HEAD.unpack(head)
        end = start + size
        if size < _HEAD_BYTES or end > size_bytes:
            return
        yield kind, start, end
        start = end


def _body(file: BinaryIO, start: int, end: int) -> bytes:
    length = end - start - _HEAD_BYTES
    if length > _MAX_INDEX_BOX_BYTES:
        raise MediaError(f"a box of {length} bytes where a small one should be")
    file.seek(start + _HEAD_BYTES)
    return file.read(length)


def _children(body: bytes, position: int = 0) -> Iterator[tuple[bytes, bytes]]:
    while position + _HEAD_BYTES <= len(body):
        size, kind = _HEAD.unpack_from(body, position)
        if size < _HEAD_BYTES or position + size > len(body):
            raise MediaError(f"box {kind!r} of {size} bytes does not fit")
        yield kind, body[position + _HEAD_BYTES : position + size]
        position += size


def _child(body: bytes, wanted: bytes, position: int = 0) -> bytes:
    for kind, content in _children(body, position):
        if kind == wanted:
            return content
    raise MediaError(f"no box {wanted!r}")


def _track(moov: bytes) -> CodecParameters:
    mdia = _child(_child(moov, b"trak"), b"mdia")
    stsd = _child(_child(_child(mdia, b"minf"), b"stbl"), b"stsd")
    for kind, entry in _children(stsd, position=8):
        if kind not in _CODECS or len(entry) < _VISUAL_ENTRY_BYTES:
            break
        codec, record_type = _CODECS[kind]
        width, height = struct.unpack_from(">HH", entry, 24)
        record = _child(entry, record_type, _VISUAL_ENTRY_BYTES)
        return CodecParameters(codec, width, height, record, mime_codec(codec, record))
    raise MediaError("no video sample entry of ours")


def _samples(offset: int, moof: bytes, payload: tuple[int, int]) -> tuple[SampleEntry, ...]:
    """Return the samples of one fragment; they must fill the payload exactly."""
    traf = _child(moof, b"traf")
    tfdt, trun = _child(traf, b"tfdt"), _child(traf, b"trun")
    try:
        dts_90k = struct.unpack(">4xQ", tfdt)[0]
        flags, count, data_offset = struct.unpack_from(">IIi", trun)
    except struct.error as error:
        raise MediaError("tfdt or trun is too short") from error
    if flags & 0xFFFFFF != TRUN_FLAGS or count == 0 or len(trun) != 12 + 16 * count:
        raise MediaError("trun is not one of ours")
    position = offset + data_offset
    if position != payload[0]:
        raise MediaError("samples do not begin at the payload")
    samples = []
    for duration, size, sample_flags, cts in struct.iter_unpack(">IIIi", trun[12:]):
        is_key = sample_flags & _NON_SYNC == 0 and sample_flags & SYNC_FLAGS != 0
        samples.append(SampleEntry(position, size, dts_90k, duration, cts, is_key))
        position += size
        dts_90k += duration
    if position != payload[1]:
        raise MediaError("samples do not fill the payload")
    return tuple(samples)
