import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import StorageError
from edge.fsck import Fsck
from edge.media.sample import GapReason
from edge.recording.audit import Audit, Level
from edge.recording.claim import Claim
from edge.recording.finding import Finding, Remedy, is_too_much
from edge.recording.repair import Repair
from edge.recording.retention import Deletion, Reason
from edge.recording.segment import Gap
from protocol.clock import FakeClock
from tests.support.desk_box import box_config
from tests.support.packets import packets
from tests.support.recordings import MAIN, Archive, at, closed_file, ended, recorded, timed

NOW = at(60)


@pytest.fixture
def archive(tmp_path):
    """Five files of 2 s, then nothing: the box was stopped."""
    made = Archive(tmp_path, FakeClock(at(10)))
    recorded(made, ended(timed(packets(frames=250))), segment_s=2)
    assert len(made.segments()) == 5
    yield made
    made.close()


def look(archive, level=Level.BYTES, *, is_running=False):
    audit = Audit(archive.database, archive.index, NOW, is_running=is_running)
    return [(found.invariant, found.remedy) for found in audit.findings(level)]


def execute(archive, statement, **values):
    with archive.database.transaction() as connection:
        connection.execute(statement, values)


def third(archive):
    return archive.segments()[2]


def test_nothing_is_due_in_a_future_that_the_clock_once_was_in(archive):
    archive.index.add(closed_file(archive, 86_400))
    archive.index.close_gap("gate", MAIN, NOW)

    assert look(archive, Level.ROWS) == []


def lose_file(archive):
    third(archive).path.unlink()


def cut_file(archive):
    os.truncate(third(archive).path, third(archive).size_bytes - 100)


def cut_file_to_its_head(archive):
    os.truncate(third(archive).path, 100)


def lengthen_file(archive):
    with third(archive).path.open("ab") as file:
        file.write(b"more")


def change_byte(archive):
    with third(archive).path.open("r+b") as file:
        file.seek(third(archive).size_bytes - 50)
        (byte,) = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 1]))


def lose_row(archive):
    execute(archive, "delete from segment where id = :id", id=third(archive).id)


def doom_file(archive):
    archive.doomed.condemn([Deletion(third(archive), Reason.AGE)], NOW)


def doom_row(archive):
    segment = third(archive)
    doom_file(archive)
    archive.index.add(segment)


def cover_with_gap(archive):
    archive.index.add_gap(Gap("gate", MAIN, at(3), at(5), GapReason.CAMERA))


def lose_gap(archive):
    execute(archive, "update segment set start_us = start_us + 500000 where id = 3")


def lengthen_row(archive):
    execute(archive, "update segment set end_us = end_us + 9000 where id = 3")


def move_key_point(archive):
    execute(archive, "update segment set keys = x'0000000000000111' where id = 3")


def overlap_run(archive):
    execute(archive, "update segment set start_dts = start_dts - 1 where id = 3")


DAMAGES = {
    lose_file: [("I1", Remedy.FORGET)],
    cut_file: [("I1", Remedy.SALVAGE), ("I1", Remedy.PERSON)],
    cut_file_to_its_head: [("I1", Remedy.SALVAGE), ("I1", Remedy.PERSON)],
    lengthen_file: [("I1", Remedy.PERSON), ("I1", Remedy.PERSON)],
    change_byte: [("I1", Remedy.PERSON)],
    lose_row: [("I6", Remedy.EXPLAIN), ("I2", Remedy.READ_BACK)],
    doom_row: [("I3", Remedy.DROP)],
    doom_file: [("I3", Remedy.UNLINK)],
    cover_with_gap: [("I6", Remedy.UNCOVER)],
}
BY_A_PERSON = {
    lengthen_row: [("I1", Remedy.PERSON)],
    move_key_point: [("I19", Remedy.PERSON)],
    overlap_run: [("I1", Remedy.PERSON), ("I1", Remedy.PERSON)],
}


def test_what_a_recorder_leaves_is_sound_at_every_level(archive):
    assert {level: look(archive, level) for level in Level} == {level: [] for level in Level}


@pytest.mark.parametrize("damage", [*DAMAGES, *BY_A_PERSON])
def test_every_damage_is_told_by_its_invariant(archive, damage):
    damage(archive)
    assert look(archive) == (DAMAGES | BY_A_PERSON)[damage]


def test_a_level_finds_what_it_pays_for(archive):
    change_byte(archive)
    assert look(archive, Level.FILES) == []
    lose_file(archive)
    assert look(archive, Level.ROWS) == []
    assert look(archive, Level.FILES) == [("I1", Remedy.FORGET)]


def test_time_that_nothing_explains_is_told(archive):
    lose_gap(archive)
    assert ("I6", Remedy.EXPLAIN) in look(archive, Level.ROWS)


def repair(archive):
    audit = Audit(archive.database, archive.index, NOW, is_running=False)
    found = list(audit.findings(Level.BYTES))
    return Repair(archive.index, archive.doomed).apply(found)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_repair_leaves_nothing_but_what_a_person_decides(archive, damage):
    damage(archive)
    repair(archive)
    left = {remedy for _, remedy in look(archive)}
    altered = damage in (lengthen_file, change_byte)
    assert left == ({Remedy.PERSON} if altered else set())


def test_a_cut_file_keeps_what_is_sound_and_the_rest_is_a_gap_of_the_disk(archive):
    cut_file(archive)
    repair(archive)
    kept = archive.segments()[2]
    assert (kept.start, kept.recovered) == (at(4), True)
    assert (kept.end, at(6), GapReason.DISK) in archive.gaps()


def test_a_changed_file_keeps_its_row_and_the_hash_of_what_was_recorded(archive):
    before = third(archive)
    change_byte(archive)
    assert repair(archive) == 0
    assert third(archive) == before


@settings(max_examples=25)
@given(st.lists(st.sampled_from(list(DAMAGES)), min_size=1, max_size=4, unique=True))
def test_damages_together_are_mended_together(tmp_path_factory, damages):
    archive = Archive(tmp_path_factory.mktemp("archive"), FakeClock(at(10)))
    recorded(archive, ended(timed(packets(frames=250))), segment_s=2)
    for damage in damages:
        try:
            damage(archive)
        except (IndexError, OSError, ValueError):
            continue  # what it would damage is gone already
    repair(archive)
    assert {remedy for _, remedy in look(archive)} <= {Remedy.PERSON}
    archive.close()


def test_while_the_box_runs_a_file_that_may_be_growing_is_no_finding(archive):
    lose_row(archive)
    archive.index.add_gap(Gap("gate", MAIN, at(4), at(6), GapReason.DISK))
    for path in archive.files():
        os.utime(path, (NOW.timestamp(), NOW.timestamp()))
    assert look(archive, Level.FILES, is_running=True) == []
    assert look(archive, Level.FILES) == [("I2", Remedy.READ_BACK)]


def test_what_retention_deleted_around_held_footage_is_explained(archive):
    first, _, _, fourth, last = archive.segments()
    doomed = [each for each in archive.segments() if each.id not in (first.id, last.id)]
    archive.doomed.condemn([Deletion(each, Reason.QUOTA) for each in doomed], NOW)
    archive.doomed.unlink_all()
    assert fourth in doomed
    assert look(archive) == []


def test_a_repair_that_would_forget_most_of_the_index_is_too_much():
    gone = [Finding("I1", str(number), "the file is gone", Remedy.FORGET) for number in range(60)]
    assert is_too_much(gone, 100)
    assert not is_too_much(gone, 200)
    assert not is_too_much(gone[:20], 20)  # a young box


class Person:
    """Hears everything and answers every question in the same way."""

    def __init__(self, *, agrees):
        self.said = []
        self.asked = 0
        self._agrees = agrees

    def hear(self, text):
        self.said.append(text)

    def answer(self, _question):
        self.asked += 1
        return self._agrees

    @property
    def figures(self):
        return json.loads(self.said[-1])


def check(archive, person, level=Level.FILES, *, mend=False):
    folder = archive.root.parent
    fsck = Fsck(box_config(folder), archive.root, FakeClock(NOW), person.hear, person.answer)
    return fsck.run(level, repair=mend)


def test_nothing_is_repaired_without_a_yes(archive):
    lose_file(archive)
    person = Person(agrees=False)
    assert check(archive, person, mend=True) == 1
    assert (person.asked, person.figures["repaired"]) == (1, 0)
    assert look(archive, Level.FILES) == [("I1", Remedy.FORGET)]


def test_a_repair_is_checked_again_and_ends_well(archive):
    lose_file(archive)
    person = Person(agrees=True)
    assert check(archive, person, mend=True) == 0
    told = person.figures
    assert (told["findings"], told["repaired"], told["segments"], told["files"]) == (0, 1, 4, 4)


def test_a_box_that_runs_may_be_checked_and_not_repaired(archive):
    claim = Claim(archive.root.parent)
    claim.take()
    person = Person(agrees=True)
    assert check(archive, person) == 0
    assert "the box runs" in person.said[0]
    with pytest.raises(StorageError, match="in use by a box that runs"):
        check(archive, person, mend=True)
    claim.close()


def test_a_folder_without_an_archive_is_said(tmp_path):
    fsck = Fsck(box_config(tmp_path), tmp_path, FakeClock(NOW), print, lambda _: True)
    with pytest.raises(StorageError, match="there is no archive here"):
        fsck.run(Level.ROWS, repair=False)
    assert list(tmp_path.iterdir()) == []


def test_a_repair_on_another_disk_is_refused(archive):
    archive.label.accept()
    archive.label.path.write_text("another disk's\n")
    lose_file(archive)
    person = Person(agrees=True)
    assert check(archive, person, mend=True) == 1
    assert (person.asked, person.figures["repaired"]) == (0, 0)
    assert any("not the disk" in text for text in person.said)
