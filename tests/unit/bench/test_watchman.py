from datetime import UTC, datetime

import pytest

from bench.watchman import PATIENCE_S, Watchman
from protocol.clock import FakeClock


class FakeWall:
    """The wall's dialogs and keys, as docs/design describes them; deaf while ``busy``."""

    def __init__(self, *, operator=False):
        self.states = {"a": "NEW"}
        self.front = "a"
        self.dialog = None
        self.operator = operator
        self.typed = ""
        self.pressed = []
        self.deaf = False
        self.order = ["tile", "tile", "a"]  # what arrows lead to, and where the focus is
        self.focus = 0

    def popup(self):
        return self.front

    def focused_card(self):
        return self.order[self.focus] if self.order[self.focus] in self.states else None

    def asks_pin(self):
        return self.dialog == "pin"

    def asks_what_it_is(self):
        return self.dialog == "confirm"

    def press(self, key):  # noqa: C901 - one branch a key
        self.pressed.append(key)
        if self.deaf:
            return
        if key.startswith("Arrow"):
            self.focus = min(self.focus + 1, len(self.order) - 1)
        elif self.front is None and key == "Enter":
            self.front = self.focused_card()
        elif self.dialog == "pin" and key.isdigit():
            self.typed += key
        elif self.dialog == "pin" and key == "Enter":
            self.operator, self.typed = self.typed == "2468", ""
            if self.operator:
                self.dialog = None
                self.states[self.front] = "ACKED"
        elif self.dialog == "confirm" and key == "Enter":
            self.dialog = None
            self.states[self.front] = "CONFIRMED"
            self.front = None
        elif key == "Space" and self.operator:
            self.states[self.front] = "ACKED"
        elif key == "Space":
            self.dialog = "pin"
        elif key == "1":
            self.dialog = "confirm"


@pytest.fixture
def clock():
    return FakeClock(datetime(2026, 11, 22, tzinfo=UTC))


def watch(wall, clock, *, looks):
    watchman = Watchman(wall, "2468", clock)
    for _ in range(looks):
        watchman.look(wall.states)
        clock.advance(0.2)
    return watchman


def test_an_alert_is_signed_with_the_pin_and_confirmed(clock):
    wall = FakeWall()
    watchman = watch(wall, clock, looks=5)
    assert wall.pressed == ["Space", "2", "4", "6", "8", "Enter", "1", "Enter"]
    assert wall.states == {"a": "CONFIRMED"}
    assert watchman.keys_pressed == 8


def test_who_stands_at_the_wall_already_gives_no_pin(clock):
    wall = FakeWall(operator=True)
    watch(wall, clock, looks=4)
    assert wall.pressed == ["Space", "1", "Enter"]


def test_the_next_alert_begins_anew(clock):
    wall = FakeWall(operator=True)
    watchman = watch(wall, clock, looks=4)
    wall.states["b"], wall.front = "NEW", "b"
    for _ in range(4):
        watchman.look(wall.states)
    assert wall.states == {"a": "CONFIRMED", "b": "CONFIRMED"}


def test_an_alert_that_does_not_pop_up_is_opened_from_its_card(clock):
    wall = FakeWall(operator=True)
    wall.front = None
    watch(wall, clock, looks=6)
    assert wall.pressed == ["ArrowRight", "ArrowRight", "Enter", "Space", "1", "Enter"]
    assert wall.states == {"a": "CONFIRMED"}


def test_nothing_pending_presses_nothing(clock):
    wall = FakeWall()
    wall.front = None
    wall.states = {"a": "CONFIRMED"}
    assert watch(wall, clock, looks=3).keys_pressed == 0


def test_an_alert_the_centre_has_not_told_of_is_left_alone(clock):
    wall = FakeWall()
    watchman = Watchman(wall, "2468", clock)
    watchman.look({})
    assert wall.pressed == []


def test_a_key_without_effect_is_pressed_again_only_after_some_patience(clock):
    wall = FakeWall()
    wall.deaf = True
    watchman = watch(wall, clock, looks=5)
    assert wall.pressed == ["Space"]
    wall.deaf = False
    clock.advance(PATIENCE_S)
    watchman.look(wall.states)
    assert wall.pressed == ["Space", "Space"]
    assert wall.dialog == "pin"
