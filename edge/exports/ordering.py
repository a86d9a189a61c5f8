"""From what is asked for and what is recorded to what the process is told. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from edge.exports.job import Job, Kind
from edge.exports.order import Order, Source, most_bytes
from edge.recording.segment import Footage, Segment


@dataclass(frozen=True, slots=True)
class Village:
    """Where exports come from: the box, its time zone, and the cameras' names by id."""

    box_id: str
    box_name: str
    zone: str
    cameras: Mapping[str, str]

    def camera_name(self, camera_id: str) -> str:
        """Return a camera's name, or its id where it has none any more."""
        return self.cameras.get(camera_id, camera_id)


def order_for(job: Job, footage: Sequence[Footage], village: Village, folder: str) -> Order:
    """Return the order to make ``job`` of ``footage`` in ``folder``."""
    ask = job.ask
    local = ask.start.astimezone(ZoneInfo(village.zone))
    name = village.camera_name(ask.camera_id)
    return Order(
        folder=folder,
        stem=f"{ask.camera_id}_{local:%Y%m%dT%H%M%S}",
        kind=ask.kind,
        start=ask.start,
        end=ask.end,
        zone=village.zone,
        lines=(f"{name}  {{time}}", f"{village.box_name} {village.box_id}  {ask.mark}"),
        plain_lines=(f"{ask.camera_id}  {{time}}", f"{village.box_id}  {ask.mark}"),
        regions=ask.regions,
        sources=tuple(source_of(item) for item in footage),
    )


def needed_bytes(kind: Kind, footage: Sequence[Footage]) -> int:
    """Return how much the result takes at most."""
    return sum(
        most_bytes(kind, item.size_bytes, item.duration_90k, item.width, item.height)
        for item in footage
    )


def source_of(item: Footage) -> Source:
    """Return what the process is told of a recorded file."""
    return Source(
        path=str(item.path),
        run_id=item.run_id,
        start=item.start,
        start_dts_90k=item.start_dts_90k,
        duration_90k=item.duration_90k,
        size_bytes=item.size_bytes,
        sha256=item.sha256 if isinstance(item, Segment) else None,
    )
