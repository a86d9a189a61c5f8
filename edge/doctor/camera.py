"""What is wrong with a camera: how far one gets with it, and what it sends. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from edge.cameras.codec_report import Advice, CodecReport, advise_main, advise_sub
from edge.doctor.clock import ALERT_OFFSET_S, WARN_OFFSET_S
from edge.doctor.disk import FolderFacts, Limits
from edge.doctor.finding import Finding, Kind, Values
from edge.doctor.rtsp_hint import Status
from protocol.relay import StreamName


class Step(StrEnum):
    """The step of reaching a stream that failed."""

    NAME = "name"  # the host's name has no address
    REACH = "reach"  # nothing answers at the address
    PORT = "port"  # the address answers, and nothing listens on the port
    TLS = "tls"  # its certificate is not trusted
    LOGIN = "login"  # the password can't be read
    PLAIN = "plain"  # it wants the password as it is, which is not allowed
    RTSP = "rtsp"  # what listens does not speak RTSP, or stays silent
    ANSWER = "answer"  # it says no: ``status`` tells which no
    CODEC = "codec"  # neither H.264 nor H.265
    PICTURE = "picture"  # it said yes, and no picture came


_ADVISED = {
    Advice.SUB_ABSENT: Kind.CAMERA_SUB_ABSENT,
    Advice.SUB_NOT_H264: Kind.CAMERA_SUB_NOT_H264,
    Advice.SUB_TOO_LARGE: Kind.CAMERA_SUB_TOO_LARGE,
    Advice.MAIN_H265: Kind.CAMERA_MAIN_H265,
    Advice.PROFILE_ODD: Kind.CAMERA_PROFILE_ODD,
    Advice.B_FRAMES: Kind.CAMERA_B_FRAMES,
    Advice.GOP_LONG: Kind.CAMERA_GOP_LONG,
    Advice.FRAMES_MISSING: Kind.CAMERA_FRAMES_MISSING,
    Advice.LATE: Kind.CAMERA_LATE,
    Advice.RATE_HIGH: Kind.CAMERA_RATE_HIGH,
}
_FAILED = {
    Step.NAME: Kind.CAMERA_NAME_UNKNOWN,
    Step.REACH: Kind.CAMERA_UNREACHABLE,
    Step.PORT: Kind.CAMERA_PORT_CLOSED,
    Step.TLS: Kind.CAMERA_UNTRUSTED,
    Step.LOGIN: Kind.CAMERA_PASSWORD_UNREADABLE,
    Step.PLAIN: Kind.CAMERA_PASSWORD_PLAIN,
    Step.RTSP: Kind.CAMERA_NOT_RTSP,
    Step.CODEC: Kind.CAMERA_CODEC_UNSUPPORTED,
    Step.PICTURE: Kind.CAMERA_NO_PICTURE,
}
_NO_SUCH_PATH = frozenset({Status.BAD_REQUEST, Status.NOT_FOUND, Status.GONE})
#: What cameras say after too many wrong passwords, or to too many who watch.
_LOCKED = frozenset({Status.FORBIDDEN, Status.TOO_MANY_REQUESTS, Status.LOCKED})
_NOT_AGAIN = frozenset(
    {Kind.CAMERA_PASSWORD_MISSING, Kind.CAMERA_PASSWORD_WRONG, Kind.CAMERA_LOCKED}
)


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """How far one got with a stream of a camera.

    ``failed`` is the step that failed, None where pictures came and ``report`` says of what kind;
    ``detail`` is its reason in a library's words. ``status`` is the last one that the camera
    answered with; ``has_login`` whether a user and password are configured. ``clock_offset_s`` is
    how far the camera's clock is ahead of the box's, where it said its time. ``has_sound``: it
    offers sound beside the pictures, which the box never takes. ``only_udp``: it refused to send by
    the connection that it is asked by. ``recoded_percent`` is how much of a processor it takes to
    make its pictures into video, None where it sends video.
    """

    stream: StreamName
    host: str
    port: int
    has_login: bool
    failed: Step | None = None
    detail: str = ""
    status: int | None = None
    clock_offset_s: float | None = None
    report: CodecReport | None = None
    has_sound: bool = False
    only_udp: bool = False
    recoded_percent: int | None = None

    @property
    def is_login_refused(self) -> bool:
        """Whether the camera took the login for a wrong one: it must not be tried again."""
        return self.failed is Step.ANSWER and _refused(self) in _NOT_AGAIN


@dataclass(frozen=True, slots=True)
class Room:
    """What recordings may take on the disk, and how many cameras share it.

    ``promised_days`` are those of the cameras of which the box itself does not know yet how long
    they will fit.
    """

    room_bytes: int
    cameras: int
    promised_days: Mapping[str, int] = field(default_factory=dict)

    def days(self, daily_bytes: int) -> float:
        """Return how many days fit where every camera sends as much as this one."""
        return self.room_bytes / max(1, daily_bytes * self.cameras)


def room_of(
    folder: FolderFacts,
    limits: Limits,
    used_bytes: int | None,
    cameras: int,
    promised_days: Mapping[str, int],
) -> Room | None:
    """Return what ``cameras`` may take; ``used_bytes`` is what their recordings take already.

    None where it is not known: that of a box that does not run only where it has recorded nothing.
    """
    if used_bytes is None:
        if folder.is_there:
            return None
        used_bytes = 0
    kept_bytes = round(folder.total_bytes * limits.min_free_fraction)
    room = max(0, folder.free_bytes + used_bytes - kept_bytes)
    if limits.quota_bytes is not None:
        room = min(room, limits.quota_bytes)
    return Room(room, cameras, promised_days)


def judge(
    camera_id: str, main: StreamFacts, sub: StreamFacts | None, room: Room | None
) -> Iterator[Finding]:
    """Yield what is to be said of a camera; ``sub`` is None where none is configured."""
    if main.clock_offset_s is not None:
        yield from _judge_clock(camera_id, main.clock_offset_s)
    if main.report is None:
        yield _failed(camera_id, main)
    else:
        if main.only_udp:
            yield Finding(Kind.CAMERA_ONLY_UDP, camera_id, _where(main))
        yield _fine(camera_id, main, main.report, room)
        yield from _judge_pictures(camera_id, main, main.report)
        if room is not None:
            yield from _judge_days(camera_id, main.report, room)
        for advice in advise_main(main.report, has_sub=sub is not None):
            yield _advised(camera_id, main, main.report, advice)
    if sub is None or (main.failed is not None and _is_same(main, sub)):
        return
    if sub.report is None:
        yield _failed(camera_id, sub)
        return
    yield _fine(camera_id, sub, sub.report, None)
    yield from _judge_pictures(camera_id, sub, sub.report)
    for advice in advise_sub(sub.report):
        yield _advised(camera_id, sub, sub.report, advice)


def _is_same(main: StreamFacts, sub: StreamFacts) -> bool:
    """Return whether the sub-stream fails by what the main stream fails by: it is said once."""
    of_the_camera = main.failed is not Step.CODEC and _refused(main) is not Kind.CAMERA_PATH_WRONG
    return of_the_camera and (main.failed, main.status, main.host, main.port) == (
        *(sub.failed, sub.status, sub.host, sub.port),
    )


def _judge_clock(camera_id: str, offset_s: float) -> Iterator[Finding]:
    values = {"offset_s": round(offset_s)}
    if abs(offset_s) > ALERT_OFFSET_S:
        yield Finding(Kind.CAMERA_CLOCK_WRONG, camera_id, values)
    elif abs(offset_s) > WARN_OFFSET_S:
        yield Finding(Kind.CAMERA_CLOCK_OFF, camera_id, values)


def _judge_pictures(camera_id: str, facts: StreamFacts, report: CodecReport) -> Iterator[Finding]:
    if facts.recoded_percent is not None:
        values = {**_where(facts), **report.facts(), "percent": facts.recoded_percent}
        yield Finding(Kind.CAMERA_PICTURES, camera_id, values)


def _failed(camera_id: str, facts: StreamFacts) -> Finding:
    kind = _refused(facts) if facts.failed is Step.ANSWER else None
    if kind is None:
        kind = _FAILED.get(facts.failed or Step.PICTURE, Kind.CAMERA_REFUSED)
    values = {
        **_where(facts),
        "status": facts.status or 0,
        "detail": facts.detail,
    }
    return Finding(kind, camera_id, values)


def _refused(facts: StreamFacts) -> Kind | None:
    """Return what a camera's no means; None where nothing is known of it."""
    if facts.status == Status.UNAUTHORIZED:
        return Kind.CAMERA_PASSWORD_WRONG if facts.has_login else Kind.CAMERA_PASSWORD_MISSING
    if facts.status in _LOCKED:
        return Kind.CAMERA_LOCKED
    return Kind.CAMERA_PATH_WRONG if facts.status in _NO_SUCH_PATH else None


def _fine(camera_id: str, facts: StreamFacts, report: CodecReport, room: Room | None) -> Finding:
    values = {**_where(facts), **report.facts()}
    if room is None:
        return Finding(Kind.CAMERA_STREAM, camera_id, values)
    days = int(room.days(report.daily_bytes))
    return Finding(Kind.CAMERA_FINE, camera_id, {**values, "disk_days": days})


def _judge_days(camera_id: str, report: CodecReport, room: Room) -> Iterator[Finding]:
    days, fits_days = room.promised_days.get(camera_id), room.days(report.daily_bytes)
    if days is not None and fits_days < days:
        values = {"days": days, "fits_days": round(fits_days, 1)}
        yield Finding(Kind.DISK_DAYS_SHORT, camera_id, values)


def _advised(camera_id: str, facts: StreamFacts, report: CodecReport, advice: Advice) -> Finding:
    return Finding(_ADVISED[advice], camera_id, {**_where(facts), **report.facts()})


def _where(facts: StreamFacts) -> Values:
    return {"stream": facts.stream.value, "host": facts.host, "port": facts.port}
