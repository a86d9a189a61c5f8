"""Who looks for a moment sees the right picture, over gaps and changes, or why there is none."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from edge.media.sample import Codec
from protocol.relay import StreamName
from tests.support.packets import BARS, BEGAN, barred_packets, moved, packets

pytestmark = pytest.mark.browser

#: The number that the bars of the shown picture make.
_SHOWN = """bars => {
  const video = document.querySelector('[data-testid=review-video]');
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  const context = canvas.getContext('2d');
  context.drawImage(video, 0, 0);
  const lumaAt = x => context.getImageData(x, canvas.height / 2, 1, 1).data[0];
  const white = [...Array(bars).keys()].map(
    bar => lumaAt(canvas.width * (bar + 0.5) / bars) > 127);
  return white.reduce((number, is, bar) => number + (is ? 2 ** bar : 0), 0);
}"""
#: Begun before the seek; ends when the browser has presented the picture it leads to.
_SEEK = """async at => {
  const video = document.querySelector('[data-testid=review-video]');
  // Only once the page knows that it is paused: else it plays on behind the seek.
  if (!video.paused) await new Promise(done => {
    video.addEventListener('pause', () => setTimeout(done), {once: true});
    video.pause();
  });
  await new Promise(done => {
    video.requestVideoFrameCallback(function look() {
      if (video.seeking) video.requestVideoFrameCallback(look); else done();
    });
    video.addEventListener('seeked', () => setTimeout(done, 150), {once: true});
    window.__tanshao.seek(at);
    video.pause();
  });
}"""


def ms(after_s: float) -> float:
    """Return a moment after BEGAN as the page takes it."""
    return (BEGAN + timedelta(seconds=after_s)).timestamp() * 1000


def at_clock(page: Page, after_s: float) -> None:
    """Wait until the page's clock is past a moment."""
    past = f"{BEGAN + timedelta(hours=8, seconds=after_s):%m-%d %H:%M:%S}"
    page.wait_for_function(
        "past => (document.querySelector('[data-testid=review-clock]')?.innerText ?? '') >= past",
        arg=past,
    )


def shown_picture(page: Page) -> int:
    """Return which of the barred pictures the video shows."""
    return int(page.evaluate(_SHOWN, BARS))


@pytest.mark.parametrize("b_frames", [0, 2])
def test_a_seek_shows_the_picture_of_the_wanted_moment_and_a_step_the_one_beside_it(
    review, b_frames
):
    sent = barred_packets(150, b_frames=b_frames)
    review.record(sent)
    page = review.open(BEGAN + timedelta(seconds=1))
    expect(page.get_by_test_id("review-video")).to_have_js_property("videoWidth", 160)
    # With B-frames the first picture is shown so much after its sample begins.
    first_s = (sent[0].pts_90k - sent[0].dts_90k) / 90_000

    for index in (71, 74, 119, 100, 62, 85, 110, 90):
        page.evaluate(_SEEK, ms(first_s + index / 25 + 0.037))
        assert shown_picture(page) == index, f"picture {index}"
    for key, by in ((".", 1), (",", -1)):
        for turn in range(1, 8):
            page.keyboard.press(key)
            index += by
            page.wait_for_function(
                "() => !document.querySelector('[data-testid=review-video]').seeking"
            )
            page.wait_for_timeout(120)
            assert shown_picture(page) == index, f"step {by}, the {turn}. time"
    assert review.complaints == []


def test_playing_goes_on_behind_a_gap(review):
    review.record(packets(frames=100))
    review.record([moved(each, wall_s=30) for each in packets(frames=150)])

    page = review.open(BEGAN + timedelta(seconds=2))

    at_clock(page, 32)
    assert review.complaints == []


def test_playing_goes_on_where_the_camera_was_given_another_size(review):
    small, large = packets(frames=100), packets(frames=100, width=320, height=240)
    review.record([*small, *(moved(each, media_s=4, wall_s=4) for each in large)])

    page = review.open(BEGAN + timedelta(seconds=2))

    expect(page.get_by_test_id("review-video")).to_have_js_property("videoWidth", 160)
    expect(page.get_by_test_id("review-video")).to_have_js_property("videoWidth", 320)
    at_clock(page, 6)
    assert review.complaints == []


def test_what_the_browser_cannot_play_is_said_before_it_is_loaded_and_the_sub_stream_offered(
    review,
):
    review.record(packets(Codec.H265, frames=100, width=640, height=480), Codec.H265)
    review.record(packets(frames=100), stream=StreamName.SUB)

    page = review.open(BEGAN + timedelta(seconds=1))

    expect(page.get_by_test_id("review-codec")).to_contain_text("这段录像是 H.265,此浏览器不能播放")
    assert not [url for url in review.asked if "playlist" in url or "segments" in url]
    page.get_by_test_id("review-codec-sub").click()
    expect(page.get_by_test_id("review-video")).to_have_js_property("videoWidth", 160)
    at_clock(page, 2)
    expect(page.get_by_test_id("review-codec")).to_have_count(0)
    expect(page.get_by_test_id("review-stream-sub")).to_have_attribute("aria-pressed", "true")
    page.get_by_test_id("review-stream-main").click()
    expect(page.get_by_test_id("review-codec")).to_be_visible()
    assert review.complaints == []


def test_where_a_recording_turns_into_what_cannot_be_played_it_is_played_up_to_there(review):
    review.record(packets(frames=100))
    review.record(
        [moved(each, wall_s=4.04) for each in packets(Codec.H265, frames=100)], Codec.H265
    )

    page = review.open(BEGAN + timedelta(seconds=2))

    expect(page.get_by_test_id("review-video")).to_have_js_property("videoWidth", 160)
    expect(page.get_by_test_id("review-codec")).to_contain_text("H.265")
    page.get_by_test_id("review-codec-export").click()
    expect(page.get_by_test_id("clip-download")).to_be_visible()
    assert review.complaints == []


def test_what_can_be_played_is_played_though_what_came_before_it_can_not(review):
    review.record(packets(Codec.H265, frames=100), Codec.H265)
    review.record([moved(each, wall_s=4) for each in packets(frames=100)])

    page = review.open(BEGAN + timedelta(seconds=5))

    at_clock(page, 6)
    expect(page.get_by_test_id("review-codec")).to_have_count(0)
    page.evaluate("at => window.__tanshao.seek(at)", ms(1))
    expect(page.get_by_test_id("review-codec")).to_be_visible()
    page.evaluate("at => window.__tanshao.seek(at)", ms(6))
    expect(page.get_by_test_id("review-video")).to_have_js_property("videoWidth", 160)
    assert review.complaints == []


def test_a_clip_is_named_by_its_place_the_village_s_clock_and_its_stream(review):
    review.record(packets(frames=100))
    review.record(packets(frames=100), stream=StreamName.SUB)
    page = review.open(BEGAN + timedelta(seconds=1))
    at_clock(page, 2)
    page.get_by_test_id("clip-begin").click()
    for stream, name in (
        ("main", r"村口-2026-11-22-09020\d\.mp4"),
        ("sub", r"村口-2026-11-22-09020\d-子码流\.mp4"),
    ):
        page.get_by_test_id(f"review-stream-{stream}").click()
        with page.expect_download() as saved:
            page.get_by_test_id("clip-download").click()
        assert re.fullmatch(name, saved.value.suggested_filename)


def test_a_camera_without_a_recorded_sub_stream_has_no_switch(review):
    review.record(packets(frames=100))

    page = review.open(BEGAN + timedelta(seconds=1))

    expect(page.get_by_test_id("review-video")).to_have_js_property("videoWidth", 160)
    expect(page.get_by_test_id("review-stream")).to_have_count(0)
    expect(page).to_have_url(re.compile("/review"))
