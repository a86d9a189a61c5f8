"""What will never come is said, so that nobody waits for it."""

from uuid import uuid4

import httpx
import pytest

from edge.errors import NotFoundError
from protocol.clock import SystemClock
from protocol.messages import EvidenceKind
from tests.support.cutting_link import CuttingLink
from tests.support.evidence_line import Camera, evidence_line
from tests.support.waiting import wait_until
from tests.support.xiacun import BOX, BOX_TOKEN, alert_data, alert_message, received

SNAPSHOT = EvidenceKind.SNAPSHOT


@pytest.fixture
def line(tmp_path):
    with evidence_line(tmp_path, max_mb=1) as line:
        yield line


class NoVideo(Camera):
    """A camera of which nothing was recorded."""

    def clip(self, camera_id, start, end, target, *_):
        raise NotFoundError("nothing is recorded there")


def test_a_clip_that_can_not_be_short_enough_is_said_to_be_too_large(line):
    with line.box(line.centre.url, SystemClock()) as box:
        alert_id = box.alert()
        box.courier(Camera(b"p" * 1000, b"c" * 1_500_000)).start()
        wait_until(lambda: line.lacks(alert_id) == [("clip", "too_large")])
        assert [kind for _, kind in line.stored()] == [SNAPSHOT]


def test_it_is_said_again_until_the_centre_knows(line):
    link = CuttingLink(line.port, [0] * 5)
    with line.box(link.url, SystemClock()) as box:
        alert_id = box.alert()
        box.courier(NoVideo(b"p" * 1000, b"")).start()
        wait_until(lambda: line.lacks(alert_id) == [("clip", "not_made")])
        wait_until(lambda: box.box.rows("select 1 from evidence where lack is not null") == [])
    link.close()


def put(line, alert_id, reason, token=BOX_TOKEN):
    return httpx.put(
        f"{line.centre.url}/api/v1/boxes/{BOX}/evidence/{alert_id}/clip/lack",
        json={"reason": reason},
        headers={"authorization": f"Bearer {token}"},
    ).status_code


def test_said_again_it_is_the_newest_reason(line):
    alert_id = uuid4()
    line.centre.take(received(alert_message(alert_data(alert_id), 1)))
    assert [put(line, alert_id, reason) for reason in ("not_made", "refused")] == [204, 204]
    assert line.lacks(alert_id) == [("clip", "refused")]


def test_of_an_unknown_alert_or_with_a_strange_token_or_reason_nothing_is_noted(line):
    alert_id = uuid4()
    assert put(line, alert_id, "not_made") == 404
    line.centre.take(received(alert_message(alert_data(alert_id), 1)))
    assert put(line, alert_id, "not_made", token="another") == 401
    assert put(line, alert_id, "because") == 422
    assert line.lacks(alert_id) == []
