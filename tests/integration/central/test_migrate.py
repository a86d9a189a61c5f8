import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from importlib.resources import files

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import URL, insert, inspect, select, text
from sqlalchemy.exc import StatementError

from central.db.engine import Database
from central.db.migrate import Migration, migrate
from central.db.models import Alert, Base, FeedRow, Region
from central.errors import ConfigError, StoreUnavailableError
from tests.support.xiacun import enter_village

#: The newest schema.
HEAD = "0003"

#: An alert as the first schema has it.
OLD_ALERT = """
insert into alert (id, box_id, outbox_id, sequence, box_at, kind, level, mode, camera_uid,
  camera_name, grid_code, rule_id, region_id, started_at, count, threshold, peak, received_at,
  updated_at, late, clock_doubtful, state, sign_by, verify_by, note)
values ('018f00000000700080000000000000aa', 'xiacun-1', '018f00000000700080000000000000bb', 1,
  '2026-11-22 06:00:00+00:00', 'gathering',
  'urgent', 'live', 'xiacun-1.cam1', '文化广场', '532324001002001', 'gather', 'all',
  '2026-11-22 06:00:00+00:00', 32, 30, 32, '2026-11-22 06:00:00+00:00',
  '2026-11-22 06:00:00+00:00', false, false, 'NEW', '2026-11-22 06:03:00+00:00',
  '2026-11-22 06:10:00+00:00', '')
"""


def test_models_and_migrations_do_not_drift(database):
    with database.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "render_as_batch": True}
        )
        assert compare_metadata(context, Base.metadata) == []


def test_a_second_migration_does_nothing(database, clock):
    assert migrate(database, clock) == Migration(HEAD, HEAD, None)


def test_the_alerts_of_the_first_schema_stay_and_have_no_curve(empty_database, clock):
    with empty_database.engine.begin() as connection:
        config = Config(attributes={"connection": connection})
        scripts = files("central.db").joinpath("migrations")
        config.set_main_option("script_location", str(scripts))
        command.upgrade(config, "0001")
    enter_village(empty_database)
    with empty_database.write() as session:
        session.execute(text(OLD_ALERT))
    assert migrate(empty_database, clock).before == "0001"
    with empty_database.read() as session:
        (alert,) = session.scalars(select(Alert)).all()
        assert (alert.camera_name, alert.count, alert.curve) == ("文化广场", 32, None)


def test_processes_that_start_together_migrate_once(empty_database, clock):
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: migrate(empty_database, clock), range(4)))
    assert sorted(str(migration.before) for migration in done) == [HEAD, HEAD, HEAD, "None"]


def test_a_newer_schema_is_refused_with_a_clear_text(database, clock):
    with database.write() as session:
        session.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(
        ConfigError, match=f"newer program \\(schema 9999, this program knows {HEAD}"
    ):
        migrate(database, clock)


def test_an_older_sqlite_file_is_copied_before_it_changes(tmp_path, clock, monkeypatch):
    database = Database(URL.create("sqlite", database=str(tmp_path / "central.db")))
    migrate(database, clock)
    with database.write() as session:
        session.add(Region(code="530000000000", name="省"))
    # A program whose schema is one step further, and whose step fails.
    monkeypatch.setattr("central.db.migrate.ScriptDirectory", _WithOneMore)
    monkeypatch.setattr("central.db.migrate.command.upgrade", _fail)
    with pytest.raises(RuntimeError, match="half-way"):
        migrate(database, clock)
    database.close()
    backup = Database(
        URL.create("sqlite", database=str(tmp_path / f"central.db.{HEAD}.20261122T060000Z.backup"))
    )
    with backup.read() as session:
        assert session.scalars(select(Region.name)).all() == ["省"]
    backup.close()


class _WithOneMore:
    def __init__(self, _folder):
        pass

    def get_current_head(self):
        return "9998"

    def walk_revisions(self):
        class Known:
            revision = HEAD

        return [Known()]


def _fail(*_):
    raise RuntimeError("half-way")


def test_a_moment_is_kept_aware_in_utc_to_the_microsecond(database):
    shanghai = datetime(2026, 11, 22, 9, 2, 3, 456789, tzinfo=timezone(timedelta(hours=8)))
    with database.write() as session:
        session.execute(insert(FeedRow).values(xid=0, at=shanghai, kind="duty", ref=""))
    with database.read() as session:
        kept = session.scalars(select(FeedRow.at)).one()
    assert (kept, kept.tzinfo) == (datetime(2026, 11, 22, 1, 2, 3, 456789, tzinfo=UTC), UTC)


def test_a_naive_moment_is_refused(database):
    with pytest.raises(StatementError, match="must be aware"), database.write() as session:
        session.execute(
            insert(FeedRow).values(xid=0, at=datetime(2026, 1, 1), kind="duty", ref="")  # noqa: DTZ001
        )


def test_sqlite_is_durable_and_checks_foreign_keys(tmp_path):
    database = Database(URL.create("sqlite", database=str(tmp_path / "x.db")))
    with database.engine.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"pragma {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    database.close()
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_a_reading_session_cannot_change_anything_on_postgresql(database):
    if database.is_sqlite:
        pytest.skip("SQLite's reading sessions are not kept from writing")
    with pytest.raises(Exception, match="read-only"), database.read() as session:
        session.execute(insert(Region).values(code="530000000000", name="省"))


def test_a_database_that_is_away_is_unavailable(tmp_path):
    database = Database(URL.create("sqlite", database=str(tmp_path / "missing" / "x.db")))
    with pytest.raises(StoreUnavailableError, match="database"), database.read() as session:
        session.execute(text("select 1"))


def test_history_tables_exist_with_their_guards(database):
    assert {"alert_ledger", "incident_ledger", "viewing"} <= set(
        inspect(database.engine).get_table_names()
    )


def test_a_driver_that_is_not_installed_is_named_with_what_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConfigError, match=r"pip install 'tanshao\[postgres\]'"):
        Database(URL.create("postgresql", host="127.0.0.1", database="village"))
