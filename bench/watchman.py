"""The person at the wall, played: signs and confirms every alert that pops up, by keys alone."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from protocol.clock import Clock

#: A step that has had no effect for so long is tried again, as a person would.
PATIENCE_S = 5.0

NEW, ACKED = "NEW", "ACKED"


class Wall(Protocol):
    """The screen in front of the watchman (bench.browser)."""

    def popup(self) -> str | None:
        """Return the alert that the pop-up is about."""

    def asks_pin(self) -> bool:
        """Return whether the pad for the PIN is open."""

    def asks_what_it_is(self) -> bool:
        """Return whether the dialog that makes an incident is open."""

    def press(self, key: str) -> None:
        """Press a key."""


class Step(Enum):
    """What was done last about the alert in front."""

    NOTHING = auto()
    SIGNED = auto()
    TYPED_PIN = auto()
    SAID_REAL = auto()
    SUBMITTED = auto()


@dataclass(slots=True)
class Watchman:
    """Answers the pop-up in front: space, the PIN where the wall asks for it, 1, Enter.

    ``look`` does at most one step and returns at once; call it often.
    """

    wall: Wall
    pin: str
    clock: Clock
    keys_pressed: int = 0
    _alert_id: str | None = None
    _step: Step = Step.NOTHING
    _since_ns: int = 0

    def look(self, states: dict[str, str]) -> None:
        """Do the next step; ``states`` are the alerts' states as the centre says them."""
        alert_id = self.wall.popup()
        if alert_id != self._alert_id:
            self._alert_id = alert_id
            self._did(Step.NOTHING)
        if alert_id is None:
            return
        if self._waited_too_long():
            self._did(Step.NOTHING)
        if states.get(alert_id) == NEW:
            self._sign()
        elif states.get(alert_id) == ACKED:
            self._confirm()

    def _sign(self) -> None:
        if self.wall.asks_pin():
            if self._step is not Step.TYPED_PIN:
                for digit in self.pin:
                    self._press(digit)
                self._press("Enter")
                self._did(Step.TYPED_PIN)
        elif self._step is Step.NOTHING:
            self._press("Space")
            self._did(Step.SIGNED)

    def _confirm(self) -> None:
        if self.wall.asks_what_it_is():
            if self._step is not Step.SUBMITTED:
                self._press("Enter")
                self._did(Step.SUBMITTED)
        elif self._step not in {Step.SAID_REAL, Step.SUBMITTED}:
            self._press("1")
            self._did(Step.SAID_REAL)

    def _press(self, key: str) -> None:
        self.wall.press(key)
        self.keys_pressed += 1

    def _did(self, step: Step) -> None:
        self._step = step
        self._since_ns = self.clock.monotonic_ns()

    def _waited_too_long(self) -> bool:
        waited_s = (self.clock.monotonic_ns() - self._since_ns) / 1e9
        return self._step is not Step.NOTHING and waited_s > PATIENCE_S
