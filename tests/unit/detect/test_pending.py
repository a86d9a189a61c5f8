from dataclasses import replace
from itertools import chain

from edge.detect import wire
from edge.detect.pending import Pending, Want
from edge.detect.schedule import TICKS_PER_S, Due

FPS = 10
STEP = TICKS_PER_S // FPS


def unit(number, *, is_key, late=0, size=10):
    dts = number * STEP
    return wire.Unit(0, dts, dts + late, is_key, bytes(size))


def stream(seconds, gop):
    return [unit(number, is_key=number % gop == 0) for number in range(seconds * FPS)]


def play(pending, units, *dues):
    """Return what was decoded at each unit; a picture that is due is taken, as a decoder does."""
    decoded = []
    for each in units:
        ready = pending.take(each)
        if ready:
            for due in dues:
                due.is_due(ready[-1].pts_90k)
        decoded.append([item.dts_90k // STEP for item in ready])
    return decoded


def test_where_key_frames_come_as_often_as_looks_are_due_nothing_else_is_decoded():
    due = Due(0.5)
    decoded = play(Pending([Want(due)]), stream(20, gop=20), due)
    taken = [numbers for numbers in decoded if numbers]
    # The first look before two key frames are known may be at any picture.
    assert taken[-8:] == [[number] for number in range(40, 200, 20)]


def test_key_frames_of_a_camera_that_keeps_no_exact_time_are_waited_for_too():
    due = Due(0.5)
    units = [replace(each, dts_90k=each.dts_90k * 11 // 10) for each in stream(20, gop=20)]
    units = [replace(each, pts_90k=each.dts_90k) for each in units]
    decoded = play(Pending([Want(due)]), units, due)
    assert [len(numbers) for numbers in decoded if numbers][-7:] == [1] * 7


def test_a_look_within_a_group_decodes_all_that_it_stands_on():
    due = Due(2)
    decoded = play(Pending([Want(due)]), stream(4, gop=20), due)
    assert [numbers for numbers in decoded if numbers][:4] == [
        [0],
        [1, 2, 3, 4, 5],
        [6, 7, 8, 9, 10],
        [11, 12, 13, 14, 15],
    ]


def test_what_comes_after_a_groups_last_look_is_not_decoded():
    due = Due(2)
    decoded = play(Pending([Want(due)]), stream(4, gop=20), due)
    assert {16, 17, 18, 19} & set(chain(*decoded)) == set()


def test_key_frames_that_stay_away_are_not_waited_for_longer_than_a_look():
    due = Due(0.5)
    units = [*stream(4, gop=20), *[unit(number, is_key=False) for number in range(40, 90)]]
    decoded = play(Pending([Want(due)]), units, due)
    late = next(number for number in range(41, 90) if decoded[number])
    # The look was due at 4 s, of a camera whose key frames came every 2 s: taken at the key frame
    # of 4 s had there been one, and without it two seconds later at the latest.
    assert late <= 60
    assert decoded[late] == list(range(20, late + 1))[-len(decoded[late]) :]


def test_a_higher_rate_decodes_at_once_what_was_left_out():
    due = Due(0.5)
    pending = Pending([Want(due)])
    play(pending, stream(8, gop=20), due)
    units = [unit(80 + number, is_key=number == 0) for number in range(13)]
    assert play(pending, units[:12], due)[1:] == [[]] * 11
    due.pace(2)
    assert pending.take(units[12]) == units[1:]


def test_health_waits_longer_for_a_key_frame_than_its_own_rate():
    due = Due(1)
    decoded = play(Pending([Want(due, 2.5)]), stream(20, gop=20), due)
    assert [numbers for numbers in decoded if numbers][-8:] == [
        [number] for number in range(40, 200, 20)
    ]


def test_pictures_that_are_shown_out_of_order_are_all_decoded_as_they_come():
    due = Due(0.5)
    pending = Pending([Want(due)])
    units = [unit(number, is_key=number % 20 == 0, late=STEP) for number in range(60)]
    assert play(pending, units, due) == [[number] for number in range(60)]


def test_a_decoder_in_a_hurry_gets_every_unit():
    due = Due(0.5)
    pending = Pending([Want(due)])
    play(pending, stream(2, gop=20), due)
    pending.hurry()
    assert play(pending, [unit(n, is_key=n == 20) for n in range(20, 25)], due) == [
        [20],
        [21],
        [22],
        [23],
        [24],
    ]


def test_what_waits_is_bounded_in_bytes():
    due = Due(0.2)
    pending = Pending([Want(due)], max_bytes=100)
    decoded = play(pending, [unit(n, is_key=n == 0, size=30) for n in range(12)], due)
    assert max(map(len, decoded)) <= 4
    assert list(chain(*decoded)) == list(range(9))
