import numpy as np
import pytest

from bench.clip import Decoded
from bench.recorded_pictures import GRID_PX, RecordedFile, RecordedPictures, grid_of
from bench.recording import Span
from bench.review import figures
from bench.review_page import PlayedFile, Presented, Sought
from bench.reviewer import Options, Outcome, longest_ms, ratio
from tests.support.packets import BARS, BEGAN, barred_packets
from tests.support.recordings import Archive, at, ended, recorded, timed


@pytest.fixture
def pictures(tmp_path):
    """Three seconds in files of one second, as a recorder leaves them; B-frames among them."""
    archive = Archive(tmp_path)
    recorded(archive, ended(timed(barred_packets(75, b_frames=2))), segment_s=1)
    segments = archive.segments()
    archive.close()
    files = [RecordedFile(segment.start, segment.path.read_bytes()) for segment in segments]
    assert len(files) == 3
    return RecordedPictures.decoded(files)


def barred(number: int) -> np.ndarray:
    """Return what a browser that takes video's black for grey would show of a picture."""
    picture = np.full((120, 160), 30, dtype=np.uint8)
    for bar in range(BARS):
        if number >> bar & 1:
            picture[:, 160 * bar // BARS : 160 * (bar + 1) // BARS] = 240
    return grid_of(picture)


def test_pictures_are_known_by_the_moment_at_which_they_begin(pictures):
    assert len(pictures) == 75
    first_us = pictures.at_us(0)
    assert first_us > BEGAN.timestamp() * 1_000_000  # shown so late because of the B-frames
    assert [pictures.at_us(n) - first_us for n in (1, 2, 74)] == [40_000, 80_000, 74 * 40_000]
    assert [pictures.number_at(first_us + us) for us in (-1, 0, 39_999, 40_000)] == [0, 0, 0, 1]


@pytest.mark.parametrize("number", [0, 1, 24, 25, 26, 49, 74])
def test_a_picture_beside_the_wanted_one_is_told_from_it(pictures, number):
    assert barred(number).shape == (120 // GRID_PX, 160 // GRID_PX)
    for near in (number - 3, number, number + 3):
        assert pictures.like(barred(number), near) == number


def test_how_fast_it_plays_is_media_over_time_once_it_runs():
    frames = [
        Presented(0, 0),
        Presented(500, 0.1),
        *(Presented(500 + n * 50, 0.1 + n * 0.2) for n in range(1, 20)),
    ]
    assert ratio(frames) == pytest.approx(4.0)
    assert ratio(frames[:1]) == 0.0


def test_the_longest_stand_is_between_two_presented_pictures():
    assert longest_ms([Presented(0, 0), Presented(40, 0.04), Presented(140, 0.08)]) == 100
    assert longest_ms([]) is None


def outcome() -> Outcome:
    made = Outcome("installed", 75, Span(at(1), at(7)))
    made.sought = [
        Sought(40.0, 1.0, loaded=True),
        Sought(60.0, 2.0, loaded=True),
        Sought(200.0, 3.0, loaded=False),
    ]
    made.crossed = True
    made.speeds = {1.0: 1.01, 4.0: 3.9, 16.0: 9.0}
    made.export = Decoded(1500, 60.0, None)
    made.export_played = PlayedFile(60.0, 60.0, None)
    return made


def test_the_last_line_tells_loaded_from_unloaded_and_what_was_wrong():
    made = outcome()
    said = figures(made, Options(seeks=3))
    assert said["passed"] is True
    assert (said["seek_ms_median"], said["seek_ms_p95"]) == (60.0, 200.0)
    assert (said["seek_ms_median_loaded"], said["seek_ms_median_unloaded"]) == (50.0, 200.0)
    assert (said["frame_errors"], said["gap_s"]) == (0, 6.0)


@pytest.mark.parametrize("spoil", ["picture", "gap", "short", "broken", "stuck", "slow"])
def test_one_wrong_thing_fails_the_run(spoil):
    made = outcome()
    if spoil == "picture":
        made.wrong.append("seek: +1 pictures off")
    elif spoil == "gap":
        made.crossed = False
    elif spoil == "slow":
        made.speeds[2.0] = 1.5
    elif spoil == "short":
        made.export = Decoded(1000, 40.0, None)
    elif spoil == "broken":
        made.export = Decoded(1500, 60.0, "a packet gave no picture")
    else:
        made.export_played = PlayedFile(60.0, 31.0, None)
    assert made.passed is False
