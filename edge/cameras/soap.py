"""SOAP 1.2 as it is spoken with cameras: questions, tokens, and answers read with suspicion. Pure.

What a camera sends is parsed here first, whoever reads it afterwards: no document types, no
entities, nothing repaired (cameras I4).
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lxml import etree

from edge.errors import (
    CameraBadXml,
    CameraBlocked,
    CameraError,
    CameraLoginRefused,
    CameraUnreachable,
    CameraUnsupported,
)
from edge.rtsp.challenge import Credentials

#: An element of lxml, which says nothing about its types.
Element = Any

ENVELOPE = "http://www.w3.org/2003/05/soap-envelope"
ADDRESSING = "http://www.w3.org/2005/08/addressing"
NOTIFICATION = "http://docs.oasis-open.org/wsn/b-2"
DEVICE = "http://www.onvif.org/ver10/device/wsdl"
EVENTS = "http://www.onvif.org/ver10/events/wsdl"
MEDIA1 = "http://www.onvif.org/ver10/media/wsdl"
MEDIA2 = "http://www.onvif.org/ver20/media/wsdl"
IMAGING = "http://www.onvif.org/ver20/imaging/wsdl"
PTZ = "http://www.onvif.org/ver20/ptz/wsdl"
SCHEMA = "http://www.onvif.org/ver10/schema"

_OASIS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
_SECURITY = f"{_OASIS}wssecurity-secext-1.0.xsd"
_UTILITY = f"{_OASIS}wssecurity-utility-1.0.xsd"
_DIGEST = f"{_OASIS}username-token-profile-1.0#PasswordDigest"
_BASE64 = f"{_OASIS}soap-message-security-1.0#Base64Binary"

# Of HTTP
_BAD_REQUEST, _SERVER_ERROR, _NOT_IMPLEMENTED = 400, 500, 501
_REFUSED = (401, 403)

_MAX_TEXT_CHARS = 300
_LOGIN_WORDS = (
    *("notauthorized", "failedauthentication", "invalidsecurity", "not authorized", "unauthorized"),
    *("authentication", "authority failure", "wrong password", "attempt", "locked"),
)


@dataclass(frozen=True, slots=True)
class Token:
    """What a WS-Security token is made of besides the login; never used twice."""

    nonce: bytes
    created: datetime  # in the camera's time


def question(namespace: str, operation: str, *inner: Element) -> Element:
    """Return an envelope that asks for ``operation``; ``inner`` stands in it."""
    root = envelope({})
    body = root.find(f"{{{ENVELOPE}}}Body")
    asked = etree.SubElement(body, f"{{{namespace}}}{operation}", nsmap={None: namespace})
    asked.extend(inner)
    return root


def envelope(names: Mapping[str, str]) -> Element:
    """Return an envelope with an empty header and body that declares ``names`` by their prefixes.

    Elements of those namespaces have no declaration of their own then: some devices look for
    ``MessageID>`` in the text.
    """
    root = etree.Element(f"{{{ENVELOPE}}}Envelope", nsmap={"s": ENVELOPE, **names})
    etree.SubElement(root, f"{{{ENVELOPE}}}Header")
    etree.SubElement(root, f"{{{ENVELOPE}}}Body")
    return root


def add(parent: Element, namespace: str, name: str) -> Element:
    """Return a new, empty element at the end of another."""
    return etree.SubElement(parent, f"{{{namespace}}}{name}")


def element(namespace: str, name: str, text: str = "") -> Element:
    """Return an element that holds a text."""
    made = etree.Element(f"{{{namespace}}}{name}")
    made.text = text
    return made


def sign(envelope: Element, login: Credentials, token: Token) -> None:
    """Add a UsernameToken with a password digest: whole seconds and Z, as picky cameras want."""
    created = token.created.strftime("%Y-%m-%dT%H:%M:%SZ")
    hashed = hashlib.sha1(
        token.nonce + created.encode() + login.password.encode(), usedforsecurity=False
    )
    names = {"wsse": _SECURITY, "wsu": _UTILITY}
    security = etree.SubElement(_header(envelope), f"{{{_SECURITY}}}Security", nsmap=names)
    user = etree.SubElement(security, f"{{{_SECURITY}}}UsernameToken")
    etree.SubElement(user, f"{{{_SECURITY}}}Username").text = login.username
    password = etree.SubElement(user, f"{{{_SECURITY}}}Password", Type=_DIGEST)
    password.text = base64.b64encode(hashed.digest()).decode()
    nonce = etree.SubElement(user, f"{{{_SECURITY}}}Nonce", EncodingType=_BASE64)
    nonce.text = base64.b64encode(token.nonce).decode()
    etree.SubElement(user, f"{{{_UTILITY}}}Created").text = created


def refer(envelope: Element, references: Iterable[Element]) -> None:
    """Add the reference parameters that a subscription was given: a camera may go by them alone."""
    header = _header(envelope)
    for reference in references:
        copied = deepcopy(reference)
        copied.set(f"{{{ADDRESSING}}}IsReferenceParameter", "true")
        header.append(copied)


def address(envelope: Element, *, to: str, action: str, message_id: str) -> None:
    """Add WS-Addressing: some cameras renew nothing without; elsewhere others refuse it."""
    header = _header(envelope)
    for name, text in (("Action", action), ("MessageID", message_id), ("To", to)):
        etree.SubElement(header, f"{{{ADDRESSING}}}{name}", nsmap={"a": ADDRESSING}).text = text


def _header(envelope: Element) -> Element:
    header = envelope.find(f"{{{ENVELOPE}}}Header")
    if header is None:
        header = etree.Element(f"{{{ENVELOPE}}}Header")
        envelope.insert(0, header)
    return header


def written(envelope: Element) -> bytes:
    """Return an envelope as it goes out."""
    return bytes(etree.tostring(envelope, xml_declaration=True, encoding="utf-8"))


def parsed(document: bytes) -> Element:
    """Return the root of what a camera sent.

    Raises CameraBlocked where it has a document type, and so may have entities, and CameraBadXml
    where it is not well-formed or nested deeper than any answer.
    """
    parser = etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,  # libxml2's own bounds on depth and growth hold
        recover=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(document, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        if b"<!DOCTYPE" in document:
            raise CameraBlocked("the answer has a document type") from None
        raise CameraBadXml(f"not well-formed: {str(error)[:120]}") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise CameraBlocked("the answer has a document type")
    return root


def checked(status: int, document: bytes) -> Element:
    """Return the first element of an answer's body, None where the body is empty.

    Raises the kind of CameraError that the status or the fault in the answer stands for.
    """
    try:
        root = parsed(document)
    except (CameraBadXml, CameraBlocked):
        # A web server's own page, with its document type, or nothing: the status says it all.
        if status in _REFUSED:
            raise CameraLoginRefused(f"HTTP {status}") from None
        if status >= _SERVER_ERROR and status != _NOT_IMPLEMENTED:
            raise CameraUnreachable(f"the camera fails: HTTP {status}") from None
        if status >= _BAD_REQUEST:
            raise CameraUnsupported(f"HTTP {status}") from None
        raise
    body = root.find(f"{{{ENVELOPE}}}Body") if root.tag == f"{{{ENVELOPE}}}Envelope" else None
    if body is None:
        if status in _REFUSED:
            raise CameraLoginRefused(f"HTTP {status}")
        raise CameraBadXml("no SOAP envelope with a body")
    fault = body.find(f"{{{ENVELOPE}}}Fault")
    if fault is not None:
        raise _error_of(fault, status)
    if status in _REFUSED:
        raise CameraLoginRefused(f"HTTP {status}")
    if status >= _BAD_REQUEST:
        raise CameraUnsupported(f"HTTP {status}")
    return next(iter(body), None)


def _error_of(fault: Element, status: int) -> CameraError:
    """Return what a fault stands for; the camera's own words come with it, cut short."""
    words = " ".join(" ".join(fault.itertext()).split())
    shown = "".join(char for char in words if char.isprintable())[:_MAX_TEXT_CHARS]
    lower = words.lower()
    if status in _REFUSED or any(word in lower for word in _LOGIN_WORDS):
        return CameraLoginRefused(f"the camera says: {shown}")
    return CameraUnsupported(f"the camera says: {shown}")
