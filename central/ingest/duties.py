"""What a consumer does for all boxes between two batches."""

import logging
from collections.abc import Iterator

from central.errors import StoreUnavailableError
from central.ingest.uplink import Uplink
from central.ports import Dispatcher, Lease, Pursuer, Resend
from protocol.clock import Clock
from protocol.codec import encode
from protocol.ids import uuid7
from protocol.messages import ResendData, ResendMessage
from protocol.topics import BoxTopic, Leaf

log = logging.getLogger(__name__)

#: Who the centre is in what it sends.
SOURCE = "/centre"

_NS = 1_000_000_000


class Duties:
    """Keeps the lease, asks for what is missing, gives commands; one thread uses it.

    One of several consumers has a ``lease``: while it holds it, and only then, it reads what boxes
    say of themselves and does the rest (protocol I15). One that is alone has none and does all.
    While the store is away nothing of it is done; what a box was not told, it is told when that is
    due again. ``leads`` and ``resends`` (asked of boxes since the start) may be read by any thread.
    """

    def __init__(
        self,
        clock: Clock,
        pursuer: Pursuer | None,
        lease: Lease | None,
        dispatcher: Dispatcher | None,
        *,
        lease_every_s: float,
        pursue_every_s: float,
        dispatch_every_s: float,
    ) -> None:
        self._clock = clock
        self._pursuer = pursuer
        self._lease = lease
        self._dispatcher = dispatcher
        self._lease_every_ns = round(lease_every_s * _NS)
        self._pursue_every_ns = round(pursue_every_s * _NS)
        self._dispatch_every_ns = round(dispatch_every_s * _NS)
        self._lease_at_ns = 0
        self._pursue_at_ns = 0
        self._dispatch_at_ns = 0
        self._reads_sites = False
        self.leads = lease is None
        self.resends = 0

    def connected_anew(self) -> None:
        """Know that a new connection reads nothing of what boxes say until it is told to."""
        self._reads_sites = False

    def deadlines_ns(self) -> Iterator[int]:
        """Yield when something will be due, on a connection that is in order."""
        if self._lease is not None:
            yield self._lease_at_ns
        if self._pursuer is not None and self.leads:
            yield self._pursue_at_ns
        if self._dispatcher is not None and self.leads:
            yield self._dispatch_at_ns

    def attend(self, uplink: Uplink) -> None:
        """Do what is due, over a connection that is in order."""
        self._lead(uplink)
        self._pursue(uplink)
        self._dispatch(uplink)

    def leave(self) -> None:
        """Let another one read at once what boxes say; the term ends by itself otherwise."""
        if self._lease is None:
            return
        try:
            self._lease.release()
        except StoreUnavailableError as error:
            log.warning("consumer.lease_unavailable", extra={"error": str(error)})
        self.leads = False

    def _lead(self, uplink: Uplink) -> None:
        """Read what boxes say of themselves while the lease is ours (protocol I15).

        While the store is away the lease is nobody's news: what is read then waits like the rest.
        """
        if self._lease is None:
            return
        now_ns = self._clock.monotonic_ns()
        if now_ns >= self._lease_at_ns:
            self._lease_at_ns = now_ns + self._lease_every_ns
            try:
                leads = self._lease.keep()
            except StoreUnavailableError as error:
                log.warning("consumer.lease_unavailable", extra={"error": str(error)})
                return
            if leads is not self.leads:
                log.info("consumer.leads" if leads else "consumer.follows")
                self.leads = leads
        if self.leads is not self._reads_sites:
            self._reads_sites = self.leads
            uplink.read_sites(on=self._reads_sites)

    def _pursue(self, uplink: Uplink) -> None:
        """Ask boxes for what is missing; a request that is lost is made again when it is due."""
        now_ns = self._clock.monotonic_ns()
        if self._pursuer is None or not self.leads or now_ns < self._pursue_at_ns:
            return
        self._pursue_at_ns = now_ns + self._pursue_every_ns
        try:
            due = self._pursuer.due()
        except StoreUnavailableError as error:
            log.warning("consumer.pursuit_unavailable", extra={"error": str(error)})
            return
        self.resends += sum(self._ask(uplink, request) for request in due)

    def _dispatch(self, uplink: Uplink) -> None:
        """Give boxes their commands; one that is lost is given again when it is due."""
        now_ns = self._clock.monotonic_ns()
        if self._dispatcher is None or not self.leads or now_ns < self._dispatch_at_ns:
            return
        self._dispatch_at_ns = now_ns + self._dispatch_every_ns
        try:
            due = self._dispatcher.due()
        except StoreUnavailableError as error:
            log.warning("consumer.dispatch_unavailable", extra={"error": str(error)})
            return
        for one in due:
            topic = BoxTopic(one.region_code, one.box_id, Leaf.COMMAND)
            uplink.publish(str(topic), encode(one.message))

    def _ask(self, uplink: Uplink, request: Resend) -> bool:
        now = self._clock.now()
        message = ResendMessage(
            id=uuid7(now),
            source=SOURCE,
            time=now,
            data=ResendData(
                outbox_id=request.outbox_id,
                first=request.first,
                last=request.last,
                deadline=request.again_at,
            ),
        )
        topic = BoxTopic(request.region_code, request.box_id, Leaf.COMMAND)
        expires_s = (request.again_at - now).total_seconds()
        return uplink.publish(str(topic), encode(message), expires_s=expires_s)
