"""Looking through the whole database for damage, beside those who use it (recording I15)."""

import logging
import sqlite3
import threading
from contextlib import closing

from edge.db.database import Database

log = logging.getLogger(__name__)


class Examination:
    """One check of every page, once a start, in a thread with a connection of its own.

    Of the database of a month that takes minutes on a hard disk: too long to wait for. What it
    finds it tells the database, which whoever runs the box asks for ``damage``.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._stopping = False
        self._connection: sqlite3.Connection | None = None
        self._thread = threading.Thread(target=self._run, name="db-examination", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self, timeout_s: float = 10.0) -> None:
        """Break off. Idempotent."""
        with self._lock:
            self._stopping = True
            if self._connection is not None:
                self._connection.interrupt()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            self.examine()
        except Exception:
            # Nothing waits for it, and the next start does it again.
            log.exception("database.not_examined")

    def examine(self) -> None:
        """Do it now. Raises sqlite3.Error for what is no damage."""
        with closing(sqlite3.connect(self._database.path, timeout=30)) as connection:
            with self._lock:
                if self._stopping:
                    return
                self._connection = connection
            try:
                found = str(connection.execute("pragma quick_check(1)").fetchone()[0])
            except sqlite3.Error as error:
                if self._stopping or self._database.note(error):
                    return
                raise
            finally:
                with self._lock:
                    self._connection = None
        if found != "ok":
            self._database.condemn(found)
