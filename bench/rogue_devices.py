"""``python -m bench.rogue_devices``: what hostile and broken cameras get out of us.

Each is a real server on loopback that a camera's wrapper is let loose on, with the limits that a
box has. Told are the kind of refusal, the seconds it took, the bytes that were taken, what memory
grew by meanwhile, and whether anything went to a second server that the device points at.
"""

import argparse
import asyncio
import sys
import tracemalloc
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from bench import onvif_answers, report
from bench.onvif_answers import envelope, response
from bench.onvif_device import Device, Request, Script, Send, reply
from edge.cameras.camera import Camera
from edge.cameras.door import Door
from edge.cameras.transport import Limits
from edge.errors import CameraError, CameraFault
from edge.rtsp.challenge import Credentials
from protocol.clock import Clock, SystemClock

LOGIN = Credentials("operator", "a long password of nobody")
#: Another host, as far as addresses go: nothing may arrive there.
ELSEWHERE_HOST = "127.0.0.2"

_MIB = 1 << 20
_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_ENDLESS_CHUNK = b"A" * (64 * 1024)


@dataclass(frozen=True, slots=True)
class Rogue:
    """One device: how it answers, what is asked of it, and what that must end in."""

    name: str
    expected: CameraFault
    scripts: dict[str, Script] = field(default_factory=dict)
    advertised: dict[str, str] = field(default_factory=dict)
    ask: Callable[[Camera], object] = Camera.information


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it; ``signed`` counts requests with anything made of the password in them."""

    name: str
    expected: CameraFault
    kind: CameraFault | None
    said: str
    seconds: float
    sent_bytes: int
    grown_bytes: int
    signed: int
    elsewhere: int

    @property
    def is_right(self) -> bool:
        """Whether it was refused as it must be, and nothing went elsewhere."""
        return self.kind is self.expected and self.elsewhere == 0


def meet(rogue: Rogue, elsewhere: Device, clock: Clock, limits: Limits) -> Outcome:
    """Ask a rogue, and say what came of it."""
    before = len(elsewhere.requests)
    with Device(scripts=dict(rogue.scripts), advertised=dict(rogue.advertised)) as device:
        camera = Camera(Door.parse(device.base), LOGIN, clock, limits=limits)
        kind, said = None, "was believed"
        tracemalloc.start()
        began_ns = clock.monotonic_ns()
        try:
            rogue.ask(camera)
        except CameraError as error:
            kind, said = error.kind, str(error)
        seconds = (clock.monotonic_ns() - began_ns) / 1e9
        grown = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        signed = sum(request.is_signed for request in device.requests)
        sent = device.sent_bytes
    gone = len(elsewhere.requests) - before
    return Outcome(rogue.name, rogue.expected, kind, said, seconds, sent, grown, signed, gone)


def rogues(elsewhere: str, byte_every_s: float) -> Iterator[Rogue]:
    """Yield them all; ``elsewhere`` is the base address of another host's server."""
    yield from _pointing(elsewhere)
    yield from _documents(elsewhere)
    yield from _endless(byte_every_s)
    yield from _strange()


def _pointing(elsewhere: str) -> Iterator[Rogue]:
    """Devices that send us somewhere else."""
    blocked = CameraFault.BLOCKED
    everywhere = dict.fromkeys(onvif_answers.SERVICES, f"{elsewhere}/onvif/any")
    yield Rogue("foreign service", blocked, advertised=everywhere, ask=_profiles)
    metadata = dict.fromkeys(onvif_answers.SERVICES, "http://169.254.169.254/latest/meta-data/")
    yield Rogue("metadata service", blocked, advertised=metadata, ask=_profiles)
    for status in (301, 302, 307, 308):
        yield Rogue(f"redirect {status}", blocked, {"*": _redirect(status, f"{elsewhere}/x")})
    subscription = onvif_answers.ANSWERS["CreatePullPointSubscription"][1]
    foreign = subscription.replace("{base}", elsewhere)
    answer = response("tev", "CreatePullPointSubscription", foreign)
    scripts = {"CreatePullPointSubscription": _say(envelope(answer))}
    yield Rogue("foreign subscription", blocked, scripts, ask=_events)
    long = subscription.replace(">7<", f">{'7' * 100_000}<")
    scripts = {
        "CreatePullPointSubscription": _say(
            envelope(
                response("tev", "CreatePullPointSubscription", long.replace("{base}", "http://"))
            )
        )
    }
    yield Rogue("endless references", blocked, scripts, ask=_events)
    for uri in ("file:///etc/passwd", f"{elsewhere}/x", "http://169.254.169.254/x", "concat:a|b"):
        scripts = {"GetStreamUri": _say(envelope(response("tr2", "GetStreamUri", _uri(uri))))}
        yield Rogue(f"stream {uri[:24]}", blocked, scripts, ask=_stream)
    for uri in ("file:///etc/passwd", f"{elsewhere}/x", "http://169.254.169.254/x", "ftp://a/b"):
        scripts = {"GetSnapshotUri": _say(envelope(response("tr2", "GetSnapshotUri", _uri(uri))))}
        yield Rogue(f"snapshot {uri[:24]}", blocked, scripts, ask=_snapshot)
    basic = reply(401, b"", {"WWW-Authenticate": 'Basic realm="give me the password"'})
    yield Rogue("asks for the password", CameraFault.AUTH, {"GetDeviceInformation": _say(basic)})


def _documents(elsewhere: str) -> Iterator[Rogue]:
    """Devices whose documents are traps."""
    blocked, bad = CameraFault.BLOCKED, CameraFault.BAD_XML
    levels = "".join(
        f'<!ENTITY {chr(98 + level)} "{f"&{chr(97 + level)};" * 10}">' for level in range(9)
    )
    bomb = f'<!DOCTYPE x [<!ENTITY a "{"A" * 50}">{levels}]>'
    yield _informing("entity bomb", blocked, _information("&j;", bomb))
    local = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>'
    yield _informing("external entity", blocked, _information("&e;", local))
    outside = f'<!DOCTYPE x SYSTEM "{elsewhere}/evil.dtd">'
    yield _informing("external DTD", blocked, _information("x", outside))
    broken = _information("x").replace(b"Example", b"\xff\xfe\xc0\x80")
    yield _informing("invalid UTF-8", bad, broken)
    yield _informing("undeclared prefix", bad, b"<s:Envelope><s:Body/></s:Envelope>")
    yield _informing("a web page", bad, b"<html><body><p>Welcome<br></body></html>")
    yield _informing("an empty answer", bad, b"")
    for name, expected, headers in (
        ("broken gzip", bad, {"Content-Encoding": "gzip"}),
        ("unknown coding", blocked, {"Content-Encoding": "br"}),
        ("many parts", blocked, {"Content-Type": "multipart/related; boundary=x"}),
    ):
        answer = reply(200, _information("x"), headers)
        yield Rogue(name, expected, {"GetDeviceInformation": _say(answer)})
    deep = b"<a>" * 100_000
    yield _informing("nested deep", bad, _information("x").replace(b"<tds:Model>", deep))


def _endless(byte_every_s: float) -> Iterator[Rogue]:
    """Devices that never come to an end, or send more than anybody can hold."""
    blocked, timeout = CameraFault.BLOCKED, CameraFault.TIMEOUT
    yield Rogue("400 MB of gzip", blocked, {"GetDeviceInformation": _gzip_bomb})
    yield Rogue("endless answer", blocked, {"GetDeviceInformation": _pour})
    yield Rogue("endless events", blocked, {"PullMessages": _pour_events}, ask=_events)
    yield Rogue("endless headers", CameraFault.BAD_XML, {"*": _pour_headers})
    yield Rogue("silence", timeout, {"*": _silence})
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 100000\r\n\r\n"
    yield Rogue("a byte at a time", timeout, {"*": _drip(head, b" ", byte_every_s)})
    begun = b"HTTP/1.1 200 OK\r\nX: "
    yield Rogue("headers a byte at a time", timeout, {"*": _drip(begun, b"x", byte_every_s)})


def _strange() -> Iterator[Rogue]:
    """Devices that are out of their mind."""
    ahead = onvif_answers.time_of(SystemClock().now() + timedelta(days=400))
    scripts = {"GetSystemDateAndTime": _say(envelope(ahead))}
    yield Rogue("a clock a year ahead", CameraFault.BLOCKED, scripts)
    hangs_up: dict[str, Script] = {"*": _nothing}
    yield Rogue("hangs up", CameraFault.UNREACHABLE, hangs_up)
    yield Rogue("no HTTP", CameraFault.BAD_XML, {"*": _say(b"SSH-2.0-dropbear\r\n\r\n")})
    refusal = onvif_answers.fault("NotAuthorized", "You still have 2 attempts")
    yield Rogue(
        "wrong password, asked thrice",
        CameraFault.AUTH,
        {"GetDeviceInformation": _say(reply(400, refusal))},
        ask=_thrice,
    )


def _informing(name: str, expected: CameraFault, document: bytes) -> Rogue:
    return Rogue(name, expected, {"GetDeviceInformation": _say(reply(200, document))})


def _information(model: str, before: str = "") -> bytes:
    inner = onvif_answers.ANSWERS["GetDeviceInformation"][1].replace("Bullet 4", model)
    return envelope(response("tds", "GetDeviceInformation", inner), before)


def _uri(uri: str) -> str:
    return f"<tr2:Uri>{uri}</tr2:Uri>"


def _profiles(camera: Camera) -> object:
    return camera.media.profiles()


def _stream(camera: Camera) -> object:
    return camera.media.stream(camera.media.profiles()[0])


def _snapshot(camera: Camera) -> object:
    return camera.snapshot(camera.media.profiles()[0])


def _events(camera: Camera) -> object:
    with camera.events() as events:
        return events.pull(timedelta(seconds=0))


def _thrice(camera: Camera) -> object:
    for _ in range(2):
        try:
            camera.information()
        except CameraError:
            continue
    return camera.information()


def _say(data: bytes) -> Script:
    whole = data if data.startswith((b"HTTP/", b"SSH")) else reply(200, data)

    async def script(_request: Request, send: Send) -> None:
        await send(whole)

    return script


def _redirect(status: int, to: str) -> Script:
    return _say(reply(status, b"", {"Location": to}))


def _drip(head: bytes, byte: bytes, every_s: float) -> Script:
    async def script(_request: Request, send: Send) -> None:
        await send(head)
        while True:
            await asyncio.sleep(every_s)
            await send(byte)

    return script


async def _silence(_request: Request, _send: Send) -> None:
    await asyncio.Event().wait()


async def _nothing(_request: Request, _send: Send) -> None:
    """Close the connection without a word."""


async def _pour(_request: Request, send: Send) -> None:
    await send(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n<a>")
    while True:
        await send(_ENDLESS_CHUNK)


async def _pour_events(_request: Request, send: Send) -> None:
    whole = envelope(onvif_answers.messages("@")).split(b"@")[0]
    await send(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n" + whole)
    event = onvif_answers.notification("tns1:VideoSource/MotionAlarm", "State", "true").encode()
    while True:
        await send(event * 100)


async def _pour_headers(_request: Request, send: Send) -> None:
    await send(b"HTTP/1.1 200 OK\r\n")
    while True:
        await send(b"X-More: and more\r\n" * 100)


async def _gzip_bomb(_request: Request, send: Send) -> None:
    """400 MB of one letter, a megabyte compressed once and sent 400 times."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = packer.compress(b"A" * _MIB) + packer.flush(zlib.Z_FULL_FLUSH)
    body = _GZIP_HEAD + block * 400
    await send(reply(200, body, {"Content-Encoding": "gzip"}))


def main(arguments: Sequence[str] | None = None) -> int:
    """Meet them all and print; 1 where one of them got more than it should."""
    parser = argparse.ArgumentParser(prog="python -m bench.rogue_devices", description=__doc__)
    parser.parse_args(arguments)
    clock = SystemClock()
    with Device(host=ELSEWHERE_HOST) as elsewhere:
        found = [meet(rogue, elsewhere, clock, Limits()) for rogue in rogues(elsewhere.base, 1.0)]
    rows = [
        [
            one.name,
            one.kind.value if one.kind else "-",
            one.is_right,
            round(one.seconds, 2),
            one.sent_bytes,
            round(one.grown_bytes / _MIB, 1),
            one.signed,
            one.elsewhere,
        ]
        for one in found
    ]
    head = ["device", "kind", "right", "s", "bytes sent", "grown MB", "signed", "elsewhere"]
    print(report.table(head, rows))
    wrong = [one.name for one in found if not one.is_right]
    report.emit(
        sys.stdout,
        {
            "devices": len(found),
            "wrong": wrong,
            "seconds_max": report.rounded(max(one.seconds for one in found), 2),
            "grown_mb_max": report.rounded(max(one.grown_bytes for one in found) / _MIB),
            "elsewhere": sum(one.elsewhere for one in found),
        },
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
