"""What exports need of the recording, held while they need it (export E6)."""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from edge.db.database import Database
from edge.errors import StorageError
from edge.exports.job import ENDED, Job
from edge.exports.order import read_until
from edge.recording import holds

log = logging.getLogger(__name__)

#: So long what a job needs is held; a job that waits longer takes what is left by then.
HELD_FOR = timedelta(days=3)

_PREFIX = "export:"


class JobHolds:
    """The holds of jobs: one a job, from when it is asked for until it has ended."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def hold(self, job: Job, now: datetime) -> None:
        """Keep what a job needs from ``now`` on. Raises StorageError."""
        ask, until = job.ask, now + HELD_FOR
        end = read_until(ask.kind, ask.end)
        with self._database.transaction() as connection:
            holds.add_hold(connection, ask.camera_id, ask.start, end, _held(job), until)

    def release(self, job: Job) -> None:
        """Let it go. Never raises: what the database does not let go ends by itself."""
        try:
            with self._database.transaction() as connection:
                holds.drop_hold(connection, _held(job))
        except StorageError as error:
            log.warning("exports.still_held", extra={"job": job.id, "error": str(error)})

    def release_others(self, jobs: Iterable[Job]) -> None:
        """Let go of all but what ``jobs`` that have not ended need. Never raises.

        A box may be killed when the hold of a job is there and the job is not yet, or no longer.
        """
        needed = {_held(job) for job in jobs if job.state not in ENDED}
        try:
            with self._database.transaction() as connection:
                for reason in holds.reasons(connection, _PREFIX) - needed:
                    holds.drop_hold(connection, reason)
        except StorageError as error:
            log.warning("exports.still_held", extra={"error": str(error)})


def _held(job: Job) -> str:
    return f"{_PREFIX}{job.id}"
