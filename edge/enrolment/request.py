"""What is asked of enrolment, and why it is refused. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from edge.config import CameraSection
from edge.errors import RefusedError
from protocol.address import holds_login, is_address

#: As the configuration takes.
MOST_CAMERAS = 64

RTSP = frozenset({"rtsp", "rtsps"})
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f-\x9f]")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MAX_CHARS = 2048


class Refusal(StrEnum):
    """Why nothing is done."""

    ADDRESS_MISSING = "address_missing"
    ADDRESS_BAD = "address_bad"
    ADDRESS_LOGIN = "address_login"
    CERTIFICATE_BAD = "certificate_bad"
    LOGIN_HALF = "login_half"
    LOGIN_ELSEWHERE = "login_elsewhere"
    PROBE_RUNNING = "probe_running"
    PROBE_FAILED = "probe_failed"
    ID_TAKEN = "id_taken"
    ID_RECORDED = "id_recorded"
    TOO_MANY_CAMERAS = "too_many_cameras"


class Watch(StrEnum):
    """What a camera may look for by a rule of its kind with every default."""

    GATHERING = "gathering"
    FIRE = "fire"


@dataclass(frozen=True, slots=True)
class Asked:
    """A camera that is to be examined: where, and how to log in.

    ``camera_id`` names one whose own login is used, and whose own addresses where none is given.
    """

    address: str | None = None
    rtsp_url: str | None = None
    rtsp_sub_url: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    certificate: str | None = None
    may_be_ahead: bool = False
    camera_id: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A camera that is to be added: ``facts`` are keys of its table that a person decides.

    ``like`` names a camera whose settings it gets; the facts count before them. ``watch`` is what
    it looks for beside that one's rules; None: nothing more, and everything where it is like none.
    """

    facts: Mapping[str, Any]
    camera_id: str | None = None
    like: str | None = None
    watch: frozenset[Watch] | None = None

    def watched(self) -> frozenset[Watch]:
        """Return what it is to look for, whatever it is like."""
        if self.watch is not None:
            return self.watch
        return frozenset(Watch) if self.like is None else frozenset()


def checked(asked: Asked) -> Asked:
    """Return what is asked, sound in itself: an RTSP address as such, a certificate in one form.

    Raises RefusedError.
    """
    address, rtsp = asked.address, asked.rtsp_url
    if address is not None and scheme_of(address) in RTSP:
        address, rtsp = None, address
    if (address is None) == (rtsp is None):
        raise RefusedError(Refusal.ADDRESS_MISSING)
    for each in (address, rtsp, asked.rtsp_sub_url):
        if each is not None and holds_login(each):
            raise RefusedError(Refusal.ADDRESS_LOGIN)
    if address is not None and not host_of(address):
        raise RefusedError(Refusal.ADDRESS_BAD)
    for each in (rtsp, asked.rtsp_sub_url):
        if each is not None and not (_is_plain(each) and is_address(each, RTSP)):
            raise RefusedError(Refusal.ADDRESS_BAD)
    if bool(asked.username) != bool(asked.password):
        raise RefusedError(Refusal.LOGIN_HALF)
    certificate = asked.certificate and asked.certificate.lower().replace(":", "").strip()
    if certificate and not _SHA256.fullmatch(certificate):
        raise RefusedError(Refusal.CERTIFICATE_BAD)
    return Asked(
        address=address,
        rtsp_url=rtsp,
        rtsp_sub_url=asked.rtsp_sub_url,
        username=asked.username or None,
        password=asked.password or None,
        certificate=certificate or None,
        may_be_ahead=asked.may_be_ahead,
        camera_id=asked.camera_id,
    )


def of_camera(asked: Asked, camera: CameraSection) -> Asked:
    """Return what is asked with the camera's own addresses where none is given."""
    if asked.address is not None or asked.rtsp_url is not None:
        return asked
    return Asked(
        rtsp_url=camera.main_url,
        rtsp_sub_url=camera.sub_url,
        certificate=asked.certificate or camera.certificate_sha256,
        may_be_ahead=asked.may_be_ahead,
        camera_id=asked.camera_id,
    )


def is_at(asked: Asked, camera: CameraSection) -> bool:
    """Return whether all that is asked is on the camera's own host.

    A password that the box keeps is sent nowhere else: who may type an address could have it sent
    to himself.
    """
    own = host_of(camera.main_url)
    given = (asked.address, asked.rtsp_url, asked.rtsp_sub_url)
    return all(host_of(each) == own for each in given if each is not None)


def host_of(address: str) -> str:
    """Return the host of an address as it is typed, in lower case; empty where it is none."""
    return _parts(address)[0]


def netloc_of(address: str) -> str:
    """Return host and port of an address, the port only where it is named; empty likewise."""
    return _parts(address)[1]


def _parts(address: str) -> tuple[str, str]:
    text = address.strip()
    if not _is_plain(text):
        return "", ""
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return "", ""
    if port == 0 or not host:
        return "", ""
    return host, host if port is None else f"{host}:{port}"


def scheme_of(address: str) -> str:
    """Return an address's scheme in lower case; empty where it has none."""
    scheme, mark, _ = address.strip().partition("://")
    return scheme.lower() if mark else ""


def known_at(host: str, cameras: Iterable[CameraSection]) -> str | None:
    """Return the id of the first camera on a host; None where there is none."""
    wanted = host.lower()
    return next((each.id for each in cameras if host_of(each.main_url) == wanted), None)


def _is_plain(text: str) -> bool:
    return 0 < len(text) <= _MAX_CHARS and not _UNPRINTABLE.search(text)
