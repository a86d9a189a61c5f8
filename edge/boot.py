"""What of a box stays the same for as long as its process lives, however often it is built anew."""

import socket
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from edge.clock_watch import ClockWatch
from edge.config import HttpSection
from edge.enrolment.enroller import Enroller
from edge.web.server import bound
from protocol.clock import Clock
from protocol.ids import uuid7


@dataclass(frozen=True, slots=True)
class Boot:
    """One start of the box's process: its id and time, its clock's watch, and its HTTP port.

    ``door`` is bound and stays so: who comes while the box is built anew waits, and is let in.
    ``enroller`` goes on with what it was asked for; its owner is who made it.
    """

    boot_id: UUID
    started_at: datetime
    watch: ClockWatch
    door: socket.socket
    enroller: Enroller

    @classmethod
    def now(cls, http: HttpSection, enroller: Enroller, clock: Clock) -> "Boot":
        """Return the boot that begins now. Raises ConfigError where the HTTP port is taken."""
        started_at = clock.now()
        door = bound(http.host, http.port)
        return cls(uuid7(started_at), started_at, ClockWatch(clock), door, enroller)

    def close(self) -> None:
        """Give the port back; idempotent."""
        self.door.close()
