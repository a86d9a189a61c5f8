"""What travels over MQTT: CloudEvents 1.0 in structured JSON, one pydantic model a message.

Readers tolerate unknown fields (a newer box talks to an older centre) and refuse unknown types and
versions by name. Times are aware UTC. Source: https://github.com/cloudevents/spec (v1.0.2).
"""

from enum import StrEnum
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from protocol.actor import Actor

BoxId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{1,30}[a-z0-9]$")]
LocalId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
RegionCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]
GridCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{15}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Sequence = Annotated[int, Field(ge=1, le=2**63 - 1)]
#: A sequence as a CloudEvents attribute: text of 19 digits, which sorts as the numbers do (the
#: sequence extension), for an integer attribute ends at 2^31.
SequenceText = Annotated[
    Sequence,
    PlainSerializer(lambda value: f"{value:019d}", return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{19}$"}),
]

#: A curve has so many points at most, and reaches so far: 68 years.
CURVE_POINTS, CURVE_S = 120, 2**31 - 1

#: A command is given up after a day at most.
LONGEST_COMMAND_S = 86_400

#: What a box may say of one command, in characters.
LONGEST_DETAIL = 4000

#: The camera id of an alert that is about the box itself (its detector, its disk).
BOX_SUBJECT = "box"


class Message(BaseModel):
    """Base of everything on the wire: frozen; unknown fields are read over, never refused."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class AlertKind(StrEnum):
    """What an alert is about. A person decides what it really is."""

    GATHERING = "gathering"
    FLAME = "flame"
    SMOKE = "smoke"
    CAMERA_LOST = "camera_lost"
    DETECTOR_DOWN = "detector_down"
    STORAGE = "storage"
    OUTBOX = "outbox"
    LENS_COVERED = "lens_covered"
    PICTURE_BLURRED = "picture_blurred"
    CAMERA_MOVED = "camera_moved"
    PICTURE_FROZEN = "picture_frozen"
    PICTURE_OVEREXPOSED = "picture_overexposed"
    PICTURE_UNDEREXPOSED = "picture_underexposed"


class AlertLevel(StrEnum):
    """The seed documents' scale (domain 3.3); GB/T 28181 priorities 3, 2 and 1."""

    ORDINARY = "ordinary"  # 一般
    URGENT = "urgent"  # 紧急
    EXTRA_URGENT = "extra_urgent"  # 特急


class AlertOp(StrEnum):
    """What a message says of its alert."""

    START = "start"
    UPDATE = "update"
    END = "end"


class AlertMode(StrEnum):
    """Whether staff are called: live calls, trial is only logged, drill is marked."""

    LIVE = "live"
    TRIAL = "trial"
    DRILL = "drill"


class EvidenceKind(StrEnum):
    """What a piece of evidence is."""

    SNAPSHOT = "snapshot"  # image/jpeg
    CLIP = "clip"  # video/mp4


class EvidenceLack(StrEnum):
    """Why a piece of evidence will never come."""

    TOO_LARGE = "too_large"  # longer than the centre takes, and can't be made shorter
    NOT_MADE = "not_made"  # there was no video of it, or the box could not make it
    REFUSED = "refused"  # the centre took other bytes for it, or none


_Seconds = Annotated[int, Field(ge=0, le=CURVE_S)]
_People = Annotated[int, Field(ge=0, le=2**31 - 1)]


class AlertCurve(Message):
    """How many people there were while an alert was open. Counts only, nothing about anybody.

    ``points`` are (seconds since ``started_at``, people): the highest count of each ``step_s`` from
    there on; a step without a point is one in which nothing was seen.
    """

    step_s: int = Field(ge=1, le=CURVE_S)
    points: Annotated[tuple[tuple[_Seconds, _People], ...], Field(max_length=CURVE_POINTS)]


class ClockState(StrEnum):
    """What a box's kernel says of its clock."""

    SYNCED = "synced"  # a time service steers it
    UNSYNCED = "unsynced"  # none does, or it has given up
    UNKNOWN = "unknown"  # the kernel can't be asked


class ClockQuality(Message):
    """How good the clock was that a message's times are of. All times here are that clock's own.

    ``since`` is when the box noticed that state; ``error_ms`` the most that the kernel believes to
    be off, while synced; ``stepped_at`` when the clock was last set by more than 2 s while the box
    ran: what was stamped before is off by as much.
    """

    state: ClockState
    since: AwareDatetime
    error_ms: int | None = Field(default=None, ge=0)
    stepped_at: AwareDatetime | None = None


class AlertData(Message):
    """One alert as the box sees it at ``at``. It never holds anything about any one person.

    ``count`` people (or 0 where the kind counts nothing), against ``threshold``; ``peak`` is the
    highest count since ``started_at``; UPDATE and END of what is counted bear the ``curve`` so far.
    ``gb_*`` are GB/T 28181's alarm method, type and priority. ``clock`` is how good the box's clock
    was when it wrote this.
    """

    alert_id: UUID
    op: AlertOp
    kind: AlertKind
    level: AlertLevel
    mode: AlertMode = AlertMode.LIVE
    camera_id: LocalId
    camera_name: str
    grid_code: GridCode
    rule_id: LocalId
    region_id: LocalId = "all"
    started_at: AwareDatetime
    at: AwareDatetime
    ended_at: AwareDatetime | None = None
    count: int = Field(default=0, ge=0)
    threshold: int = Field(default=0, ge=0)
    peak: int = Field(default=0, ge=0)
    confidence: float | None = Field(default=None, ge=0, le=1)
    model: str | None = None
    gb_method: int = Field(ge=1, le=7)
    gb_type: int | None = Field(default=None, ge=1, le=14)
    gb_priority: int = Field(ge=1, le=4)
    curve: AlertCurve | None = None
    clock: ClockQuality | None = None


class StreamState(StrEnum):
    """A camera as the box's supervisor judges it, by the age of its last packet."""

    CONNECTING = "connecting"
    LIVE = "live"
    LOST = "lost"


class LegalBasis(StrEnum):
    """What a camera is there by (Regulation 799); the last two are free of articles 14 and 17."""

    ARTICLE_7_1 = "art7_1"  # public places that the county's government plans
    ARTICLE_7_2 = "art7_2"  # places where crowds come together, by who runs them
    ARTICLE_9 = "art9"  # other public places, by who has a duty to keep them safe
    NON_PUBLIC = "non_public"  # article 33


class CameraState(Message):
    """One camera in a birth snapshot or a heartbeat.

    ``retention_days`` (how long its recordings are kept) and ``legal_basis`` are what its box is
    configured with; an older box says neither.
    """

    camera_id: LocalId
    name: str
    grid_code: GridCode
    place: str = ""
    has_sub: bool = True
    state: StreamState
    since: AwareDatetime
    last_packet_at: AwareDatetime | None = None
    retention_days: int | None = Field(default=None, ge=1)
    legal_basis: LegalBasis | None = None


class StateData(Message):
    """A box's retained state: what it is and which cameras it has, or (as its last will) gone.

    ``connection_id`` is of the connection that said it: a will that comes late says nothing of a
    later connection.
    """

    online: bool
    connection_id: UUID | None = None
    box_name: str = ""
    software: str = ""
    boot_id: UUID | None = None
    started_at: AwareDatetime | None = None
    cameras: tuple[CameraState, ...] = ()


class OutboxFill(Message):
    """How full an outbox is: what waits in it, and ``full_percent`` of the box's limits.

    ``folded`` messages were never given a sequence, as there was no room: what they said is in the
    alert's next one. ``untold`` alerts wait for room to say how they are now.
    """

    bytes: int = Field(ge=0)
    full_percent: int = Field(ge=0)
    folded: int = Field(ge=0)
    untold: int = Field(ge=0)


class UplinkFigures(Message):
    """What a box's line carries, as the box sees it.

    ``day_bytes`` were sent in the last 24 h (messages, evidence and live video; headers of TCP and
    TLS not counted) and ``kbit_s`` in the last minute; ``puback_ms`` is the broker's last answer,
    ``receipt_ms`` the centre's; ``connects_day`` how often it connected in 24 h, and
    ``budget_kbit_s`` what evidence may take at present (evidence I9).
    """

    day_bytes: int = Field(ge=0)
    kbit_s: int = Field(ge=0)
    connects_day: int = Field(ge=0)
    puback_ms: int | None = Field(default=None, ge=0)
    receipt_ms: int | None = Field(default=None, ge=0)
    budget_kbit_s: int | None = Field(default=None, ge=0)


class HeartbeatData(Message):
    """Every 60 s; a box whose last one is older than 180 s is gone (GB/T 28181's own rhythm).

    ``outbox_id`` is the outbox that the numbers are of, absent while it has none yet;
    ``last_sequence`` the highest given in it, 0 for none, and ``head`` the SHA-256 of that message.
    ``first_sequence`` is the lowest that the box still keeps: what came before can't be sent again.
    ``former_outboxes`` ended when this one began, the last one at the end: what waited in them was
    given numbers in this one, and nothing of them is sent any more.
    """

    boot_id: UUID
    outbox_id: UUID | None = None
    last_sequence: int = Field(ge=0)
    head: Sha256 | None = None
    first_sequence: Sequence | None = None
    outbox_rows: int = Field(ge=0)
    outbox_oldest_at: AwareDatetime | None = None
    evidence_pending: int = Field(default=0, ge=0)
    disk_free_bytes: int = Field(ge=0)
    recording_bytes: int = Field(ge=0)
    detector: Literal["off", "starting", "live", "down"]
    detector_model: str | None = None
    cameras: tuple[CameraState, ...] = ()
    former_outboxes: Annotated[tuple[UUID, ...], Field(max_length=8)] | None = None
    outbox: OutboxFill | None = None
    clock: ClockQuality | None = None
    uplink: UplinkFigures | None = None


class ReceiptData(Message):
    """The sequences of one outbox that the centre has committed, duplicates and quarantined too."""

    outbox_id: UUID
    sequences: tuple[Sequence, ...]


class ResendData(Message):
    """Send the events ``first`` to ``last`` of one outbox again, as far as they are still kept.

    ``deadline`` is when the centre asks again at the earliest. A box does not hold it against its
    own clock, which may be wrong: what is sent again too late does no harm (protocol I12).
    """

    verb: Literal["resend"] = "resend"
    outbox_id: UUID
    first: Sequence
    last: Sequence
    deadline: AwareDatetime

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError("last comes before first")
        return self


class CommandData(Message):
    """What a person has a box do, once (protocol I20); the envelope's ``id`` is the command's.

    ``kind`` and ``arguments`` are as protocol.commands has them; that they are not, the box says in
    its result. ``deadline`` is by the centre's clock, and only the centre goes by it: the box,
    whose clock may be wrong, gives up what is not done ``ttl_s`` after it heard of it. ``actor`` is
    who asked, in words, and ``reason`` what for.
    """

    kind: LocalId
    arguments: dict[str, JsonValue]
    deadline: AwareDatetime
    ttl_s: int = Field(ge=1, le=LONGEST_COMMAND_S)
    actor: Actor
    reason: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Outcome(StrEnum):
    """What became of a command at its box: accepted, and then or at once one of the others."""

    ACCEPTED = "accepted"  # it is under way; the result follows
    DONE = "done"
    REFUSED = "refused"  # nothing was done
    FAILED = "failed"  # it was tried
    EXPIRED = "expired"  # it took too long and was given up


class ResultData(Message):
    """What became of one command. ``reason`` is a code, ``detail`` the box's own words.

    Of a ``configure`` these are its changes, a line each.
    """

    command_id: UUID
    kind: LocalId
    outcome: Outcome
    reason: Annotated[str, StringConstraints(max_length=32)] = ""
    detail: Annotated[str, StringConstraints(max_length=LONGEST_DETAIL)] = ""
    at: AwareDatetime


class EpochData(Message):
    """A consumer's incarnation. A changed epoch tells every box to send again what it still has."""

    epoch: UUID


class Envelope(Message):
    """The CloudEvents context attributes all our messages share."""

    specversion: Literal["1.0"] = "1.0"
    id: UUID
    source: str  # /boxes/<box> or /centre
    time: AwareDatetime
    datacontenttype: Literal["application/json"] = "application/json"


class OutboxMessage(Envelope):
    """Event of a box: has a place in its gap-free sequence, counted from 1.

    ``outboxid`` names the database that counts: a box whose disk was replaced counts from 1 again
    under a new one, and nothing of it is a duplicate (protocol I4). ``prevhash`` is the SHA-256 of
    the message before it, of all its bytes; the first of an outbox has none (protocol I9).
    ``formeroutbox`` and ``formersequence`` are the place it had in an outbox that has ended, where
    it may have come from already: it is the same event then (protocol I4).
    """

    type: str
    subject: LocalId  # the camera, or BOX_SUBJECT
    sequence: SequenceText
    bootid: UUID
    outboxid: UUID
    prevhash: Sha256 | None = None
    formeroutbox: UUID | None = None
    formersequence: SequenceText | None = None


class AlertMessage(OutboxMessage):
    """What a box says of an alert."""

    type: Literal["cn.tanshao.alert.v1"] = "cn.tanshao.alert.v1"
    data: AlertData


class ResultMessage(OutboxMessage):
    """What became of a command; it is never lost, as no alert is (protocol I21)."""

    type: Literal["cn.tanshao.result.v1"] = "cn.tanshao.result.v1"
    data: ResultData


class StateMessage(Envelope):
    """Retained state of a box."""

    type: Literal["cn.tanshao.state.v1"] = "cn.tanshao.state.v1"
    data: StateData


class HeartbeatMessage(Envelope):
    """Sign of life of a box."""

    type: Literal["cn.tanshao.heartbeat.v1"] = "cn.tanshao.heartbeat.v1"
    data: HeartbeatData


class ReceiptMessage(Envelope):
    """What the centre has committed; only this clears a box's outbox."""

    type: Literal["cn.tanshao.receipt.v1"] = "cn.tanshao.receipt.v1"
    data: ReceiptData


class ResendMessage(Envelope):
    """What the centre misses of one box. Asked again, it is done again."""

    type: Literal["cn.tanshao.command.v1"] = "cn.tanshao.command.v1"
    data: ResendData


class CommandMessage(Envelope):
    """What a person has one box do. Sent again, it is not done again (protocol I20)."""

    type: Literal["cn.tanshao.command.v2"] = "cn.tanshao.command.v2"
    data: CommandData


class EpochMessage(Envelope):
    """Retained incarnation of the centre's consumer."""

    type: Literal["cn.tanshao.epoch.v1"] = "cn.tanshao.epoch.v1"
    data: EpochData


#: What an outbox holds.
EventMessage = AlertMessage | ResultMessage

AnyMessage = (
    AlertMessage
    | ResultMessage
    | StateMessage
    | HeartbeatMessage
    | ReceiptMessage
    | ResendMessage
    | CommandMessage
    | EpochMessage
)


def source_of_box(box_id: str) -> str:
    """Return the CloudEvents source of a box."""
    return f"/boxes/{box_id}"


def gb_priority(level: AlertLevel) -> int:
    """Return GB/T 28181's AlarmPriority for a level: 1 is the highest (domain 3.3)."""
    return {AlertLevel.EXTRA_URGENT: 1, AlertLevel.URGENT: 2, AlertLevel.ORDINARY: 3}[level]


def gb_code(kind: AlertKind) -> tuple[int, int | None]:
    """Return GB/T 28181's AlarmMethod and AlarmType for a kind (domain 2.4).

    Flame and smoke have no code in the 2016 list: method 7 (other) without a type.
    """
    return {
        AlertKind.GATHERING: (5, 10),  # 视频 / 密度检测
        AlertKind.FLAME: (7, None),
        AlertKind.SMOKE: (7, None),
        AlertKind.CAMERA_LOST: (2, 1),  # 设备 / 视频丢失
        AlertKind.DETECTOR_DOWN: (6, None),  # 设备故障
        AlertKind.STORAGE: (6, 1),  # 设备故障 / 磁盘故障
        AlertKind.OUTBOX: (6, None),  # 设备故障
        AlertKind.LENS_COVERED: (5, 11),  # 视频 / 视频异常检测, and all of the picture
        AlertKind.PICTURE_BLURRED: (5, 11),
        AlertKind.CAMERA_MOVED: (5, 11),
        AlertKind.PICTURE_FROZEN: (5, 11),
        AlertKind.PICTURE_OVEREXPOSED: (5, 11),
        AlertKind.PICTURE_UNDEREXPOSED: (5, 11),
    }[kind]
