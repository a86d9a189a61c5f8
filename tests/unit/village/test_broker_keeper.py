import errno
import threading

import pytest

from protocol.clock import FakeClock
from tests.support.packets import BEGAN
from tests.support.waiting import wait_until
from village.broker.broker import BrokerError
from village.broker_keeper import BrokerKeeper


class ScriptedBroker:
    """Raises each error in turn, then lives until it is closed or ended."""

    def __init__(self, *errors):
        self._errors = list(errors)
        self._running = threading.Event()
        self.closed = False

    @property
    def alive(self):
        return self._running.is_set()

    def start(self):
        if self._errors:
            raise self._errors.pop(0)
        self._running.set()

    def end(self):
        self._running.clear()

    def close(self):
        self._running.clear()
        self.closed = True


@pytest.mark.parametrize(
    "error",
    [
        BrokerError("did not start"),
        OSError(errno.ENOSPC, "No space left on device"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_broker_that_can_not_be_started_is_tried_again(error, caplog):
    broker = ScriptedBroker(error)
    keeper = BrokerKeeper(broker, FakeClock(BEGAN))
    keeper.start()
    wait_until(lambda: keeper.starts == 1)
    assert keeper.error is None
    assert [record.error for record in caplog.records] == [str(error)]
    keeper.close()
    assert broker.closed


def test_a_broker_that_ended_is_started_again_even_where_there_is_no_room_at_first():
    broker = ScriptedBroker()
    keeper = BrokerKeeper(broker, FakeClock(BEGAN))
    keeper.start()
    wait_until(lambda: keeper.starts == 1)
    broker._errors.append(OSError(errno.EAGAIN, "Resource temporarily unavailable"))
    broker.end()
    wait_until(lambda: keeper.starts == 2)
    keeper.close()
