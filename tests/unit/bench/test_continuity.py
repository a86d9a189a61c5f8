import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.continuity import Continuity, missing_in, read
from tests.support.packets import packets
from tests.support.recordings import Archive, ended, recorded, timed

STEP = 3600


@pytest.mark.parametrize("times", [[], [7], [0, STEP, 2 * STEP], [0, STEP + 1, 2 * STEP - 1]])
def test_nothing_is_missing_where_the_rate_is_kept(times):
    assert missing_in(times) == 0


@given(st.integers(10, 200), st.data())
def test_every_picture_that_is_taken_out_is_missed(length, data):
    inner = range(1, length - 1)
    lost = data.draw(st.sets(st.sampled_from(inner), max_size=len(inner) // 3))
    times = [at * STEP for at in range(length) if at not in lost]
    assert missing_in(times) == len(lost)


def recording(folder, script):
    archive = Archive(folder)
    recorder = recorded(archive, ended(timed(script)))
    recorder.close()
    archive.close()
    return read(folder / "box.db", folder / "recordings")


def test_every_picture_of_a_recording_is_found_across_its_files(tmp_path):
    assert recording(tmp_path, packets(frames=250)) == (Continuity("gate", 250, 0, 1),)


def test_a_packet_that_never_came_is_missed(tmp_path):
    script = packets(frames=250)
    del script[110]
    assert recording(tmp_path, script) == (Continuity("gate", 249, 1, 1),)
