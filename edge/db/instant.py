"""Aware datetimes as the database keeps them: integer microseconds since 1970-01-01 UTC."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_us(at: datetime) -> int:
    """Return ``at`` (aware) exactly; never by way of a float, which would lose microseconds."""
    return (at - _EPOCH) // _MICROSECOND


def from_us(us: int) -> datetime:
    """Return the instant in UTC."""
    return _EPOCH + timedelta(microseconds=us)
