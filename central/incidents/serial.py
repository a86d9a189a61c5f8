"""An incident's number, as people read it out on the telephone."""

from datetime import datetime
from zoneinfo import ZoneInfo


def day_of(at: datetime, zone: ZoneInfo) -> str:
    """Return the village's day of a moment, YYYYMMDD."""
    return at.astimezone(zone).strftime("%Y%m%d")


def serial_number(region_code: str, day: str, count: int) -> str:
    """Return ``<region>-<yyyymmdd>-<4 digits>``; a fifth digit where a day needs one."""
    return f"{region_code}-{day}-{count:04d}"
