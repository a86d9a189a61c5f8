import pytest

from edge.ingest.fanout import Fanout
from edge.ingest.intake import Intake
from edge.media.sample import Codec, GapReason, RunEnded, Sample, StreamItem
from edge.media.timeline import Timeline
from protocol.relay import StreamName
from tests.support.packets import BEGAN, packets


class Collector:
    def __init__(self) -> None:
        self.items: list[StreamItem] = []

    def offer(self, item: StreamItem) -> None:
        self.items.append(item)

    @property
    def kinds(self) -> list[type[StreamItem]]:
        return [type(item) for item in self.items]


@pytest.fixture
def collector():
    return Collector()


@pytest.fixture
def intake(collector):
    timeline = Timeline("gate", StreamName.MAIN, Codec.H264)
    return Intake(timeline, Fanout("gate/main", collector))


def test_a_run_that_ended_is_followed_by_another_of_the_same_connection(intake, collector):
    first, second = packets(frames=2, gop=1)
    intake.take(first)
    intake.end_run(GapReason.CAMERA, BEGAN)
    intake.take(second)
    intake.close(GapReason.NETWORK, BEGAN)

    assert collector.kinds == [Sample, RunEnded, Sample, RunEnded]


def test_once_closed_it_offers_nothing_more(intake, collector):
    intake.close(GapReason.CAMERA, BEGAN)
    intake.take(packets(frames=1)[0])
    intake.end_run(GapReason.CAMERA, BEGAN)
    intake.close(GapReason.NETWORK, BEGAN)

    assert collector.items == []
    assert intake.is_closed


def test_it_is_closed_and_its_run_ended_though_what_was_held_back_fails(intake, collector):
    first, second = packets(frames=2)
    intake.take(first)
    intake.end_run(GapReason.CAMERA, BEGAN)
    intake._burst.rest = lambda: iter([second, None])  # None is no packet: an AttributeError
    with pytest.raises(AttributeError):
        intake.close(GapReason.NETWORK, BEGAN)

    assert intake.is_closed
