"""One camera looked after: its clock, its texts, its views; Chinese first, English second."""

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Final

from edge.alarm.camera_clock import OFF_S
from edge.cameras.camera import Camera, Preset
from edge.cameras.camera_clock import CameraClock, ClockSource
from edge.cameras.clock_care import ClockOutcome, set_right
from edge.cameras.command import ADVICE
from edge.cameras.door import Door
from edge.cameras.event import Event
from edge.cameras.media import Profile
from edge.cameras.picture import Imaging
from edge.errors import CameraError, CameraUnsupported
from edge.rtsp.challenge import Credentials
from protocol.clock import Clock

_OUTCOMES: Final = {
    ClockOutcome.RIGHT: "时钟是准的，没有动 · the clock is right, and was left alone",
    ClockOutcome.SET: "已对时 · set",
    ClockOutcome.KEPT_BY_NTP: (
        "摄像机自己用 NTP 校时，没有动：请查它的 NTP 服务器；仍要对时请加 --end-ntp · it asks a "
        "time server itself and was left alone: look at that server, or end that by --end-ntp"
    ),
    ClockOutcome.NOT_TAKEN: (
        "摄像机答应了却没有改，请在它的网页里对时 · it said yes and changed nothing: set it in its "
        "own page"
    ),
}
_GOOD: Final = frozenset({ClockOutcome.RIGHT, ClockOutcome.SET})
#: How long one question for events waits: so long may a listener overstay.
_POLL: Final = timedelta(seconds=5)
_APART_S: Final = 1.0
_NS_PER_S: Final = 1_000_000_000


class CameraCare:
    """Does what the command line says with one camera and tells ``say``; returns the exit status.

    All but :meth:`told` raise CameraError.
    """

    def __init__(
        self,
        door: Door,
        login: Credentials | None,
        clock: Clock,
        say: Callable[[str], None],
        *,
        as_json: bool,
        may_be_ahead: bool = False,
    ) -> None:
        self._door = door
        self._login = login
        self._clock = clock
        self._say = say
        self._as_json = as_json
        self._may_be_ahead = may_be_ahead

    def told(self, doing: Callable[[], int]) -> int:
        """Do it; a camera that can't be asked is told, and 1."""
        try:
            return doing()
        except CameraError as error:
            self._tell(
                {"kind": error.kind.value, "said": str(error)}, f"{ADVICE[error.kind]} ({error})"
            )
            return 1

    def clock(self, *, set_it: bool, ending_ntp: bool) -> int:
        """Tell how far its clock is off, and set it; 1 where it is off afterwards."""
        camera = self._camera()
        if not set_it:
            clock = camera.clock()
            self._tell(_clock(clock), _clock_words(clock))
            is_known = clock.source is not ClockSource.UNKNOWN
            return 0 if is_known and abs(clock.offset.total_seconds()) <= OFF_S else 1
        care = set_right(camera, self._clock, ending_ntp=ending_ntp)
        told = {
            "outcome": care.outcome.value,
            "before": _clock(care.before),
            "after": _clock(care.after),
        }
        before, after = _clock_words(care.before), _clock_words(care.after)
        self._tell(
            told,
            before,
            *([after] if care.after is not care.before else []),
            _OUTCOMES[care.outcome],
        )
        return 0 if care.outcome in _GOOD else 1

    def osd(self, text: Sequence[str] | None) -> int:
        """Tell the texts that it writes into its picture, after one was changed if ``text``."""
        camera = self._camera()
        if text is not None:
            camera.picture.set_text(*text)
        overlays = camera.picture.overlays()
        self._tell(
            {"overlays": [asdict(each) for each in overlays]},
            *(f"{each.token}  {each.kind}  {each.text}" for each in overlays),
            f"共 {len(overlays)} 处 · {len(overlays)} texts",
        )
        return 0

    def imaging(self, wanted: Imaging) -> int:
        """Tell how it makes its picture, after what ``wanted`` names was changed."""
        camera = self._camera()
        source = self._profile(camera).source
        if wanted != Imaging():
            camera.picture.set_imaging(source, wanted)
        settings = asdict(camera.picture.imaging(source))
        words = (
            f"{name} {'–' if value is None else f'{value:g}'}" for name, value in settings.items()
        )
        self._tell(settings, *words)
        return 0

    def presets(self) -> int:
        """Tell the views that it can be turned to."""
        camera = self._camera()
        presets = camera.presets(self._profile(camera))
        self._tell(
            {"presets": [asdict(each) for each in presets]},
            *(f"{each.token}  {each.name}" for each in presets),
            f"共 {len(presets)} 个预置位 · {len(presets)} presets",
        )
        return 0

    def goto(self, which: str) -> int:
        """Turn it to the view of that token or name."""
        camera = self._camera()
        profile = self._profile(camera)
        camera.turn_to(profile, _preset(camera.presets(profile), which))
        self._tell({"preset": which}, f"正在转到 {which} · on its way there")
        return 0

    def reboot(self, is_sure: bool) -> int:
        """Start it anew, where a person is sure of that."""
        if not is_sure:
            self._tell({"rebooted": False}, "没有重启 · not rebooted")
            return 1
        said = self._camera().reboot()
        self._tell(
            {"rebooted": True, "said": said},
            f"正在重启，一两分钟后恢复 · away for a minute or two ({said})",
        )
        return 0

    def events(self, seconds: float) -> int:
        """Tell what it reports within so many seconds, as it comes; silence means nothing.

        What it says again is only counted, and it is asked once a second: some answer at once, with
        the same, however long they were to wait.
        """
        end_ns = self._clock.monotonic_ns() + round(seconds * _NS_PER_S)
        count, known, pause = 0, dict[tuple[str, str], bool | None](), threading.Event()
        with self._camera().events() as point:
            while (left_ns := end_ns - (began_ns := self._clock.monotonic_ns())) > 0:
                wait = min(timedelta(seconds=left_ns / _NS_PER_S), _POLL)
                for event in point.pull(wait).events:
                    count += 1
                    what = event.topic, str(sorted(event.source.items()))
                    if what not in known or known[what] is not event.active:
                        self._tell(_event(event), _event_words(event))
                    known[what] = event.active
                took_s = (self._clock.monotonic_ns() - began_ns) / _NS_PER_S
                pause.wait(min(max(_APART_S - took_s, 0), left_ns / _NS_PER_S))
            dropped = point.dropped
        self._tell(
            {"events": count, "dropped": dropped},
            f"共 {count} 条 · {count} events, {dropped} unreadable",
        )
        return 0

    def _camera(self) -> Camera:
        return Camera(self._door, self._login, self._clock, may_be_ahead=self._may_be_ahead)

    def _profile(self, camera: Camera) -> Profile:
        """Return the stream by whose name the camera is turned, and its picture set."""
        profiles = camera.media.profiles()
        if not profiles:
            raise CameraUnsupported("the camera names no streams")
        return next((each for each in profiles if each.has_ptz), profiles[0])

    def _tell(self, document: object, *lines: str) -> None:
        if self._as_json:
            self._say(json.dumps(document, ensure_ascii=False))
            return
        for line in lines:
            self._say(line)


def _preset(presets: Sequence[Preset], which: str) -> Preset:
    by_token = {preset.token: preset for preset in presets}
    by_name = {preset.name: preset for preset in presets}
    found = by_token.get(which) or by_name.get(which)
    if found is None:
        raise CameraUnsupported("there is no such preset")
    return found


def _clock(clock: CameraClock) -> dict[str, object]:
    is_known = clock.source is not ClockSource.UNKNOWN
    return {
        "offset_s": round(clock.offset.total_seconds(), 1) if is_known else None,
        "source": clock.source.value,
        "by_ntp": clock.by_ntp,
    }


def _clock_words(clock: CameraClock) -> str:
    if clock.source is ClockSource.UNKNOWN:
        return "时钟 clock: 未知 unknown"
    ntp = {True: " · NTP", False: " · 手动 set by hand", None: ""}[clock.by_ntp]
    return f"时钟 clock: {clock.offset.total_seconds():+.1f} s{ntp}"


def _event(event: Event) -> dict[str, object]:
    return {
        "at": event.received.isoformat(timespec="seconds"),
        "kind": event.kind.value,
        "topic": event.topic,
        "active": event.active,
        "initial": event.initial,
        "data": dict(event.data),
    }


def _event_words(event: Event) -> str:
    state = {True: "是 yes", False: "否 no", None: "–"}[event.active]
    initial = " (此前如此 as before)" if event.initial else ""
    at = event.received.astimezone().strftime("%H:%M:%S")
    return f"{at}  {event.kind.value}  {event.topic}  {state}{initial}"
