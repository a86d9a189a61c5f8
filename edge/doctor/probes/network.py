"""Reading the routes of this machine, and connecting to the centre some times."""

import ipaddress
import socket
from pathlib import Path
from statistics import median

from edge.doctor.network import RouteFacts, TripFacts
from protocol.clock import Clock

_TRIES = 5
_CONNECT_S = 2.0
_ROUTES = Path("/proc/net/route")
_ROUTES_6 = Path("/proc/net/ipv6_route")
_INTERFACES = Path("/sys/class/net")
_ANYWHERE = "00000000"
_ANYWHERE_6 = ("0" * 32, "00")
_IP_MTU = 14  # of <linux/in.h>; the socket module has no name for it
_NS_PER_MS = 1_000_000


def route() -> RouteFacts | None:
    """Return the way out of this machine, None where there is none."""
    interface = default_interface(_text(_ROUTES), _text(_ROUTES_6))
    if interface is None:
        return None
    return RouteFacts(interface, _link_mbps(interface))


def is_local(host: str) -> bool:
    """Return whether a host is this machine, by its name alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def trip(host: str, port: int, clock: Clock) -> TripFacts:
    """Connect to the centre ``_TRIES`` times and return how that went; seconds, at most ten."""
    try:
        address = str(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4][0])
    except OSError:
        return TripFacts(host, port, is_known=False, is_local=is_local(host))
    times: list[float] = []
    path_mtu = None
    for _ in range(_TRIES):
        began_ns = clock.monotonic_ns()
        try:
            with socket.create_connection((address, port), timeout=_CONNECT_S) as connection:
                times.append((clock.monotonic_ns() - began_ns) / _NS_PER_MS)
                path_mtu = _path_mtu(connection)
        except OSError:
            continue
    return TripFacts(
        host=host,
        port=port,
        is_known=True,
        tries=_TRIES,
        failures=_TRIES - len(times),
        rtt_ms=median(times) if times else None,
        path_mtu=path_mtu,
        is_local=is_local(host),
    )


def _path_mtu(connection: socket.socket) -> int | None:
    try:
        return connection.getsockopt(socket.IPPROTO_IP, _IP_MTU)
    except OSError:
        return None


def default_interface(routes: str, routes_6: str) -> str | None:
    """Return the interface of the default route with the best metric, IPv4 first.

    The texts are ``/proc/net/route`` and ``/proc/net/ipv6_route``.
    """
    fields = [line.split() for line in routes.splitlines()[1:]]
    ways = [(int(way[6]), way[0]) for way in fields if way[1] == way[7] == _ANYWHERE]
    if not ways:
        fields = [line.split() for line in routes_6.splitlines()]
        ways = [
            (int(way[5], 16), way[9])
            for way in fields
            if (way[0], way[1]) == _ANYWHERE_6 and way[9] != "lo"
        ]
    return min(ways)[1] if ways else None


def _link_mbps(interface: str) -> int | None:
    try:
        return int((_INTERFACES / interface / "speed").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except OSError:
        return ""
