"""Which outbox rows to send now: pure, no I/O and no clock of its own.

Of one row, while it has no receipt::

    waiting ── room in the window ──▶ under way ── connection lost ──▶ waiting
    under way ── patience over, or the centre's epoch changed ──▶ sent again, patience doubled
    waiting, under way ── receipt ──▶ gone

PUBACK plays no part: a broker acknowledges what it may yet lose (protocol I2).
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Waiting:
    """The sequences to send, of each lane the first ones, ascending; no sequence is in both.

    ``sizes`` are their messages' bytes.
    """

    live: tuple[int, ...]
    backlog: tuple[int, ...]
    sizes: Mapping[int, int] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Patience:
    """How many rows may be under way and how long to wait for their receipts.

    ``live_share`` places of ``size`` are never given to the backlog, so that an alert of now does
    not wait behind days of old ones. A resend timer below 10 s collapses a slow link: measured,
    3 s made 25 595 needless deliveries of 2 661 rows.

    No more than ``size_bytes`` are under way either, of which the backlog leaves as large a share:
    a line of 64 kbit/s carries them within ``first_s``. One message that is larger goes alone.
    """

    size: int = 64
    live_share: int = 16
    size_bytes: int = 64 * 1024
    first_s: float = 10.0
    cap_s: float = 300.0

    def after(self, tries: int) -> int:
        """Return how many nanoseconds to wait after the ``tries``-th sending (from 1)."""
        return round(min(self.first_s * 2.0 ** min(tries - 1, 30), self.cap_s) * _NS)


@dataclass(frozen=True, slots=True)
class _Flight:
    """A row under way: when it must have its receipt, how often it was sent, and its bytes."""

    due_mono_ns: int
    tries: int
    size_bytes: int


class Window:
    """The rows under way on the present connection; at most ``patience.size`` of them."""

    def __init__(self, patience: Patience | None = None) -> None:
        self._patience = patience or Patience()
        self._flights: dict[int, _Flight] = {}

    @property
    def under_way(self) -> frozenset[int]:
        """The sequences sent on this connection and not yet receipted."""
        return frozenset(self._flights)

    @property
    def reach(self) -> int:
        """How many sequences of each lane :meth:`take` needs to see: the window twice over."""
        return 2 * self._patience.size

    @property
    def next_due_mono_ns(self) -> int | None:
        """When the first row's patience ends; None where nothing is under way."""
        return min((flight.due_mono_ns for flight in self._flights.values()), default=None)

    def reset(self) -> None:
        """Forget what is under way: on a new connection all of it is sent again, at once."""
        self._flights.clear()

    def hurry(self) -> None:
        """Send everything under way again at once: the centre began anew (its epoch changed)."""
        for sequence, flight in self._flights.items():
            self._flights[sequence] = replace(flight, due_mono_ns=0, tries=0)

    def ours(self, sequences: Collection[int]) -> set[int]:
        """Return those of ``sequences`` that are under way; see :meth:`receipted`."""
        return {sequence for sequence in sequences if sequence in self._flights}

    def receipted(self, sequences: Collection[int]) -> list[int]:
        """Take receipts; return those that are for rows under way.

        A receipt for a row that was not sent on this connection means nothing: the row will be
        sent, and receipted again.
        """
        return [sequence for sequence in sequences if self._flights.pop(sequence, None)]

    def take(self, waiting: Waiting, now_mono_ns: int) -> list[int]:
        """Return what to send now, in this order, and count it as under way from now.

        ``waiting`` holds all rows without a receipt, of each lane the first :attr:`reach`.
        """
        chosen = list(self._choose(waiting, now_mono_ns))
        for sequence in chosen:
            flight = self._flights.get(sequence)
            tries = 1 if flight is None else flight.tries + 1
            due_mono_ns = now_mono_ns + self._patience.after(tries)
            size_bytes = waiting.sizes.get(sequence, 0) if flight is None else flight.size_bytes
            self._flights[sequence] = _Flight(due_mono_ns, tries, size_bytes)
        return chosen

    def unsent(self, sequences: Collection[int]) -> None:
        """Take back what :meth:`take` chose but could not be handed to the connection."""
        for sequence in sequences:
            self._flights.pop(sequence, None)

    def _choose(self, waiting: Waiting, now_mono_ns: int) -> Iterator[int]:
        """Yield what is overdue, then new rows: live ones, then the backlog with what is left."""
        for sequence in sorted(self._flights):
            if self._flights[sequence].due_mono_ns <= now_mono_ns:
                yield sequence
        patience = self._patience
        places = patience.size - len(self._flights)
        used_bytes = sum(flight.size_bytes for flight in self._flights.values())
        fresh = self._fitting(waiting.live, waiting, places, used_bytes, patience.size_bytes)
        yield from fresh
        used_bytes += sum(waiting.sizes.get(sequence, 0) for sequence in fresh)
        places = max(0, places - len(fresh) - patience.live_share)
        most_bytes = patience.size_bytes * (patience.size - patience.live_share) // patience.size
        yield from self._fitting(waiting.backlog, waiting, places, used_bytes, most_bytes)

    def _fitting(
        self,
        lane: Collection[int],
        waiting: Waiting,
        places: int,
        used_bytes: int,
        most_bytes: int,
    ) -> list[int]:
        """Return the first of a lane that there are places and bytes for, in order."""
        chosen: list[int] = []
        for sequence in lane:
            if sequence in self._flights:
                continue
            size_bytes = waiting.sizes.get(sequence, 0)
            if len(chosen) >= places or (used_bytes and used_bytes + size_bytes > most_bytes):
                break
            chosen.append(sequence)
            used_bytes += size_bytes
        return chosen
