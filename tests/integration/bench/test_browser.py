import io
import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import av
import cv2
import numpy as np
import pytest
from playwright.sync_api import Error

from bench.browser import Browser

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is not installed"),
]

WALL = """<!doctype html><title>wall</title>
<div data-testid="wall-tile-box-1.cam-01"><video muted autoplay loop
 src="/api/v1/evidence/clip"></video></div>
<div data-testid="wall-tile-box-1.cam-02"></div>
<div data-testid="alert-popup" data-alert-id="a"></div>
<p id="keys"></p>
<script>
  window.__tanshao = {shown: [{id: 'a', shownAt: 1000.5}, {id: 'a', shownAt: 2000}]}
  window.addEventListener('keydown', event => {
    keys.textContent += event.key
    const dialog = {' ': 'pin-input', '1': 'confirm-real'}[event.key]
    document.body.insertAdjacentHTML('beforeend', `<i data-testid="${dialog}"></i>`)
  })
</script>"""


def clip():
    target = io.BytesIO()
    with av.open(target, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=Fraction(7), options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        for number in range(28):
            picture = np.full((96, 128, 3), number * 9, dtype=np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return target.getvalue()


FILES = {
    "/wall": ("text/html; charset=utf-8", WALL.encode()),
    "/api/v1/evidence/clip": ("video/mp4", clip()),
    "/api/v1/evidence/broken": ("video/mp4", b"\0" * 5000),
    "/api/v1/evidence/picture": (
        "image/jpeg",
        cv2.imencode(".jpg", np.zeros((8, 8, 3), dtype=np.uint8))[1].tobytes(),
    ),
}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        kind, data = FILES.get(self.path, ("text/plain", b""))
        self.answer(200 if data else 404, kind, data)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        origin = f"http://{self.headers['Host']}"
        right = body == {"username": "wall", "password": "pw"} and self.headers["Origin"] == origin
        self.answer(200 if right else 401, "application/json", b"{}")

    def answer(self, status, kind, data):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def centre():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def wall(centre):
    with Browser(centre, "wall", "pw") as browser:
        browser.open_wall()
        yield browser


def test_a_tile_has_a_picture_when_its_video_plays(wall):
    wall.page.wait_for_function("document.querySelector('video').currentTime > 0")
    assert wall.has_picture("box-1.cam-01")
    assert not wall.has_picture("box-1.cam-02")
    assert not wall.has_picture("nobody")


def test_the_first_time_an_alert_was_painted_counts(wall):
    assert wall.shown() == {"a": 1000.5}


def test_the_popup_and_its_dialogs_are_seen_and_keys_reach_them(wall):
    assert (wall.popup(), wall.asks_pin(), wall.asks_what_it_is()) == ("a", False, False)
    wall.press("Space")
    wall.press("1")
    assert (wall.asks_pin(), wall.asks_what_it_is()) == (True, True)
    assert wall.page.text_content("#keys") == " 1"


def test_a_clip_plays(wall):
    played = wall.play("clip")
    assert (played.error, played.width, round(played.duration_s)) == (None, 128, 4)
    assert played.played_s >= 1.0


@pytest.mark.parametrize("name", ["broken", "missing"])
def test_what_is_no_clip_is_an_error(wall, name):
    played = wall.play(name)
    assert played.error is not None
    assert played.played_s == 0


def test_a_picture_shows_and_what_is_none_does_not(wall):
    assert wall.shows_picture("picture")
    assert not wall.shows_picture("broken")
    assert not wall.shows_picture("missing")


def test_a_wrong_password_is_refused(centre):
    def sign_in():
        with Browser(centre, "wall", "no"):
            pass

    with ThreadPoolExecutor(1) as pool:  # one Playwright a thread
        error = pool.submit(sign_in).exception()
    assert isinstance(error, Error)
    assert "sign-in of the wall: 401" in str(error)
