"""A version has to hold before it counts as good."""

import os

import pytest

from edge.settings.layer import Layer
from tests.support.settings import Paper, camera

WHO = {"actor": "李秀英", "reason": "新装"}


@pytest.fixture
def paper(tmp_path):
    return Paper(tmp_path)


def cameras(found):
    return [each.id for each in found.config.cameras]


def start(paper):
    paper.open()
    return paper.probation.begin()


def test_a_version_that_holds_is_gone_on_with_however_the_process_ends(paper):
    paper.desk.save(camera("road"), None, **WHO)
    found = start(paper)
    assert paper.probation.is_tried(found.version)
    paper.probation.accept(found.version)
    assert not paper.probation.is_tried(found.version)
    assert cameras(start(paper)) == ["gate", "road"]


def test_a_version_whose_process_dies_too_soon_is_undone_at_the_next_start(paper):
    paper.desk.save(camera("road"), None, **WHO)
    assert cameras(start(paper)) == ["gate", "road"]
    found = start(paper)
    assert cameras(found) == ["gate"]
    assert (found.version.number, found.version.undoes, found.version.actor) == (2, 1, "box")
    why = "version 1 was undone: the box ended within 30 s of running with it"
    assert found.version.reason == why
    assert cameras(start(paper)) == ["gate"]
    assert paper.desk.version() == 2


def test_it_goes_back_to_what_had_proved_itself_and_not_to_what_came_between(paper):
    paper.desk.save(camera("road"), None, **WHO)
    paper.probation.accept(start(paper).version)
    paper.desk.save(camera("pond"), None, **WHO)
    paper.desk.save(camera("mill"), None, **WHO)
    start(paper)
    assert cameras(start(paper)) == ["gate", "road"]


def test_a_box_that_is_told_to_stop_has_undone_nothing(paper):
    paper.desk.save(camera("road"), None, **WHO)
    start(paper)
    paper.probation.leave()
    assert cameras(start(paper)) == ["gate", "road"]


def test_a_version_that_was_made_while_no_box_ran_is_tried(paper):
    paper.desk.save(camera("road"), None, **WHO)
    paper.open()
    assert cameras(paper.probation.begin()) == ["gate", "road"]


def test_what_can_not_be_started_is_undone_with_the_reason(paper):
    paper.desk.save(camera("road"), None, **WHO)
    found = paper.probation.take()
    back = paper.probation.undo(found.version, "no such thread")
    assert cameras(back) == ["gate"]
    assert back.version.reason == "version 1 was undone: no such thread"
    assert not paper.probation.is_tried(back.version)
    paper.desk.took(back)
    said = paper.desk.component()
    assert (said.condition.value, said.detail) == ("ok", back.version.reason)


def test_a_disk_that_refuses_the_notes_keeps_nothing_from_running(paper, monkeypatch):
    paper.desk.save(camera("road"), None, **WHO)

    def refuse(_descriptor):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "fsync", refuse)
    found = start(paper)
    assert cameras(found) == ["gate", "road"]
    back = paper.probation.undo(found.version, "no such thread")
    assert cameras(back) == ["gate"]
    assert back.trouble == "version 1 can't be used: no such thread"
    assert back.seen == 1  # or it would be tried again at once


def test_an_older_version_that_stands_in_for_a_damaged_one_is_not_on_trial(paper):
    for name in ("road", "pond"):
        paper.desk.save(camera(name), None, **WHO)
        paper.probation.accept(start(paper).version)
    (paper.store.folder / "00000002.json").write_bytes(b"")
    for _ in range(3):
        found = start(paper)
        assert cameras(found) == ["gate", "road"]
        assert not paper.probation.is_tried(found.version)


def test_to_undo_all_holds_like_any_other_change(paper):
    paper.desk.save(camera("road"), None, **WHO)
    paper.probation.accept(start(paper).version)
    paper.desk.change(lambda _: Layer(), **WHO)
    assert cameras(start(paper)) == ["gate"]
    assert cameras(start(paper)) == ["gate", "road"]  # it died
