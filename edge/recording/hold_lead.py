"""How far before a hold footage stays, so that its first picture can be decoded (recording I4)."""

import sqlite3
from datetime import datetime, timedelta

from edge.db.instant import to_us
from edge.recording.segment import HOLD_LEAD, MOST_LEAD
from edge.recording.segments import LONGEST_US

_MICROSECOND = timedelta(microseconds=1)

#: From the file that the lead begins in, each file down to the one that begins with a key frame.
_NEEDED = """
with recursive needed (stream, run_id, start_us, start_dts, starts_key) as (
  select stream, run_id, start_us, start_dts, starts_key from segment
  where camera_id = :camera_id and stream in ('main', 'sub')
    and start_us <= :from_us and start_us > :from_us - :longest_us and end_us > :from_us
  union
  select before.stream, before.run_id, before.start_us, before.start_dts, before.starts_key
  from needed join segment before
    on before.camera_id = :camera_id and before.stream = needed.stream
    and before.start_us < needed.start_us and before.start_us > needed.start_us - :longest_us
    and before.run_id = needed.run_id and before.start_dts + before.duration = needed.start_dts
  where not needed.starts_key and needed.start_us > :most_us
)
select min(start_us) from needed
"""


def lead(connection: sqlite3.Connection, camera_id: str, start: datetime) -> timedelta:
    """Return how far before ``start`` a hold of a camera keeps footage, HOLD_LEAD at least.

    That is to the key frame that is needed to show what HOLD_LEAD keeps, and not beyond MOST_LEAD
    but for the rest of a file. It runs in the caller's transaction.
    """
    start_us = to_us(start)
    (needed_us,) = connection.execute(
        _NEEDED,
        {
            "camera_id": camera_id,
            "from_us": start_us - HOLD_LEAD // _MICROSECOND,
            "most_us": start_us - MOST_LEAD // _MICROSECOND,
            "longest_us": LONGEST_US,
        },
    ).fetchone()
    needed = timedelta() if needed_us is None else timedelta(microseconds=start_us - needed_us)
    return max(HOLD_LEAD, needed)
