"""A box's set-up interface behind the centre: for whom it is, and what is written down of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest
from fastapi import Request
from fastapi.responses import JSONResponse, Response
from pydantic import SecretStr
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from central.db.models import EnrolmentLedger
from central.ledger.book import LEDGERS, broken_at
from edge.uplink.client import Uplink, UplinkTarget
from edge.web.actor import ActorDep
from protocol.clock import SystemClock
from tests.support.box import Box, running_box
from tests.support.eventually import eventually
from tests.support.web_centre import WebCentre
from tests.support.xiacun import BOX, BOX_TOKEN

pytestmark = pytest.mark.anyio

SECRET = "hunter2-of-the-camera"
SETUP = f"/boxes/{BOX}/edge/v1/setup"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class SetUp:
    """A box's set-up interface that answers as it is told to, and says what it was asked."""

    def __init__(self, box: Box) -> None:
        self.status = 201
        self.answer: object = {"id": "cam5"}
        self.asked: list[tuple[str, str, str]] = []
        methods = ["GET", "POST", "PATCH", "DELETE"]
        box.app.add_api_route("/v1/setup/{path:path}", self.take, methods=methods)

    async def take(self, request: Request, path: str, actor: ActorDep) -> Response:
        self.asked.append((request.method, path, actor))
        return JSONResponse(self.answer, status_code=self.status)


@asynccontextmanager
async def dialled_in(box: Box, centre: WebCentre) -> AsyncIterator[None]:
    target = UplinkTarget(centre.url, BOX, SecretStr(BOX_TOKEN))
    uplink = Uplink(target, box.hubs, lambda: box.server.url, SystemClock())
    await uplink.start()
    try:
        await eventually(lambda: centre.centre.hub.connected(BOX))
        yield
    finally:
        await uplink.aclose()


async def send(centre: WebCentre, username: str, method: str, path: str, body=None):
    """Send one request from a thread: the box lives in this one's loop."""

    def sent():
        with centre.client(username) as client:
            return client.request(method, path, json=body)

    return await anyio.to_thread.run_sync(sent)


def entries(centre: WebCentre) -> list[tuple[str, str, str | None, str]]:
    with centre.centre.database.read() as session:
        rows = session.scalars(select(EnrolmentLedger).order_by(EnrolmentLedger.position))
        return [(row.subject, row.action, row.to_state, row.note) for row in rows]


ADDED = {
    "probe_id": "p1",
    "name": "村口",
    "grid_code": "532324001002001",
    "password": SECRET,
    "reason": "新装",
}
WORDS = "name 村口, grid_code 532324001002001: 新装"


async def test_what_is_done_is_entered_before_and_after_in_the_persons_name(tmp_path, centre):
    async with running_box(tmp_path) as box:
        setup = SetUp(box)
        async with dialled_in(box, centre):
            answer = await send(centre, "admin", "POST", f"{SETUP}/cameras", ADDED)
            assert (answer.status_code, answer.json()) == (201, {"id": "cam5"})
            setup.status, setup.answer = 409, {"error": "busy"}
            probe = {"address": "10.0.0.9", "username": "admin", "password": SECRET}
            refused = await send(centre, "admin", "POST", f"{SETUP}/probes", probe)
            assert (refused.status_code, refused.json()) == (409, {"error": "busy"})
            setup.status = 200
            assert (await send(centre, "admin", "GET", f"{SETUP}/cameras")).status_code == 200
            removed = await send(
                centre, "admin", "DELETE", f"{SETUP}/cameras/cam5?reason=%E6%8B%86%E9%99%A4"
            )
            assert removed.status_code == 200
            shown = await send(centre, "admin", "GET", f"/boxes/{BOX}/enrolments")
    person = "李秀英 (admin)"
    assert setup.asked == [
        ("POST", "cameras", person),
        ("POST", "probes", person),
        ("GET", "cameras", "local"),
        ("DELETE", "cameras/cam5", person),
    ]
    assert entries(centre) == [
        (BOX, "add", "asked", WORDS),
        (f"{BOX}.cam5", "add", "done", WORDS),
        (BOX, "probe", "asked", "10.0.0.9"),
        (BOX, "probe", "refused", "10.0.0.9"),
        (f"{BOX}.cam5", "remove", "asked", "拆除"),
        (f"{BOX}.cam5", "remove", "done", "拆除"),
    ]
    newest = shown.json()[0]
    assert (newest["act"], newest["camera_id"], newest["outcome"], newest["words"]) == (
        "remove",
        "cam5",
        "done",
        "拆除",
    )
    assert newest["person"]["name"] == "李秀英"
    with centre.centre.database.read() as session:
        assert all(broken_at(session, table) is None for table in LEDGERS)


async def test_a_box_that_is_away_was_told_nothing_and_the_ledger_says_so(centre):
    answer = await send(centre, "admin", "POST", f"{SETUP}/cameras", ADDED)
    assert answer.status_code == 503
    assert entries(centre) == [(BOX, "add", "asked", WORDS), (BOX, "add", "not_given", WORDS)]


async def test_an_answer_that_is_too_long_is_not_passed_on_and_not_called_done(tmp_path, centre):
    async with running_box(tmp_path) as box:
        SetUp(box).answer = {"id": "x" * 70_000}
        async with dialled_in(box, centre):
            answer = await send(centre, "admin", "POST", f"{SETUP}/cameras", ADDED)
    assert (answer.status_code, answer.json()["error"]) == (504, "box_unsure")
    assert entries(centre)[-1] == (BOX, "add", "unsure", WORDS)


async def test_nobody_else_gets_there_however_the_path_is_spelt(tmp_path, centre):
    tricks = (
        "setup/cameras",
        "./setup/cameras",
        "x/../setup/cameras",
        "/setup/cameras",
        "%73etup/cameras",
        "setup%2Fcameras",
        "x%2F..%2Fsetup/cameras",
        "%2573etup/cameras",
        "setup;a/cameras",
    )
    async with running_box(tmp_path) as box:
        setup = SetUp(box)
        async with dialled_in(box, centre):
            for path in tricks:
                for method, body in (("GET", None), ("POST", ADDED)):
                    address = f"/boxes/{BOX}/edge/v1/{path}"
                    answer = await send(centre, "duty", method, address, body)
                    assert answer.status_code in (403, 404), (path, method)
    assert setup.asked == []
    assert entries(centre) == []


async def test_the_password_is_in_no_log_and_in_no_row(tmp_path, centre, caplog):
    caplog.set_level("INFO")  # as the programs do; libraries show frames to who debugs
    async with running_box(tmp_path) as box:
        SetUp(box)
        async with dialled_in(box, centre):
            await send(centre, "admin", "POST", f"{SETUP}/cameras", ADDED)
        await send(centre, "admin", "POST", f"{SETUP}/cameras", ADDED)
        await send(centre, "admin", "POST", f"{SETUP}/cameras", [SECRET])
    assert SECRET not in caplog.text
    assert all(SECRET not in str(vars(record)) for record in caplog.records)
    assert all(SECRET not in str(entry) for entry in entries(centre))


async def test_a_box_that_is_not_ours_is_not_asked(centre):
    answer = await send(centre, "admin", "POST", "/boxes/other-box/edge/v1/setup/cameras", ADDED)
    assert answer.status_code == 404
    assert entries(centre) == []


async def test_an_entry_is_never_changed_nor_taken_out(centre):
    await send(centre, "admin", "POST", f"{SETUP}/searches", {})
    for change in ("update enrolment_ledger set note = 'x'", "delete from enrolment_ledger"):
        with pytest.raises(DatabaseError), centre.centre.database.engine.begin() as connection:
            connection.execute(text(change))
    assert len(entries(centre)) == 2
