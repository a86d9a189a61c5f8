from bench.box import BoxSettings
from bench.continuity import Continuity
from bench.load import Load
from bench.peers import Absent, Source
from bench.record import Results, figures
from edge.config import load


def measured(name, cameras, cpu, pss_mb):
    return Load(name, cameras, cpu, pss_mb, 1, 4.0, "")


def test_medians_are_compared_and_what_was_not_measured_is_null():
    results = Results([], {}, [Continuity("cam-01", 1000, 0, 1), Continuity("cam-02", 998, 2, 2)])
    for cpu in (0.9, 0.2, 0.3):
        results.add(measured("recorder", 16, cpu, 30 * cpu))
        results.add(measured("ffmpeg", 16, 0.4, 100))
    results.add(Absent("motion", "the program motion is not installed"))
    told = figures(results)
    assert (told["cpu_ratio_16"], told["memory_ratio_16"]) == (0.75, 0.09)
    assert (told["cpu_ratio_1"], told["motion_cpu_ratio_4"]) == (None, None)
    assert (told["pictures"], told["missing_packets"], told["broken_runs"]) == (1998, 2, 1)
    assert told["not_measured"] == {"motion": "the program motion is not installed"}


def test_a_box_that_only_records_is_given_a_configuration_that_it_takes(tmp_path):
    source = Source("cam-01", "rtsp://127.0.0.1:1/1/main", "rtsp://127.0.0.1:1/1/sub", 10)
    config = load(BoxSettings(tmp_path, 8611, [source], watches=False).write())
    assert not config.detect.enabled
    assert (config.cameras[0].sub_url, config.cameras[0].rules) == (None, ())
