"""What the box's interface answers, as JSON."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from edge.config import CameraSection
from edge.health import Condition, Figure, Health, StreamBoard
from edge.media.sample import GapReason
from edge.recording.coverage import Coverage, Stretch
from edge.recording.segment import Footage, Gap, Segment
from protocol.messages import StreamState
from protocol.relay import StreamName


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, populate_by_name=True, from_attributes=True)


class ComponentAnswer(_Answer):
    """One component."""

    condition: Condition
    detail: str | None
    figures: dict[str, Figure]


class HealthAnswer(_Answer):
    """The whole box."""

    condition: Condition
    at: datetime
    started_at: datetime
    components: dict[str, ComponentAnswer]

    @classmethod
    def of(cls, health: Health) -> "HealthAnswer":
        """Return the answer that says ``health``."""
        return cls.model_validate(health)


class StreamAnswer(_Answer):
    """One stream of a camera; ``error`` is redacted."""

    stream: StreamName
    state: StreamState
    since: datetime | None
    last_packet_at: datetime | None
    error: str | None


class CameraAnswer(_Answer):
    """One camera: never its address, never its password."""

    camera_id: str
    name: str
    grid_code: str
    place: str
    enabled: bool
    streams: tuple[StreamAnswer, ...]
    rules: tuple[dict[str, Any], ...]

    @classmethod
    def of(cls, camera: CameraSection, board: StreamBoard) -> "CameraAnswer":
        """Return what is configured, and how its streams are now."""
        names = (StreamName.MAIN, StreamName.SUB) if camera.sub_url else (StreamName.MAIN,)
        return cls(
            camera_id=camera.id,
            name=camera.name,
            grid_code=camera.grid_code,
            place=camera.place,
            enabled=camera.enabled,
            streams=tuple(_stream(camera.id, name, board) for name in names),
            rules=tuple(rule.model_dump(mode="json") for rule in camera.rules),
        )


class CamerasAnswer(_Answer):
    """All cameras, in the configuration's order."""

    cameras: tuple[CameraAnswer, ...]


class SegmentAnswer(_Answer):
    """A recorded file."""

    id: int
    start: datetime
    end: datetime
    run_id: str
    size_bytes: int = Field(serialization_alias="bytes")
    recovered: bool


class GapAnswer(_Answer):
    """A stretch without a recording; ``end`` is null while it lasts."""

    start: datetime
    end: datetime | None
    reason: GapReason


class SpanAnswer(_Answer):
    """The file that is being written; it is listed when it is closed."""

    start: datetime
    end: datetime


class FormatAnswer(_Answer):
    """What the recording is, from ``start`` on: whether a browser can play it hangs on ``codec``.

    ``codec`` is as in RFC 6381; sizes are pixels.
    """

    start: datetime = Field(serialization_alias="from")
    codec: str
    width: int
    height: int


class TimelineAnswer(_Answer):
    """What is recorded of a stream of a camera and what is missing.

    ``formats`` begin where they change; ``streams`` are those that were recorded around that time.
    """

    camera_id: str
    stream: StreamName
    streams: tuple[StreamName, ...]
    start: datetime = Field(serialization_alias="from")
    end: datetime = Field(serialization_alias="to")
    segments: tuple[SegmentAnswer, ...]
    formats: tuple[FormatAnswer, ...]
    gaps: tuple[GapAnswer, ...]
    growing: SpanAnswer | None


class DayAnswer(_Answer):
    """One day of a camera: what was expected of it, in seconds, and what became of that.

    ``missing_s`` is by reason; the parts add up to ``expected_s``.
    """

    day: date
    expected_s: float
    recorded_s: float
    missing_s: dict[GapReason, float]
    unexplained_s: float

    @classmethod
    def of(cls, day: date, expected: Stretch, found: Coverage) -> "DayAnswer":
        """Return the answer that says ``found``."""
        unexplained = (end - start for start, end in found.unexplained)
        return cls(
            day=day,
            expected_s=(expected.end - expected.start).total_seconds(),
            recorded_s=found.recorded.total_seconds(),
            missing_s={reason: each.total_seconds() for reason, each in found.missing.items()},
            unexplained_s=sum(unexplained, timedelta()).total_seconds(),
        )


class CoverageAnswer(_Answer):
    """How much of each day was recorded, and every gap of a second or more, newest first.

    ``since`` is where it begins to be expected; null: never seen. ``gaps_left_out`` counts what the
    list has no room for.
    """

    camera_id: str
    since: datetime | None
    days: tuple[DayAnswer, ...]
    gaps: tuple[GapAnswer, ...]
    gaps_left_out: int


def timeline(
    of: tuple[str, StreamName],
    span: tuple[datetime, datetime],
    segments: list[Segment],
    gaps: list[Gap],
    growing: Footage | None,
    streams: list[StreamName],
) -> TimelineAnswer:
    """Return the answer for ``span``; ``growing`` only where it reaches into it."""
    start, end = span
    inside = growing is not None and growing.start < end and growing.end > start
    return TimelineAnswer(
        camera_id=of[0],
        stream=of[1],
        streams=tuple(streams),
        start=start,
        end=end,
        segments=tuple(SegmentAnswer.model_validate(segment) for segment in segments),
        formats=tuple(_formats(segments)),
        gaps=tuple(GapAnswer.model_validate(gap) for gap in gaps),
        growing=SpanAnswer.model_validate(growing) if inside else None,
    )


def _formats(segments: list[Segment]) -> Iterator[FormatAnswer]:
    last: tuple[str, int, int] | None = None
    for segment in segments:
        its = segment.mime_codec, segment.width, segment.height
        if its != last:
            yield FormatAnswer(start=segment.start, codec=its[0], width=its[1], height=its[2])
        last = its


def _stream(camera_id: str, name: StreamName, board: StreamBoard) -> StreamAnswer:
    status = board.status(camera_id, name)
    if status is None:
        return StreamAnswer(
            stream=name,
            state=StreamState.CONNECTING,
            since=None,
            last_packet_at=None,
            error=None,
        )
    return StreamAnswer.model_validate(status)
