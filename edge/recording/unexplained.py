"""Time that has neither footage nor a gap, which there must not be (recording I6)."""

from collections.abc import Iterator
from datetime import datetime

from edge.db.database import Database
from edge.db.instant import from_us, to_us
from edge.recording import gaps
from edge.recording.coverage import Stretch
from protocol.relay import StreamName

#: Stretches of less are no footage anybody could miss: half a tick of a slow camera's clock.
SLACK_US = 1000

_HOLES = """
select reached_us, start_us from (
  select start_us, max(end_us) over (
    order by start_us rows between unbounded preceding and 1 preceding) as reached_us
  from (
    select start_us, end_us from segment where camera_id = :camera_id and stream = :stream
    union all
    select start_us, coalesce(end_us, :now_us) from gap
    where camera_id = :camera_id and stream = :stream
    union all
    select first_us, last_us from deletion
    where camera_id = :camera_id and reason not in ('orphan', 'lost')))
where start_us > reached_us + :slack_us
order by start_us
"""


def unexplained(
    database: Database, camera_id: str, stream: StreamName, now: datetime
) -> Iterator[Stretch]:
    """Yield what nothing explains of a stream, since it was first seen. Raises StorageError."""
    now_us = to_us(now)
    values = {"camera_id": camera_id, "stream": stream.value, "now_us": now_us}
    with database.reading() as connection:
        kept_from = gaps.kept_from(connection)
        holes = connection.execute(_HOLES, {**values, "slack_us": SLACK_US}).fetchall()
    first_us = 0 if kept_from is None else to_us(kept_from)
    for hole in holes:
        # What lies beyond now was recorded when the clock was ahead: nothing is due there.
        start_us, end_us = max(hole["reached_us"], first_us), min(hole["start_us"], now_us)
        if end_us > start_us + SLACK_US:
            yield Stretch(from_us(start_us), from_us(end_us))
