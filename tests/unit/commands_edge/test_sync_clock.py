"""A box says how its clock is, and has it set only where it may (protocol I24)."""

import os
from datetime import timedelta

import pytest

from edge.command_config import CommandsSection
from edge.commands.timekeeper import Timekeeper, TimeService, ahead_s, timekeeper
from edge.errors import ClockServiceError, StorageError
from protocol.messages import ClockState, Outcome
from tests.support.commanded import CommandedBox, command, quality
from tests.support.desk_box import AT


class Service:
    """A time service that can be started again, or can't."""

    def __init__(self) -> None:
        self.restarts = 0
        self.refusal: str | None = None

    def restart(self) -> None:
        if self.refusal is not None:
            raise ClockServiceError(self.refusal)
        self.restarts += 1


@pytest.fixture
def service():
    return Service()


@pytest.fixture
def opened(tmp_path):
    boxes = []

    def open_box(keeper, clock=None):
        boxes.append(CommandedBox.opened(tmp_path / "box.db", clock, keeper))
        return boxes[-1]

    yield open_box
    for box in boxes:
        box.close()


def last(box):
    said = box.results()[-1]
    return said.outcome, said.reason


def test_a_box_that_may_not_set_its_clock_refuses_and_says_how_far_off_it_is(opened):
    box = opened(Timekeeper(quality))
    box.box.clock.advance(90)
    box.hear(command("sync_clock"))
    assert last(box) == (Outcome.REFUSED, "may_not_set_clock")
    detail = box.results()[-1].detail
    assert detail.startswith("unsynced since 2026-11-22T00:52:03+00:00; +90.5 s from the centre's")
    assert "[commands] may_set_clock" in detail
    assert box.desk.set_clock() == 0


@pytest.mark.parametrize(
    ("state", "drift_s", "is_right"),
    [
        (ClockState.SYNCED, 0, True),
        (ClockState.SYNCED, 90, False),
        (ClockState.UNSYNCED, 0, False),
        (ClockState.UNKNOWN, 0, False),
    ],
)
def test_only_a_steered_clock_that_agrees_with_the_centre_is_left_alone(
    opened, service, state, drift_s, is_right
):
    box = opened(Timekeeper(lambda: quality(state), service.restart))
    box.box.clock.advance(drift_s)
    box.hear(command("sync_clock"))
    expected = (Outcome.DONE, "clock_was_right") if is_right else (Outcome.ACCEPTED, "")
    assert last(box) == expected
    box.desk.set_clock()
    assert service.restarts == int(not is_right)


def test_a_box_that_may_has_its_time_service_started_again_once(opened, service):
    box = opened(Timekeeper(quality, service.restart))
    message = command("sync_clock")
    box.hear(message)
    assert box.desk.set_clock() == 1
    box.hear(message)
    assert box.desk.set_clock() == 0
    assert box.outcomes() == [Outcome.ACCEPTED, Outcome.DONE]
    assert service.restarts == 1


def test_a_time_service_that_can_not_be_started_again_fails_with_its_words(opened, service):
    service.refusal = "systemd-timesyncd.service: Access denied"
    box = opened(Timekeeper(quality, service.restart))
    box.hear(command("sync_clock"))
    box.desk.set_clock()
    assert last(box) == (Outcome.FAILED, "clock_not_set")
    assert box.results()[-1].detail == service.refusal


def test_what_is_accepted_when_the_box_dies_is_done_at_its_next_start(opened, service):
    first = opened(Timekeeper(quality, service.restart))
    message = command("sync_clock")
    first.hear(message)
    again = opened(Timekeeper(quality, service.restart), first.box.clock)
    again.desk.set_clock()
    assert again.outcomes(message.id) == [Outcome.ACCEPTED, Outcome.DONE]


def test_a_box_that_is_no_longer_allowed_says_that_it_did_nothing(opened, service):
    first = opened(Timekeeper(quality, service.restart))
    first.hear(command("sync_clock"))
    again = opened(Timekeeper(quality), first.box.clock)
    again.desk.set_clock()
    assert last(again) == (Outcome.FAILED, "may_not_set_clock")


def test_what_is_too_late_is_given_up_and_sets_nothing(opened, service):
    box = opened(Timekeeper(quality, service.restart))
    box.hear(command("sync_clock", ttl_s=60))
    box.box.clock.advance(61)
    assert box.desk.set_clock() == 0
    box.desk.settle()
    assert box.outcomes() == [Outcome.ACCEPTED, Outcome.EXPIRED]
    assert service.restarts == 0


def test_a_disk_that_refuses_the_result_has_it_said_when_it_takes_it(opened, service):
    box = opened(Timekeeper(quality, service.restart))
    box.hear(command("sync_clock"))
    with box.box.database.transaction() as connection:
        connection.execute(
            "create trigger full before insert on outbox begin select raise(abort, 'full'); end"
        )
    with pytest.raises(StorageError):
        box.desk.set_clock()
    with box.box.database.transaction() as connection:
        connection.execute("drop trigger full")
    box.desk.set_clock()
    assert box.outcomes() == [Outcome.ACCEPTED, Outcome.DONE]
    assert service.restarts == 1
    box.hear(command("sync_clock"))
    box.desk.set_clock()
    assert service.restarts == 2


def test_the_offset_is_told_by_the_commands_own_times():
    given = command("sync_clock", ttl_s=600)
    assert ahead_s(given, AT + timedelta(seconds=7)) == 7.5
    assert ahead_s(given, AT - timedelta(hours=1)) == -3599.5


@pytest.fixture
def systemctl(tmp_path, monkeypatch):
    """A systemctl of our own, first on the path; what it was told is in ``told``."""
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    def written(lines):
        path = tmp_path / "systemctl"
        path.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/told\n{lines}\n', encoding="utf-8")
        path.chmod(0o755)
        return tmp_path / "told"

    return written


def test_the_unit_that_is_configured_is_started_again_and_nobody_is_asked(systemctl):
    told = systemctl("exit 0")
    TimeService("chrony.service").restart()
    assert told.read_text(encoding="utf-8") == "--no-ask-password restart chrony.service\n"


def test_what_systemd_refuses_is_told_in_its_words(systemctl):
    systemctl("echo 'Interactive authentication required.' >&2; exit 1")
    with pytest.raises(ClockServiceError, match=r"chrony\.service: Interactive authentication"):
        TimeService("chrony.service").restart()


def test_a_machine_without_systemd_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ClockServiceError, match="systemctl"):
        TimeService("chrony.service").restart()


def test_no_box_sets_its_clock_unless_it_is_configured_to():
    assert timekeeper(CommandsSection(), quality).restart is None
    assert timekeeper(CommandsSection(may_set_clock=True), quality).restart is not None
