"""Looking for cameras on the networks that this machine is in, and on no others.

Nothing is scanned and nobody is logged in to: one question by multicast, and whoever is there
answers or does not.
"""

import fcntl
import logging
import selectors
import socket
import struct
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

from edge.cameras import sighting
from edge.cameras.sighting import Sighting
from edge.errors import CameraError
from protocol.clock import Clock

log = logging.getLogger(__name__)

GROUP: Final = "239.255.255.250"
PORT: Final = 3702
LISTEN_S: Final = 3.0

_REPEATS: Final = 2  # a datagram may be lost
_MAX_FOUND: Final = 512
_MAX_OF_SENDER: Final = 8
_MAX_DATAGRAM: Final = 65_535
_SIOCGIFADDR: Final = 0x8915  # Linux
_NS_PER_S: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Found:
    """Who answered, by address.

    ``malformed`` counts answers that could not be read or were to nobody's question, ``dropped``
    those that were more than are kept; on the ``silent`` interfaces nothing could be asked.
    """

    sightings: tuple[Sighting, ...]
    malformed: int
    dropped: int
    silent: tuple[str, ...]


def interfaces() -> tuple[str, ...]:
    """Return the IPv4 address of every interface of this machine but the loopback's."""
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        for _, name in socket.if_nameindex():
            asked = struct.pack("256s", name.encode()[:15])
            try:
                answer = fcntl.ioctl(any_socket.fileno(), _SIOCGIFADDR, asked)
            except OSError:  # it has no IPv4 address
                continue
            address = socket.inet_ntoa(answer[20:24])
            if not address.startswith("127."):
                found.append(address)
    return tuple(found)


def discover(
    addresses: Sequence[str], clock: Clock, *, seconds: float = LISTEN_S, port: int = PORT
) -> Found:
    """Ask on the interfaces with these addresses, and listen for ``seconds`` (3)."""
    search = _Search(clock, port)
    try:
        for address in addresses:
            search.ask(address)
        return search.listen(seconds)
    finally:
        search.close()


class _Search:
    def __init__(self, clock: Clock, port: int) -> None:
        self._clock = clock
        self._port = port
        self._selector = selectors.DefaultSelector()
        self._asked: set[str] = set()
        self._found: dict[tuple[str, str], Sighting] = {}
        self._of_sender: Counter[str] = Counter()
        self._malformed = 0
        self._dropped = 0
        self._silent: list[str] = []

    def ask(self, address: str) -> None:
        connection = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._selector.register(connection, selectors.EVENT_READ)
        connection.settimeout(0)
        try:
            local = socket.inet_aton(address)
            connection.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, local)
            connection.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
            connection.bind((address, 0))
            for named in sighting.TYPES:
                message_id = f"urn:uuid:{uuid4()}"
                self._asked.add(message_id)
                datagram = sighting.probe(message_id, *named)
                for _ in range(_REPEATS):
                    connection.sendto(datagram, (GROUP, self._port))
        except OSError as error:
            log.info("discovery.silent", extra={"address": address, "why": error.strerror})
            self._silent.append(address)

    def listen(self, seconds: float) -> Found:
        end_ns = self._clock.monotonic_ns() + round(seconds * _NS_PER_S)
        while (left_ns := end_ns - self._clock.monotonic_ns()) > 0:
            for key, _ in self._selector.select(left_ns / _NS_PER_S):
                assert isinstance(key.fileobj, socket.socket)
                try:
                    datagram, sender = key.fileobj.recvfrom(_MAX_DATAGRAM)
                except OSError:  # an unreachable host's answer to our question, or none after all
                    continue
                self._take(datagram, str(sender[0]))
        found = sorted(self._found.values(), key=lambda one: socket.inet_aton(one.sender))
        return Found(tuple(found), self._malformed, self._dropped, tuple(self._silent))

    def _take(self, datagram: bytes, sender: str) -> None:
        try:
            seen = sighting.read(datagram, sender, self._asked)
        except CameraError:
            seen = ()
        if not seen:
            self._malformed += 1
        for one in seen:
            key = (one.sender, one.endpoint)
            if key in self._found:
                continue
            # One device that makes others up must not crowd them out.
            if len(self._found) >= _MAX_FOUND or self._of_sender[sender] >= _MAX_OF_SENDER:
                self._dropped += 1
                continue
            self._of_sender[sender] += 1
            self._found[key] = one

    def close(self) -> None:
        for key in list(self._selector.get_map().values()):
            assert isinstance(key.fileobj, socket.socket)
            key.fileobj.close()
        self._selector.close()
