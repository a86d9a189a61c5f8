"""Exports through the page: asked for, made by the box, downloaded, checked and played."""

import subprocess
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path

import av
import pytest
from playwright.sync_api import Locator, Page, expect

from edge.media.nal import split
from edge.media.sample import TICKS_PER_S, Codec, Packet
from tests.support.packets import BEGAN
from tests.support.tools import require_asset

pytestmark = [pytest.mark.browser, pytest.mark.assets]

#: The footage's own rate; a minute of it.
FPS = 10
FRAME_90K = TICKS_PER_S // FPS
SECONDS = 60
#: Waits for the picture in the middle to be on the screen.
_PLAYED = """async url => {
  const video = document.createElement('video');
  video.muted = true;
  document.body.append(video);
  const middle = new Promise((done, failed) => {
    video.onerror = () => failed(new Error(video.error.message));
    video.onseeked = () => video.requestVideoFrameCallback(done);
  });
  video.src = url;
  await video.play();
  video.currentTime = 30;
  await middle;
  return [video.videoWidth, video.videoHeight, Math.round(video.duration * 10) / 10];
}"""


def filmed(codec: Codec) -> Iterator[Packet]:
    """Yield a minute and two seconds of a real camera's pictures, a key frame every 2 s."""
    frames = (SECONDS + 2) * FPS
    encoder = av.CodecContext.create("libx264" if codec is Codec.H264 else "libx265", "w")
    keys = "keyint=20:min-keyint=20:scenecut=0:bframes=0:repeat-headers=1"
    name = "x264-params" if codec is Codec.H264 else "x265-params"
    quiet = "" if codec is Codec.H264 else ":log-level=none:pools=1"
    with av.open(str(require_asset("videos/people_vtest_PETS09-S2L1.avi"))) as film:
        for index, picture in enumerate(islice(film.decode(video=0), frames)):
            if index == 0:
                encoder.width, encoder.height = picture.width, picture.height
                encoder.pix_fmt = "yuv420p"
                encoder.time_base, encoder.framerate = Fraction(1, FPS), Fraction(FPS)
                encoder.options = {"preset": "ultrafast", "tune": "zerolatency", name: keys + quiet}
            frame = picture.reformat(format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, FPS)
            frame.pict_type = av.video.frame.PictureType.NONE
            for unit in encoder.encode(frame):
                yield packet(unit)
        for unit in encoder.encode(None):
            yield packet(unit)


def packet(unit: av.Packet) -> Packet:
    return Packet(
        unit.pts * FRAME_90K,
        unit.dts * FRAME_90K,
        unit.is_keyframe,
        tuple(split(bytes(unit))),
        unit.dts * 1_000_000_000 // FPS,
        BEGAN + timedelta(seconds=unit.dts / FPS),
    )


def asked_for(page: Page) -> Locator:
    """Ask for the minute that the panel shows, and return the job once it is done."""
    page.get_by_test_id("export-reason").fill("事件处置")
    page.get_by_test_id("export-submit").click()
    job = page.get_by_test_id("export-jobs").locator("> li").first
    expect(job).to_have_attribute("data-state", "done", timeout=60_000)
    return job


def unpacked(page: Page, job: Locator, folder: Path) -> Path:
    """Download the whole result, check its hashes as anybody can, and return its one video."""
    with page.expect_download() as download:
        job.get_by_test_id("export-all").click()
    archive = folder / "all.zip"
    download.value.save_as(archive)
    with zipfile.ZipFile(archive) as files:
        files.extractall(folder / "out")
    subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=folder / "out", check=True)
    (video,) = (folder / "out").glob("*.mp4")
    return video


def decoded(video: Path) -> list[int]:
    with av.open(str(video)) as container:
        return [frame.pts for frame in container.decode(video=0)]


def played(page: Page, job: Locator) -> list[float]:
    """Return width, height and length of the video that Chromium plays over the relay."""
    job.locator("summary").click()
    url = job.get_by_test_id("export-file").first.get_attribute("href")
    return page.evaluate(_PLAYED, url)


def test_a_minute_is_exported_as_it_was_recorded_and_played(review, tmp_path):
    review.record(filmed(Codec.H264))
    page = review.open(BEGAN + timedelta(seconds=1))
    expect(page.get_by_test_id("timeline-recorded").first).to_be_visible()
    page.get_by_test_id("clip-begin").click()
    page.get_by_test_id("export-open").click()

    job = asked_for(page)

    assert played(page, job)[:2] == [768, 576]
    video = unpacked(page, job, tmp_path)
    times = decoded(video)
    assert SECONDS * FPS <= len(times) <= (SECONDS + 2) * FPS
    assert {b - a for a, b in pairwise(times)} == {FRAME_90K}
    assert review.complaints == []


def test_h265_that_the_browser_can_not_play_is_exported_as_what_it_can(review, tmp_path):
    review.record(filmed(Codec.H265), Codec.H265)
    page = review.open(BEGAN + timedelta(seconds=1))
    page.get_by_test_id("review-codec-export").click()
    expect(page.get_by_test_id("export-kind-playable")).to_be_checked()

    job = asked_for(page)

    width, height, length_s = played(page, job)
    assert (width, height) == (768, 576)
    assert length_s == pytest.approx(SECONDS, abs=1.5)
    video = unpacked(page, job, tmp_path)
    with av.open(str(video)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
    assert {b - a for a, b in pairwise(decoded(video))} == {FRAME_90K}
    assert review.complaints == []
