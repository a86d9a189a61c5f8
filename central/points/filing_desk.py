"""Entering that a village's system was filed (备案), and seeing whether it is still as filed."""

from datetime import date
from zoneinfo import ZoneInfo

from central.db.engine import Database
from central.db.models import Filing, PointLedger
from central.errors import ConflictError, InvalidError
from central.ledger.book import append
from central.ledger.chain import Entry
from central.points.book import filed_of, in_use, last_filing
from central.points.compare import note_changes
from central.points.filing import changes_since, to_file
from protocol.clock import Clock


class FilingDesk:
    """Keeps the filings of one village's system; a filing is entered, never changed."""

    def __init__(self, database: Database, clock: Clock, region_code: str, zone: ZoneInfo) -> None:
        self._database = database
        self._clock = clock
        self._region_code = region_code
        self._zone = zone

    def file(self, filed_on: date, number: str, actor_id: str) -> None:
        """Enter that the system as it is now was filed, or its changes were.

        Raises InvalidError for a day to come, ConflictError where nothing needs a filing and there
        was none before.
        """
        now = self._clock.now()
        if filed_on > now.astimezone(self._zone).date():
            raise InvalidError("filed_on: lies in the future")
        with self._database.write() as session:
            facts = to_file(in_use(session, self._zone))
            if not facts and last_filing(session, self._region_code) is None:
                raise ConflictError("no point in use needs a filing")
            cameras = [
                {
                    "uid": each.uid,
                    "place": each.place,
                    "device_type": each.device_type.value,
                    "unit": each.unit,
                    "retention_days": each.retention_days,
                }
                for each in facts
            ]
            session.add(
                Filing(
                    region_code=self._region_code,
                    filed_on=filed_on.isoformat(),
                    number=number,
                    facts={"cameras": cameras},
                    entered_by=actor_id,
                    entered_at=now,
                )
            )
            words = f"{filed_on.isoformat()} {number} {len(cameras)}个点位"
            append(
                session, PointLedger, [Entry(self._region_code, now, "file", actor_id, note=words)]
            )

    def look(self) -> None:
        """Note whether all is as filed: boxes say otherwise, too. Raises StoreUnavailableError."""
        now = self._clock.now()
        with self._database.read() as session:
            filing = last_filing(session, self._region_code)
            if filing is None:
                return
            differs = changes_since(filed_of(filing), to_file(in_use(session, self._zone)))
            if bool(differs) == (filing.changed_since is not None):
                return
        with self._database.write() as session:
            note_changes(session, self._region_code, self._zone, now)
