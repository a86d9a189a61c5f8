import sys

from bench.detect import BOX, BOX_NOBODY, BOX_PEOPLE, PLAIN, Looked, figures, missing
from bench.load import Load


def looked(name, cameras, cpu, per_s, detector_ms=None):
    load = Load(name, cameras, cpu, pss_mb=100.0, processes=2, written_mbit_s=0.0, does="")
    return Looked(load, per_s, detector_ms)


def test_a_script_that_falls_behind_is_held_to_what_it_sees():
    found = figures(
        [
            looked(BOX, 4, cpu=0.4, per_s=8.0),
            looked(BOX_PEOPLE, 4, cpu=0.2, per_s=4.0),
            looked(BOX_NOBODY, 4, cpu=0.1, per_s=2.0),
            looked(PLAIN, 4, cpu=2.0, per_s=4.0),
        ]
    )
    assert found["cpu_ratio_vs_plain_4_at_2_looks"] == 10.0
    # At the two looks a second of each camera that it was told it would take four cores.
    assert found["cpu_ratio_vs_plain_4"] == 20.0
    assert found["cpu_ratio_vs_plain_4_nobody"] == 40.0


def test_what_was_not_measured_is_null():
    found = figures([looked(BOX, 1, cpu=0.1, per_s=2.0, detector_ms=41.26)])
    assert found["ms_per_frame"] == 41.3
    assert found["cpu_ratio_vs_plain_1"] is None
    assert found["cpu_ratio_vs_plain_4"] is None


def test_without_a_look_there_is_no_time_of_one():
    found = figures([looked(BOX, 1, cpu=0.1, per_s=0.0), looked(PLAIN, 1, cpu=1.0, per_s=2.0)])
    assert found["cpu_ratio_vs_plain_1"] is None
    assert found["box_at_2_looks_1"] == {
        "cpu": 0.1,
        "pss_mb": 100.0,
        "looks_per_s": 0.0,
        "cpu_ms_per_look": None,
    }


def test_a_python_that_can_not_run_the_script_is_named():
    assert "no-such-python" in (missing("/no-such-python") or "")
    assert missing(sys.executable) is None or "ultralytics" in (missing(sys.executable) or "")
