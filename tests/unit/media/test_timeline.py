"""The exact frame tables: media time in, runs and samples out, in 90 kHz units."""

from dataclasses import replace
from datetime import timedelta

import pytest

from edge.media.sample import Codec, GapReason, Packet, RunEnded, Sample
from edge.media.timeline import Timeline
from protocol.relay import StreamName
from tests.support.packets import BEGAN, FPS, FRAME_90K, moved, packets


def timeline(codec: Codec = Codec.H264) -> Timeline:
    count = iter(range(1000))
    return Timeline("gate", StreamName.MAIN, codec, run_id=lambda _: f"run-{next(count)}")


def fed(script: list[Packet], codec: Codec = Codec.H264) -> list[Sample | RunEnded]:
    line = timeline(codec)
    return [item for packet in script for item in line.feed(packet)]


def table(items: list[Sample | RunEnded]) -> list[tuple]:
    """Return (run, dts, pts - dts, duration, key) a sample and (run, reason) an end."""
    return [
        (item.run.run_id, item.reason)
        if isinstance(item, RunEnded)
        else (
            item.run.run_id,
            item.dts_90k,
            item.pts_90k - item.dts_90k,
            item.duration_90k,
            item.is_key,
        )
        for item in items
    ]


def at_times(times_90k: list[int | None], *, gop: int = 1) -> list[Packet]:
    """Return packets with these decoding times, shown when decoded, received at true speed."""
    return [
        replace(packet, dts_90k=time, pts_90k=time)
        for packet, time in zip(packets(frames=len(times_90k), gop=gop), times_90k, strict=True)
    ]


def test_a_run_begins_at_zero_and_keeps_the_distances():
    assert table(fed(at_times([500, 4100, 7700, 11_301, 20_000], gop=5))) == [
        ("run-0", 0, 0, 3600, True),
        ("run-0", 3600, 0, 3600, False),
        ("run-0", 7200, 0, 3600, False),
        ("run-0", 10_801, 0, 3601, False),
        ("run-0", 19_500, 0, 8699, False),
    ]


def test_a_run_says_where_and_when_it_began_and_what_it_is_coded_in():
    script = packets(frames=1)

    (sample,) = fed(script)

    assert isinstance(sample, Sample)
    run = sample.run
    assert (run.camera_id, run.stream, run.started_utc) == ("gate", StreamName.MAIN, BEGAN)
    assert (run.parameters.width, run.parameters.height) == (160, 120)
    assert sample.received_mono_ns == script[0].received_mono_ns


def test_nothing_comes_before_the_first_key_frame():
    line = timeline()
    script = packets(frames=30, gop=25)

    early = [item for packet in script[1:25] for item in line.feed(packet)]

    assert early == []
    assert line.dropped == 24
    assert table(line.feed(script[25])) == [("run-0", 0, 0, 3600, True)]


@pytest.mark.parametrize("codec", [Codec.H264, Codec.H265])
def test_b_frames_keep_their_composition_offsets(codec):
    script = packets(codec, 8, 8, b_frames=2)

    samples = [item for item in fed(script, codec) if isinstance(item, Sample)]

    assert [sample.dts_90k for sample in samples] == [i * FRAME_90K for i in range(8)]
    shown = [sample.pts_90k for sample in samples]
    assert shown != sorted(shown)
    assert sorted(shown) == [shown[0] + i * FRAME_90K for i in range(8)]
    assert [s.pts_90k - s.dts_90k for s in samples] == [
        (p.pts_90k or 0) - (p.dts_90k or 0) for p in script
    ]


def test_a_jump_back_ends_the_run_and_a_key_frame_begins_another():
    times: list[int | None] = [0, 3600, 7200, 10_800, -180_000, -176_400]

    assert table(fed(at_times(times))) == [
        ("run-0", 0, 0, 3600, True),
        ("run-0", 3600, 0, 3600, True),
        ("run-0", 7200, 0, 3600, True),
        ("run-0", 10_800, 0, 3600, True),
        ("run-0", GapReason.TIMESTAMPS),
        ("run-1", 0, 0, 3600, True),
        ("run-1", 3600, 0, 3600, True),
    ]


def test_after_a_jump_within_a_group_of_pictures_the_rest_of_it_is_dropped():
    line = timeline()
    script = at_times([0, 3600, -90_000, -86_400, -82_800, -79_200], gop=4)

    items = [item for packet in script for item in line.feed(packet)]

    assert table(items) == [
        ("run-0", 0, 0, 3600, True),
        ("run-0", 3600, 0, 3600, False),
        ("run-0", GapReason.TIMESTAMPS),
        ("run-1", 0, 0, 3600, True),
        ("run-1", 3600, 0, 3600, False),
    ]
    assert line.dropped == 2
    ended = items[2]
    assert isinstance(ended, RunEnded)
    assert ended.at_utc == script[2].received_utc


@pytest.mark.parametrize(
    ("step_90k", "runs"),
    [
        (450_000, ["run-0"]),  # 5 s: a pause
        (450_001, ["run-0", "run-1"]),  # longer: the clock was set
    ],
)
def test_five_seconds_ahead_is_a_pause_and_more_is_a_jump(step_90k, runs):
    script = at_times([0, 3600, 3600 + step_90k])
    script[2] = moved(script[2], wall_s=5)

    samples = [item for item in fed(script) if isinstance(item, Sample)]

    assert sorted({sample.run.run_id for sample in samples}) == runs


def test_an_access_unit_sent_in_two_parts_stays_in_the_run():
    assert table(fed(at_times([0, 3600, 3600, 7200], gop=4))) == [
        ("run-0", 0, 0, 3600, True),
        ("run-0", 3600, 0, 3600, False),
        ("run-0", 3601, 0, 1, False),
        ("run-0", 7200, 0, 3599, False),
    ]


def test_missing_times_are_made_up_from_the_pace():
    line = timeline()
    script = at_times([0, 4000, None, None, 16_000], gop=5)

    items = [item for packet in script for item in line.feed(packet)]

    assert table(items) == [
        ("run-0", 0, 0, 3600, True),
        ("run-0", 4000, 0, 4000, False),
        ("run-0", 8000, 0, 4000, False),
        ("run-0", 12_000, 0, 4000, False),
        ("run-0", 16_000, 0, 4000, False),
    ]
    assert line.repaired == 2


def test_a_time_made_up_too_late_gives_way_to_the_next_true_one():
    assert table(fed(at_times([0, 9000, None, 12_000, 21_000], gop=5))) == [
        ("run-0", 0, 0, 3600, True),
        ("run-0", 9000, 0, 9000, False),
        ("run-0", 18_000, 0, 9000, False),
        ("run-0", 18_001, 0, 1, False),
        ("run-0", 21_000, 0, 2999, False),
    ]


def test_a_presentation_time_bounds_the_decoding_time_made_up():
    script = at_times([0, 9000, 18_000], gop=3)
    script[2] = replace(script[2], dts_90k=None, pts_90k=12_000)

    assert table(fed(script))[2] == ("run-0", 12_000, 0, 3000, False)


def test_a_stream_without_any_times_runs_at_25_frames_a_second():
    assert table(fed(at_times([None, None, None], gop=3))) == [
        ("run-0", 0, 0, 3600, True),
        ("run-0", 3600, 0, 3600, False),
        ("run-0", 7200, 0, 3600, False),
    ]


def test_a_presentation_time_that_makes_no_sense_is_not_kept():
    script = at_times([0, 3600, 7200], gop=3)
    script[1] = replace(script[1], pts_90k=-50)
    script[2] = replace(script[2], pts_90k=7200 + 600_000)

    assert table(fed(script))[1:] == [
        ("run-0", 3600, 0, 3600, False),
        ("run-0", 7200, 0, 3600, False),
    ]


def test_changed_parameters_begin_a_run_exactly_where_the_last_one_ends():
    small, large = packets(frames=2, gop=2), packets(frames=2, gop=2, width=320)
    script = [*small, *(moved(each, media_s=2 / FPS, wall_s=0.5) for each in large)]

    items = fed(script)

    assert table(items) == [
        ("run-0", 0, 0, 3600, True),
        ("run-0", 3600, 0, 3600, False),
        ("run-0", GapReason.PARAMETERS),
        ("run-1", 0, 0, 3600, True),
        ("run-1", 3600, 0, 3600, False),
    ]
    first, second = items[0].run, items[3].run
    assert second.started_utc == first.utc_at(7200) == BEGAN + timedelta(seconds=0.08)
    assert second.parameters.width == 320


def test_parameters_that_change_inside_a_group_wait_for_its_end():
    small, large = packets(frames=3, gop=3), packets(frames=1, gop=1, width=320)
    # The new sets come with a non-key picture first, as some cameras announce them.
    head = tuple(unit for unit in large[0].units if unit[0] != 0x65)
    script = [
        *small[:2],
        replace(small[2], units=head + small[2].units),
        moved(large[0], media_s=3 / FPS, wall_s=3 / FPS),
    ]

    ends = [(row[0], row[1]) for row in table(fed(script))]

    assert ends == [
        ("run-0", 0),
        ("run-0", 3600),
        ("run-0", 7200),
        ("run-0", GapReason.PARAMETERS),
        ("run-1", 0),
    ]


def slowed(script: list[Packet], factor: float) -> list[Packet]:
    """Return packets that take ``factor`` times as long to come as their times say."""
    began_ns = script[0].received_mono_ns
    return [
        moved(packet, wall_s=(packet.received_mono_ns - began_ns) * (factor - 1) / 1e9)
        for packet in script
    ]


def repeated(seconds: int) -> list[Packet]:
    second = packets(frames=25, gop=25)
    return [
        moved(packet, media_s=shift, wall_s=shift) for shift in range(seconds) for packet in second
    ]


def test_a_camera_that_labels_21_frames_as_25_gets_a_new_run_before_it_is_far_off():
    items = fed(slowed(repeated(60), 25 / 21))

    runs = {item.run.run_id: item.run for item in items}
    worst_s = max(
        abs((item.received_mono_ns - item.run.started_mono_ns) / 1e9 - item.dts_90k / 90_000)
        for item in items
        if isinstance(item, Sample)
    )
    ends = [item.reason for item in items if isinstance(item, RunEnded)]
    assert ends == [GapReason.TIMESTAMPS] * (len(runs) - 1)
    assert len(runs) == 3
    # 2 s, what drifts while the judging window fills (10 s) and up to the next key frame (1 s)
    assert worst_s < 2 + 22 * 4 / 25
    assert sum(isinstance(item, Sample) for item in items) == 60 * 25


def test_a_camera_that_sends_faster_than_it_says_gets_a_new_run_at_a_key_frame():
    items = fed(slowed(repeated(20), 0.8))

    ends = [item for item in items if isinstance(item, RunEnded)]
    assert [end.reason for end in ends] == [GapReason.TIMESTAMPS]
    assert sum(isinstance(item, Sample) for item in items) == 20 * 25


def test_what_a_stalled_network_held_back_does_not_end_the_run():
    script = repeated(60)
    # What is sent in seconds 20 to 28 hangs in the network and comes in seconds 28 to 30.
    held = []
    for index, packet in enumerate(script):
        sent_s = index / FPS
        came_s = sent_s
        if 20 <= sent_s < 28:
            came_s = 28 + (sent_s - 20) / 4
        elif 28 <= sent_s < 30:
            came_s = 30
        held.append(moved(packet, wall_s=came_s - sent_s))

    assert {item.run.run_id for item in fed(held)} == {"run-0"}


def wall_set(script: list[Packet], at: int, by_s: float) -> list[Packet]:
    """Return packets of which those from ``at`` on bear a wall clock that was set by ``by_s``."""
    shift = timedelta(seconds=by_s)
    return [
        *script[:at],
        *(replace(packet, received_utc=packet.received_utc + shift) for packet in script[at:]),
    ]


@pytest.mark.parametrize("by_s", [2.1, -2.1, 3 * 365 * 86_400, -86_400])
def test_a_wall_clock_that_is_set_ends_the_run_at_the_next_key_frame(by_s):
    script = wall_set(repeated(3), 30, by_s)

    items = fed(script)

    assert [(row[0], row[1]) for row in table(items)] == [
        *(("run-0", i * 3600) for i in range(50)),
        ("run-0", GapReason.TIMESTAMPS),
        *(("run-1", i * 3600) for i in range(25)),
    ]
    second = items[-1].run
    assert second.started_utc == script[50].received_utc


@pytest.mark.parametrize("by_s", [1.9, -1.9])
def test_a_wall_clock_that_is_set_by_less_than_two_seconds_changes_nothing(by_s):
    assert {item.run.run_id for item in fed(wall_set(repeated(3), 30, by_s))} == {"run-0"}


def test_small_steps_of_the_wall_clock_add_up():
    script = wall_set(wall_set(repeated(4), 30, 1.5), 60, 1.5)

    assert [item.run.run_id for item in fed(script) if isinstance(item, RunEnded)] == ["run-0"]


def test_a_wall_clock_set_where_the_parameters_change_is_not_carried_over():
    small, large = packets(frames=2, gop=2), packets(frames=2, gop=2, width=320)
    follow = [moved(each, media_s=2 / FPS, wall_s=2 / FPS) for each in large]
    script = wall_set([*small, *follow], 2, 3600)

    items = fed(script)

    (ended,) = [item for item in items if isinstance(item, RunEnded)]
    assert ended.reason is GapReason.TIMESTAMPS
    assert items[-1].run.started_utc == script[2].received_utc
    assert items[-1].run.parameters.width == 320


def test_a_run_continued_with_other_parameters_is_still_judged_by_its_clocks():
    small, large = packets(frames=2, gop=2), packets(frames=6, gop=2, width=320)
    follow = [moved(each, media_s=2 / FPS, wall_s=2 / FPS) for each in large]

    ends = [each.reason for each in fed(wall_set([*small, *follow], 5, 3600)) if is_end(each)]

    assert ends == [GapReason.PARAMETERS, GapReason.TIMESTAMPS]


def is_end(item: Sample | RunEnded) -> bool:
    return isinstance(item, RunEnded)


def test_a_damaged_packet_is_dropped_and_the_run_goes_on():
    line = timeline()
    script = at_times([0, 3600, 7200, 10_800], gop=4)
    script[1] = replace(script[1], units=(b"\x67\x64",))
    script[2] = replace(script[2], units=())

    rows = table([item for packet in script for item in line.feed(packet)])

    assert rows == [("run-0", 0, 0, 3600, True), ("run-0", 10_800, 0, 10_800, False)]
    assert line.dropped == 2


def test_finishing_ends_the_open_run_once():
    line = timeline()
    (sample,) = line.feed(packets(frames=1)[0])

    assert line.finish(GapReason.NETWORK, BEGAN) == [RunEnded(sample.run, GapReason.NETWORK, BEGAN)]
    assert line.finish(GapReason.NETWORK, BEGAN) == []


def test_garbled_extradata_is_passed_over():
    line = Timeline("gate", StreamName.MAIN, Codec.H264, b"\x01\x64")

    assert len(line.feed(packets(frames=1)[0])) == 1
