"""One fully filled and one bare value of every message, as the golden files have them."""

from datetime import UTC, datetime
from uuid import UUID

from protocol.messages import (
    AlertCurve,
    AlertData,
    AlertKind,
    AlertLevel,
    AlertMessage,
    AlertMode,
    AlertOp,
    AnyMessage,
    CameraState,
    EpochData,
    EpochMessage,
    HeartbeatData,
    HeartbeatMessage,
    ReceiptData,
    ReceiptMessage,
    StateData,
    StateMessage,
    StreamState,
)

BOX = "/boxes/laozhai-01"
AT = datetime(2026, 11, 22, 1, 2, 3, 456789, tzinfo=UTC)
LATER = datetime(2026, 11, 22, 1, 4, 5, tzinfo=UTC)
EVENT = UUID("019340a1-c2d3-7e4f-8a5b-6c7d8e9f0a1b")
ALERT = UUID("019340a1-c2d0-7abc-9def-0123456789ab")
BOOT = UUID("019340a0-0000-7000-8000-000000000001")
OUTBOX = UUID("01930000-0000-7000-8000-00000000000b")

CAMERA = CameraState(
    camera_id="square",
    name="文化广场",
    grid_code="533102105203004",
    place="戏台东侧",
    has_sub=True,
    state=StreamState.LIVE,
    since=AT,
    last_packet_at=LATER,
)
LOST_CAMERA = CameraState(
    camera_id="gate",
    name="村口主路",
    grid_code="533102105203001",
    state=StreamState.LOST,
    since=AT,
)

EXAMPLES: dict[str, AnyMessage] = {
    "alert.v1.start": AlertMessage(
        id=EVENT,
        source=BOX,
        time=AT,
        subject="square",
        sequence=17,
        bootid=BOOT,
        outboxid=OUTBOX,
        data=AlertData(
            alert_id=ALERT,
            op=AlertOp.START,
            kind=AlertKind.GATHERING,
            level=AlertLevel.URGENT,
            mode=AlertMode.TRIAL,
            camera_id="square",
            camera_name="文化广场",
            grid_code="533102105203004",
            rule_id="crowd",
            region_id="stage",
            started_at=AT,
            at=AT,
            count=32,
            threshold=30,
            peak=35,
            confidence=0.75,
            model="rtmdet-nano-person",
            gb_method=5,
            gb_type=10,
            gb_priority=2,
        ),
    ),
    "alert.v1.end.bare": AlertMessage(
        id=EVENT,
        source=BOX,
        time=LATER,
        subject="gate",
        sequence=1,
        bootid=BOOT,
        data=AlertData(
            alert_id=ALERT,
            op=AlertOp.END,
            kind=AlertKind.CAMERA_LOST,
            level=AlertLevel.ORDINARY,
            camera_id="gate",
            camera_name="村口主路",
            grid_code="533102105203001",
            rule_id="camera-lost",
            started_at=AT,
            at=LATER,
            ended_at=LATER,
            gb_method=2,
            gb_type=1,
            gb_priority=3,
        ),
    ),
    "alert.v1.end.curve": AlertMessage(
        id=EVENT,
        source=BOX,
        time=LATER,
        subject="square",
        sequence=18,
        bootid=BOOT,
        outboxid=OUTBOX,
        data=AlertData(
            alert_id=ALERT,
            op=AlertOp.END,
            kind=AlertKind.GATHERING,
            level=AlertLevel.ORDINARY,
            camera_id="square",
            camera_name="文化广场",
            grid_code="533102105203004",
            rule_id="crowd",
            started_at=AT,
            at=LATER,
            ended_at=LATER,
            count=4,
            threshold=15,
            peak=19,
            confidence=0.75,
            model="rtmdet-nano-person",
            gb_method=5,
            gb_type=10,
            gb_priority=3,
            curve=AlertCurve(step_s=2, points=((0, 16), (2, 19), (120, 4))),
        ),
    ),
    "state.v1.online": StateMessage(
        id=EVENT,
        source=BOX,
        time=LATER,
        data=StateData(
            online=True,
            box_name="老寨村值班室",
            software="0.1.0",
            boot_id=BOOT,
            started_at=AT,
            cameras=(CAMERA, LOST_CAMERA),
        ),
    ),
    "state.v1.offline": StateMessage(
        id=EVENT, source=BOX, time=AT, data=StateData(online=False, box_name="老寨村值班室")
    ),
    "heartbeat.v1.full": HeartbeatMessage(
        id=EVENT,
        source=BOX,
        time=LATER,
        data=HeartbeatData(
            boot_id=BOOT,
            last_sequence=17,
            outbox_rows=2,
            outbox_oldest_at=AT,
            evidence_pending=1,
            disk_free_bytes=123_456_789_012,
            recording_bytes=987_654_321,
            detector="live",
            detector_model="rtmdet-nano-person",
            cameras=(CAMERA,),
        ),
    ),
    "heartbeat.v1.bare": HeartbeatMessage(
        id=EVENT,
        source=BOX,
        time=LATER,
        data=HeartbeatData(
            boot_id=BOOT,
            last_sequence=0,
            outbox_rows=0,
            disk_free_bytes=0,
            recording_bytes=0,
            detector="off",
        ),
    ),
    "receipt.v1": ReceiptMessage(
        id=EVENT, source="/centre", time=AT, data=ReceiptData(sequences=(1, 2, 2**63 - 1))
    ),
    "epoch.v1": EpochMessage(id=EVENT, source="/centre", time=AT, data=EpochData(epoch=BOOT)),
}
