from edge.ingest.fanout import Fanout
from edge.media.sample import StreamItem
from tests.support.footage import run, sample


class Listed:
    def __init__(self, log: list[str], name: str) -> None:
        self._log = log
        self._name = name

    def offer(self, item: StreamItem) -> None:
        self._log.append(self._name)


class Broken:
    def offer(self, item: StreamItem) -> None:
        raise RuntimeError("a bug")


ITEM = sample(run(), 0, is_key=True)


def test_subscribers_are_offered_in_the_order_they_came():
    log: list[str] = []
    fanout = Fanout("gate/main", Listed(log, "first"), Listed(log, "second"))
    fanout.subscribe(Listed(log, "third"))

    fanout.offer(ITEM)

    assert log == ["first", "second", "third"]


def test_one_that_raises_is_detached_and_the_others_do_not_notice(caplog):
    log: list[str] = []
    fanout = Fanout("gate/main", Listed(log, "before"), Broken(), Listed(log, "after"))

    fanout.offer(ITEM)
    fanout.offer(ITEM)

    assert log == ["before", "after", "before", "after"]
    assert fanout.detached == 1
    assert [record.message for record in caplog.records] == ["fanout.subscriber_detached"]


def test_one_that_left_is_offered_nothing_more():
    log: list[str] = []
    staying, leaving = Listed(log, "staying"), Listed(log, "leaving")
    fanout = Fanout("gate/main", staying, leaving)

    fanout.unsubscribe(leaving)
    fanout.unsubscribe(leaving)
    fanout.offer(ITEM)

    assert log == ["staying"]
