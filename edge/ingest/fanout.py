"""One stream's samples to everyone who wants them."""

import logging
import threading

from edge.media.sample import StreamItem
from edge.ports import Subscriber

log = logging.getLogger(__name__)


class Fanout:
    """Offers each item to the subscribers in the order they came, without waiting for any.

    A subscriber that raises has broken its promise: it is detached, logged and counted, and the
    others don't notice. Subscribing is allowed from any thread; offering from one at a time.
    """

    def __init__(self, name: str, *subscribers: Subscriber) -> None:
        self._name = name
        self._subscribers = subscribers
        self._lock = threading.Lock()
        self.detached = 0

    def subscribe(self, subscriber: Subscriber) -> None:
        """Offer it what comes from now on, which may begin inside a group of pictures."""
        with self._lock:
            self._subscribers = (*self._subscribers, subscriber)

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Offer it nothing more, but for an item being offered just now. Idempotent."""
        with self._lock:
            self._subscribers = tuple(each for each in self._subscribers if each is not subscriber)

    def offer(self, item: StreamItem) -> None:
        """Offer an item to all."""
        for subscriber in self._subscribers:
            try:
                subscriber.offer(item)
            except Exception:
                log.exception(
                    "fanout.subscriber_detached",
                    extra={"stream": self._name, "subscriber": type(subscriber).__name__},
                )
                self.unsubscribe(subscriber)
                self.detached += 1
