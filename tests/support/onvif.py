"""A double of an ONVIF camera, the time it is there, and our way to it."""

from datetime import UTC, datetime

from bench.onvif_device import Device, Request, Script, Send, reply
from edge.cameras.camera import Camera
from edge.cameras.door import Door
from edge.cameras.transport import Limits
from edge.rtsp.challenge import Credentials
from protocol.clock import FakeClock

NOW = datetime(2026, 11, 26, 12, 0, 0, tzinfo=UTC)
LOGIN = Credentials("operator", "correct horse")
PATIENT = Limits(connect_s=30, read_s=60, total_s=60)


def camera(device: Device, login: Credentials | None = LOGIN, **given) -> Camera:
    given = {"limits": PATIENT, **given}
    return Camera(Door.parse(device.base), login, FakeClock(NOW), **given)


def device(**given) -> Device:
    return Device(**{"now": lambda: NOW, "login": LOGIN, **given})


def saying(data: bytes, status: int = 200) -> Script:
    async def script(_request: Request, send: Send) -> None:
        await send(reply(status, data))

    return script


def in_turn(*answers: bytes) -> Script:
    left = list(answers)

    async def script(_request: Request, send: Send) -> None:
        await send(left.pop(0) if len(left) > 1 else left[0])

    return script
