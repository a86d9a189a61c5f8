"""Noting since when a village's system is otherwise than it was filed."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from central.points.book import filed_of, in_use, last_filing
from central.points.filing import changes_since, to_file


def note_changes(session: Session, region_code: str, zone: ZoneInfo, now: datetime) -> bool:
    """Note in the last filing since when something is otherwise; return whether that changed.

    Once all is as it was filed again, it is no change any more.
    """
    session.flush()
    filing = last_filing(session, region_code, lock=True)
    if filing is None:
        return False
    differs = bool(changes_since(filed_of(filing), to_file(in_use(session, zone))))
    if differs == (filing.changed_since is not None):
        return False
    filing.changed_since = now if differs else None
    return True
