"""What is to be said to somebody who adds a camera: what to set otherwise, or why it fails. Pure.

The judgement is the doctor's; here it is put for a camera that is not configured yet.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from edge.doctor.camera import Room, StreamFacts, judge
from edge.doctor.finding import Finding, Kind, Severity, Values
from edge.enrolment.errand import Level, Space
from edge.errors import CameraFault

_LEVELS: dict[Severity, Level] = {
    Severity.FAIL: "must",
    Severity.WARN: "should",
    Severity.NOTE: "note",
    Severity.OK: "note",
}
#: Days that the law wants are no matter of taste.
_MUST = frozenset({Kind.DISK_DAYS_SHORT, Kind.CAMERA_PROFILE_ODD})
_CODES = {
    Kind.CAMERA_FINE: "fine",
    Kind.CAMERA_STREAM: "fine",
    Kind.DISK_DAYS_SHORT: "days_short",
}
_FAULTS = {
    CameraFault.UNREACHABLE: "unreachable",
    CameraFault.TIMEOUT: "timeout",
    CameraFault.AUTH: "password_wrong",
    CameraFault.UNSUPPORTED: "no_onvif",
    CameraFault.BAD_XML: "no_onvif",
    CameraFault.BLOCKED: "blocked",
}
_UNITS = (
    (86_400, "天", "day"),
    (3600, "小时", "hour"),
    (60, "分钟", "minute"),
    (1, "秒", "second"),
)
#: The one camera that is looked at has no id yet.
_NEW = ""


@dataclass(frozen=True, slots=True)
class Matter:
    """One thing to say; ``code`` names its words, ``values`` fill their places."""

    code: str
    level: Level
    values: Values = field(default_factory=dict)


def trouble(main: StreamFacts) -> Matter | None:
    """Return why there is no main stream; None where there is one."""
    if main.failed is None:
        return None
    (found,) = (each for each in judge(_NEW, _timeless(main), None, None))
    return _matter(found)


def advise(main: StreamFacts, sub: StreamFacts | None, space: Space) -> Iterator[Matter]:
    """Yield what is to be said of a camera whose main stream comes, the worst first.

    ``sub`` is None where the camera has none. What is fine comes last: there is always something.
    """
    room = None
    if space.room_bytes is not None:
        room = Room(space.room_bytes, space.cameras, {_NEW: space.days})
    found = [_matter(each) for each in judge(_NEW, main, sub, room) if not _is_of_the_sub(each)]
    if main.has_sound or (sub is not None and sub.has_sound):
        found.append(Matter("sound", "note"))
    # Stable: of one level, the clock comes before the streams, as the doctor tells them.
    yield from sorted(found, key=lambda each: (_rank(each.level), each.code == "fine"))


def unasked(fault: CameraFault, said: str, host: str, *, has_login: bool) -> Matter:
    """Return why a camera could not be asked over ONVIF; ``said`` is the refusal's own words."""
    code = _FAULTS[fault]
    if fault is CameraFault.AUTH and not has_login:
        code = "password_missing"
    elif fault is CameraFault.BLOCKED:
        code = _barred(said)
    return Matter(code, "must", {"host": host, "detail": said})


def _barred(said: str) -> Literal["certificate", "ahead", "blocked"]:
    if "certificate" in said:
        return "certificate"
    return "ahead" if "days ahead" in said else "blocked"


def _timeless(facts: StreamFacts) -> StreamFacts:
    return replace(facts, clock_offset_s=None)


def _is_of_the_sub(finding: Finding) -> bool:
    """Return whether it says that the sub-stream is well: the main one's line is enough."""
    return finding.kind is Kind.CAMERA_STREAM and finding.values["stream"] == "sub"


def _matter(finding: Finding) -> Matter:
    kind = finding.kind
    code = _CODES.get(kind) or kind.id.removeprefix("camera.")
    level = "must" if kind in _MUST else _LEVELS[kind.severity]
    if kind.severity is Severity.FAIL and finding.values.get("stream") == "sub":
        level = "should"  # the camera can do without
    values = finding.values
    if "offset_s" in values:
        values = {**values, **_told_offset(int(values["offset_s"]))}
    return Matter(code, level, values)


def _told_offset(offset_s: int) -> Values:
    """Return in words how far a camera's clock is off, in the largest unit that is a whole one."""
    size = abs(offset_s)
    unit_s, zh, en = next(each for each in _UNITS if size >= each[0])
    count = size // unit_s
    ahead = offset_s > 0
    plural = "" if count == 1 else "s"
    return {
        "off_zh": f"{'快' if ahead else '慢'}了 {count} {zh}",
        "off_en": f"{count} {en}{plural} {'ahead' if ahead else 'slow'}",
    }


def _rank(level: Level) -> int:
    return ("must", "should", "note").index(level)
