"""The centre's web service on a real port, with the small village and its accounts."""

import contextlib
import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import httpx
import pytest
import uvicorn
from argon2 import PasswordHasher
from sqlalchemy import URL

from central.app import create_app
from central.codes import Role
from central.config import CentralConfig
from central.db.engine import Database
from central.db.migrate import migrate
from central.db.models import Account, Person
from central.http.centre import Centre
from central.ingest.inbox import DatabaseInbox
from central.ports import Received
from central.serve import CentreServer
from protocol.clock import Clock, SystemClock
from protocol.messages import CameraState
from protocol.notify import ServiceNotifier
from tests.support.tools import ROOT
from tests.support.xiacun import DEADLINES, REGION, birth, enter_village, received

PASSWORD = "a-good-password"
PINS = {"zhang": "1111", "li": "2222", "wang": "3333"}
ACCOUNTS = (
    ("wall", Role.WALL, None),
    ("duty", Role.DUTY, "zhang"),
    ("duty2", Role.DUTY, "wang"),
    ("admin", Role.ADMIN, "li"),
)

#: Argon2id at its cheapest: to check the centre's own takes longer than most tests.
_hash = cache(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash)


def config_for(
    folder: Path,
    examples: Mapping[str, object] | None = None,
    *,
    max_mb: int = 1,
    evidence: Mapping[str, object] | None = None,
    **http: object,
) -> CentralConfig:
    """Return a configuration; the database in it is not the one that tests use."""
    return CentralConfig.model_validate(
        {
            "village": {"name": "下村", "region_code": REGION},
            "mqtt": {"password": {"env": "NOT_USED"}},
            "evidence": {"folder": folder / "evidence", "max_mb": max_mb, **(evidence or {})},
            "examples": {"folder": folder / "examples", **(examples or {})},
            "http": {"host": "127.0.0.1", "port": 0, **http},
            "web": {"folder": folder / "dist"},
        }
    )


def enter_accounts(database: Database) -> None:
    with database.write() as session:
        for key, pin in PINS.items():
            session.get_one(Person, key).pin_hash = _hash(pin)
        session.add_all(
            Account(
                username=name,
                password_hash=_hash(PASSWORD),
                role=role,
                name=name,
                person_id=person,
            )
            for name, role, person in ACCOUNTS
        )


@dataclass
class WebCentre:
    """A running centre: clients for its roles, and a way in for boxes' messages."""

    url: str
    centre: Centre
    inbox: DatabaseInbox

    @contextlib.contextmanager
    def client(self, username: str | None = None, pin: str | None = None) -> Iterator[httpx.Client]:
        """Give a client that is signed in; at a wall also as the operator with ``pin``."""
        with httpx.Client(
            base_url=f"{self.url}/api/v1",
            headers={"origin": self.url},
            timeout=30,  # a shared machine may be slow to answer
            verify=False,  # it is http, and to load all authorities takes longer than most answers
        ) as client:
            if username is not None:
                body = {"username": username, "password": PASSWORD}
                answer = client.post("/session", json=body)
                assert answer.status_code == 200, answer.text
            if pin is not None:
                assert client.post("/session/operator", json={"pin": pin}).status_code == 200
            yield client

    def take(self, *messages: Received) -> Sequence[object]:
        return self.inbox.commit(messages)


@contextlib.contextmanager
def running_centre(
    database: Database,
    clock: Clock,
    folder: Path,
    examples: Mapping[str, object] | None = None,
    *,
    max_mb: int = 1,
    evidence: Mapping[str, object] | None = None,
    **http: object,
) -> Iterator[WebCentre]:
    """Serve on a free port until the end of the block."""
    config = config_for(folder, examples, max_mb=max_mb, evidence=evidence, **http)
    app = create_app(config, database, clock)
    settings = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        log_config=None,
        ws="websockets-sansio",
        timeout_graceful_shutdown=3,
    )
    server = CentreServer(settings, app.state.centre, ServiceNotifier(""))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            threading.Event().wait(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        inbox = DatabaseInbox(database, clock, DEADLINES)
        yield WebCentre(f"http://127.0.0.1:{port}", app.state.centre, inbox)
    finally:
        server.should_exit = True
        thread.join(15)
        assert not thread.is_alive(), "the server did not stop"


@contextlib.contextmanager
def centre_with_pages(
    folder: Path, camera: CameraState, examples: Mapping[str, object] | None = None
) -> Iterator[WebCentre]:
    """Run a centre in ``folder`` with the built interface, Xiacun's accounts and one camera.

    Skips the test where the interface is not built.
    """
    built = ROOT / "central" / "web" / "dist"
    if not (built / "index.html").is_file():
        pytest.skip("needs the built interface (make web)")
    shutil.copytree(built, folder / "dist")
    database = Database(URL.create("sqlite", database=str(folder / "central.db")))
    migrate(database, SystemClock())
    enter_village(database)
    enter_accounts(database)
    with running_centre(database, SystemClock(), folder, examples) as running:
        now = datetime.now(UTC)
        running.take(received(birth(camera, at=now), now))
        yield running
    database.close()
