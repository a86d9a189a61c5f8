"""Many rows of one table in one go, past the unit of work."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Table, insert, inspect
from sqlalchemy.orm import Session

from central.db.base import Base


def insert_rows(
    session: Session, table: type[Base], rows: Sequence[Mapping[str, Any] | Base]
) -> None:
    """Insert rows in their order, in the caller's transaction; what they refer to is there already.

    A row is its values by column, or an object that the session does not know, and will not know
    afterwards. A column that only some rows have a value for is NULL in the others. The session is
    not flushed first. (A batch of 500 through ``session.add``: four times as long, measured.)
    """
    if not rows:
        return
    values = [row if isinstance(row, Mapping) else _values_of(row) for row in rows]
    columns = dict.fromkeys(column for row in values for column in row)
    core = table.__table__
    assert isinstance(core, Table)
    session.connection().execute(
        insert(core), [{column: row.get(column) for column in columns} for row in values]
    )


def _values_of(row: Base) -> dict[str, Any]:
    """Return what was set of an object; attributes are called as their columns are."""
    state = inspect(row)
    return {key: state.dict[key] for key in state.mapper.column_attrs.keys() & state.dict.keys()}
