"""Real cameras, and the interface that is shown them."""

from collections.abc import Iterator

import pytest

from bench.onvif_device import Device
from tests.support.enrolment import PASSWORD, onvif_camera, running_setup
from tests.support.rtsp import TestCamera, make_clip

GATE = {
    "id": "gate",
    "name": "村口主路",
    "grid_code": "533102105203001",
    "main_url": "rtsp://192.0.2.10/main",
    "rules": [{"id": "crowd", "exclude": [[[0, 0], [1, 0], [1, 1]]], "hold_s": 20}],
    "lost_after_s": 60,
}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def rtsp(tmp_path_factory) -> Iterator[TestCamera]:
    folder = tmp_path_factory.mktemp("clips")
    clips = {
        "/main": (make_clip(folder / "main.h264", frames=50, width=1280, height=720), 25),
        "/sub": (make_clip(folder / "sub.h264", frames=20, gop=10, fps=10), 10),
        "/hevc": (make_clip(folder / "hevc.h265", frames=50), 25),
    }
    with TestCamera(clips, auth="digest", password=PASSWORD) as camera:
        yield camera


@pytest.fixture(scope="module")
def device(rtsp) -> Iterator[Device]:
    with onvif_camera(rtsp) as one:
        yield one


@pytest.fixture
async def setup(tmp_path):
    async with running_setup(tmp_path, GATE) as running:
        yield running
