"""Whether the box gets out, and how well it gets to the centre. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from edge.doctor.finding import Finding, Kind, Severity, Values

_SLOW_MS = 400.0
_ETHERNET_MTU = 1500
#: A cable with a broken pair falls back to this.
_SLOW_LINK_MBPS = 10
#: What the kernel calls modems' interfaces: of the modem manager, of dongles, of dialled lines.
_MOBILE = ("wwan", "ppp", "usb", "rmnet", "wwp")


@dataclass(frozen=True, slots=True)
class RouteFacts:
    """The way out. ``link_mbps`` is a cable's speed where the driver tells it."""

    interface: str
    link_mbps: int | None


@dataclass(frozen=True, slots=True)
class TripFacts:
    """Connecting to the centre some times: how many failed, how long the others took.

    ``path_mtu`` is the largest packet that gets through, where the kernel knows it.
    """

    host: str
    port: int
    is_known: bool
    tries: int = 0
    failures: int = 0
    rtt_ms: float | None = None
    path_mtu: int | None = None
    is_local: bool = False


def judge(route: RouteFacts | None, trip: TripFacts | None) -> Iterator[Finding]:
    """Yield what is to be said; ``trip`` is None where there is no centre.

    A box whose centre is on its own machine needs no way out.
    """
    found = list(_judge_route(route, trip))
    if trip is not None:
        found += _judge_trip(trip)
    yield from found
    if route is not None and not any(
        finding.kind.severity.rank > Severity.NOTE.rank for finding in found
    ):
        yield Finding(Kind.NETWORK_FINE, route.interface)


def _judge_route(route: RouteFacts | None, trip: TripFacts | None) -> Iterator[Finding]:
    if route is None:
        if trip is None or not trip.is_local:
            yield Finding(Kind.NETWORK_NO_ROUTE)
        return
    if route.interface.startswith(_MOBILE):
        yield Finding(Kind.NETWORK_MOBILE, route.interface)
    if route.link_mbps is not None and 0 < route.link_mbps <= _SLOW_LINK_MBPS:
        yield Finding(Kind.NETWORK_LINK_SLOW, route.interface, {"mbps": route.link_mbps})


def _judge_trip(trip: TripFacts) -> Iterator[Finding]:
    where = f"{trip.host}:{trip.port}"
    values: Values = {"host": trip.host, "tries": trip.tries, "failures": trip.failures}
    if not trip.is_known:
        yield Finding(Kind.NETWORK_NAME_UNKNOWN, trip.host, {"host": trip.host})
    elif trip.failures == trip.tries:
        yield Finding(Kind.NETWORK_UNREACHABLE, where, values)
    elif trip.failures:
        yield Finding(Kind.NETWORK_LOSSY, where, values)
    if trip.rtt_ms is not None:
        kind = Kind.NETWORK_SLOW if trip.rtt_ms > _SLOW_MS else Kind.NETWORK_TRIP
        yield Finding(kind, where, {"rtt_ms": round(trip.rtt_ms, 1)})
    if trip.path_mtu is not None and trip.path_mtu < _ETHERNET_MTU:
        yield Finding(Kind.NETWORK_MTU_SMALL, where, {"mtu": trip.path_mtu})
