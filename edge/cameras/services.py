"""What a camera can be asked, where, and how a question gets there.

onvif-zeep's documents say how a question is written and its answer read; what goes over the network
is this package's :class:`Session` alone (ADR 0014).
"""

import logging
from dataclasses import dataclass

from zeep.exceptions import Error as ZeepError
from zeep.helpers import serialize_object

from edge.cameras import reading, soap
from edge.cameras.documents import SERVICES, service
from edge.cameras.door import Uri
from edge.cameras.session import Session
from edge.cameras.transport import Answer
from edge.errors import CameraBadXml, CameraBlocked, CameraUnsupported

log = logging.getLogger(__name__)

_CAPABILITIES = {
    "Media": soap.MEDIA1,
    "Imaging": soap.IMAGING,
    "PTZ": soap.PTZ,
    "Events": soap.EVENTS,
}
_NAMESPACES = frozenset({soap.MEDIA2, *_CAPABILITIES.values()})
_UNREADABLE = (ZeepError, ValueError, ArithmeticError, TypeError, AttributeError, LookupError)


@dataclass(slots=True)
class _Reply:
    """An answer as zeep reads one: of HTTP it is told only what is true of every good one."""

    content: bytes
    status_code: int = 200
    encoding: str = "utf-8"

    @property
    def headers(self) -> dict[str, str]:
        return {"Content-Type": "application/soap+xml"}


class _WayOut:
    """zeep's transport for one question. ``asked``: the question was written without a fault."""

    def __init__(self, services: "Services", namespace: str, operation: str) -> None:
        self._services = services
        self._namespace = namespace
        self._operation = operation
        self.asked = False

    def post_xml(self, url: str, envelope: soap.Element, _headers: object) -> _Reply:
        self.asked = True
        answer = self._services.answer(url, envelope, self._namespace, self._operation)
        return _Reply(answer[1].body)


class Services:
    """The services of one camera. Nothing is asked before it is needed; safe for threads."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: dict[str, Uri | CameraBlocked] | None = None

    @property
    def session(self) -> Session:
        """The conversation that all of them share."""
        return self._session

    def known(self) -> dict[str, Uri | CameraBlocked]:
        """Return where each service is, by namespace; what must not be asked is its refusal.

        What the camera lists counts, not what it says of its abilities. Raises CameraError.
        """
        if self._known is None:
            self._known = self._listed()
        return self._known

    def has(self, namespace: str) -> bool:
        """Return whether the camera lists a service, wherever it says that is."""
        return namespace in self.known()

    def url(self, namespace: str) -> str:
        """Return where a service is asked. Raises CameraUnsupported, CameraBlocked."""
        if namespace == soap.DEVICE:
            return self._session.door.url
        found = self.known().get(namespace)
        if found is None:
            raise CameraUnsupported(f"the camera has no {namespace.split('/')[-2]} service")
        if isinstance(found, CameraBlocked):
            raise found
        return found.url

    def call(self, name: str, operation: str, **given: object) -> object:
        """Ask by onvif-zeep's documents; ``name`` is its name of the service.

        Returns dictionaries, lists and scalars, in which anything may be missing: see
        :mod:`edge.cameras.reading`. Raises CameraError.
        """
        namespace = SERVICES[name]["ns"]
        way = _WayOut(self, namespace, operation)
        proxy = service(name, self.url(namespace), way)
        try:
            serialized: object = serialize_object(proxy[operation](**given), dict)
        except _UNREADABLE as error:
            if not way.asked:
                raise
            raise CameraBadXml(f"{operation}: {str(error)[:120]}") from error
        return serialized

    def ask(self, namespace: str, operation: str, *inner: soap.Element) -> soap.Element:
        """Ask without a document; return the answer's element. Raises CameraError."""
        question = soap.question(namespace, operation, *inner)
        return self.answer(self.url(namespace), question, namespace, operation)[0]

    def answer(
        self, url: str, question: soap.Element, namespace: str, operation: str
    ) -> tuple[soap.Element, Answer]:
        """Send a question; return the answer's element, which is of that operation, and all of it.

        Raises CameraError: CameraBadXml where the camera answers something else.
        """
        found, whole = self._session.ask(url, question, f"{namespace}/{operation}")
        if found is None or found.tag != f"{{{namespace}}}{operation}Response":
            raise CameraBadXml(f"no answer to {operation}")
        return found, whole

    def _listed(self) -> dict[str, Uri | CameraBlocked]:
        found: dict[str, Uri | CameraBlocked] = {}
        try:
            for item in reading.items(
                self.call("devicemgmt", "GetServices", IncludeCapability=False)
            ):
                self._add(found, reading.exact(item, "Namespace"), reading.at(item, "XAddr"))
        except (CameraUnsupported, CameraBadXml) as error:
            log.info("camera.no_service_list", extra={"why": str(error)})
        if soap.MEDIA1 not in found and soap.MEDIA2 not in found:
            answer = self.call("devicemgmt", "GetCapabilities", Category=["All"])
            for name, namespace in _CAPABILITIES.items():
                if namespace not in found:
                    self._add(found, namespace, reading.at(answer, name, "XAddr"))
        return found

    def _add(self, found: dict[str, Uri | CameraBlocked], namespace: str, claimed: object) -> None:
        if namespace not in _NAMESPACES or not isinstance(claimed, str):
            return
        try:
            found[namespace] = self._session.door.service(claimed)
        except CameraBlocked as error:
            found[namespace] = error
