"""An ONVIF camera whose clock is off until somebody sets it."""

import re
from datetime import UTC, datetime, timedelta

from bench import onvif_answers
from bench.onvif_device import Device, Request, Send, reply
from edge.rtsp.challenge import Credentials

LOGIN = Credentials("operator", "correct horse")


class ClockedDevice(Device):
    """``off_s`` is its clock's; ``by_ntp`` what it says of it; not ``obeys``: it only says yes."""

    def __init__(self, off_s: float, *, by_ntp: bool = False, obeys: bool = True) -> None:
        super().__init__(login=LOGIN, now=self._now)
        self.off = timedelta(seconds=off_s)
        self._by_ntp = by_ntp
        self._obeys = obeys
        self.scripts["SetSystemDateAndTime"] = self._set
        self.scripts["GetSystemDateAndTime"] = self._get

    def _now(self) -> datetime:
        return datetime.now(UTC) + self.off

    async def _get(self, _: Request, send: Send) -> None:
        told = onvif_answers.time_of(self._now())
        kind = "NTP" if self._by_ntp else "Manual"
        await send(reply(200, onvif_answers.envelope(told.replace(">Manual<", f">{kind}<"))))

    async def _set(self, request: Request, send: Send) -> None:
        if self._obeys and (answer := self.answer(request)).startswith(b"HTTP/1.1 200"):
            self.off = _time(request.body) - datetime.now(UTC)
            self._by_ntp = False
            await send(answer)
            return
        await send(self.answer(request))


def _time(body: bytes) -> datetime:
    def part(name: str) -> int:
        found = re.search(rf"<(?:\w+:)?{name}>(\d+)<".encode(), body)
        assert found is not None, name
        return int(found.group(1))

    return datetime(
        *(part(name) for name in ("Year", "Month", "Day", "Hour", "Minute", "Second")), tzinfo=UTC
    )
