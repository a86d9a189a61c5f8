"""How long to wait before trying again: pure."""

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
