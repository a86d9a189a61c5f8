import gzip
import json

import av
import numpy as np
import pytest
from av.video.frame import PictureType

from village import footage
from village.footage import MAIN_PX, FootageError, Source, View, crop, draw, make_piece, prepare
from village.testcam.clip import Clip, Coding


def nobody(_folder):
    return Source.DRAWN, None


def never():
    return False


@pytest.fixture
def nothing_found(monkeypatch):
    monkeypatch.setattr(footage, "find", nobody)


def test_a_view_takes_its_part_of_the_picture_in_all_planes():
    width, height = MAIN_PX
    luma = np.tile(np.arange(width, dtype=np.uint16) // 4, (height, 1)).astype(np.uint8)
    chroma = np.tile(np.arange(width // 2, dtype=np.uint16) // 2, (height, 1)).astype(np.uint8)
    planes = np.concatenate([luma, chroma.reshape(-1, width)])
    view = View("cam", 100, 20, 400, 220, mirrored=True)
    frame = crop(planes, view)
    assert (frame.width, frame.height) == (300, 200)
    got = frame.to_ndarray(format="yuv420p")
    expected = (np.arange(100, 400) // 4).astype(np.uint8)[::-1]
    assert (got[:200] == expected).all()
    half = (np.arange(50, 200) // 2).astype(np.uint8)[::-1]
    assert (got[200:].reshape(200, 150) == half).all()


def test_a_piece_is_a_clip_that_a_camera_could_send():
    main, sub = make_piece(None, View("cam", end=15))
    for data, size in ((main, (768, 576)), (sub, (640, 480))):
        clip = Clip.parse(data, Coding.H264)
        assert [unit.is_key for unit in clip.units] == [n % 7 == 0 for n in range(15)]
        decoder = av.CodecContext.create("h264", "r")
        frames = [f for p in decoder.parse(data) + decoder.parse(None) for f in decoder.decode(p)]
        frames += decoder.decode(None)
        assert [(f.width, f.height, PictureType(f.pict_type).name) for f in frames] == [
            (*size, "I" if n % 7 == 0 else "P") for n in range(15)
        ]


def test_figures_walk():
    assert (draw(0) != draw(10)).any()
    assert draw(3).shape == (576, 768, 3)


def test_clips_are_made_once_and_kept(nothing_found, tmp_path):
    views = (View("cam-01", end=14), View("cam-02", 0, 0, 384, 288, end=7))
    shares = []
    made = prepare(tmp_path, views, shares.append, never)
    assert made.source is Source.DRAWN
    assert shares[-1] == 1.0
    assert shares == sorted(shares)
    assert len(Clip.load(made.clips["cam-01"].main).units) == 14
    written = made.clips["cam-02"].sub.stat().st_mtime_ns
    assert prepare(tmp_path, views, shares.append, never) == made
    assert made.clips["cam-02"].sub.stat().st_mtime_ns == written


def test_another_recipe_makes_them_anew(nothing_found, tmp_path):
    prepare(tmp_path, (View("cam-01", end=14),), lambda _: None, never)
    made = prepare(tmp_path, (View("cam-01", end=7),), lambda _: None, never)
    assert len(Clip.load(made.clips["cam-01"].main).units) == 7


def test_a_stop_leaves_no_half_clips(nothing_found, tmp_path):
    with pytest.raises(FootageError, match="stopped"):
        prepare(tmp_path, (View("cam-01", end=28),), lambda _: None, lambda: True)
    assert list(tmp_path.glob("*.h264")) == []


def test_the_real_video_replaces_drawn_figures_when_it_is_found(
    nothing_found, tmp_path, monkeypatch
):
    views = (View("cam-01", end=7),)
    prepare(tmp_path, views, lambda _: None, never)
    monkeypatch.setattr(footage, "find", lambda _folder: (Source.ASSETS, None))
    assert prepare(tmp_path, views, lambda _: None, never).source is Source.ASSETS


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Every place to look at, empty; what is whole is what holds b'video'."""
    monkeypatch.setattr(footage, "_DEBIAN_FILE", tmp_path / "debian" / "vtest.avi")
    monkeypatch.setattr(
        footage, "_is_whole", lambda path: path.exists() and path.read_bytes() == b"video"
    )
    monkeypatch.setattr(footage, "_download", lambda _target: False)
    monkeypatch.setenv("TANSHAO_ASSETS", str(tmp_path / "assets"))
    for name in ("debian", "assets/videos", "cache"):
        (tmp_path / name).mkdir(parents=True)
    return tmp_path


def test_without_any_video_figures_are_drawn(places):
    assert footage.find(places / "cache") == (Source.DRAWN, None)


def test_the_installed_package_comes_first(places):
    (places / "assets" / footage._ASSET).write_bytes(b"video")
    installed = places / "debian" / "vtest.avi"
    installed.write_bytes(b"video")
    assert footage.find(places / "cache") == (Source.INSTALLED, installed)


def test_a_packed_copy_is_unpacked_into_the_cache(places):
    (places / "debian" / "vtest.avi.gz").write_bytes(gzip.compress(b"video"))
    cached = places / "cache" / "vtest.avi"
    assert footage.find(places / "cache") == (Source.INSTALLED, cached)
    assert cached.read_bytes() == b"video"


def test_a_video_with_another_content_is_not_taken(places):
    (places / "debian" / "vtest.avi").write_bytes(b"other")
    asset = places / "assets" / footage._ASSET
    asset.write_bytes(b"video")
    assert footage.find(places / "cache") == (Source.ASSETS, asset)


def test_a_download_is_the_last_resort(places, monkeypatch):
    monkeypatch.setattr(footage, "_download", lambda target: target == places / "cache/vtest.avi")
    assert footage.find(places / "cache") == (Source.DOWNLOADED, places / "cache" / "vtest.avi")


def fake_tools(folder, apt, dpkg):
    folder.mkdir()
    for name, body in (("apt-get", apt), ("dpkg-deb", dpkg)):
        tool = folder / name
        tool.write_text(f"#!/bin/sh\n{body}\n")
        tool.chmod(0o755)
    return f"{folder}:/bin:/usr/bin"


UNPACK = (
    "mkdir -p usr/share/doc/opencv-doc/examples/data\n"
    "printf video > usr/share/doc/opencv-doc/examples/data/vtest.avi"
)


@pytest.mark.parametrize(
    ("apt", "dpkg", "whole"),
    [
        ("touch opencv-doc_4.6_all.deb", UNPACK, True),
        ("exit 100", UNPACK, False),  # no network
        ("true", UNPACK, False),  # nothing came
        ("touch opencv-doc_4.6_all.deb", "exit 2", False),  # a broken package
        ("touch opencv-doc_4.6_all.deb", "true", False),  # a package without the file
    ],
)
def test_the_package_is_unpacked_without_being_installed(tmp_path, monkeypatch, apt, dpkg, whole):
    monkeypatch.setenv("PATH", fake_tools(tmp_path / "bin", apt, dpkg))
    monkeypatch.setattr(footage, "_is_whole", lambda path: path.read_bytes() == b"video")
    cache = tmp_path / "cache"
    cache.mkdir()
    assert footage._download(cache / "vtest.avi") is whole
    assert list(cache.glob("deb-*")) == []


def test_a_broken_note_means_nothing_is_known(nothing_found, tmp_path):
    (tmp_path / "footage.json").write_text("[]")
    prepare(tmp_path, (View("cam-01", end=7),), lambda _: None, never)
    assert json.loads((tmp_path / "footage.json").read_text())["source"] == "drawn"
