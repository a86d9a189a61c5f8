"""Identifiers that are made on the box and kept for ever: UUIDs of version 7 (RFC 9562)."""

import re
import secrets
from datetime import UTC, datetime, timedelta
from uuid import UUID

#: Ids that become MQTT topic levels: ASCII, no ``/``, ``+`` or ``#``, and short enough for a label.
BOX_ID = re.compile(r"^[a-z0-9][a-z0-9-]{1,30}[a-z0-9]\Z")

#: Ids of cameras, rules and regions: unique on one box, a topic level or a file name as they are.
LOCAL_ID = re.compile(r"^[a-z0-9][a-z0-9_-]{0,31}\Z")

#: 12 digits: county 6, town 3, village 3 (GB/T 2260, GB/T 10114).
REGION_CODE = re.compile(r"^[0-9]{12}\Z")

#: 15 digits: the village's 12 and the grid's serial.
GRID_CODE = re.compile(r"^[0-9]{15}\Z")


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def uuid7(now: datetime) -> UUID:
    """Return a new UUIDv7 whose first 48 bits are ``now`` in milliseconds, so that ids sort by age.

    ``now`` is aware. The other 74 bits are random: two boxes never make the same id.
    """
    # In whole numbers: a float of seconds loses a millisecond now and then.
    millis = ((now - _EPOCH) // timedelta(milliseconds=1)) & ((1 << 48) - 1)
    rand = secrets.randbits(74)
    high, low = rand >> 62, rand & ((1 << 62) - 1)
    return UUID(int=millis << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low)
