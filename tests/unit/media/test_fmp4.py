from dataclasses import replace
from io import BytesIO

import av
import pytest

from edge.errors import MediaError
from edge.media.boxes import Head, SampleEntry, fragments, holds_nal_units, read_head
from edge.media.fmp4 import fragment, init_segment
from edge.media.sample import Codec, Sample
from edge.media.timeline import Timeline
from protocol.relay import StreamName
from tests.support.packets import FRAME_90K, grey, packets


def samples_of(codec: Codec = Codec.H264, frames: int = 50, **encoding) -> list[Sample]:
    line = Timeline("gate", StreamName.MAIN, codec)
    items = [item for packet in packets(codec, frames, **encoding) for item in line.feed(packet)]
    return [item for item in items if isinstance(item, Sample)]


def filed(samples: list[Sample], size: int = 10) -> bytes:
    parts = [init_segment(samples[0].run.parameters)]
    for number, first in enumerate(range(0, len(samples), size)):
        part = samples[first : first + size]
        parts.append(fragment(part, [FRAME_90K] * len(part), number + 1))
    return b"".join(parts)


@pytest.mark.parametrize("codec", [Codec.H264, Codec.H265])
@pytest.mark.parametrize("b_frames", [0, 2])
def test_a_file_decodes_cleanly_picture_by_picture_at_its_times(codec, b_frames):
    samples = samples_of(codec, b_frames=b_frames)

    with av.open(BytesIO(filed(samples))) as container:
        stream = container.streams.video[0]
        assert stream.time_base is not None
        assert stream.time_base.denominator == 90_000
        frames = list(container.decode(stream))

    first = min(sample.pts_90k for sample in samples)
    assert [frame.pts - frames[0].pts for frame in frames] == [i * FRAME_90K for i in range(50)]
    assert frames[0].pts == first
    luma = [int(frame.to_ndarray(format="gray")[60, 80]) for frame in frames]
    assert max(abs(seen - grey(index)) for index, seen in enumerate(luma)) <= 8


def test_h265_carries_the_sample_entry_that_browsers_ask_for():
    samples = samples_of(Codec.H265, 5)

    with av.open(BytesIO(filed(samples))) as container:
        assert container.streams.video[0].codec_context.codec_tag == "hvc1"


def test_the_reader_finds_every_sample_where_the_writer_put_it():
    samples = samples_of(frames=5, gop=5, b_frames=2)
    init = init_segment(samples[0].run.parameters, b"a note")
    durations = [3600, 3601, 3599, 3600, 7777]
    data = init + fragment(samples[:2], durations[:2], 1) + fragment(samples[2:], durations[2:], 2)
    file = BytesIO(data)

    head = read_head(file, len(data))
    found = list(fragments(file, head.init_bytes, len(data)))

    assert head == Head(len(init), b"a note", samples[0].run.parameters)
    assert [part.offset for part in found] == [len(init), len(init) + found[0].size_bytes]
    assert [(part.dts_90k, part.end_90k, part.starts_key) for part in found] == [
        (0, 7201, True),
        (7200, 7200 + 3599 + 3600 + 7777, False),
    ]
    entries = [entry for part in found for entry in part.samples]
    assert [data[entry.offset : entry.offset + entry.size_bytes] for entry in entries] == [
        sample.data for sample in samples
    ]
    assert [(entry.duration_90k, entry.cts_90k, entry.is_key) for entry in entries] == [
        (duration, sample.pts_90k - sample.dts_90k, sample.is_key)
        for duration, sample in zip(durations, samples, strict=True)
    ]


def test_a_media_time_beyond_32_bits_is_kept():
    (sample,) = samples_of(frames=1, gop=1)
    days = 90_000 * 86_400 * 365
    late = replace(sample, dts_90k=days, pts_90k=days)
    data = init_segment(sample.run.parameters) + fragment([late], [3600], 2**32 + 5)

    (found,) = fragments(BytesIO(data), len(init_segment(sample.run.parameters)), len(data))

    assert found.samples == (
        SampleEntry(len(data) - len(sample.data), len(sample.data), days, 3600, 0, is_key=True),
    )


def test_a_torn_tail_ends_the_fragments_and_harms_none_before():
    samples = samples_of(frames=20, gop=10)
    data = filed(samples)
    head = read_head(BytesIO(data), len(data))
    whole = list(fragments(BytesIO(data), head.init_bytes, len(data)))
    second = whole[1]

    torn = list(fragments(BytesIO(data), head.init_bytes, second.offset + second.size_bytes - 1))
    zeroed = data[: second.offset] + bytes(len(data) - second.offset)

    assert torn == whole[:1]
    assert list(fragments(BytesIO(zeroed), head.init_bytes, len(zeroed))) == whole[:1]


def test_a_file_without_a_complete_head_is_refused():
    data = filed(samples_of(frames=1, gop=1))
    init_bytes = read_head(BytesIO(data), len(data)).init_bytes

    for length in (0, 7, 30, init_bytes - 1):
        with pytest.raises(MediaError):
            read_head(BytesIO(data[:length]), length)


def test_somebody_elses_uuid_box_is_no_note():
    data = filed(samples_of(frames=1, gop=1))
    foreign = data[:24] + (24).to_bytes(4) + b"uuid" + bytes(16) + data[24:]

    assert read_head(BytesIO(foreign), len(foreign)).note == b""


def test_nal_units_that_fill_a_sample_are_told_from_zeros():
    (sample,) = samples_of(frames=1, gop=1)

    assert holds_nal_units(sample.data)
    assert not holds_nal_units(sample.data[:-1])
    assert not holds_nal_units(bytes(len(sample.data)))
    assert not holds_nal_units(b"")


def patched(old: bytes, new: bytes) -> bytes:
    data = filed(samples_of(frames=1, gop=1))
    assert data.count(old) == 1
    return data.replace(old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"avc1\0\0\0\0", b"jpeg\0\0\0\0"),  # a coding we don't write
        (b"avcC", b"free"),  # no decoder record
        (b"trak", b"free"),
        (b"mdia", b"free"),
        (b"stsd", b"free"),
        (b"trak", b"\xff" * 4),
    ],
)
def test_a_head_of_another_kind_is_refused(old, new):
    data = patched(old, new)

    with pytest.raises(MediaError):
        read_head(BytesIO(data), len(data))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"tfdt", b"free"),
        (b"trun\1\0\x0f\1", b"trun\1\0\x0e\1"),  # fields we don't write
        (b"trun\1\0\x0f\1\0\0\0\1", b"trun\1\0\x0f\1\0\0\0\2"),  # more than there are
        (b"mdat", b"free"),
        (b"moof", b"free"),
    ],
)
def test_a_fragment_that_is_not_ours_ends_the_reading(old, new):
    data = patched(old, new)
    head = read_head(BytesIO(data), len(data))

    assert list(fragments(BytesIO(data), head.init_bytes, len(data))) == []


@pytest.mark.parametrize(
    "skip",
    [
        8,  # where the first sample's bytes are
        16,  # its size
    ],
)
def test_samples_must_be_and_fill_the_payload(skip):
    data = bytearray(filed(samples_of(frames=1, gop=1)))
    at = data.index(b"trun") + 4 + skip
    data[at : at + 4] = (int.from_bytes(data[at : at + 4]) - 1).to_bytes(4)
    head = read_head(BytesIO(data), len(data))

    assert list(fragments(BytesIO(data), head.init_bytes, len(data))) == []


def test_a_note_of_megabytes_is_refused():
    (sample,) = samples_of(frames=1, gop=1)
    data = init_segment(sample.run.parameters, bytes(1 << 21))

    with pytest.raises(MediaError):
        read_head(BytesIO(data), len(data))


def test_a_file_that_shrank_meanwhile_ends_the_reading():
    data = filed(samples_of(frames=20, gop=10))
    head = read_head(BytesIO(data), len(data))

    cut = data[: head.init_bytes + 4]

    assert list(fragments(BytesIO(cut), head.init_bytes, len(data))) == []
