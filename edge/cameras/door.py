"""Where a camera is asked, and which of the addresses that it names are believed. Pure.

An address in a camera's answer is text of whoever runs that device. Followed blindly, it sends a
token of the real password, or a request from inside the village's network, wherever it says.
"""

import re
from dataclasses import dataclass, replace
from ipaddress import IPv6Address, ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit, urlunsplit

from edge.errors import CameraBlocked
from edge.fingerprint import fingerprint

HTTP: Final = frozenset({"http", "https"})
RTSP: Final = frozenset({"rtsp", "rtsps"})

_DEVICE_PATH: Final = "/onvif/device_service"
#: Where a scheme is served, if nobody says otherwise.
PORTS: Final = {"http": 80, "https": 443}
_MAX_CHARS: Final = 2048
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f-\x9f]")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True)
class Uri:
    """An address on the camera. ``claimed``: what it said, where that was not believed."""

    url: str
    claimed: str | None = None


@dataclass(frozen=True, slots=True)
class Door:
    """The one address that a camera is asked at: what the operator typed or discovery found.

    ``address`` is the IP address that ``host`` stands for, once somebody has looked it up; from
    then on connections go there and nowhere else, whatever the name means later (cameras I1).
    ``certificate`` is the SHA-256 of the one that is taken at https, in hexadecimal; where it is
    empty, the system has to trust it.
    """

    scheme: str
    host: str
    port: int
    path: str = _DEVICE_PATH
    address: str = ""
    certificate: str = ""

    @classmethod
    def parse(cls, text: str) -> "Door":
        """Return the door that ``host``, ``host:port`` or an http(s) URL names.

        Raises ValueError, in words that do not repeat ``text``: it may hold a password.
        """
        text = text.strip()
        if "@" in text:
            raise ValueError("a camera's address holds no user and no password")
        if len(text) > _MAX_CHARS or _UNPRINTABLE.search(text):
            raise ValueError("not an address")
        try:
            parts = urlsplit(text if "://" in text else f"http://{text}")
            host, port = (parts.hostname or ""), parts.port
        except ValueError:
            raise ValueError("not an address") from None
        if parts.scheme not in HTTP:
            raise ValueError("a camera is asked at http:// or https://")
        literal = _literal(host)
        if literal is None and not _HOST.fullmatch(host):
            raise ValueError("not a host's name or address")
        if port == 0:
            raise ValueError("a port is 1 to 65535")
        path = _DEVICE_PATH if parts.path in ("", "/") else parts.path
        if parts.query:
            path = f"{path}?{parts.query}"
        return cls(parts.scheme, host, port or PORTS[parts.scheme], path, literal or "")

    @property
    def url(self) -> str:
        """Where the camera's device service is."""
        return f"{self.scheme}://{self.netloc}{self.path}"

    @property
    def netloc(self) -> str:
        """Host and port as they stand in a URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    def at(self, address: str) -> "Door":
        """Return this door with its host looked up: ``address`` is an IP address."""
        return replace(self, address=address)

    def pinned(self, certificate: str) -> "Door":
        """Return this door with the SHA-256 of the one certificate that is taken there.

        Raises ValueError where it is none.
        """
        return replace(self, certificate=fingerprint(certificate))

    def service(self, claimed: str) -> Uri:
        """Return where a service or a snapshot that the camera names is asked.

        On the camera's own host it keeps its port. A private address, or none at all, is the inside
        of a NAT: the service is asked at this door's host and port. Raises CameraBlocked for what
        names any other host, or is no http(s) address.
        """
        parts = _parsed(claimed, HTTP)
        own = self._is_own(parts)
        if own and not (self.scheme == "https" and parts.scheme == "http"):
            return _uri(parts._replace(netloc=self._with_port(parts)), claimed, believed=True)
        return _uri(parts._replace(scheme=self.scheme, netloc=self.netloc), claimed, believed=False)

    def stream(self, claimed: str) -> Uri:
        """Return where a stream that the camera names is pulled: its port and path, our host.

        A login in the address is left out. Raises CameraBlocked as :meth:`service` does, for what
        is no rtsp(s) address.
        """
        parts = _parsed(claimed, RTSP)
        own = self._is_own(parts)
        return _uri(parts._replace(netloc=self._with_port(parts)), claimed, believed=own)

    def _is_own(self, parts: SplitResult) -> bool:
        """Return whether it is the camera's host, False where it is a NAT's inside."""
        host = (parts.hostname or "").lower()
        literal = _literal(host)
        if host and (host == self.host.lower() or (literal and literal == self.address)):
            return True
        if not host or _is_inside_of_nat(literal):
            return False
        raise CameraBlocked(f"the camera points at another host: {host[:80]}")

    def _with_port(self, parts: SplitResult) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if parts.port is None else f"{host}:{parts.port}"


def _parsed(claimed: str, schemes: frozenset[str]) -> SplitResult:
    text = claimed.strip()
    if not text or len(text) > _MAX_CHARS or _UNPRINTABLE.search(text):
        raise CameraBlocked("the camera names something that is no address")
    try:
        parts = urlsplit(text)
        # The login, if any, is left out: it is not ours to send, and would stand in logs.
        netloc = parts.netloc.rpartition("@")[2]
        if "[" not in netloc and netloc.count(":") > 1:  # host:port:port, as some firmware says
            netloc = netloc.rpartition(":")[0]
        parts = parts._replace(netloc=netloc, fragment="")
        port = parts.port
    except ValueError:
        raise CameraBlocked("the camera names something that is no address") from None
    if parts.scheme not in schemes or port == 0:
        raise CameraBlocked(
            f"the camera names an address of scheme {parts.scheme[:20]!r}, "
            f"not {' or '.join(sorted(schemes))}"
        )
    return parts


def _literal(host: str) -> str | None:
    try:
        return str(ip_address(host))
    except ValueError:
        return None


def _is_inside_of_nat(literal: str | None) -> bool:
    """Return whether a router may hide the address: never a metadata service's or our own."""
    if literal is None:
        return False
    address = ip_address(literal)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return False
    if address.is_unspecified:
        return True
    return address.is_private and not (
        address.is_loopback or address.is_link_local or address.is_multicast or address.is_reserved
    )


def _uri(parts: SplitResult, claimed: str, *, believed: bool) -> Uri:
    if believed:
        return Uri(urlunsplit(parts))
    shown = urlsplit(claimed.strip())
    return Uri(
        urlunsplit(parts), urlunsplit(shown._replace(netloc=shown.netloc.rpartition("@")[2]))
    )
