"""Fragmented MP4 of one video track, as bytes: initialisation segment and fragments.

One writer serves the disk and the live view. Source: ISO/IEC 14496-12 (boxes), 14496-15 (sample
entries); what Chromium's Media Source wants was measured: movie duration 0, trun with data offset.
"""

import struct
from collections.abc import Sequence

from edge.media.sample import TICKS_PER_S, Codec, CodecParameters, Sample

#: Our own box in a recorded file's head: who made it and when its run began (recording I7).
NOTE_ID = bytes.fromhex("b3c0a1f25d6e4f7a8c1957414e534841")

_UNITY_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_TRACK_ID = 1
_SAMPLE_ENTRIES = {Codec.H264: (b"avc1", b"avcC"), Codec.H265: (b"hvc1", b"hvcC")}
#: sample_depends_on = 2 (on none), or 1 (on others) and sample_is_non_sync_sample (8.8.3.1).
SYNC_FLAGS = 0x0200_0000
NON_SYNC_FLAGS = 0x0101_0000
#: data offset; and duration, size, flags and composition offset of each sample (8.8.8.1).
TRUN_FLAGS = 0x000F01
_MAX_CTS_90K = 10 * TICKS_PER_S


def init_segment(parameters: CodecParameters, note: bytes = b"") -> bytes:
    """Return ``ftyp`` and ``moov`` of a track with these parameters.

    A ``note`` goes into a ``uuid`` box between them, which players pass over.
    """
    noted = _box(b"uuid", NOTE_ID, note) if note else b""
    return _box(b"ftyp", b"iso6", bytes(4), b"iso6mp41") + noted + _moov(parameters)


def fragment(samples: Sequence[Sample], durations_90k: Sequence[int], sequence: int) -> bytes:
    """Return the bytes of :func:`fragment_parts` in one piece."""
    return b"".join(fragment_parts(samples, durations_90k, sequence))


def fragment_parts(
    samples: Sequence[Sample], durations_90k: Sequence[int], sequence: int
) -> list[bytes]:
    """Return ``moof`` and ``mdat`` of samples (at least one) that follow one another in one run.

    They come in parts, the samples' own bytes among them, for who writes without copying.
    ``durations_90k`` are the true distances to the next sample, one a sample; their sum with the
    first sample's media time is where the next fragment begins. ``sequence`` grows by fragment.
    """
    entries: list[int] = []
    for sample, duration_90k in zip(samples, durations_90k, strict=True):
        # A composition offset of more than seconds is a broken camera's, and may not fit 32 bits.
        ahead_90k = sample.pts_90k - sample.dts_90k
        cts_90k = ahead_90k if abs(ahead_90k) <= _MAX_CTS_90K else 0
        flags = SYNC_FLAGS if sample.is_key else NON_SYNC_FLAGS
        entries += (duration_90k, len(sample.data), flags, cts_90k)
    table = struct.pack(">" + "IIIi" * len(samples), *entries)
    moof = _moof(sequence, samples[0].dts_90k, len(samples), table)
    payload_bytes = sum(len(sample.data) for sample in samples)
    head = struct.pack(">I4s", payload_bytes + 8, b"mdat")
    return [moof + head, *(sample.data for sample in samples)]


def _moof(sequence: int, dts_90k: int, count: int, table: bytes) -> bytes:
    mfhd = _full_box(b"mfhd", 0, 0, struct.pack(">I", sequence & 0xFFFF_FFFF))
    tfhd = _full_box(b"tfhd", 0, 0x020000, struct.pack(">I", _TRACK_ID))  # default-base-is-moof
    tfdt = _full_box(b"tfdt", 1, 0, struct.pack(">Q", dts_90k))
    trun_bytes = 8 + 4 + 8 + len(table)
    moof_bytes = 8 + len(mfhd) + 8 + len(tfhd) + len(tfdt) + trun_bytes
    data_offset = moof_bytes + 8
    trun = _full_box(b"trun", 1, TRUN_FLAGS, struct.pack(">Ii", count, data_offset), table)
    return _box(b"moof", mfhd, _box(b"traf", tfhd, tfdt, trun))


def _moov(parameters: CodecParameters) -> bytes:
    mvhd = _full_box(
        b"mvhd",
        0,
        0,
        struct.pack(">IIIIIH", 0, 0, TICKS_PER_S, 0, 0x10000, 0x100),
        bytes(10),
        _UNITY_MATRIX,
        bytes(24),
        struct.pack(">I", _TRACK_ID + 1),
    )
    trex = _full_box(b"trex", 0, 0, struct.pack(">5I", _TRACK_ID, 1, 0, 0, 0))
    return _box(b"moov", mvhd, _trak(parameters), _box(b"mvex", trex))


def _trak(parameters: CodecParameters) -> bytes:
    width, height = parameters.width, parameters.height
    tkhd = _full_box(
        b"tkhd",
        0,
        3,  # enabled, in movie
        struct.pack(">IIIII", 0, 0, _TRACK_ID, 0, 0),
        bytes(16),
        _UNITY_MATRIX,
        struct.pack(">II", width << 16, height << 16),
    )
    undetermined = 0x55C4  # the language "und"
    mdhd = _full_box(b"mdhd", 0, 0, struct.pack(">IIIIHH", 0, 0, TICKS_PER_S, 0, undetermined, 0))
    hdlr = _full_box(b"hdlr", 0, 0, bytes(4), b"vide", bytes(12), b"video\x00")
    vmhd = _full_box(b"vmhd", 0, 1, bytes(8))
    here = _full_box(b"url ", 0, 1)
    dinf = _box(b"dinf", _full_box(b"dref", 0, 0, struct.pack(">I", 1), here))
    stbl = _box(
        b"stbl",
        _full_box(b"stsd", 0, 0, struct.pack(">I", 1), _sample_entry(parameters)),
        _full_box(b"stts", 0, 0, bytes(4)),
        _full_box(b"stsc", 0, 0, bytes(4)),
        _full_box(b"stsz", 0, 0, bytes(8)),
        _full_box(b"stco", 0, 0, bytes(4)),
    )
    return _box(b"trak", tkhd, _box(b"mdia", mdhd, hdlr, _box(b"minf", vmhd, dinf, stbl)))


def _sample_entry(parameters: CodecParameters) -> bytes:
    entry_type, record_type = _SAMPLE_ENTRIES[parameters.codec]
    return _box(
        entry_type,
        bytes(6),
        struct.pack(">H", 1),  # data reference
        bytes(16),
        struct.pack(">HHIIIH", parameters.width, parameters.height, 0x480000, 0x480000, 0, 1),
        bytes(32),
        struct.pack(">Hh", 24, -1),
        _box(record_type, parameters.extradata),
    )


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", len(body) + 8, kind) + body


def _full_box(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    return _box(kind, struct.pack(">I", version << 24 | flags), *parts)
