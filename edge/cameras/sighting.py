"""What a camera says when somebody asks who is there (WS-Discovery 1.0, April 2005). Pure.

An answer is a hint from whoever sent the datagram: it may be tried there, and nowhere else.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from edge.cameras import reading, soap
from edge.cameras.door import Door

DISCOVERY: Final = "http://schemas.xmlsoap.org/ws/2005/04/discovery"
_ADDRESSING: Final = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
_TO: Final = "urn:schemas-xmlsoap-org:ws:2005:04:discovery"
#: What cameras call themselves, of the first profiles and of the later ones, as all spell it.
TYPES: Final = (
    ("dn", "http://www.onvif.org/ver10/network/wsdl", "NetworkVideoTransmitter"),
    ("tds", "http://www.onvif.org/ver10/device/wsdl", "Device"),
)

_SCOPE: Final = "onvif://www.onvif.org/"
_MAX_MATCHES: Final = 8
_MAX_WORDS: Final = 32


@dataclass(frozen=True, slots=True)
class Sighting:
    """A device that answered. ``doors``: its addresses that are on the host that answered.

    ``foreign`` counts those that are not: they are shown as a number, and never asked.
    """

    sender: str
    endpoint: str
    name: str
    hardware: str
    doors: tuple[Door, ...]
    foreign: int


def probe(message_id: str, prefix: str, namespace: str, kind: str) -> bytes:
    """Return the datagram that asks devices of one of TYPES to answer."""
    asked = soap.envelope({"a": _ADDRESSING, "d": DISCOVERY, prefix: namespace})
    header, body = asked
    action = f"{DISCOVERY}/Probe"
    for name, text in (("MessageID", message_id), ("To", _TO), ("Action", action)):
        soap.add(header, _ADDRESSING, name).text = text
    wanted = soap.add(body, DISCOVERY, "Probe")
    soap.add(wanted, DISCOVERY, "Types").text = f"{prefix}:{kind}"
    return soap.written(asked)


def read(datagram: bytes, sender: str, asked: Collection[str]) -> tuple[Sighting, ...]:
    """Return the devices that a datagram tells of; ``asked`` are the ids of our questions.

    Empty for what is no answer to any of them. Raises CameraError for what can't be read.
    """
    root = soap.parsed(datagram)
    relates = (root.findtext(f".//{{{_ADDRESSING}}}RelatesTo") or "").strip()
    if relates not in asked:
        return ()
    matches = root.findall(f".//{{{DISCOVERY}}}ProbeMatch")[:_MAX_MATCHES]
    return tuple(_sighting(reading.tree(match), sender) for match in matches)


def _sighting(match: object, sender: str) -> Sighting:
    # Of an IPv6 address nobody can say whether it is the sender's: it is neither.
    claimed = [address for address in _words(match, "XAddrs") if "[" not in address]
    doors = [door for address in claimed if (door := _door(address, sender)) is not None]
    scopes = [unquote(scope) for scope in _words(match, "Scopes")]
    return Sighting(
        sender=sender,
        endpoint=reading.text(match, "EndpointReference", "Address") or sender,
        name=_scope(scopes, "name/"),
        hardware=_scope(scopes, "hardware/"),
        doors=tuple(dict.fromkeys(doors)),
        foreign=len(claimed) - len(doors),
    )


def _words(match: object, name: str) -> list[str]:
    found = reading.at(match, name)
    return found.split()[:_MAX_WORDS] if isinstance(found, str) else []


def _scope(scopes: list[str], name: str) -> str:
    for scope in scopes:
        if scope.startswith(_SCOPE + name):
            return reading.text({"it": scope[len(_SCOPE + name) :]}, "it")
    return ""


def _door(address: str, sender: str) -> Door | None:
    try:
        door = Door.parse(address)
    except ValueError:
        return None
    return door if door.address == sender else None
