"""A small village for tests of the centre, and the messages its box sends."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from central.alerts.states import Deadlines
from central.auth.tokens import hash_token
from central.codes import Post
from central.db.engine import Database
from central.db.models import Box, Grid, Person, Region, Shift, ShiftAssignment
from central.ports import Received
from protocol.codec import encode
from protocol.messages import (
    AlertData,
    AlertKind,
    AlertLevel,
    AlertMessage,
    AlertMode,
    AlertOp,
    CameraState,
    HeartbeatData,
    HeartbeatMessage,
    ResultMessage,
    StateData,
    StateMessage,
    StreamState,
    gb_priority,
    source_of_box,
)
from protocol.topics import BoxTopic, Leaf

REGION = "532324001002"
GRID = "532324001002001"
BOX = "xiacun-1"
BOX_TOKEN = "box-token-of-the-tests"
NOW = datetime(2026, 11, 22, 6, 0, 0, tzinfo=UTC)  # 14:00 in Shanghai
BOOT = UUID("018f0000-0000-7000-8000-000000000001")
OUTBOX = UUID("018f0000-0000-7000-8000-000000000002")

DEADLINES = Deadlines(
    sign_s={AlertLevel.EXTRA_URGENT: 60, AlertLevel.URGENT: 180, AlertLevel.ORDINARY: 1800},
    verify_s={AlertLevel.EXTRA_URGENT: 180, AlertLevel.URGENT: 600, AlertLevel.ORDINARY: 28800},
    handle_s={
        AlertLevel.EXTRA_URGENT: 7200,
        AlertLevel.URGENT: 86400,
        AlertLevel.ORDINARY: 259200,
    },
)

PEOPLE = {
    "zhang": ("张建国", "村支书"),
    "li": ("李秀英", "网格信息管理员"),
    "wang": ("王强", "网格员"),
}


def enter_village(database: Database) -> None:
    """Enter one village: a grid, a box, three people, a shift from 12 h ago to in 12 h."""
    with database.write() as session:
        session.add(Region(code=REGION, name="下村"))
        session.flush()
        session.add_all(
            Person(id=key, region_code=REGION, name=name, post=post, phone="13800000000")
            for key, (name, post) in PEOPLE.items()
        )
        session.flush()
        session.add(Grid(code=GRID, region_code=REGION, name="第一网格", worker_id="wang"))
        session.add(
            Box(id=BOX, region_code=REGION, name="下村主机", token_sha256=hash_token(BOX_TOKEN))
        )
        shift = Shift(
            region_code=REGION,
            name="24小时班",
            start=NOW - timedelta(hours=12),
            end=NOW + timedelta(hours=12),
        )
        session.add(shift)
        session.flush()
        session.add_all(
            [
                ShiftAssignment(shift_id=shift.id, person_id="zhang", post=Post.LEAD),
                ShiftAssignment(shift_id=shift.id, person_id="li", post=Post.OFFICER),
            ]
        )


def alert_data(alert_id: UUID | None = None, **changes: object) -> AlertData:
    values: dict[str, object] = {
        "alert_id": alert_id or uuid4(),
        "op": AlertOp.START,
        "kind": AlertKind.GATHERING,
        "level": AlertLevel.URGENT,
        "mode": AlertMode.LIVE,
        "camera_id": "cam1",
        "camera_name": "文化广场",
        "grid_code": GRID,
        "rule_id": "gather",
        "region_id": "all",
        "started_at": NOW,
        "at": NOW,
        "count": 32,
        "threshold": 30,
        "peak": 32,
        "gb_method": 5,
        "gb_type": 10,
        "gb_priority": gb_priority(AlertLevel.URGENT),
    }
    return AlertData.model_validate(values | changes)


def alert_message(
    data: AlertData, sequence: int, box: str = BOX, **changes: object
) -> AlertMessage:
    values: dict[str, object] = {
        "id": uuid4(),
        "source": source_of_box(box),
        "time": data.at,
        "subject": data.camera_id,
        "sequence": sequence,
        "bootid": BOOT,
        "outboxid": OUTBOX,
        "data": data,
    }
    return AlertMessage.model_validate(values | changes)


def camera_state(camera_id: str = "cam1", **changes: object) -> CameraState:
    values: dict[str, object] = {
        "camera_id": camera_id,
        "name": "文化广场",
        "grid_code": GRID,
        "place": "村委会门口",
        "has_sub": True,
        "state": StreamState.LIVE,
        "since": NOW,
        "last_packet_at": NOW,
    }
    return CameraState.model_validate(values | changes)


def birth(
    *cameras: CameraState, at: datetime = NOW, connection_id: UUID | None = None
) -> StateMessage:
    return StateMessage(
        id=uuid4(),
        source=source_of_box(BOX),
        time=at,
        data=StateData(
            online=True,
            connection_id=connection_id,
            box_name="下村主机",
            software="0.1.0",
            boot_id=BOOT,
            started_at=at,
            cameras=cameras,
        ),
    )


def will(at: datetime = NOW, connection_id: UUID | None = None) -> StateMessage:
    data = StateData(online=False, connection_id=connection_id)
    return StateMessage(id=uuid4(), source=source_of_box(BOX), time=at, data=data)


def heartbeat(*cameras: CameraState, at: datetime = NOW, **changes: object) -> HeartbeatMessage:
    values: dict[str, object] = {
        "boot_id": BOOT,
        "last_sequence": 0,
        "outbox_rows": 0,
        "disk_free_bytes": 10**12,
        "recording_bytes": 10**9,
        "detector": "live",
        "detector_model": "person",
        "cameras": cameras,
    }
    return HeartbeatMessage(
        id=uuid4(),
        source=source_of_box(BOX),
        time=at,
        data=HeartbeatData.model_validate(values | changes),
    )


def received(
    message: AlertMessage | ResultMessage | StateMessage | HeartbeatMessage,
    at: datetime = NOW,
    box: str = BOX,
    region: str = REGION,
) -> Received:
    leaf = {
        AlertMessage: Leaf.EVENT,
        ResultMessage: Leaf.EVENT,
        StateMessage: Leaf.STATE,
        HeartbeatMessage: Leaf.HEARTBEAT,
    }[type(message)]
    return Received(str(BoxTopic(region, box, leaf)), encode(message), at)
