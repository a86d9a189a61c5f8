"""Many rows of one table in one go, past the unit of work."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Table, bindparam, insert, inspect, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from central.db.base import Base

Row = Mapping[str, Any] | Base


def insert_rows(session: Session, table: type[Base], rows: Sequence[Row]) -> None:
    """Insert rows in their order, in the caller's transaction; what they refer to is there already.

    A row is its values by column, or an object that the session does not know, and will not know
    afterwards. A column that only some rows have a value for is NULL in the others. The session is
    not flushed first. Fails as any insert does.

    On PostgreSQL it is a COPY: with a statement a row, the driver's own work for a batch of alerts
    is twice what the database's is (measured). Through ``session.add`` it is four times as much.
    """
    if not rows:
        return
    values = [row if isinstance(row, Mapping) else _values_of(row) for row in rows]
    columns = list(dict.fromkeys(column for row in values for column in row))
    core = table.__table__
    assert isinstance(core, Table)
    if session.get_bind().dialect.name == "postgresql":
        _copy(session, core, columns, values)
        return
    session.connection().execute(
        insert(core), [{column: row.get(column) for column in columns} for row in values]
    )


def update_rows(session: Session, table: type[Base], rows: Sequence[Base]) -> None:
    """Write what was loaded or set of rows in one go, and let the session forget them.

    The rows are the session's own, of one table and loaded alike. Its own way groups rows by what
    was changed of them: of a batch of alerts each third has a statement of its own (measured).
    Fails as any update does.
    """
    if not rows:
        return
    core = table.__table__
    assert isinstance(core, Table)
    keys = [column.key for column in core.primary_key]
    values = [_values_of(row) for row in rows]
    statement = (
        update(core)
        .where(*(core.c[key] == bindparam(f"old_{key}") for key in keys))
        .values({name: bindparam(f"new_{name}") for name in values[0] if name not in keys})
    )
    for row in rows:
        session.expunge(row)
    session.connection().execute(
        statement,
        [
            {f"old_{name}" if name in keys else f"new_{name}": value for name, value in row.items()}
            for row in values
        ],
    )


def _values_of(row: Base) -> dict[str, Any]:
    """Return what was set of an object; attributes are called as their columns are."""
    state = inspect(row)
    return {key: state.dict[key] for key in state.mapper.column_attrs.keys() & state.dict.keys()}


def _copy(
    session: Session, table: Table, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]
) -> None:
    import psycopg  # noqa: PLC0415 - an extra: a village runs without it

    connection = session.connection()
    dialect = connection.dialect
    quote = dialect.identifier_preparer.quote
    names = ", ".join(quote(column) for column in columns)
    statement = f"copy {quote(table.name)} ({names}) from stdin"
    kinds = [table.columns[column].type.dialect_impl(dialect) for column in columns]
    steps = [
        (column, kind.bind_processor(dialect)) for column, kind in zip(columns, kinds, strict=True)
    ]
    driver: Any = connection.connection.driver_connection
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(
                    [
                        row.get(column) if process is None else process(row.get(column))
                        for column, process in steps
                    ]
                )
    except psycopg.Error as error:
        # As SQLAlchemy says it of its own statements.
        raise DBAPIError.instance(
            statement, None, error, psycopg.Error, hide_parameters=True, dialect=dialect
        ) from error
