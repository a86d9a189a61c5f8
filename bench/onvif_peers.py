"""``python -m bench.onvif_peers``: cameras that others wrote, found, asked and recorded.

Prints what was said to each and what came back, then the figures. What is not installed
(``.ci/onvif-peers``) is skipped and named.
"""

import argparse
import contextlib
import hashlib
import http.client
import json
import os
import re
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

from bench import report, rtsp_peers, stepped_clock, wait
from bench.onvif_device import Device, Request, Script, Send, reply
from bench.program import Program
from bench.transcript import Transcript
from edge.cameras import discovery
from edge.cameras.camera import Camera
from edge.cameras.camera_clock import CameraClock
from edge.cameras.door import Door
from edge.cameras.event import Event, EventKind
from edge.cameras.pull_point import PullPoint
from edge.cameras.sighting import Sighting
from edge.errors import CameraError, CameraFault
from edge.media.sample import Codec
from edge.rtsp.challenge import Credentials
from protocol.clock import Clock, SystemClock
from village.settings import free_port

ROOT = Path(__file__).resolve().parents[1]
LOGIN = Credentials("operator", "a long password of nobody")

_PEERS = ROOT / ".peers"
_LOOPBACK = "127.0.0.1"
_READY_S = 60.0
_PULLS = 30
_SOAP = re.compile(rb"Body[^>]*>(.*)</[\w-]+:Body>", re.DOTALL)
_SCHEMAS = (
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
)


def ipycam_python() -> Path | None:
    """Return the Python that has ipycam, None where nobody installed it."""
    found = _PEERS / "ipycam/ready", _PEERS / "ipycam/bin/python"
    return found[1] if found[0].exists() and shutil.which("ffmpeg") else None


def lighttpd() -> Path | None:
    """Return the web server that asks for digests, None where it is not installed."""
    found = shutil.which("lighttpd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    return None if found is None else Path(found)


def mock_folder() -> Path | None:
    """Return the folder of npm's mock, None where nobody installed it."""
    folder = _PEERS / "onvif-mock"
    return folder / "package" if (folder / "ready").exists() and shutil.which("node") else None


@contextlib.contextmanager
def ipycam(
    folder: Path,
    clock: Clock,
    *,
    off: timedelta = timedelta(0),
    login: Credentials | None = LOGIN,
    claimed: str = _LOOPBACK,
) -> Iterator[Door]:
    """Run ipycam on the loopback and yield its door.

    Its clock is ``off`` by libfaketime; ``claimed`` is the address that it says is its own.
    """
    python = ipycam_python()
    assert python is not None
    video = rtsp_peers.draw_clip(folder / "source.mp4", Codec.H264)
    ports = {name: free_port() for name in ("onvif_port", "rtsp_port", "rtmp_port", "web_port")}
    sizes = {"main_width": 640, "main_height": 360, "main_fps": 15, "main_bitrate": "1M"}
    subs = {"sub_width": 320, "sub_height": 180, "sub_fps": 15, "sub_bitrate": "500K"}
    who = {"local_ip": claimed}
    if login is not None:
        who |= {"username": login.username, "password": login.password}
    told = {**who, **ports, **sizes, **subs, "go2rtc_api_port": free_port(), "hw_accel": "cpu"}
    config = folder / "ipycam.json"
    config.write_text(json.dumps(told), encoding="utf-8")
    environment = dict(os.environ)
    if off:
        library = stepped_clock.library()
        assert library is not None
        faked = f"{off.total_seconds():+.0f}"  # both clocks: it sleeps by the monotonic one
        environment |= {"LD_PRELOAD": str(library), "FAKETIME": faked}
    arguments = ["-m", "ipycam", "--config", str(config), "--source", str(video), "--hw", "cpu"]
    with Program(
        [str(python), *arguments], folder / "ipycam.log", environment=environment, folder=folder
    ) as program:
        for port in (ports["onvif_port"], ports["rtsp_port"]):
            _await_port(port, program, clock)
        yield Door.parse(f"{_LOOPBACK}:{ports['onvif_port']}")


@contextlib.contextmanager
def behind_digest(folder: Path, clock: Clock, behind: Door) -> Iterator[Door]:
    """Run lighttpd before a device and yield its door: it wants an HTTP digest for everything."""
    program = lighttpd()
    assert program is not None
    hashed = hashlib.md5(
        f"{LOGIN.username}:camera:{LOGIN.password}".encode(), usedforsecurity=False
    ).hexdigest()
    users = folder / "users"
    users.write_text(f"{LOGIN.username}:camera:{hashed}\n", encoding="utf-8")
    port = free_port()
    config = folder / "lighttpd.conf"
    config.write_text(
        f"""
server.document-root = "{folder}"
server.bind = "{_LOOPBACK}"
server.port = {port}
server.modules = ("mod_auth", "mod_authn_file", "mod_proxy")
auth.backend = "htdigest"
auth.backend.htdigest.userfile = "{users}"
auth.require = ("/" => ("method" => "digest", "realm" => "camera", "require" => "valid-user"))
proxy.server = ("" => (("host" => "{behind.address}", "port" => {behind.port})))
""",
        encoding="utf-8",
    )
    with Program([str(program), "-D", "-f", str(config)], folder / "lighttpd.log") as running:
        _await_port(port, running, clock)
        yield Door.parse(f"{_LOOPBACK}:{port}")


@contextlib.contextmanager
def node_mock(folder: Path, clock: Clock) -> Iterator[Door]:
    """Run npm's mock and yield the door of what spells our questions as it reads them."""
    package = mock_folder()
    assert package is not None
    port = free_port()
    # Its own discovery wants a port that others may have: it is left out.
    code = (
        "require('dgram').Socket.prototype.bind = function () { return this };"
        "require('coffeescript/register'); require('./test/serverMockup.coffee')"
    )
    environment = {
        **os.environ,
        "HOSTNAME": "192.168.68.111",  # inside its NAT, as the rest of what it captured
        "PORT": str(port),
        "NODE_PATH": str(package / "test/node_modules"),
    }
    with Program(
        ["node", "-e", code], folder / "mock.log", environment=environment, folder=package
    ) as program:
        _await_port(port, program, clock)
        with Device(scripts={"*": _respelling(port)}) as device:
            yield Door.parse(f"{_LOOPBACK}:{device.port}")


def _respelling(port: int) -> Script:
    """Pass on what is asked, with prefixes and declarations as node's own client writes them."""

    async def script(request: Request, send: Send) -> None:
        found = _SOAP.search(request.body)
        inner = found.group(1).decode() if found else ""
        inner = re.sub(r"(</?)ns\d+:", r"\1", inner).replace("xmlns:ns0=", "xmlns=")
        inner = re.sub(r"^\s*<(\w+)/>", r"<\1 />", inner).replace("\n", "")
        envelope = (
            '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope">'
            f"<s:Body{_SCHEMAS}>{inner}</s:Body></s:Envelope>"
        )
        connection = http.client.HTTPConnection(_LOOPBACK, port, timeout=_READY_S)
        connection.request("POST", request.path, envelope)
        body = connection.getresponse().read()
        connection.close()
        await send(reply(200, body))

    return script


def _await_port(port: int, program: Program, clock: Clock) -> None:
    def is_open() -> bool:
        program.check()
        with socket.socket() as tried:
            return tried.connect_ex((_LOOPBACK, port)) == 0

    wait.until(is_open, limit_s=_READY_S, what=f"port {port}", clock=clock)


def found_at(door: Door, clock: Clock) -> Sighting | None:
    """Look for devices on the loopback; return the one with this door."""
    seen = discovery.discover((_LOOPBACK,), clock).sightings
    return next((one for one in seen if door.port in {own.port for own in one.doors}), None)


def with_ipycam(folder: Path, clock: Clock, *, off: timedelta) -> list[str]:
    """Find, ask, refuse, fetch and play; return what failed."""
    told = Transcript(f"ipycam 1.3.0, its clock off by {off}")
    with ipycam(folder, clock, off=off) as door:
        sighting = found_at(door, clock)
        told.say("discovered", sighting)
        told.expect("it is found by discovery", holds=sighting is not None)
        camera = Camera(door, LOGIN, clock)
        examined = told.examined(camera)
        told.expect("it has two streams", holds=len(examined.streams) == 2)
        told.expect("its clock is known", holds=_is_off_by(examined.clock, off))
        refused = _kind(Camera(door, Credentials(LOGIN.username, "wrong"), clock))
        told.expect("a wrong password is refused", holds=refused is CameraFault.AUTH)
        video = next((one.video for one in examined.streams if one.video), None)
        told.expect("it says where its video is", holds=video is not None)
        if video is not None:
            rtsp_peers.record(told, {"main_url": video.url}, folder / "video", clock)
        picture = next((one.picture for one in examined.streams if one.picture), None)
        told.expect("it says where its picture is", holds=picture is not None)
        if picture is not None:  # it knows no digest for that
            pictures = {"main_url": picture.url, "basic_over_http": True}
            rtsp_peers.record(told, pictures, folder / "pictures", clock, LOGIN)
    return told.failures


def with_digest(folder: Path, clock: Clock) -> list[str]:
    """Ask ipycam through a web server that wants a digest, at an address of a NAT's inside."""
    told = Transcript("ipycam behind lighttpd's HTTP digest")
    with (
        ipycam(folder, clock, login=None, claimed="192.168.68.112") as behind,
        behind_digest(folder, clock, behind) as door,
    ):
        camera = Camera(door, LOGIN, clock)
        examined = told.examined(camera)
        told.expect("it has two streams", holds=len(examined.streams) == 2)
        told.expect("its services are asked at our door", holds=bool(examined.rewritten))
        refused = _kind(Camera(door, Credentials(LOGIN.username, "wrong"), clock))
        told.expect("a wrong password is refused", holds=refused is CameraFault.AUTH)
        picture = camera.snapshot(examined.streams[0].profile)
        told.say("snapshot", f"{len(picture)} bytes")
        told.expect("its picture is a JPEG", holds=picture.startswith(b"\xff\xd8"))
        url = camera.media.snapshot(examined.streams[0].profile).url
        rtsp_peers.record(told, {"main_url": url}, folder / "pictures", clock, LOGIN)
    return told.failures


def with_mock(folder: Path, clock: Clock) -> list[str]:
    """Ask what it has captured replies for; return what failed."""
    told = Transcript("the mock of npm's onvif 0.6.2")
    with node_mock(folder, clock) as door:
        camera = Camera(door, None, clock, may_be_ahead=True)
        examined = told.examined(camera)
        told.expect("it has streams", holds=bool(examined.streams))
        told.expect(
            "what is inside its NAT is asked at our door, and said so",
            holds=bool(examined.rewritten),
        )
        with camera.events() as subscription:
            event = _first_event(subscription)
        told.say("event", event)
        is_motion = event is not None and event.kind is EventKind.MOTION
        told.expect("its motion comes with its topic", holds=is_motion)
        profile = examined.streams[0].profile
        told.say("imaging", camera.picture.imaging(profile.source))
        told.say("presets", camera.presets(profile))
        told.say("reboot", camera.reboot())
    return told.failures


def _first_event(subscription: PullPoint) -> Event | None:
    """Return an event of the mock, which has some three times in four, by chance."""
    for _ in range(_PULLS):
        for event in subscription.pull(timedelta(seconds=1)).events:
            return event
    return None


def _is_off_by(clock: CameraClock | None, off: timedelta) -> bool:
    return clock is not None and abs(clock.offset - off) < timedelta(seconds=10)


def _kind(camera: Camera) -> CameraFault | None:
    try:
        camera.information()
    except CameraError as error:
        return error.kind
    return None


def main(arguments: Sequence[str] | None = None) -> int:
    """Meet all that are installed; 1 where one of them was not served as it must be."""
    parser = argparse.ArgumentParser(prog="python -m bench.onvif_peers", description=__doc__)
    parser.parse_args(arguments)
    clock, failures, met, missing = SystemClock(), list[str](), 0, list[str]()
    with tempfile.TemporaryDirectory() as kept:
        if ipycam_python() is not None:
            offsets = [timedelta(0)]
            if stepped_clock.library() is not None:
                offsets.append(timedelta(days=-700))
            else:
                missing.append("libfaketime")
            for number, off in enumerate(offsets):
                folder = Path(kept) / str(number)
                folder.mkdir()
                failures += with_ipycam(folder, clock, off=off)
                met += 1
            if lighttpd() is not None:
                failures += with_digest(Path(kept), clock)
                met += 1
            else:
                missing.append("lighttpd")
        else:
            missing.append("ipycam")
        if mock_folder() is not None:
            failures += with_mock(Path(kept), clock)
            met += 1
        else:
            missing.append("npm onvif")
        for name, peer in rtsp_peers.peers().items():
            if peer is None:
                missing.append(name)
                continue
            folder = Path(kept) / name
            folder.mkdir()
            failures += rtsp_peers.with_peer(name, peer, folder, clock)
            met += 1
    report.emit(sys.stdout, {"peers": met, "failures": failures, "missing": missing})
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
