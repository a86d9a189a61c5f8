"""The feed's one reader in this process: database to every connected browser."""

import asyncio
import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi.sse import format_sse_event

from central.db.engine import Database
from central.errors import StoreUnavailableError
from central.wall.feed import Cursor, after, begin_anew_if_foreign, is_stale, newest
from central.wall.views import ChangeRenderer, Rendered
from central.wall.wakeup import wakeup_for

log = logging.getLogger(__name__)

#: Changes read at once.
PAGE = 200
#: PostgreSQL's notices are a wake-up only; this is the net below them.
_IDLE_S = 1.0
#: How soon to look again while an older transaction holds newer rows back.
_HELD_S = 0.02
_RETRY_S = 1.0


@dataclass(frozen=True, slots=True)
class Event:
    """One event as it goes to browsers, encoded once for all of them."""

    cursor: Cursor
    data: bytes


def encode(rendered: Rendered) -> Event:
    """Return a change as a server-sent event."""
    data = format_sse_event(
        data_str=rendered.json_text, event=rendered.kind, id=str(rendered.cursor)
    )
    return Event(rendered.cursor, data)


class Subscription:
    """One browser's events. Use ``next`` in the loop that made it.

    Holds 256 events. Overflow: the browser is too slow; the subscription ends, is counted by the
    pump, and the browser comes again with the last event it has.
    """

    LIMIT = 256

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self.ended = False

    def offer(self, events: Sequence[Event]) -> None:
        """Take events; called in the pump's thread."""
        try:
            self._loop.call_soon_threadsafe(self._put, events)
        except RuntimeError:
            self.ended = True  # the loop is closed: nobody listens any more

    def end(self) -> None:
        """Let the browser come again; called in the pump's thread."""
        try:
            self._loop.call_soon_threadsafe(self._end)
        except RuntimeError:
            self.ended = True

    async def next(self, timeout_s: float) -> Event | None:
        """Return the next event, or None at the end. Raises TimeoutError where none came."""
        async with asyncio.timeout(timeout_s):
            return await self._queue.get()

    def _put(self, events: Sequence[Event]) -> None:
        if self.ended:
            return
        if self._queue.qsize() + len(events) > self.LIMIT:
            log.warning("feed.slow_browser", extra={"waiting": self._queue.qsize()})
            self._end()
            return
        for event in events:
            self._queue.put_nowait(event)

    def _end(self) -> None:
        self.ended = True
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(None)


class FeedPump:
    """Follows the feed in a thread of its own and hands each change, once rendered, to all.

    While the database is away it tries again each second; browsers stay connected and miss nothing.
    """

    def __init__(self, database: Database, renderer: ChangeRenderer) -> None:
        self._database = database
        self._renderer = renderer
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._subscriptions: set[Subscription] = set()
        self._thread: threading.Thread | None = None
        self._at: Cursor | None = None

    def start(self) -> None:
        """Begin to follow."""
        self._thread = threading.Thread(target=self._supervise, name="feed-pump", daemon=True)
        self._thread.start()

    def end_all(self) -> None:
        """Let every browser go, so that a server that stops does not wait for them."""
        self._stopping.set()
        self._let_go()

    def close(self) -> None:
        """Stop and wait for the thread; may be called again."""
        self.end_all()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    @property
    def browsers(self) -> int:
        """Return how many browsers are connected."""
        with self._lock:
            return len(self._subscriptions)

    def subscribe(self) -> Subscription:
        """Begin to collect events. Subscribe before reading the backlog, so that none is missed."""
        subscription = Subscription()
        with self._lock:
            self._subscriptions.add(subscription)
        if self._stopping.is_set():
            subscription.end()
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Forget a subscription."""
        with self._lock:
            self._subscriptions.discard(subscription)

    def where(self, cursor: Cursor | None) -> tuple[Cursor, bool]:
        """Return from where a browser goes on, and whether it must begin anew from a snapshot."""
        with self._database.read() as session:
            if cursor is None or is_stale(session, cursor):
                return newest(session), True
            return cursor, False

    def backlog(self, cursor: Cursor) -> tuple[list[Event], Cursor, bool]:
        """Return what came after ``cursor``, the cursor behind it, and whether there is more."""
        with self._database.read() as session:
            changes = after(session, cursor, PAGE)
            events = [encode(item) for item in self._renderer.render(session, changes.rows)]
        behind = changes.rows[-1].cursor if changes.rows else cursor
        return events, behind, len(changes.rows) == PAGE

    def _let_go(self) -> None:
        with self._lock:
            subscriptions = list(self._subscriptions)
        for subscription in subscriptions:
            subscription.end()

    def _supervise(self) -> None:
        while not self._stopping.is_set():
            try:
                self._follow()
            except (StoreUnavailableError, OSError) as error:
                log.warning("feed.interrupted", extra={"error": str(error)})
                self._stopping.wait(_RETRY_S)
            except Exception:
                log.exception("feed.failed")
                self._stopping.wait(_RETRY_S)

    def _follow(self) -> None:
        with wakeup_for(self._database) as wakeup:
            self._begin()
            while not self._stopping.is_set():
                more, held = self._step()
                if held:
                    self._stopping.wait(_HELD_S)
                elif not more:
                    wakeup.wait(self._stopping, _IDLE_S)

    def _begin(self) -> None:
        """Find where to go on; where the feed is not the one known, all begin anew."""
        with self._database.write() as session:
            if begin_anew_if_foreign(session):
                log.warning("feed.begun_anew")
        with self._database.read() as session:
            if self._at is not None and is_stale(session, self._at):
                self._at = None
                self._let_go()
            if self._at is None:
                self._at = newest(session)

    def _step(self) -> tuple[bool, bool]:
        """Hand on one page; return whether there may be more, and whether some is held back."""
        assert self._at is not None
        with self._database.read() as session:
            changes = after(session, self._at, PAGE)
            events = [encode(item) for item in self._renderer.render(session, changes.rows)]
        if events:
            with self._lock:
                for subscription in self._subscriptions:
                    subscription.offer(events)
        if changes.rows:
            self._at = changes.rows[-1].cursor
        return len(changes.rows) == PAGE, changes.held and not changes.rows
