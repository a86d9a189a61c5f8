"""A camera that nobody here wrote, found and examined; skipped where it is not installed."""

from datetime import timedelta

import pytest

from bench import onvif_peers, stepped_clock
from edge.enrolment.errand import Examining, ProbeSaid, Saying, Searching, SearchSaid, Space
from edge.enrolment.runner import Errand
from protocol.clock import SystemClock

pytestmark = pytest.mark.skipif(
    onvif_peers.ipycam_python() is None, reason="needs ipycam and ffmpeg (.ci/onvif-peers)"
)
needs_faketime = pytest.mark.skipif(
    stepped_clock.library() is None, reason="needs libfaketime (apt-get install libfaketime)"
)
LOGIN = onvif_peers.LOGIN
SPACE = Space(room_bytes=None, cameras=1, days=30)


def said(order: Examining | Searching) -> list[Saying]:
    heard: list[Saying] = []
    Errand(order).run(heard.append)
    return heard


def test_ipycam_is_found_by_a_search(tmp_path):
    with onvif_peers.ipycam(tmp_path, SystemClock()) as door:
        (found,) = said(Searching(seconds=2, interfaces=("127.0.0.1",)))
    assert isinstance(found, SearchSaid)
    assert door.url in {each.address for each in found.found}


@pytest.mark.parametrize(
    "off", [timedelta(0), pytest.param(timedelta(days=-700), marks=needs_faketime)]
)
def test_ipycam_is_examined_whatever_its_clock_says(tmp_path, off):
    with onvif_peers.ipycam(tmp_path, SystemClock(), off=off) as door:
        order = Examining(
            address=door.url, username=LOGIN.username, password=LOGIN.password, space=SPACE
        )
        found = next(each for each in said(order) if isinstance(each, ProbeSaid))
    assert found.problem is None
    assert [(each.width, each.height) for each in found.streams] == [(640, 360), (320, 180)]
    assert found.clock_offset_s == pytest.approx(off.total_seconds(), abs=60)
    assert [each.code for each in found.advice] == (["clock_wrong", "fine"] if off else ["fine"])
