"""An ordinary MP4 of one video track, as bytes: the index in front, then the samples.

Every player takes it, also those that know no fragments. Source: ISO/IEC 14496-12.
"""

import struct
import sys
from array import array
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import groupby

from edge.media.fmp4 import UNITY_MATRIX, box, full_box, sample_entry
from edge.media.sample import TICKS_PER_S, CodecParameters

_EPOCH = datetime(1904, 1, 1, tzinfo=UTC)  # of the format (8.2.2)
_HEAD_BYTES = 8
_LARGE_HEAD_BYTES = 16
_FAR = 1 << 32
#: Of a head: its fixed boxes with any parameter sets, and what a sample and a chunk take at most.
_FIXED_ROOM_BYTES = 8192
_SAMPLE_ROOM_BYTES = 8 + 8 + 4 + 4
_CHUNK_ROOM_BYTES = 12 + 8
#: The index itself lies before the samples and moves them on.
_INDEX_ROOM_BYTES = 1 << 28


class SampleTable:
    """What the index says of each sample, as the samples come; about 16 bytes a sample.

    Samples lie one after the other in the payload. Call ``add`` once a sample, in decoding order.
    """

    def __init__(self) -> None:
        self._sizes = array("I")
        self._at_90k = array("Q")
        self._cts_90k = array("i")
        self._keys = array("I")
        self._chunks = array("Q")
        self._chunk_samples = array("I")
        self._last_duration_90k = 0
        self._shown_90k = 0
        self.payload_bytes = 0

    def __len__(self) -> int:
        return len(self._sizes)

    def add(
        self,
        size_bytes: int,
        at_90k: int,
        duration_90k: int,
        cts_90k: int,
        *,
        is_key: bool,
        begins_chunk: bool,
    ) -> None:
        """Append a sample at ``at_90k``, decoding time from any start, above the one before.

        A sample lasts until the next one; ``duration_90k`` counts for the last.
        """
        if begins_chunk or not self._chunks:
            self._chunks.append(self.payload_bytes)
            self._chunk_samples.append(0)
        self._chunk_samples[-1] += 1
        self._sizes.append(size_bytes)
        self._at_90k.append(at_90k)
        self._cts_90k.append(cts_90k)
        if is_key:
            self._keys.append(len(self._sizes))
        self._last_duration_90k = duration_90k
        self._shown_90k = max(self._shown_90k, at_90k + cts_90k + duration_90k)
        self.payload_bytes += size_bytes

    def rows(self) -> Iterator[tuple[int, int, int]]:
        """Yield size, decoding time and composition offset of each sample."""
        return zip(self._sizes, self._at_90k, self._cts_90k, strict=True)

    @property
    def chunks(self) -> int:
        """How many chunks the samples are in."""
        return len(self._chunks)

    @property
    def duration_90k(self) -> int:
        """From the first sample's decoding time to the end of the last."""
        if not self._at_90k:
            return 0
        return self._at_90k[-1] - self._at_90k[0] + self._last_duration_90k

    def boxes(self, payload_offset: int) -> bytes:
        """Return the sample boxes; ``payload_offset`` is where the first sample's bytes are."""
        count = len(self._sizes)
        wide = self.payload_bytes + _INDEX_ROOM_BYTES >= _FAR
        chunk_kind, code = (b"co64", "Q") if wide else (b"stco", "I")
        chunks = array(code, (payload_offset + each for each in self._chunks))
        return b"".join(
            (
                full_box(b"stts", 0, 0, self._durations()),
                full_box(b"ctts", 1, 0, _runs(self._cts_90k, ">Ii")),
                full_box(b"stsc", 0, 0, self._chunk_runs()),
                full_box(b"stsz", 0, 0, struct.pack(">II", 0, count), _big(self._sizes)),
                full_box(chunk_kind, 0, 0, struct.pack(">I", len(chunks)), _big(chunks)),
                full_box(b"stss", 0, 0, struct.pack(">I", len(self._keys)), _big(self._keys)),
            )
        )

    @property
    def shown_90k(self) -> int:
        """From when the first sample is shown to the end of the one that is shown last."""
        return self._shown_90k - self._at_90k[0] - self._cts_90k[0] if self._at_90k else 0

    @property
    def first_cts_90k(self) -> int:
        """How much later than decoded the first sample is shown."""
        return self._cts_90k[0] if self._cts_90k else 0

    def _durations(self) -> bytes:
        distances = array("I")
        for index in range(1, len(self._at_90k)):
            distances.append(self._at_90k[index] - self._at_90k[index - 1])
        if self._at_90k:
            distances.append(self._last_duration_90k)
        return _runs(distances, ">II")

    def _chunk_runs(self) -> bytes:
        entries = []
        chunk = 1
        for samples, run in groupby(self._chunk_samples):
            entries.append(struct.pack(">III", chunk, samples, 1))
            chunk += sum(1 for _ in run)
        return struct.pack(">I", len(entries)) + b"".join(entries)


def head(
    parameters: CodecParameters, table: SampleTable, began: datetime, room_bytes: int = 0
) -> bytes:
    """Return all that comes before the samples: the payload of ``table`` follows directly.

    ``began`` is the wall time of the first sample: players show it as when the file was made.
    Given ``room_bytes`` the head is exactly as long; :func:`room_for` says what suffices.
    """
    kind = box(b"ftyp", b"isom", struct.pack(">I", 0x200), b"isomiso2mp41")
    payload = _payload_head(table.payload_bytes)
    # The index is as long whatever it says: measure it, then let it say where the samples are.
    needed = len(kind) + len(_moov(parameters, table, began, 0)) + len(payload)
    before = room_bytes or needed
    index = _moov(parameters, table, began, before)
    padding = box(b"free", bytes(before - needed - _HEAD_BYTES)) if before > needed else b""
    return b"".join((kind, index, padding, payload))


def room_for(samples: int, chunks: int) -> int:
    """Return how long a head of so many samples in so many chunks is at most, in bytes."""
    return _FIXED_ROOM_BYTES + samples * _SAMPLE_ROOM_BYTES + chunks * _CHUNK_ROOM_BYTES


def _payload_head(size_bytes: int) -> bytes:
    if size_bytes + _HEAD_BYTES < _FAR:
        return struct.pack(">I4s", size_bytes + _HEAD_BYTES, b"mdat")
    return struct.pack(">I4sQ", 1, b"mdat", size_bytes + _LARGE_HEAD_BYTES)


def _moov(
    parameters: CodecParameters, table: SampleTable, began: datetime, payload_offset: int
) -> bytes:
    made_s = int((began - _EPOCH).total_seconds())
    shown_90k = table.shown_90k
    times = struct.pack(">QQIQ", made_s, made_s, TICKS_PER_S, shown_90k)
    mvhd = full_box(
        b"mvhd",
        1,
        0,
        times,
        struct.pack(">IH", 0x10000, 0x100),
        bytes(10),
        UNITY_MATRIX,
        bytes(24),
        struct.pack(">I", 2),
    )
    tkhd = full_box(
        b"tkhd",
        1,
        3,  # enabled, in movie
        struct.pack(">QQIIQ", made_s, made_s, 1, 0, shown_90k),
        bytes(16),
        UNITY_MATRIX,
        struct.pack(">II", parameters.width << 16, parameters.height << 16),
    )
    # With B-frames the first picture is shown later than it is decoded: the track begins with it.
    elst = full_box(b"elst", 1, 0, struct.pack(">IQqHH", 1, shown_90k, table.first_cts_90k, 1, 0))
    undetermined = 0x55C4  # the language "und"
    media = struct.pack(">QQIQ", made_s, made_s, TICKS_PER_S, table.duration_90k)
    mdhd = full_box(b"mdhd", 1, 0, media, struct.pack(">HH", undetermined, 0))
    hdlr = full_box(b"hdlr", 0, 0, bytes(4), b"vide", bytes(12), b"video\x00")
    vmhd = full_box(b"vmhd", 0, 1, bytes(8))
    dinf = box(b"dinf", full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1)))
    stsd = full_box(b"stsd", 0, 0, struct.pack(">I", 1), sample_entry(parameters))
    stbl = box(b"stbl", stsd, table.boxes(payload_offset))
    mdia = box(b"mdia", mdhd, hdlr, box(b"minf", vmhd, dinf, stbl))
    return box(b"moov", mvhd, box(b"trak", tkhd, box(b"edts", elst), mdia))


def _runs(values: "array[int]", form: str) -> bytes:
    """Return equal neighbours as a count and a value each, behind the number of these."""
    entries = [struct.pack(form, sum(1 for _ in run), value) for value, run in groupby(values)]
    return struct.pack(">I", len(entries)) + b"".join(entries)


def _big(values: "array[int]") -> bytes:
    """Return an array's values as the format has them: big-endian."""
    turned = values[:]
    if sys.byteorder == "little":
        turned.byteswap()
    return turned.tobytes()
