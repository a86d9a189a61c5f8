"""How long to wait before trying again, or doing the same again: pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Doubles from ``first_s`` to ``cap_s``, spread by half either way.

    The spread keeps a thousand boxes that lost their broker in the same second from coming back in
    the same second.
    """

    first_s: float = 1.0
    cap_s: float = 60.0

    def after(self, failures: int, chance: float) -> float:
        """Return the seconds to wait after the ``failures``-th failure in a row (from 1).

        ``chance`` is a random number from 0 to below 1.
        """
        exact = min(self.first_s * 2.0 ** min(max(failures, 1) - 1, 30), self.cap_s)
        return exact * (0.5 + chance)


@dataclass(slots=True)
class Spacing:
    """Lets something happen at once, but at most once in ``gap_s``: what is asked sooner waits.

    ``due_ns``: when it happens, on the caller's monotonic clock; None where nobody asked.
    """

    gap_s: float
    due_ns: int | None = None
    _next_ns: int = 0

    def ask(self, now_ns: int) -> None:
        """Ask for it; asking again before it happens changes nothing."""
        if self.due_ns is None:
            self.due_ns = max(now_ns, self._next_ns)

    def take(self, now_ns: int) -> bool:
        """Return whether it is to happen now, and count it as done."""
        if self.due_ns is None or now_ns < self.due_ns:
            return False
        self.due_ns = None
        self._next_ns = now_ns + round(self.gap_s * 1e9)
        return True
