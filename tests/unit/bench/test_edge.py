import tomllib

from bench.box import BoxSettings, span_of
from bench.edge import figures
from bench.load import Load
from bench.peers import Absent, Peer, Source, ffmpeg, motion
from bench.recording import Span
from edge.config import load

SOURCES = (
    Source("cam-01", "rtsp://127.0.0.1:1/1/main", "rtsp://127.0.0.1:1/1/sub", 10),
    Source("cam-02", "rtsp://127.0.0.1:1/2/main", "rtsp://127.0.0.1:1/2/sub", 10),
)


def measured(name, cameras, cpu, pss_mb):
    return Load(name, cameras, cpu, pss_mb, 1, 4.0, "")


def test_figures_are_shares_of_a_core_and_null_where_not_measured():
    loads = [
        measured("edge", 1, 0.12345, 150.04),
        measured("edge", 4, 0.3, 250),
        measured("ffmpeg", 4, 0.04, 80),
    ]
    assert figures(loads, [Absent("motion", "the program motion is not installed")]) == {
        "edge_cpu_1": 0.1235,
        "edge_cpu_4": 0.3,
        "edge_pss_mb_1": 150.0,
        "edge_pss_mb_4": 250,
        "ffmpeg_cpu_4": 0.04,
        "ffmpeg_pss_mb_4": 80,
        "motion_cpu_4": None,
        "motion_pss_mb_4": None,
        "cpu_ratio_4": 7.5,
        "cpu_unit": "share of one core",
        "not_measured": {"motion": "the program motion is not installed"},
    }


def test_no_ratio_without_a_floor():
    assert figures([measured("edge", 4, 0.3, 250)], [])["cpu_ratio_4"] is None


def test_the_box_is_given_a_configuration_that_it_takes(tmp_path):
    config = load(BoxSettings(tmp_path, 8611, SOURCES, "auto").write())
    assert [camera.main_url for camera in config.cameras] == [source.main_url for source in SOURCES]
    assert (config.http.port, config.detect.fps, config.centre) == (8611, 2.0, None)
    assert [len(camera.rules) for camera in config.cameras] == [1, 1]
    assert tomllib.loads((tmp_path / "edge.toml").read_text())["detect"]["model"] == "auto"


def test_a_peer_that_is_not_installed_is_absent_with_the_reason(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert ffmpeg(SOURCES, tmp_path) == Absent("ffmpeg", "the program ffmpeg is not installed")
    assert motion(SOURCES, tmp_path) == Absent("motion", "the program motion is not installed")


def test_peers_are_given_every_camera(tmp_path, monkeypatch):
    for name in ("ffmpeg", "motion"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    copy = ffmpeg(SOURCES, tmp_path)
    assert isinstance(copy, Peer)
    assert [command[command.index("-i") + 1] for command in copy.commands] == [
        source.main_url for source in SOURCES
    ]
    one = motion(SOURCES, tmp_path)
    assert isinstance(one, Peer)
    assert one.commands == ((f"{tmp_path}/motion", "-n", "-c", f"{tmp_path}/motion.conf"),)
    assert "netcam_url rtsp://127.0.0.1:1/2/sub\n" in (tmp_path / "cam-02.conf").read_text()
    assert "netcam_high_url rtsp://127.0.0.1:1/2/main\n" in (tmp_path / "cam-02.conf").read_text()


def test_a_stretch_of_the_timeline_is_read():
    item = {"id": 3, "start": "2026-11-22T00:00:00Z", "end": "2026-11-22T00:00:10.5Z"}
    assert span_of(item).length_s == 10.5
    assert isinstance(span_of(item), Span)
