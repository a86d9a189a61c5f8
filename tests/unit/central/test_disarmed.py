"""Until when a camera is disarmed, by the commands that were done (protocol I23)."""

from datetime import UTC, datetime, timedelta

import pytest

from central.commands.disarmed import fold
from protocol.commands import Arm, Disarm

AT = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def disarm(minutes, rule=None, camera="cam1"):
    return Disarm(camera_id=camera, rule_id=rule, for_s=minutes * 60)


def arm(rule=None, camera="cam1"):
    return Arm(camera_id=camera, rule_id=rule)


@pytest.mark.parametrize(
    ("done", "until"),
    [
        ([], None),
        ([disarm(10)], 10),
        ([disarm(60), disarm(10)], 10),
        ([disarm(10), arm()], None),
        ([disarm(10, "crowd"), disarm(20, "fire")], 20),
        ([disarm(10, "crowd"), disarm(20, "fire"), arm("fire")], 10),
        ([disarm(10, "crowd"), disarm(20), arm()], None),
        ([disarm(10), arm("crowd")], 10),
        ([disarm(10), arm(camera="cam2")], 10),
        ([arm(), disarm(10)], 10),
    ],
)
def test_the_last_word_on_each_rule_stands_and_the_latest_end_is_the_cameras(done, until):
    left = fold([("box-1", AT, each) for each in done])
    assert left.get("box-1.cam1") == (None if until is None else AT + until * MINUTE)


def test_cameras_of_two_boxes_are_two():
    left = fold([("box-1", AT, disarm(10)), ("box-2", AT, disarm(20)), ("box-1", AT, arm())])
    assert left == {"box-2.cam1": AT + 20 * MINUTE}
