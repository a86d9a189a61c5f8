"""Exports over an archive: what is asked for, and what was made of it."""

import json
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from edge.exports.exporter import Exporter
from edge.exports.job import ENDED, Ask, Job, Kind
from edge.exports.maker import Making
from edge.exports.order import Order
from edge.exports.ordering import Village
from edge.exports.room import Space
from edge.exports.shelf import Shelf
from protocol.clock import FakeClock
from tests.support.recordings import Archive, at, until

VILLAGE = Village("box-01", "下村", "Asia/Shanghai", {"gate": "村口"})
AMPLE = Space(1_000_000_000_000, 500_000_000_000)
MIN_FREE = 0.05


def ask(kind: Kind = Kind.COPY, start_s: float = 1, end_s: float = 5, **more: Any) -> Ask:
    words = {"reason": "事件处置", "by": "张三", **more}
    return Ask(camera_id="gate", start=at(start_s), end=at(end_s), kind=kind, **words)


class Desk:
    """An exporter over an archive; ``stop`` it and make another for a restart."""

    def __init__(
        self,
        archive: Archive,
        *,
        space: Callable[[], Space] = lambda: AMPLE,
        making: Callable[[Order], Making] = Making,
        shelf: Callable[[Path], Shelf] = Shelf,
    ) -> None:
        self.archive = archive
        self.shelf = shelf(archive.root.parent / "exports")
        self.exporter = Exporter(
            self.shelf,
            archive.index,
            archive.database,
            VILLAGE,
            archive.clock,
            MIN_FREE,
            space=space,
            making=making,
        )

    def __enter__(self) -> Self:
        self.exporter.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.exporter.close()

    def made(self, asked: Ask) -> Job:
        """Return the job once it has ended."""
        return self.ended(self.asked(asked).id)

    def asked(self, what: Ask) -> Job:
        """Ask for a job a second after the one before, so that its id says so."""
        assert isinstance(self.archive.clock, FakeClock)
        self.archive.clock.advance(1)
        return self.exporter.submit(what)

    def ended(self, job_id: str) -> Job:
        until(lambda: self.exporter.job(job_id).state in ENDED, 60)
        return self.exporter.job(job_id)

    def folder(self, job: Job) -> Path:
        return self.shelf.folder(job.id)

    def video(self, job: Job, number: int = 0) -> Path:
        return self.folder(job) / job.parts[number].name

    def manifest(self, job: Job) -> Any:
        return json.loads((self.folder(job) / "manifest.json").read_bytes())

    def held(self) -> list[str]:
        with self.archive.database.reading() as connection:
            return [row["reason"] for row in connection.execute("select reason from hold")]


class Pause:
    """A Making that stands still at its first progress until it is told to go on."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.go_on = threading.Event()
        self.making: Making | None = None

    def __call__(self, order: Order) -> Making:
        pause = self

        class Paused(Making):
            def run(self, tell):
                def told(done_bytes: int) -> None:
                    tell(done_bytes)
                    pause.reached.set()
                    pause.go_on.wait(60)

                return super().run(told)

            def stop(self) -> None:
                super().stop()
                pause.go_on.set()

        self.making = Paused(order)
        return self.making


def checked(folder: Path) -> str:
    """Return what sha256sum says of a folder's files."""
    done = subprocess.run(
        ["sha256sum", "-c", "SHA256SUMS"], cwd=folder, capture_output=True, text=True, check=False
    )
    return f"{done.returncode} {done.stdout}{done.stderr}"
