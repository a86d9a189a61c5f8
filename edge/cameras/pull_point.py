"""A camera's events, fetched: a subscription that is held only while somebody wants it."""

import logging
from datetime import timedelta
from types import TracebackType
from typing import Final, Self
from uuid import uuid4

from edge.cameras import event, soap
from edge.cameras.event import Batch
from edge.cameras.services import Services
from edge.errors import CameraBadXml, CameraBlocked, CameraError
from protocol.clock import Clock

log = logging.getLogger(__name__)

#: How long a camera keeps a subscription that nobody renews: they have few, and forget none.
LIFETIME_S: Final = 60
_RENEW_AFTER: Final = 0.6
_MAX_WAIT_S: Final = 20.0  # so that the next renewal comes before the subscription lapses
_LIMIT: Final = 32
_MAX_REFERENCES_BYTES: Final = 16 * 1024  # sent along with each question
_NS_PER_S: Final = 1_000_000_000
_PULL: Final = f"{soap.EVENTS}/PullPointSubscription"
_MANAGER: Final = "http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager"


class PullPoint:
    """An open subscription; a context manager, for one thread. Leaving it ends it at the camera.

    Any CameraError of :meth:`pull` is the end of it: another one has to be opened. ``dropped``
    counts the events that could not be read or were more than are taken.
    """

    def __init__(self, services: Services, clock: Clock) -> None:
        """Subscribe. Raises CameraError."""
        self._session = services.session
        self._clock = clock
        lifetime = soap.element(soap.EVENTS, "InitialTerminationTime", f"PT{LIFETIME_S}S")
        answer = services.ask(soap.EVENTS, "CreatePullPointSubscription", lifetime)
        reference = answer.find(f"{{{soap.EVENTS}}}SubscriptionReference")
        claimed = None if reference is None else reference.findtext(f"{{{soap.ADDRESSING}}}Address")
        if not claimed:
            raise CameraBadXml("a subscription without an address")
        self._url = self._session.door.service(claimed).url
        parameters = reference.find(f"{{{soap.ADDRESSING}}}ReferenceParameters")
        # A camera that serves several subscribers at one address tells them apart by these.
        self._references = [] if parameters is None else list(parameters)
        if sum(len(soap.written(one)) for one in self._references) > _MAX_REFERENCES_BYTES:
            raise CameraBlocked("the subscription's reference parameters are too long")
        self._renewed_ns = clock.monotonic_ns()
        self.dropped = 0
        self._synchronise()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def pull(self, wait: timedelta) -> Batch:
        """Return what was reported, waiting up to ``wait`` (at most 20 s) for it.

        Raises CameraError.
        """
        age_s = (self._clock.monotonic_ns() - self._renewed_ns) / _NS_PER_S
        if age_s > LIFETIME_S * _RENEW_AFTER:
            self._renew()
        wait_s = min(wait.total_seconds(), _MAX_WAIT_S)
        question = soap.question(
            soap.EVENTS,
            "PullMessages",
            soap.element(soap.EVENTS, "Timeout", f"PT{wait_s:g}S"),
            soap.element(soap.EVENTS, "MessageLimit", str(_LIMIT)),
        )
        action = f"{_PULL}/PullMessagesRequest"
        soap.refer(question, self._references)
        batch = event.read(
            self._session.poll(self._url, question, action, wait_s), self._clock.now()
        )
        self.dropped += batch.dropped
        return batch

    def close(self) -> None:
        """End the subscription at the camera, which may not hear it: then it lapses by itself."""
        question = soap.question(soap.NOTIFICATION, "Unsubscribe")
        try:
            self._manage(question, "UnsubscribeRequest")
        except CameraError as error:
            log.info("camera.unsubscribe", extra={"kind": error.kind.value, "why": str(error)})

    def _renew(self) -> None:
        lifetime = soap.element(soap.NOTIFICATION, "TerminationTime", f"PT{LIFETIME_S}S")
        began_ns = self._clock.monotonic_ns()
        self._manage(soap.question(soap.NOTIFICATION, "Renew", lifetime), "RenewRequest")
        self._renewed_ns = began_ns

    def _synchronise(self) -> None:
        """Ask for the state of everything once: else only what changes would be known."""
        action = f"{_PULL}/SetSynchronizationPointRequest"
        question = soap.question(soap.EVENTS, "SetSynchronizationPoint")
        soap.refer(question, self._references)
        try:
            self._session.ask(self._url, question, action)
        except CameraError as error:
            log.info("camera.synchronise", extra={"kind": error.kind.value, "why": str(error)})

    def _manage(self, question: soap.Element, operation: str) -> None:
        action = f"{_MANAGER}/{operation}"
        message_id = f"urn:uuid:{uuid4()}"
        soap.address(question, to=self._url, action=action, message_id=message_id)
        soap.refer(question, self._references)
        self._session.ask(self._url, question, action)
