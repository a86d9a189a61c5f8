"""Broker, PostgreSQL and centre for a fleet to talk to, and what the centre's books say of it."""

import os
import resource
import signal
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Self

from sqlalchemy import func, select

from bench.centre_rig import CentreRig, credentials
from bench.fleet.processes import Fleet
from bench.postgres import PostgresServer
from bench.process import rss_bytes
from bench.program import Program
from central.db.engine import Database
from central.db.models import Box, BoxEvent, BoxOutbox, Quarantine
from protocol.clock import Clock
from village.broker.broker import Broker

REGION = "532324001002"


class FleetLine:
    """Everything but the boxes, and the consumer not started yet. A context.

    The database is a PostgreSQL that is as durable as one in use; the broker an installed
    Mosquitto, else the embedded one.
    """

    def __init__(self, folder: Path, boxes: int, clock: Clock, *others: str) -> None:
        self._folder = folder
        self._names = [*Fleet.names(boxes), *others]
        self._clock = clock
        self._stack = ExitStack()
        self.broker = Broker(folder / "broker", credentials(self._names))

    def __enter__(self) -> Self:
        """Start broker and database and enter the boxes. Raises BrokerError, ProgramError."""
        # The broker inherits it: a connection is a file there.
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        self._folder.mkdir(exist_ok=True)
        with self._stack:
            self.broker.start()
            self._stack.callback(self.broker.close)
            postgres = self._stack.enter_context(PostgresServer(self._clock))
            self.database_url = postgres.url
            rig = CentreRig(self._folder, postgres.url, self.broker, REGION)
            rig.enter(self._names)
            self.web = rig.url
            self.database = Database(postgres.url)
            self._stack.callback(self.database.close)
            self.consumer: Program = rig.consumer()
            self.service: Program = rig.service()
            self._stack.callback(self.consumer.stop)
            self._stack.callback(self.service.stop)
            self._stack = self._stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop all."""
        self._stack.close()

    def fleet(self, boxes: int, **rates: float) -> Fleet:
        """Return so many boxes, not started; ``rates`` are options of bench.fleet."""
        options = {name.replace("_", "-"): value for name, value in rates.items()}
        return Fleet(self._folder / "fleet", self.broker.port, REGION, boxes, options)

    def kill_broker(self) -> None:
        """Kill the broker by SIGKILL."""
        if self.broker.pid is not None:
            os.kill(self.broker.pid, signal.SIGKILL)

    def memory(self) -> tuple[int, int]:
        """Return the resident bytes of the broker and of the consumer."""
        return rss_bytes(self.broker.pid or 0), rss_bytes(self.consumer.pid)

    # -- what the books say -----------------------------------------------------------------------

    def received(self) -> int:
        """Return how many events the centre has entered."""
        with self.database.read() as session:
            return int(session.scalar(select(func.sum(BoxOutbox.received))) or 0)

    def seen_since(self, moment: datetime) -> int:
        """Return how many boxes are there and were heard of since then."""
        with self.database.read() as session:
            query = select(func.count()).where(Box.online, Box.last_seen_at >= moment)
            return session.scalar(query) or 0

    def faults(self, reported: int) -> list[str]:
        """Return in words what is not as it must be once all of so many events have come."""
        with self.database.read() as session:
            events = session.scalar(select(func.count()).select_from(BoxEvent)) or 0
            aside = session.scalar(select(func.count()).select_from(Quarantine)) or 0
            missing = session.scalar(
                select(func.count()).where(BoxOutbox.missing_since.is_not(None))
            )
            broken = session.scalar(select(func.count()).where(BoxOutbox.broken_at.is_not(None)))
        return [
            words
            for words, is_wrong in (
                (f"{events} events stored of {reported}", events != reported),
                (f"{aside} messages in quarantine", aside),
                (f"something is missing of {missing} outboxes", missing),
                (f"{broken} chains are broken", broken),
            )
            if is_wrong
        ]
