from edge.errors import StorageError
from edge.health import Component, Condition, HealthBoard
from protocol.clock import FakeClock
from tests.support.packets import BEGAN


def test_a_component_that_can_not_say_how_it_is_is_down_whatever_was_in_its_way():
    def refuse() -> Component:
        raise StorageError("disk full")

    def bug() -> Component:
        raise ValueError("a bug")

    board = HealthBoard(FakeClock(BEGAN))
    board.add("camera.gate", lambda: Component(Condition.OK))
    board.add("storage", refuse)
    board.add("holds", bug)

    said = board.health()

    assert said.condition is Condition.DOWN
    assert {name: (each.condition, each.detail) for name, each in said.components.items()} == {
        "camera.gate": (Condition.OK, None),
        "storage": (Condition.DOWN, "StorageError"),
        "holds": (Condition.DOWN, "ValueError"),
    }


def test_however_often_it_is_asked_the_same_fault_is_a_line_a_minute_and_component(caplog):
    def refuse() -> Component:
        raise StorageError("disk full")

    clock = FakeClock(BEGAN)
    board = HealthBoard(clock)
    for name in ("storage", "exports"):
        board.add(name, refuse)
    for _ in range(60):
        board.health()
        clock.advance(1)

    assert sorted(record.component for record in caplog.records) == ["exports", "storage"]
