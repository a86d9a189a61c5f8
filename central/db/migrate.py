"""Bringing a database to this program's schema."""

import contextlib
import logging
import sqlite3
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from central.db.engine import Database
from central.errors import ConfigError, StoreUnavailableError
from protocol.clock import Clock

log = logging.getLogger(__name__)

#: Replicas that start together take turns (PostgreSQL's advisory lock; any number of our own).
_LOCK = 0x7A6E5368


@dataclass(frozen=True, slots=True)
class Migration:
    """What was done: from which revision (None: an empty database) to which, and the backup."""

    before: str | None
    after: str
    backup: Path | None


def migrate(database: Database, clock: Clock) -> Migration:
    """Bring ``database`` to the newest schema this program knows; do nothing where it is.

    Safe to call from several processes at once. A SQLite file that will change is copied beside
    itself first. Raises ConfigError where the database is of a newer program, and
    StoreUnavailableError where it can't be reached.
    """
    try:
        return _migrate(database, clock)
    except OperationalError as error:
        raise StoreUnavailableError(f"database: {error.orig}") from error


def _migrate(database: Database, clock: Clock) -> Migration:
    if database.is_sqlite and database.url.database:
        Path(database.url.database).parent.mkdir(parents=True, exist_ok=True)
    script = ScriptDirectory(_scripts())
    head = script.get_current_head()
    assert head is not None
    backup = _back_up(database, script, head, clock)
    with database.engine.begin() as connection:
        if not database.is_sqlite:
            connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        before = _revision(connection, script)
        if before != head:
            config = Config(attributes={"connection": connection})
            config.set_main_option("script_location", _scripts())
            command.upgrade(config, "head")
            log.info("database.migrated", extra={"before": before, "after": head})
    return Migration(before, head, backup)


def _scripts() -> str:
    return str(files("central.db").joinpath("migrations"))


def _revision(connection: Connection, script: ScriptDirectory) -> str | None:
    """Return the database's revision. Raises ConfigError where this program doesn't know it."""
    revision = MigrationContext.configure(connection).get_current_revision()
    known = {known.revision for known in script.walk_revisions()}
    if revision is not None and revision not in known:
        raise ConfigError(
            f"the database was made by a newer program (schema {revision}, this program knows "
            f"{script.get_current_head()}); install that version or restore a backup"
        )
    return revision


def _back_up(database: Database, script: ScriptDirectory, head: str, clock: Clock) -> Path | None:
    """Copy a SQLite file that is about to change; PostgreSQL has its own tools."""
    name = database.url.database
    if not database.is_sqlite or not name or not Path(name).exists():
        return None
    with database.engine.connect() as connection:
        revision = _revision(connection, script)
    if revision in (None, head):
        return None
    stamp = clock.now().strftime("%Y%m%dT%H%M%SZ")
    backup = Path(f"{name}.{revision}.{stamp}.backup")
    # Outside SQLAlchemy's transaction: SQLite copies a whole database only in none.
    with contextlib.closing(sqlite3.connect(name)) as source:
        source.execute("vacuum into ?", (str(backup),))
    log.info("database.backed_up", extra={"path": str(backup), "revision": revision})
    return backup
