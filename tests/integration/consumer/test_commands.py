"""A command from the centre's desk to a box and back, over a real broker (protocol I20 to I23)."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import URL, select

from central.auth.tokens import hash_token
from central.codes import CommandState
from central.commands.dispatch import CommandDispatch
from central.db.engine import Database
from central.db.migrate import migrate
from central.db.models import Box, BoxCommand, BoxOutbox, Camera, Evidence, Region
from central.errors import StoreUnavailableError
from central.ingest.inbox import DatabaseInbox
from central.ports import Dispatcher, Given
from edge.alerts.evidence import EvidenceCourier
from edge.alerts.evidence_store import EvidenceStore
from edge.clock_watch import ClockWatch
from edge.commands.arming import ArmedDesk
from edge.commands.desk import CommandDesk
from edge.commands.masks import RuleMask, masks_in
from edge.commands.timekeeper import timekeeper
from protocol.clock import SystemClock
from tests.support.commanded import Settings
from tests.support.desk_box import BOOT, BOX, REGION, TOKEN, occurrence
from tests.support.evidence_line import Camera as FakeCamera
from tests.support.line import EVERY_BROKER, QUICK, SendingBox, consuming, start_broker
from tests.support.waiting import wait_until
from tests.support.web_centre import WebCentre, enter_accounts, running_centre
from tests.support.xiacun import DEADLINES, enter_village
from village.broker.broker import Broker, BrokerKind


@dataclass
class Line:
    """A centre with its desk, a broker between, and a box that does what it is told."""

    database: Database
    centre: WebCentre
    box: SendingBox
    armed: ArmedDesk
    masks: list[tuple[RuleMask, ...]]  # as the rules were told

    def give(self, kind: str, **arguments: object) -> str:
        with self.centre.client("admin") as client:
            answer = client.post(
                f"/boxes/{BOX}/commands",
                json={
                    "kind": kind,
                    "arguments": {"camera_id": "square", **arguments},
                    "reason": "核实",
                },
            )
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def state(self, command_id: str) -> CommandState:
        with self.database.read() as session:
            rows = session.scalars(select(BoxCommand)).all()
        return next(row.state for row in rows if str(row.id) == command_id)

    def wait_for(self, command_id: str, state: CommandState) -> None:
        wait_until(lambda: self.state(command_id) is state)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(URL.create("sqlite", database=str(tmp_path / "central.db")))
    migrate(opened, SystemClock())
    enter_village(opened)
    enter_accounts(opened)
    with opened.write() as session:
        session.add(Region(code=REGION, name="老寨"))
        session.flush()
        session.add(
            Box(id=BOX, region_code=REGION, name="老寨主机", token_sha256=hash_token(TOKEN))
        )
        session.flush()
        session.add(
            Camera(
                uid=f"{BOX}.square",
                box_id=BOX,
                camera_id="square",
                name="文化广场",
                grid_code=f"{REGION}004",
                place="",
                has_sub=False,
                state="live",
                since=SystemClock().now(),
            )
        )
    yield opened
    opened.close()


@contextlib.contextmanager
def line(
    folder: Path, database: Database, broker: Broker, dispatcher: Dispatcher | None = None
) -> Iterator[Line]:
    inbox = DatabaseInbox(database, SystemClock(), DEADLINES)
    dispatcher = dispatcher or CommandDispatch(database, SystemClock())
    with contextlib.ExitStack() as stack:
        centre = stack.enter_context(running_centre(database, SystemClock(), folder))
        stack.enter_context(consuming(broker, inbox, dispatcher=dispatcher, dispatch_every_s=0.02))
        box = stack.enter_context(SendingBox(folder / "box", broker, timing=QUICK))
        where = {
            "mqtt_host": "127.0.0.1",
            "http_url": centre.url,
            "token": {"file": folder / "box" / "token"},
        }
        config = box.config.model_validate(
            box.config.model_dump() | {"centre": where, "box": box.config.box.model_dump()}
        )
        wakes = [box.sender.wake]
        desk = CommandDesk(
            config,
            box.database,
            box.outbox,
            box.clock,
            boot_id=BOOT,
            timekeeper=timekeeper(config.commands, ClockWatch(box.clock).quality),
            tuner=Settings(),
            on_commit=wakes,
        )
        camera = FakeCamera(b"jpeg", b"mp4 " * 100_000)
        courier = EvidenceCourier(
            config,
            EvidenceStore(box.database),
            camera,
            camera,
            box.clock,
            on_settled=desk.wake,
        )
        wakes.append(courier.wake)
        masks: list[tuple[RuleMask, ...]] = []
        armed = ArmedDesk(box.desk, box.database, box.clock)
        box.sender.obey(desk)
        desk.start(armed, lambda: masks.append(masks_in(box.database)))
        courier.start()
        stack.callback(desk.close)
        stack.callback(courier.close)
        stack.callback(box.sender.close)
        box.sender.start()
        yield Line(database, centre, box, armed, masks)


def test_a_mask_reaches_the_rules_and_so_does_its_undoing(tmp_path, database):
    broker = start_broker(tmp_path, BrokerKind.EMBEDDED)
    try:
        with line(tmp_path, database, broker) as it:
            area = [[0.0, 0.0], [0.5, 0.0], [0.5, 0.5]]
            mask = it.give("mask", rule_id="crowd", exclude=[area])
            it.wait_for(mask, CommandState.DONE)
            wait_until(lambda: it.masks)
            (kept,) = it.masks[-1]
            assert kept.exclude == (tuple(map(tuple, area)),)
            it.wait_for(it.give("mask", rule_id="crowd", undo=True), CommandState.DONE)
            wait_until(lambda: it.masks[-1] == ())
    finally:
        broker.close()


@EVERY_BROKER
def test_a_picture_and_a_clip_are_fetched_to_the_centre(tmp_path, database, kind):
    broker = start_broker(tmp_path, kind)
    try:
        with line(tmp_path, database, broker) as it:
            now = it.box.clock.now()
            bounds = {
                "start": (now - timedelta(minutes=3)).isoformat(),
                "end": (now - timedelta(minutes=2)).isoformat(),
            }
            picture, clip = it.give("snapshot"), it.give("clip", **bounds)
            it.wait_for(picture, CommandState.DONE)
            it.wait_for(clip, CommandState.DONE)
            with database.read() as session:
                pieces = session.scalars(select(Evidence)).all()
            assert {str(piece.command_id) for piece in pieces} == {picture, clip}
            assert {str(piece.kind) for piece in pieces} == {"snapshot", "clip"}
            it.box.wait_cleared()
            with database.read() as session:
                (outbox,) = session.scalars(select(BoxOutbox)).all()
            assert (outbox.missing_since, outbox.broken_at, outbox.complete_to) == (None, None, 4)
    finally:
        broker.close()


def test_a_disarmed_rule_is_silent_and_armed_again_calls_for_what_goes_on(tmp_path, database):
    broker = start_broker(tmp_path, BrokerKind.EMBEDDED)
    try:
        with line(tmp_path, database, broker) as it:
            it.wait_for(it.give("disarm", for_s=3600), CommandState.DONE)
            it.armed.report(occurrence(at=it.box.clock.now()))
            assert it.box.desk.open_alerts() == []
            it.wait_for(it.give("arm"), CommandState.DONE)
            wait_until(lambda: len(it.box.desk.open_alerts()) == 1)
            it.wait_for(it.give("arm", rule_id="no-such"), CommandState.REFUSED)
    finally:
        broker.close()


class Repeating:
    """A dispatcher that gives everything twice, and fails now and then."""

    def __init__(self, dispatch: CommandDispatch) -> None:
        self._dispatch = dispatch
        self.turns = 0

    def due(self) -> Sequence[Given]:
        self.turns += 1
        if self.turns % 3 == 0:
            raise StoreUnavailableError("the test's store is away")
        return [one for one in self._dispatch.due() for _ in range(2)]


def test_what_comes_twice_is_done_once_and_a_store_that_is_away_stops_nothing(tmp_path, database):
    broker = start_broker(tmp_path, BrokerKind.EMBEDDED)
    repeating = Repeating(CommandDispatch(database, SystemClock()))
    try:
        with line(tmp_path, database, broker, repeating) as it:
            it.wait_for(it.give("disarm", for_s=3600), CommandState.DONE)
            wait_until(lambda: it.box.sender.status().commands == 2)
            it.box.wait_cleared()
            assert it.box.outbox.load().last_sequence == 1
    finally:
        broker.close()
