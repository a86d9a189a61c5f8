"""The ordinary MP4 is read back by FFmpeg, which knows nothing of us."""

from io import BytesIO

import av
import pytest

from edge.media.mp4 import SampleTable, head, room_for
from edge.media.sample import TICKS_PER_S, Codec
from tests.support.footage import FRAME_90K, STARTED, encoded


def written(codec: Codec, frames: int, *, room: bool = False, still_after: int | None = None):
    samples = encoded(frames, 25, codec=codec)
    table = SampleTable()
    at_90k = 0
    for index, sample in enumerate(samples):
        if index == still_after:
            at_90k += 3 * TICKS_PER_S
        table.add(
            len(sample.data),
            at_90k,
            FRAME_90K,
            0,
            is_key=sample.is_key,
            begins_chunk=index % 25 == 0,
        )
        at_90k += FRAME_90K
    room_bytes = room_for(len(table), table.chunks) if room else 0
    begin = head(samples[0].run.parameters, table, STARTED, room_bytes)
    return begin, b"".join(sample.data for sample in samples), table


@pytest.mark.parametrize("codec", [Codec.H264, Codec.H265])
@pytest.mark.parametrize("room", [False, True])
def test_ffmpeg_reads_every_sample_at_its_time(codec, room):
    begin, payload, table = written(codec, 60, room=room)

    with av.open(BytesIO(begin + payload)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.codec_tag == ("avc1" if codec is Codec.H264 else "hvc1")
        assert container.duration == 2_400_000
        packets = [each for each in container.demux(stream) if each.size]
        assert [each.pts for each in packets] == [index * FRAME_90K for index in range(60)]
        assert b"".join(bytes(each) for each in packets) == payload
        assert [i for i, each in enumerate(packets) if each.is_keyframe] == [0, 25, 50]
    assert table.payload_bytes == len(payload)


def test_the_index_is_in_front_and_the_room_for_it_is_filled_exactly():
    begin, _, table = written(Codec.H264, 60, room=True)

    assert len(begin) == room_for(60, table.chunks)
    assert begin.index(b"moov") < begin.index(b"free") < begin.index(b"mdat")


def test_a_picture_that_stands_still_lasts_until_the_next_one():
    begin, payload, table = written(Codec.H264, 50, still_after=30)

    assert table.duration_90k == 50 * FRAME_90K + 3 * TICKS_PER_S
    with av.open(BytesIO(begin + payload)) as container:
        times = [frame.pts for frame in container.decode(video=0)]
    assert times[30] - times[29] == FRAME_90K + 3 * TICKS_PER_S


def test_a_file_says_when_its_first_picture_was_taken():
    begin, payload, _ = written(Codec.H264, 25)

    with av.open(BytesIO(begin + payload)) as container:
        assert container.metadata["creation_time"].startswith(f"{STARTED:%Y-%m-%dT%H:%M:%S}")


def test_with_b_frames_the_track_begins_with_its_first_picture_and_ends_with_its_last():
    table = SampleTable()
    for index, (cts, key) in enumerate([(2, True), (4, False), (1, False), (0, False)]):
        table.add(1, index * FRAME_90K, FRAME_90K, cts * FRAME_90K, is_key=key, begins_chunk=False)

    assert table.first_cts_90k == 2 * FRAME_90K
    assert table.duration_90k == 4 * FRAME_90K
    # The last to be shown is the second: decoded at 1, shown at 5, the first at 2.
    assert table.shown_90k == (5 + 1 - 2) * FRAME_90K


def test_beyond_4_gib_places_and_lengths_are_long():
    table = SampleTable()
    for index in range(3):
        table.add(
            2_000_000_000,
            index * FRAME_90K,
            FRAME_90K,
            0,
            is_key=True,
            begins_chunk=True,
        )

    begin = head(encoded(25)[0].run.parameters, table, STARTED)

    assert b"co64" in begin
    assert b"stco" not in begin
    place = begin.index(b"co64")
    first, _, last = (
        int.from_bytes(begin[place + 12 + 8 * index : place + 20 + 8 * index]) for index in range(3)
    )
    assert (first, last) == (len(begin), len(begin) + 4_000_000_000)
    assert begin[-16:] == b"\0\0\0\1mdat" + (6_000_000_016).to_bytes(8)


def test_an_empty_table_has_no_length():
    table = SampleTable()
    assert (table.duration_90k, table.shown_90k, table.first_cts_90k, len(table)) == (0, 0, 0, 0)
