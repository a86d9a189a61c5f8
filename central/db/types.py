"""Column types that mean the same on SQLite and PostgreSQL."""

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

#: A growing key. SQLite gives row ids to INTEGER keys only.
BigKey = BigInteger().with_variant(Integer, "sqlite")

#: A document.
Json = JSON().with_variant(JSONB(), "postgresql")


class JsonText(str):
    """A document that is JSON already; it is kept as it is, and read as any other."""

    __slots__ = ()


def to_json(value: object) -> str:
    """Return a document's JSON. Raises TypeError where there is none."""
    return value if isinstance(value, JsonText) else json.dumps(value)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment in UTC to the microsecond; a naive one is refused.

    PostgreSQL keeps ``timestamptz``; SQLite keeps text that sorts as time does.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the moment as the database keeps it. Raises ValueError for a naive one."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a moment must be aware, not {value!r}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ANN401, ARG002 - SQLAlchemy's signature
        """Return the moment, aware, in UTC."""
        if value is None:
            return None
        assert isinstance(value, datetime)
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
