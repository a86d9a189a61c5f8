"""Boxes, a broker, a centre and a bad link between them, and somebody who kills all of them."""

import os
import random
import signal
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Self

from sqlalchemy import URL

from bench import delivery_box
from bench.centre_rig import CentreRig, credentials, token_of
from bench.fault_proxy import BAD_LINK, Character, FaultProxy
from bench.postgres import PostgresServer
from bench.program import Program
from bench.reckoning import Reckoning, has_stored, outbox_size, quarantined, reckon, stored_events
from bench.wait import until
from central.db.engine import Database
from central.errors import StoreUnavailableError
from protocol.clock import Clock
from protocol.topics import CENTRE_USER, replica_user
from village.broker.broker import Broker, BrokerKind

REGION = "532324001002"
#: Between two reports of a box.
EVERY_S = 0.25

_READY_S = 60.0
_PROGRESS_S = 120.0
_DRAIN_S = 600.0
_POLL_S = 0.05


class DatabaseKind(StrEnum):
    """Where the centre keeps what it commits."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


@dataclass(frozen=True, slots=True)
class SetUp:
    """Which broker, which database, and how many consumers share the work."""

    broker: BrokerKind
    database: DatabaseKind
    replicas: int = 1

    def __str__(self) -> str:
        consumers = "" if self.replicas == 1 else f", {self.replicas} consumers"
        return f"{self.broker}, {self.database}{consumers}"

    @property
    def consumers(self) -> tuple[str, ...]:
        """What the centre's consumers sign in as."""
        if self.replicas == 1:
            return (CENTRE_USER,)
        return tuple(replica_user(number) for number in range(1, self.replicas + 1))


class Victim(StrEnum):
    """What one ``kill -9`` hits. On SQLite the database dies with the centre.

    The centre is one of its consumers, where it has several.
    """

    BOX = "box"
    BROKER = "broker"
    CENTRE = "centre"
    DATABASE = "database"
    EVERYTHING = "everything"


class Fault(StrEnum):
    """What happens to the link in a round."""

    NONE = "none"
    STALL = "stall"
    RESET = "reset"
    CUT = "cut"
    HALF_OPEN = "half-open"
    REFUSE = "refuse"


@dataclass(slots=True)
class Story:
    """What was done, and how long it took until all of it had arrived. Times in seconds."""

    rounds: int = 0
    kills: Counter[Victim] = field(default_factory=Counter)
    faults: Counter[Fault] = field(default_factory=Counter)
    drain_s: float | None = None
    quarantined: int = 0


class ChaosBox:
    """A box in a process of its own; its outbox outlives it."""

    def __init__(
        self, folder: Path, box_id: str, port: int, clock_file: Path | None = None
    ) -> None:
        folder.mkdir()
        self.box_id = box_id
        self.outbox = folder / delivery_box.DATABASE
        self._folder = folder
        self._port = port
        self._clock_file = clock_file
        self._program: Program | None = None
        (folder / "token").write_text(token_of(box_id))

    def start(self, *, seed: int, reports: int = -1, every_s: float = EVERY_S) -> None:
        """Start it; ``reports`` and ``every_s`` as in bench.delivery_box."""
        given = {
            "folder": self._folder,
            "box": self.box_id,
            "region": REGION,
            "port": self._port,
            "token-file": self._folder / "token",
            "every-s": every_s,
            "reports": reports,
            "seed": seed,
        }
        if self._clock_file is not None:
            given["clock-file"] = self._clock_file
        words = [f"--{name}={value}" for name, value in given.items()]
        self._program = Program(
            [sys.executable, "-m", "bench.delivery_box", *words], self._folder / "log"
        )
        self._program.start()

    def kill(self) -> None:
        """Kill it by SIGKILL, if it runs."""
        if self._program is not None:
            self._program.signal(signal.SIGKILL)
            self._program.stop()
            self._program = None

    def tell(self, number: signal.Signals, clock: Clock) -> None:
        """Send it a signal as soon as it listens. Raises ProgramError, WaitedTooLongError."""
        program = self._program
        assert program is not None

        def listens() -> bool:
            program.check()
            return delivery_box.READY in program.log.read_text(errors="replace")

        until(listens, limit_s=_READY_S, what=f"{self.box_id} starts", clock=clock)
        os.kill(program.pid, number)

    def size(self) -> tuple[int, int]:
        """Return how many rows its outbox has, and how many without a receipt."""
        return outbox_size(self.outbox)

    def last_words(self) -> str:
        """Return the end of what it said."""
        return "" if self._program is None else self._program.tail()


class DeliveryRig:
    """The whole line from the boxes' outboxes to the centre's database. A context.

    The boxes reach the broker through the fault proxy; the centre's consumer is beside it. Their
    clocks are off by what ``clock_file`` says, where it is given (bench.stepped_clock).
    """

    def __init__(
        self,
        folder: Path,
        set_up: SetUp,
        boxes: int,
        clock: Clock,
        chance: random.Random,
        clock_file: Path | None = None,
    ) -> None:
        self.set_up = set_up
        self.story = Story()
        self._folder = folder
        self._clock = clock
        self._chance = chance
        self._clock_file = clock_file
        self._names = [f"box-{number:02}" for number in range(1, boxes + 1)]
        users = credentials(self._names, set_up.consumers)
        self._broker = Broker(folder / "broker", users, kind=set_up.broker)
        self._stack = ExitStack()
        self._postgres: PostgresServer | None = None
        self.boxes: list[ChaosBox] = []

    def __enter__(self) -> Self:
        """Start broker, database and centre; the boxes are there, and not started yet."""
        self._folder.mkdir()
        with self._stack:
            self._broker.start()
            self._stack.callback(self._broker.close)
            if self.set_up.database is DatabaseKind.POSTGRESQL:
                self._postgres = self._stack.enter_context(PostgresServer(self._clock))
            centre = CentreRig(self._folder, self._url, self._broker, REGION, self.set_up.consumers)
            centre.enter(self._names)
            self._centre = Database(self._url)
            self._stack.callback(self._centre.close)
            self._consumers = [
                self._stack.enter_context(centre.consumer(name)) for name in self.set_up.consumers
            ]
            self.link = self._stack.enter_context(FaultProxy(self._broker.port, self._chance))
            self.boxes = [
                ChaosBox(self._folder / name, name, self.link.port, self._clock_file)
                for name in self._names
            ]
            for box in self.boxes:
                self._stack.callback(box.kill)
            self._stack = self._stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop all."""
        self._stack.close()

    # -- bad things -------------------------------------------------------------------------------

    def start_boxes(self) -> None:
        """Let every box report and send."""
        for box in self.boxes:
            box.start(seed=self._chance.randrange(2**32))

    def round(self) -> None:
        """Wait until alerts arrive, then let something happen to the link, and kill something."""
        self._wait_progress()
        self._pause(0.0, 1.0)
        self._mistreat_link()
        victim = self._chance.choice([each for each in Victim if self._can_die(each)])
        box = self._chance.choice(self.boxes)
        consumer = self._chance.choice(self._consumers)
        self._kill(victim, box, consumer)
        self._pause(0.0, 1.0)
        self._revive(victim, box, consumer)
        self._pause(0.0, 0.5)
        self.link.flow()
        self.link.refuse(on=False)
        self.story.rounds += 1

    def drain(self) -> None:
        """Let the boxes report no more, and wait until everything has its receipt.

        The link stays bad, but nothing more happens to it.
        """
        self.link.become(BAD_LINK)
        for box in self.boxes:
            box.tell(signal.SIGUSR2, self._clock)
        began_ns = self._clock.monotonic_ns()
        until(
            lambda: not any(box.size()[1] for box in self.boxes),
            limit_s=_DRAIN_S,
            what="every event has its receipt",
            clock=self._clock,
        )
        self.story.drain_s = (self._clock.monotonic_ns() - began_ns) / 1e9

    def reckon(self) -> list[Reckoning]:
        """Hold every outbox against the centre."""
        self.story.quarantined = quarantined(self._centre)
        return [reckon(box.box_id, box.outbox, self._centre) for box in self.boxes]

    def last_words(self) -> str:
        """Return the end of what each part said."""
        said = {box.box_id: box.last_words() for box in self.boxes}
        said |= {
            name: consumer.tail()
            for name, consumer in zip(self.set_up.consumers, self._consumers, strict=True)
        }
        return "\n".join(f"--- {name}\n{words}" for name, words in said.items())

    def stored(self) -> int | None:
        """Return how many events the centre has, None while its database is away."""
        with suppress(StoreUnavailableError):
            return stored_events(self._centre)
        return None

    def has_stored(self, box: ChaosBox, sequence: int) -> bool:
        """Return whether the centre has that event. Raises StoreUnavailableError."""
        return has_stored(self._centre, box.box_id, sequence)

    # -- inside -----------------------------------------------------------------------------------

    @property
    def _url(self) -> URL:
        if self._postgres is not None:
            return self._postgres.url
        return URL.create("sqlite", database=str(self._folder / "centre.db"))

    def _can_die(self, victim: Victim) -> bool:
        return victim is not Victim.DATABASE or self._postgres is not None

    def _wait_progress(self) -> None:
        before = self.stored() or 0
        until(
            lambda: (self.stored() or 0) > before,
            limit_s=_PROGRESS_S,
            what="another alert arrives",
            clock=self._clock,
            every_s=_POLL_S,
        )

    def _pause(self, least_s: float, most_s: float) -> None:
        ends_ns = self._clock.monotonic_ns() + round(self._chance.uniform(least_s, most_s) * 1e9)
        until(
            lambda: self._clock.monotonic_ns() >= ends_ns,
            limit_s=most_s + 60,
            what="time passes",
            clock=self._clock,
            every_s=0.01,
        )

    def _mistreat_link(self) -> None:
        self.link.become(self._chance.choice([Character(), BAD_LINK]))
        fault = self._chance.choice(list(Fault))
        happen: dict[Fault, Callable[[], object]] = {
            Fault.NONE: lambda: None,
            Fault.STALL: self.link.stall,
            Fault.RESET: self.link.reset,
            Fault.CUT: self.link.cut,
            Fault.HALF_OPEN: self.link.leave_half_open,
            Fault.REFUSE: lambda: self.link.refuse(on=True),
        }
        happen[fault]()
        self.story.faults[fault] += 1

    def _kill(self, victim: Victim, box: ChaosBox, consumer: Program) -> None:
        self.story.kills[victim] += 1
        if victim in (Victim.BROKER, Victim.EVERYTHING) and self._broker.pid is not None:
            os.kill(self._broker.pid, signal.SIGKILL)
        for program in self._consumers if victim is Victim.EVERYTHING else [consumer]:
            if victim in (Victim.CENTRE, Victim.EVERYTHING):
                program.signal(signal.SIGKILL)
                program.stop()
        if victim in (Victim.DATABASE, Victim.EVERYTHING) and self._postgres is not None:
            self._postgres.kill()
        for each in self.boxes if victim is Victim.EVERYTHING else [box]:
            if victim in (Victim.BOX, Victim.EVERYTHING):
                each.kill()

    def _revive(self, victim: Victim, box: ChaosBox, consumer: Program) -> None:
        if victim in (Victim.DATABASE, Victim.EVERYTHING) and self._postgres is not None:
            self._postgres.start()
        if victim in (Victim.BROKER, Victim.EVERYTHING):
            self._broker.start()
        for program in self._consumers if victim is Victim.EVERYTHING else [consumer]:
            if victim in (Victim.CENTRE, Victim.EVERYTHING):
                program.start()
        for each in self.boxes if victim is Victim.EVERYTHING else [box]:
            if victim in (Victim.BOX, Victim.EVERYTHING):
                each.start(seed=self._chance.randrange(2**32))
