"""A change of the settings from afar is tried, and its command has one result (protocol I27)."""

import pytest

from edge.commands.configuring import Refusal
from edge.settings.trial import Ending
from protocol.messages import Outcome
from tests.support.commanded import CommandedBox, Settings, command

PATCH = "[detect]\nfps = 4"


@pytest.fixture
def settings():
    return Settings()


@pytest.fixture
def box(tmp_path, settings):
    opened = CommandedBox.opened(tmp_path / "box.db", settings=settings)
    yield opened
    opened.close()


def configure(**more):
    return command("configure", **({"patch": PATCH, "base_version": 0} | more))


def last(box, message):
    said = box.results(message.id)[-1]
    return said.outcome, said.reason, said.detail


def test_it_is_accepted_with_what_it_changes_and_done_once_it_is_kept(box, settings):
    message = configure()
    box.hear(message)
    assert last(box, message) == (Outcome.ACCEPTED, "on_trial", "detect.fps: 2.0 → 4.0")
    assert settings.version == 0
    assert box.desk.configure() == 0
    assert settings.version == 1
    settings.end(Ending.KEPT)
    assert box.desk.configure() == 1
    assert last(box, message) == (Outcome.DONE, "kept", "version 1\ndetect.fps: 2.0 → 4.0")
    assert box.desk.configure() == 0


def test_what_is_taken_back_has_failed_with_why(box, settings):
    message = configure()
    box.hear(message)
    box.desk.configure()
    settings.end(Ending.TAKEN_BACK, "within 60 s the centre was not heard")
    box.desk.configure()
    why = "within 60 s the centre was not heard"
    assert last(box, message) == (Outcome.FAILED, "rolled_back", why)


def test_a_dry_run_says_what_would_change_and_changes_nothing(box, settings):
    message = configure(check_only=True)
    box.hear(message)
    assert last(box, message) == (Outcome.DONE, "checked", "detect.fps: 2.0 → 4.0")
    settings.changes = ()
    again = configure(check_only=True)
    box.hear(again)
    assert last(box, again) == (Outcome.DONE, "nothing_changes", "")
    assert box.desk.configure() == 0
    assert settings.pushes == {}


def test_what_is_not_valid_is_refused_whole_with_every_reason(box, settings):
    settings.refusal = Refusal("settings", "'detect.fps': must be above 0.2, not 0; " + "x" * 5000)
    for check_only in (False, True):
        message = configure(check_only=check_only)
        box.hear(message)
        outcome, reason, detail = last(box, message)
        assert (outcome, reason, len(detail)) == (Outcome.REFUSED, "settings", 4000)
    assert settings.pushes == {}


def test_what_changes_nothing_is_refused_and_so_is_one_made_for_another_version(box, settings):
    settings.changes = ()
    message = configure()
    box.hear(message)
    assert last(box, message)[:2] == (Outcome.REFUSED, "nothing_changes")
    settings.version = 4
    late = configure(base_version=3)
    box.hear(late)
    assert last(box, late) == (Outcome.REFUSED, "version", "the settings are version 4")


def test_one_is_tried_at_a_time(box, settings):
    first, second, third = configure(), configure(), configure(base_version=1)
    box.hear(first)
    box.hear(second)
    assert last(box, second)[:2] == (Outcome.REFUSED, "another_on_trial")
    box.desk.configure()
    box.hear(third)
    assert last(box, third)[:2] == (Outcome.REFUSED, "another_on_trial")
    assert list(settings.pushes) == [first.id]


def test_a_box_that_dies_before_it_began_has_done_nothing_and_says_so(tmp_path, box, settings):
    message = configure()
    box.hear(message)
    successor = CommandedBox.opened(tmp_path / "box.db", settings=settings)
    assert successor.desk.configure() == 1
    outcome, reason, detail = last(successor, message)
    assert (outcome, reason) == (Outcome.FAILED, "not_begun")
    assert "ended before it was begun" in detail
    assert settings.version == 0
    successor.close()


def test_what_somebody_else_changed_in_between_is_not_overwritten(box, settings):
    message = configure()
    box.hear(message)
    settings.version = 1
    box.desk.configure()
    assert last(box, message)[:2] == (Outcome.FAILED, "not_begun")
    assert settings.pushes == {}


def test_its_time_never_ends_it_the_trial_does(box, settings):
    message = configure()
    box.hear(message)
    box.desk.configure()
    box.box.clock.advance(86_400)
    assert box.desk.settle() == 0
    settings.end(Ending.KEPT)
    box.desk.configure()
    assert last(box, message)[0] is Outcome.DONE


def test_in_a_new_life_the_centre_is_told_again_so_that_its_receipt_shows_it_hears(
    tmp_path, box, settings
):
    message = configure()
    box.hear(message)
    box.desk.configure()
    box.box.outbox.receipted([row["seq"] for row in box.box.rows("select seq from outbox")])
    assert box.box.rows("select seq from outbox where receipt_us is null") == []
    successor = CommandedBox.opened(tmp_path / "box.db", settings=settings)
    for _ in range(2):
        successor.desk.configure()
        waiting = successor.box.rows("select seq from outbox where receipt_us is null")
        assert len(waiting) == 1
        assert successor.outcomes(message.id) == [Outcome.ACCEPTED]
    successor.close()
