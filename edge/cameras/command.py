"""``python -m edge cameras``: cameras found, examined and listed; Chinese first, English second."""

import json
from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import urlsplit

from edge.alarm.camera_clock import OFF_S
from edge.cameras import discovery
from edge.cameras.camera import Camera
from edge.cameras.camera_clock import ClockSource
from edge.cameras.discovery import Found
from edge.cameras.door import Door, Uri
from edge.cameras.examination import Examination, Stream, examine
from edge.config import EdgeConfig
from edge.errors import CameraError, CameraFault
from edge.rtsp.challenge import Credentials
from protocol.clock import Clock

_Say = Callable[[str], None]

#: What went wrong and what to do about it.
ADVICE: Final = {
    CameraFault.UNREACHABLE: "连不上，请检查地址、网线和电源 · nobody answers: address, cable?",
    CameraFault.TIMEOUT: "摄像机响应太慢或没有响应 · the camera is too slow, or silent",
    CameraFault.AUTH: (
        "用户名或密码不对，已停止尝试以免锁定；有的摄像机要单独开通 ONVIF 用户 · user or password "
        "is refused, and not tried again; some cameras want an ONVIF user of their own"
    ),
    CameraFault.UNSUPPORTED: "摄像机不支持此功能 · the camera does not do this",
    CameraFault.BLOCKED: "摄像机的回答不安全，已拒绝 · its answer is not safe, and refused",
    CameraFault.BAD_XML: "摄像机的回答无法读懂 · the camera's answer can't be read",
}


class CamerasCommand:
    """Does what the command line says and tells ``say``; returns the exit status."""

    def __init__(self, clock: Clock, say: _Say, *, as_json: bool) -> None:
        self._clock = clock
        self._say = say
        self._as_json = as_json

    def list(self, config: EdgeConfig) -> int:
        """Tell which cameras the configuration has; no secret and no login is part of it."""
        cameras = [
            {
                "id": camera.id,
                "name": camera.name,
                "place": camera.place,
                "host": urlsplit(camera.main_url).hostname or "",
                "sub_stream": camera.sub_url is not None,
                "enabled": camera.enabled,
            }
            for camera in config.cameras
        ]
        if self._as_json:
            return self._json({"cameras": cameras})
        for camera in config.cameras:
            state = "" if camera.enabled else " · 已停用 disabled"
            host = urlsplit(camera.main_url).hostname
            self._say(f"{camera.id}  {camera.name}  {camera.place}  {host}{state}")
        self._say(f"共 {len(cameras)} 台 · {len(cameras)} cameras")
        return 0

    def discover(self, interfaces: Sequence[str], seconds: float) -> int:
        """Tell who answers on the networks of these interfaces, or of all; 1 where nobody does."""
        found = discovery.discover(
            interfaces or discovery.interfaces(), self._clock, seconds=seconds
        )
        if self._as_json:
            self._json(_found(found))
        else:
            self._tell(found)
        return 0 if found.sightings else 1

    def probe(self, door: Door, login: Credentials | None, *, may_be_ahead: bool) -> int:
        """Examine one camera and tell; 0 where it has a stream to pull."""
        try:
            camera = Camera(door, login, self._clock, may_be_ahead=may_be_ahead)
        except CameraError as error:
            if self._as_json:
                self._json({"kind": error.kind.value, "said": str(error)})
            else:
                self._say(f"{ADVICE[error.kind]} ({error})")
            return 1
        examined = examine(camera)
        if self._as_json:
            self._json(_examined(examined))
        else:
            self._describe(examined)
        return 0 if examined.is_usable else 1

    def _json(self, value: object) -> int:
        self._say(json.dumps(value, ensure_ascii=False))
        return 0

    def _tell(self, found: Found) -> None:
        for one in found.sightings:
            urls = " ".join(door.url for door in one.doors) or "没有可用地址 no address of its own"
            foreign = f" · 指向别处 {one.foreign} points elsewhere" if one.foreign else ""
            self._say(f"{one.sender}  {one.name} {one.hardware}  {urls}{foreign}")
        self._say(f"发现 {len(found.sightings)} 台 · {len(found.sightings)} found")
        if found.malformed or found.dropped:
            count = f"{found.malformed} + {found.dropped}"
            self._say(f"无法识别或过多的回答 {count} · answers unreadable, and too many")
        for address in found.silent:
            self._say(f"{address}: 此网口无法发送 · nothing can be sent on this interface")

    def _describe(self, examined: Examination) -> None:
        if (camera := examined.information) is not None:
            told = f"{camera.manufacturer} {camera.model} · {camera.firmware} · {camera.serial}"
            self._say(f"摄像机 camera: {told}")
        if (clock := examined.clock) is not None:
            offset_s = clock.offset.total_seconds()
            if clock.source is ClockSource.UNKNOWN:
                self._say("时钟 clock: 未知 unknown")
            else:
                off = " · 请校时 please set it" if abs(offset_s) > OFF_S else ""
                self._say(f"时钟 clock: {offset_s:+.0f} s{off}")
        for uri in examined.rewritten:
            self._say(f"改用本机地址 asked here instead: {uri.claimed} → {uri.url}")
        for stream in examined.streams:
            self._say(_line(stream))
        for problem in examined.problems:
            self._say(f"{problem.asked}: {ADVICE[problem.kind]} ({problem.said})")


def _line(stream: Stream) -> str:
    profile = stream.profile
    size = f"{profile.width_px or '?'}×{profile.height_px or '?'}"
    rate = f"{profile.fps or '?'} fps, {profile.bit_rate_kbps or '?'} kb/s"
    where = stream.video.url if stream.video else "没有地址 no address"
    said = (
        f" (它自称 it said {stream.video.claimed})" if stream.video and stream.video.claimed else ""
    )
    return f"码流 stream {profile.name}: {profile.encoding or '?'} {size} {rate}  {where}{said}"


def _found(found: Found) -> dict[str, object]:
    return {
        "cameras": [
            {
                "sender": one.sender,
                "endpoint": one.endpoint,
                "name": one.name,
                "hardware": one.hardware,
                "urls": [door.url for door in one.doors],
                "foreign": one.foreign,
            }
            for one in found.sightings
        ],
        "malformed": found.malformed,
        "dropped": found.dropped,
        "silent": list(found.silent),
    }


def _examined(examined: Examination) -> dict[str, object]:
    camera, clock = examined.information, examined.clock
    return {
        "manufacturer": camera and camera.manufacturer,
        "model": camera and camera.model,
        "firmware": camera and camera.firmware,
        "serial": camera and camera.serial,
        "clock_offset_s": clock and round(clock.offset.total_seconds(), 1),
        "clock_source": clock and clock.source.value,
        "streams": [
            {
                "name": stream.profile.name,
                "encoding": stream.profile.encoding,
                "width_px": stream.profile.width_px,
                "height_px": stream.profile.height_px,
                "fps": stream.profile.fps,
                "bit_rate_kbps": stream.profile.bit_rate_kbps,
                "group_frames": stream.profile.group_frames,
                "video": _uri(stream.video),
                "picture": _uri(stream.picture),
            }
            for stream in examined.streams
        ],
        "rewritten": [_uri(uri) for uri in examined.rewritten],
        "problems": [
            {"asked": one.asked, "kind": one.kind.value, "said": one.said}
            for one in examined.problems
        ],
    }


def _uri(uri: Uri | None) -> dict[str, str | None] | None:
    return None if uri is None else {"url": uri.url, "claimed": uri.claimed}
