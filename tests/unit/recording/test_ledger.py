from edge.errors import StorageError
from edge.recording import ledger as ledger_module
from edge.recording.ledger import Ledger
from protocol.clock import FakeClock
from tests.support.packets import BEGAN


class Desk:
    """Takes entries, or refuses them all."""

    def __init__(self) -> None:
        self.refuses = False
        self.done: list[str] = []

    def entry(self, name: str):
        def write() -> None:
            if self.refuses:
                raise StorageError("disk full")
            self.done.append(name)

        return write


def test_entries_are_done_in_order_as_soon_as_the_database_takes_them():
    desk, ledger = Desk(), Ledger("gate", FakeClock(BEGAN))
    ledger.write(desk.entry("a"))
    desk.refuses = True
    ledger.write(desk.entry("b"))
    ledger.write(desk.entry("c"))
    assert (desk.done, ledger.waiting) == (["a"], 2)

    desk.refuses = False
    ledger.settle()

    assert (desk.done, ledger.waiting) == (["a", "b", "c"], 0)


def test_a_bug_in_an_entry_costs_that_entry_and_none_after_it(caplog):
    def bug() -> None:
        raise RuntimeError("a bug")

    desk, ledger = Desk(), Ledger("gate", FakeClock(BEGAN))
    for _ in range(3):
        ledger.write(bug)
    ledger.write(desk.entry("after"))

    assert (desk.done, ledger.waiting, ledger.dropped) == (["after"], 0, 3)
    assert [record.message for record in caplog.records] == ["index.failed"]


def test_when_full_the_oldest_goes_and_is_counted(monkeypatch):
    monkeypatch.setattr(ledger_module, "MAX_ENTRIES", 2)
    desk, ledger = Desk(), Ledger("gate", FakeClock(BEGAN))
    desk.refuses = True
    for name in "abc":
        ledger.write(desk.entry(name))
    desk.refuses = False

    ledger.settle()

    assert (desk.done, ledger.dropped) == (["b", "c"], 1)
