"""What the set-up interface answers, as JSON: never a login, never a stream's address."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from edge.config import CameraSection
from edge.enrolment.bulk import Bulk, RowProgress, RowState
from edge.enrolment.errand import Advice, Device, Problem, Step, Stream
from edge.enrolment.plan import Verdict
from edge.enrolment.request import host_of, known_at
from edge.enrolment.work import Examination, Search, State
from protocol.messages import LegalBasis, StreamState


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class BegunAnswer(_Answer):
    """A job that was begun."""

    id: str


class FoundAnswer(_Answer):
    """A device that answered; ``known_as`` is the camera that is configured there."""

    address: str
    name: str
    hardware: str
    known_as: str | None


class SearchAnswer(_Answer):
    """Who answered so far; it is told when the search is over."""

    state: Literal["running", "done"]
    found: tuple[FoundAnswer, ...]
    unreadable: int

    @classmethod
    def of(cls, search: Search, cameras: tuple[CameraSection, ...]) -> "SearchAnswer":
        """Return the answer that says how a search is."""
        said = search.said
        return cls(
            state="done" if search.is_over else "running",
            found=tuple(
                FoundAnswer(
                    address=each.address,
                    name=each.name,
                    hardware=each.hardware,
                    known_as=known_at(each.host, cameras),
                )
                for each in (said.found if said is not None else ())
            ),
            unreadable=0 if said is None else said.unreadable,
        )


class ProbeAnswer(_Answer):
    """How far an examination is, and what it found."""

    state: State
    step: Step
    device: Device | None
    clock_offset_s: float | None
    streams: tuple[Stream, ...]
    gb_per_day: float | None
    advice: tuple[Advice, ...]
    problem: Problem | None

    @classmethod
    def of(cls, examined: Examination) -> "ProbeAnswer":
        """Return the answer that says how an examination is."""
        # Its state first: what is said once it is over is there before.
        state, said = examined.state, examined.said
        return cls(
            state=state,
            step=examined.step,
            device=said.device,
            clock_offset_s=said.clock_offset_s,
            streams=said.streams,
            gb_per_day=said.gb_per_day,
            advice=said.advice,
            problem=said.problem,
        )


class SetupCameraAnswer(_Answer):
    """A camera as it is configured; ``source``: by the file, or by what was changed since."""

    id: str
    name: str
    grid_code: str
    place: str
    legal_basis: LegalBasis
    retention_days: int | None
    retention_reason: str
    enabled: bool
    host: str
    has_sub: bool
    record_sub: bool
    source: Literal["file", "layer"] = Field(serialization_alias="from")
    rules: int
    state: Literal["live", "lost", "connecting", "off"]

    @classmethod
    def of(
        cls, camera: CameraSection, *, is_changed: bool, state: StreamState
    ) -> "SetupCameraAnswer":
        """Return the answer that says what a camera is."""
        return cls(
            id=camera.id,
            name=camera.name,
            grid_code=camera.grid_code,
            place=camera.place,
            legal_basis=camera.legal_basis,
            retention_days=camera.retention_days,
            retention_reason=camera.retention_reason,
            enabled=camera.enabled,
            host=host_of(camera.main_url),
            has_sub=camera.sub_url is not None,
            record_sub=camera.record_sub,
            source="layer" if is_changed else "file",
            rules=len(camera.rules),
            state=state.value if camera.enabled else "off",
        )


class SetupAnswer(_Answer):
    """The cameras; they run as they are here once ``running`` has come up to ``version``."""

    version: int
    running: int
    cameras: tuple[SetupCameraAnswer, ...]


class VerdictAnswer(_Answer):
    """A row of a table before anything is tried; ``id`` is empty where it is made later."""

    line: int
    id: str
    name: str
    verdict: Literal["ok", "refused"]
    zh: str
    en: str

    @classmethod
    def of(cls, verdict: Verdict) -> "VerdictAnswer":
        """Return the answer that says how a row is."""
        fault = verdict.fault
        return cls(
            line=verdict.line,
            id=verdict.camera_id,
            name=verdict.name,
            verdict="ok" if fault is None else "refused",
            zh="" if fault is None else fault.zh,
            en="" if fault is None else fault.en,
        )


class VerdictsAnswer(_Answer):
    """A table before anything is tried."""

    rows: tuple[VerdictAnswer, ...]


class RowAnswer(_Answer):
    """How far a row of a table is; ``zh`` and ``en`` say why it failed."""

    line: int
    id: str
    name: str
    state: RowState
    zh: str
    en: str

    @classmethod
    def of(cls, row: RowProgress) -> "RowAnswer":
        """Return the answer that says how far a row is."""
        fault = row.fault
        return cls(
            line=row.line,
            id=row.camera_id,
            name=row.name,
            state=row.state,
            zh="" if fault is None else fault.zh,
            en="" if fault is None else fault.en,
        )


class BulkAnswer(_Answer):
    """How far a table is."""

    state: Literal["running", "done"]
    rows: tuple[RowAnswer, ...]

    @classmethod
    def of(cls, bulk: Bulk) -> "BulkAnswer":
        """Return the answer that says how far a table is."""
        over, rows = bulk.is_over, bulk.rows()
        return cls(state="done" if over else "running", rows=tuple(map(RowAnswer.of, rows)))
