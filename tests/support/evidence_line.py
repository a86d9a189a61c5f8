"""Evidence all the way: a box's desk and courier, and a real centre that takes what they bring."""

import contextlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import URL, select

from central.alerts.views import alert_views
from central.db.engine import Database
from central.db.migrate import migrate
from central.db.models import Alert, Evidence
from edge.alerts.budget import Budget, Rates, Signs
from edge.alerts.evidence import CourierTiming, EvidenceCourier
from edge.alerts.evidence_store import EvidenceStore
from edge.bus.backoff import Backoff
from protocol.clock import Clock, SystemClock
from protocol.messages import AlertOp, EvidenceKind
from tests.support.desk_box import box_config, occurrence, open_desk
from tests.support.web_centre import WebCentre, running_centre
from tests.support.xiacun import (
    BOX,
    BOX_TOKEN,
    alert_data,
    alert_message,
    enter_village,
    received,
)

SOON = Backoff(0.02, 0.1)
QUICK = CourierTiming(retry=SOON, not_yet=SOON, away=SOON, refused=SOON)


class Camera:
    """Makes pictures and clips: the bytes that are given, each a little different."""

    def __init__(self, picture: bytes, clip: bytes) -> None:
        self._picture = picture
        self._clip = clip

    def picture(self, camera_id: str, at: datetime) -> tuple[bytes, datetime]:
        """Return the picture with its time at its end."""
        return self._picture + at.isoformat().encode(), at

    def clip(self, camera_id: str, start: datetime, end: datetime, target: Path, *_: object):
        """Write the clip with its time at its end."""
        target.write_bytes(self._clip + start.isoformat().encode())
        return start, end


class SendingBox:
    """A box whose alerts the centre has already; ``url`` is where it thinks the centre is."""

    def __init__(self, folder: Path, url: str, centre: WebCentre, clock: Clock) -> None:
        folder.mkdir()
        (folder / "token").write_text(BOX_TOKEN)
        where = {
            "mqtt_host": "127.0.0.1",
            "http_url": url,
            "token": {"file": folder / "token"},
        }
        self.clock = clock
        self.config = box_config(
            folder,
            box_id=BOX,
            centre=where,
            evidence={"clip_pre_s": 10, "clip_post_s": 1},
        )
        self.box = open_desk(folder / "box.sqlite3", clock, self.config)
        self.store = EvidenceStore(self.box.database)
        self._centre = centre
        self._couriers: list[EvidenceCourier] = []

    def courier(self, camera: Camera, timing: CourierTiming = QUICK) -> EvidenceCourier:
        """Return a courier; it is closed with the box."""
        fast = Budget(Signs, Rates(start=1e9, ceiling=1e9))  # its clock may stand still
        made = EvidenceCourier(
            self.config, self.store, camera, camera, self.clock, timing=timing, budget=fast
        )
        self._couriers.append(made)
        return made

    def alert(self, *, ago_s: float = 5.0) -> str:
        """Raise an alert here and make it known to the centre; return its id."""
        at = self.clock.now() - timedelta(seconds=ago_s)
        self.box.desk.report(occurrence(at=at))
        self.box.desk.report(occurrence(AlertOp.END, at=at))
        messages = self.box.messages()
        alert_id = messages[-1].data.alert_id
        data = alert_data(UUID(str(alert_id)), started_at=at, at=at)
        self._centre.take(received(alert_message(data, len(messages) // 2), at))
        return str(alert_id)

    def rows_made(self) -> int:
        """Return of how many pieces the file was made."""
        return len(self.box.rows("select 1 as one from evidence where path is not null"))

    def close(self) -> None:
        """Stop the couriers, then the database."""
        for courier in self._couriers:
            courier.close()
        self.box.database.close()


class EvidenceLine:
    """A centre in ``folder``, what is stored there, and boxes that send to it."""

    def __init__(self, folder: Path, database: Database, centre: WebCentre) -> None:
        self._folder = folder
        self._database = database
        self.centre = centre
        self.evidence = folder / "evidence"

    @property
    def port(self) -> int:
        """Where the centre listens."""
        return int(self.centre.url.rsplit(":", 1)[1])

    def stored(self) -> dict[tuple[str, EvidenceKind], bytes]:
        """Return the bytes of every piece that has a row."""
        with self._database.read() as session:
            rows = session.scalars(select(Evidence)).all()
        return {
            (str(row.alert_id), row.kind): (self.evidence / row.path).read_bytes() for row in rows
        }

    def lacks(self, alert_id: str | UUID) -> list[tuple[str, str]]:
        """Return kind and reason of what people are told will never come of an alert."""
        with self._database.read() as session:
            (view,) = alert_views(session, [session.get_one(Alert, UUID(str(alert_id)))])
        return [(lack.kind.value, lack.reason.value) for lack in view.lacks]

    @contextlib.contextmanager
    def box(self, url: str, clock: Clock) -> Iterator[SendingBox]:
        """Give a box that sends to ``url``."""
        made = SendingBox(self._folder / "box", url, self.centre, clock)
        try:
            yield made
        finally:
            made.close()


@contextlib.contextmanager
def evidence_line(folder: Path, *, max_mb: int = 100) -> Iterator[EvidenceLine]:
    """Run a centre on SQLite."""
    database = Database(URL.create("sqlite", database=str(folder / "central.db")))
    migrate(database, SystemClock())
    enter_village(database)
    with running_centre(database, SystemClock(), folder, max_mb=max_mb) as centre:
        yield EvidenceLine(folder, database, centre)
    database.close()
