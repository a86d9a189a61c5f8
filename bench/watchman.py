"""The person at the wall, played: signs and confirms every alert there, by keys alone."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import cycle
from typing import Protocol

from protocol.clock import Clock

#: A step that has had no effect for so long is tried again, as a person would.
PATIENCE_S = 5.0

NEW, ACKED = "NEW", "ACKED"


class Wall(Protocol):
    """The screen in front of the watchman (bench.browser)."""

    def popup(self) -> str | None:
        """Return the alert that the pop-up is about."""

    def focused_card(self) -> str | None:
        """Return the alert whose card has the focus."""

    def asks_pin(self) -> bool:
        """Return whether the pad for the PIN is open."""

    def asks_what_it_is(self) -> bool:
        """Return whether the dialog that makes an incident is open."""

    def press(self, key: str) -> None:
        """Press a key."""


class Step(Enum):
    """What was done last about the alert in front."""

    NOTHING = auto()
    OPENED = auto()
    SIGNED = auto()
    TYPED_PIN = auto()
    SAID_REAL = auto()
    SUBMITTED = auto()


@dataclass(slots=True)
class Watchman:
    """Answers the pop-up in front: space, the PIN where the wall asks for it, 1, Enter.

    An alert of the lowest level does not pop up: its card is gone to by arrows and opened by Enter.
    ``look`` does at most one step and returns at once; call it often.
    """

    wall: Wall
    pin: str
    clock: Clock
    keys_pressed: int = 0
    _alert_id: str | None = None
    _step: Step = Step.NOTHING
    _since_ns: int = 0
    _arrows: Iterator[str] = field(
        default_factory=lambda: cycle(("ArrowRight", "ArrowRight", "ArrowUp"))
    )

    def look(self, states: dict[str, str]) -> None:
        """Do the next step; ``states`` are the alerts' states as the centre says them."""
        alert_id = self.wall.popup()
        if alert_id != self._alert_id:
            self._alert_id = alert_id
            self._did(Step.NOTHING)
        if self._waited_too_long():
            self._did(Step.NOTHING)
        if alert_id is None:
            self._open_card({name for name, state in states.items() if state in {NEW, ACKED}})
            return
        if states.get(alert_id) == NEW:
            self._sign()
        elif states.get(alert_id) == ACKED:
            self._confirm()

    def _open_card(self, pending: set[str]) -> None:
        if not pending or self._step is Step.OPENED:
            return
        if self.wall.focused_card() in pending:
            self._press("Enter")
            self._did(Step.OPENED)
        else:
            self._press(next(self._arrows))

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
