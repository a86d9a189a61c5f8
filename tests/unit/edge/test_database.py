import sqlite3
from pathlib import Path

import pytest

from edge.db.database import SCHEMA_VERSION, Database
from edge.errors import StorageError


def test_rows_of_one_transaction_appear_together_or_not_at_all(tmp_path: Path) -> None:
    database = Database(tmp_path / "box.db")

    def fail_half_way() -> None:
        with database.transaction() as connection:
            connection.execute("insert into meta values ('a', '1')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    with database.transaction() as outer:
        outer.execute("insert into meta values ('b', '2')")
        with database.transaction() as inner:  # joins the outer one
            inner.execute("insert into meta values ('c', '3')")
    with database.reading() as connection:
        keys = [row["key"] for row in connection.execute("select key from meta order by key")]
    database.close()
    assert keys == ["b", "c"]


def test_a_commit_is_durable_and_write_ahead(tmp_path: Path) -> None:
    database = Database(tmp_path / "box.db")
    with database.reading() as connection:
        modes = [
            connection.execute(f"pragma {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    database.close()
    assert modes == ["wal", 2, 1]


def test_a_second_opening_keeps_what_was_there(tmp_path: Path) -> None:
    first = Database(tmp_path / "box.db")
    with first.transaction() as connection:
        connection.execute("insert into meta values ('kept', 'yes')")
    first.close()
    second = Database(tmp_path / "box.db")
    with second.reading() as connection:
        row = connection.execute("select value from meta where key = 'kept'").fetchone()
    second.close()
    assert row["value"] == "yes"


def test_a_file_of_a_newer_program_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "box.db"
    with sqlite3.connect(path) as raw:
        raw.execute(f"pragma user_version={SCHEMA_VERSION + 1}")
    raw.close()
    with pytest.raises(StorageError, match="made by a newer program"):
        Database(path)


def test_what_sqlite_refuses_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="unable to open"):
        Database(tmp_path / "no" / "such" / "folder.db")
    database = Database(tmp_path / "box.db")
    with pytest.raises(StorageError, match="no such table"), database.reading() as connection:
        connection.execute("select * from absent")
    with pytest.raises(StorageError, match="constraint"), database.transaction() as connection:
        connection.execute("insert into segment (camera_id) values ('x')")
    database.close()


def layout(path: Path) -> list[tuple]:
    """Return the columns and the indexes of every table."""
    with sqlite3.connect(path) as raw:
        tables = [row[0] for row in raw.execute("select name from sqlite_schema where sql <> ''")]
        found = [
            (name, *column[1:])
            for name in tables
            for column in raw.execute(f"pragma table_xinfo({name})")
        ]
        found += [(name,) for name in tables]
    raw.close()
    return sorted(found, key=str)


def test_a_box_of_the_first_version_is_brought_up_to_date_and_keeps_its_rows(
    tmp_path: Path,
) -> None:
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    with sqlite3.connect(old) as raw:
        raw.executescript(Path(__file__).with_name("schema_1.sql").read_text(encoding="utf-8"))
        raw.execute("pragma user_version=1")
        raw.execute("insert into doomed values ('gate/main/20261122/a.mp4')")
        raw.execute("insert into hold values (7, 'gate', 1, 2, 'alert:1', 3)")
        columns = {row[1]: 0 for row in raw.execute("pragma table_info(segment)")}
        columns |= {"path": "b.mp4", "stream": "main", "end_us": 1, "duration": 1, "size_bytes": 7}
        raw.execute(
            f"insert into segment values ({', '.join('?' * len(columns))})", [*columns.values()]
        )
    raw.close()
    Database(old).close()
    Database(new).close()

    assert layout(old) == layout(new)
    Database(old).close()  # its tables are those of the version: else it would count as damaged
    with sqlite3.connect(old) as raw:
        assert raw.execute("pragma user_version").fetchone() == (SCHEMA_VERSION,)
        assert raw.execute("select sum(size_bytes) from footprint").fetchone() == (7,)
        assert raw.execute("select * from hold").fetchall() == [
            (7, "gate", 1, 2, "alert:1", 3, None, None, None, 90_000_000)
        ]
        assert raw.execute("select path from doomed").fetchall() == [("gate/main/20261122/a.mp4",)]
    raw.close()


def test_a_commit_that_is_refused_leaves_no_transaction_for_others_to_join(tmp_path: Path) -> None:
    database = Database(tmp_path / "box.db")
    connection = database._connection
    connection.executescript(
        "create table parent (id integer primary key);"
        "create table child (of integer references parent deferrable initially deferred);"
    )

    with pytest.raises(StorageError), database.transaction() as inside:
        inside.execute("insert into child values (1)")  # refused only at the commit

    with database.transaction() as inside:
        inside.execute("insert into meta values ('a', '1')")
    assert not connection.in_transaction
    database.close()
