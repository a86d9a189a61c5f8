"""A disarmed rule raises no new alert, hides nothing else and is armed again (protocol I23)."""

import pytest

from edge.errors import StorageError
from protocol.messages import AlertKind, AlertOp
from tests.support.commanded import CommandedBox, command
from tests.support.desk_box import occurrence

START, UPDATE, END = AlertOp.START, AlertOp.UPDATE, AlertOp.END


@pytest.fixture
def box(tmp_path):
    opened = CommandedBox.opened(tmp_path / "box.db")
    yield opened
    opened.close()


def ops(box):
    return [message.data.op for message in box.box.messages()]


@pytest.mark.parametrize("named", [{}, {"rule_id": "crowd"}], ids=["all rules", "this rule"])
def test_of_a_disarmed_rule_no_alert_begins(box, named):
    box.hear(command("disarm", for_s=600, **named))
    box.armed.report(occurrence(START))
    box.armed.report(occurrence(UPDATE, count=30))
    box.armed.report(occurrence(END))
    assert box.armed.release() == 0
    assert ops(box) == []


def test_one_that_was_open_goes_on_and_ends_as_ever(box):
    box.armed.report(occurrence(START))
    box.hear(command("disarm", for_s=600))
    box.armed.report(occurrence(END))
    assert ops(box) == [START, END]


def test_one_that_was_open_and_is_said_to_begin_again_ends_as_ever(box):
    box.armed.report(occurrence(START))
    box.hear(command("disarm", for_s=600))
    box.armed.report(occurrence(START, count=40))
    box.armed.report(occurrence(END))
    assert ops(box)[-1] is END
    assert box.box.desk.open_alerts() == []


def test_what_the_disk_refuses_when_it_is_armed_again_is_told_when_it_takes_it(box):
    box.hear(command("disarm", for_s=600))
    box.armed.report(occurrence(START))
    box.hear(command("arm"))
    with box.box.database.transaction() as connection:
        connection.execute(
            "create trigger full before insert on alert begin select raise(abort, 'full'); end"
        )
    with pytest.raises(StorageError):
        box.armed.release()
    with box.box.database.transaction() as connection:
        connection.execute("drop trigger full")
    assert box.armed.release() == 1
    assert ops(box) == [START]


@pytest.mark.parametrize(
    "other",
    [
        {"camera_id": "gate"},
        {"kind": AlertKind.CAMERA_LOST, "rule_id": "lost"},
        {"kind": AlertKind.LENS_COVERED, "rule_id": "picture"},
    ],
    ids=lambda other: next(iter(other.values())),
)
def test_other_cameras_and_broken_ones_are_told_of_all_the_same(box, other):
    box.hear(command("disarm", for_s=600))
    box.armed.report(occurrence(START, **other))
    assert ops(box) == [START]


def test_another_rule_of_the_camera_stays_armed(box):
    box.hear(command("disarm", for_s=600, rule_id="crowd"))
    box.armed.report(occurrence(START, rule_id="fire", kind=AlertKind.FLAME))
    assert ops(box) == [START]


def test_after_its_time_it_is_armed_by_itself_and_what_goes_on_begins_then(box):
    box.hear(command("disarm", for_s=600))
    box.armed.report(occurrence(START))
    box.armed.report(occurrence(UPDATE, count=40))
    box.box.clock.advance(599)
    assert box.armed.release() == 0
    box.box.clock.advance(1)
    assert box.armed.release() == 1
    (began,) = box.box.messages()
    assert (began.data.op, began.data.count) == (START, 40)
    assert began.data.started_at == box.box.clock.now()
    box.armed.report(occurrence(END, at=box.box.clock.now()))
    assert ops(box) == [START, END]


def test_armed_by_a_person_it_is_at_once(box):
    box.hear(command("disarm", for_s=600))
    box.armed.report(occurrence(START))
    box.hear(command("arm"))
    assert box.armed.release() == 1
    assert ops(box) == [START]


def test_what_was_disarmed_stays_so_over_a_restart(box, tmp_path):
    box.hear(command("disarm", for_s=600))
    again = CommandedBox.opened(tmp_path / "box.db")
    again.armed.report(occurrence(START))
    assert ops(again) == []
    again.close()


def test_a_clock_that_was_set_back_arms_it_rather_than_leave_it_disarmed_for_longer(box):
    box.hear(command("disarm", for_s=600))
    box.box.clock.step_wall(-86_400)
    box.armed.report(occurrence(START))
    assert ops(box) == [START]


def test_arming_one_rule_does_not_arm_the_camera(box):
    box.hear(command("disarm", for_s=600))
    box.hear(command("arm", rule_id="crowd"))
    assert [each.reason for each in box.results()] == ["", "was_armed"]
    box.armed.report(occurrence(START))
    assert ops(box) == []
