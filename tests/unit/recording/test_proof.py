import hashlib
import json

import pytest

from edge.errors import StorageError
from edge.recording.audit import Audit, Level
from edge.recording.orphans import Outcome, read_back
from edge.recording.proof import Proof
from edge.recording.repair import Repair
from edge.recording.retention import Deletion, Reason
from tests.support.recordings import Archive, at, closed_file


def delete(archive, *starts_s, camera_id="gate", reason=Reason.AGE):
    segments = [
        archive.index.add(closed_file(archive, start_s, camera_id=camera_id))
        for start_s in starts_s
    ]
    archive.doomed.condemn([Deletion(segment, reason) for segment in segments], at(1000))
    archive.doomed.unlink_all()
    return segments


def delete_and_fail(archive, segment):
    with archive.database.transaction() as connection:
        archive.doomed.condemn([Deletion(segment, Reason.AGE)], at(1000))
        connection.execute("delete from no_such_table")


def lines(archive):
    folder = archive.database.path.parent / "deletions"
    return [line for path in sorted(folder.iterdir()) for line in path.read_text().splitlines()]


def rows(archive):
    with archive.database.reading() as connection:
        found = connection.execute("select * from deletion order by camera_id, day, reason")
        return [dict(row) for row in found]


def findings(archive, level=Level.FILES):
    audit = Audit(archive.database, archive.index, at(2000), is_running=True)
    return [each for each in audit.findings(level) if each.invariant == "I9"]


def test_each_deleted_file_has_a_line_and_the_row_bears_the_hash_over_them(archive):
    first, second = delete(archive, 0, 10)
    [row] = rows(archive)
    expected = "0" * 64
    for line in lines(archive):
        expected = hashlib.sha256(f"{expected}{line}\n".encode()).hexdigest()
    assert row["manifest"] == expected
    assert [json.loads(line)[3] for line in lines(archive)] == [
        each.path.relative_to(archive.root).as_posix() for each in (first, second)
    ]
    assert json.loads(lines(archive)[0])[:3] == ["gate", "2026-11-22", "age"]
    assert findings(archive) == []


def test_the_chain_of_a_row_goes_on_over_rounds_other_rows_and_restarts(tmp_path):
    for start_s in (0, 10, 20):
        archive = Archive(tmp_path)
        delete(archive, start_s)
        delete(archive, start_s, camera_id="hall")
        delete(archive, start_s + 3600, reason=Reason.QUOTA)
        archive.close()
    archive = Archive(tmp_path)
    assert [(row["camera_id"], row["reason"], row["segments"]) for row in rows(archive)] == [
        ("gate", "age", 3),
        ("gate", "quota", 3),
        ("hall", "age", 3),
    ]
    assert findings(archive) == []
    archive.close()


@pytest.mark.parametrize(
    "forge",
    [
        lambda text: text.replace('"age"', '"agf"', 1),
        lambda text: text.replace(",1000,", ",1001,", 1),
        lambda text: "\n".join(text.splitlines()[1:]) + "\n",
        lambda text: "\n".join(reversed(text.splitlines())) + "\n",
        lambda text: "",
        lambda text: "not a line\n" + text,
    ],
)
def test_fsck_tells_where_the_lines_do_not_reproduce_the_hash(archive, forge):
    delete(archive, 0, 10)
    [path] = (archive.database.path.parent / "deletions").iterdir()
    path.write_text(forge(path.read_text()))
    assert findings(archive)
    assert findings(archive, Level.ROWS) == []  # this level reads no files


def test_a_row_that_was_changed_is_told(archive):
    delete(archive, 0, 10)
    with archive.database.transaction() as connection:
        connection.execute("update deletion set segments = 1")
    assert [each.subject for each in findings(archive)] == ["deletion gate 2026-11-22 age"]


def test_lines_of_a_deletion_that_came_to_nothing_count_for_nothing(archive):
    delete(archive, 0)
    segment = archive.index.add(closed_file(archive, 10))
    with pytest.raises(StorageError, match="no such table"):
        delete_and_fail(archive, segment)
    assert len(lines(archive)) == 2
    assert findings(archive) == []
    delete(archive, 20)
    assert len(lines(archive)) == 2
    assert findings(archive) == []


def test_a_first_deletion_that_came_to_nothing_counts_for_nothing_either(archive):
    segment = archive.index.add(closed_file(archive, 0))
    with pytest.raises(StorageError, match="no such table"):
        delete_and_fail(archive, segment)
    archive.doomed.condemn([Deletion(segment, Reason.AGE)], at(1000))
    assert [row["segments"] for row in rows(archive)] == [1]
    assert findings(archive) == []


def test_without_lines_nothing_is_deleted(archive):
    segment = archive.index.add(closed_file(archive, 0))
    (archive.database.path.parent / "deletions").write_text("in the way")
    with pytest.raises(StorageError):
        archive.doomed.condemn([Deletion(segment, Reason.AGE)], at(1000))
    assert archive.segments() == [segment]
    assert archive.doomed.paths() == set()


def test_old_lines_go_by_number_and_their_rows_are_not_judged(archive):
    archive.doomed._proof = Proof(archive.database, file_bytes=300, most_files=2)
    for day in range(8):
        delete(archive, day * 86_400, day * 86_400 + 10)
    names = sorted(path.name for path in (archive.database.path.parent / "deletions").iterdir())
    assert names == ["000007.jsonl", "000008.jsonl"]
    assert len(rows(archive)) == 8
    assert findings(archive) == []
    (archive.database.path.parent / "deletions" / names[0]).write_text("")
    assert [each.subject for each in findings(archive)] == ["deletion gate 2026-11-28 age"]


def test_a_new_database_does_not_write_over_the_lines_of_the_one_before(archive):
    delete(archive, 0)
    with archive.database.transaction() as connection:
        connection.execute("delete from meta")
        connection.execute("delete from deletion")
    delete(archive, 10)
    names = sorted(path.name for path in (archive.database.path.parent / "deletions").iterdir())
    assert names == ["000001.jsonl", "000002.jsonl"]
    assert len(lines(archive)) == 2
    assert findings(archive) == []  # of the same camera, day and reason, and not of its row


def test_a_file_without_a_picture_is_removed_with_proof(archive):
    path = closed_file(archive, 0, size_bytes=77).path
    assert read_back(archive.index, archive.doomed, path) is Outcome.REMOVED
    assert not path.exists()
    assert archive.doomed.paths() == set()
    [row] = rows(archive)
    assert (row["reason"], row["segments"], row["bytes"]) == ("orphan", 1, 77)
    fields = json.loads(lines(archive)[0])
    assert fields[:3] == ["gate", "2026-11-22", "orphan"]
    assert fields[4] == hashlib.sha256(bytes(77)).hexdigest()
    assert findings(archive) == []


def test_an_orphan_that_can_not_go_is_doomed_and_goes_later(archive, monkeypatch):
    path = closed_file(archive, 0).path
    with monkeypatch.context() as patch:
        patch.setattr(archive.doomed, "unlink", lambda _: False)
        read_back(archive.index, archive.doomed, path)
    assert archive.doomed.paths() == {path}
    archive.label.accept()
    archive.doomed.unlink_all()
    assert not path.exists()
    assert [row["segments"] for row in rows(archive)] == [1]


def test_a_row_whose_file_is_gone_leaves_a_gap_and_the_proof_that_it_was_lost(archive):
    segment = archive.index.add(closed_file(archive, 0))
    segment.path.unlink()
    archive.doomed.lose(segment)
    [row] = rows(archive)
    assert (row["reason"], row["segments"], row["bytes"]) == ("lost", 1, segment.size_bytes)
    assert json.loads(lines(archive)[0])[4] == segment.sha256
    assert len(archive.gaps()) == 1
    assert findings(archive) == []


def test_what_the_census_and_fsck_find_gone_is_written_down_too(archive):
    archive.recover("gate")
    first, second = (archive.index.add(closed_file(archive, start_s)) for start_s in (0, 10))
    first.path.unlink()
    closed_file(archive, 20, size_bytes=9)
    assert archive.census().take() is not None
    second.path.unlink()
    audit = Audit(archive.database, archive.index, at(30), is_running=False)
    Repair(archive.index, archive.doomed).apply(list(audit.findings(Level.FILES)))
    assert [(row["reason"], row["segments"], row["bytes"]) for row in rows(archive)] == [
        ("lost", 2, 2000),
        ("orphan", 1, 9),
    ]
    assert findings(archive) == []


def test_what_is_lost_or_an_orphan_changes_nothing_of_what_is_expected(archive):
    first, second = (archive.index.add(closed_file(archive, start_s)) for start_s in (0, 10))
    archive.doomed.lose(second)
    read_back(archive.index, archive.doomed, closed_file(archive, 100).path)
    assert archive.index.expected_since("gate", first.stream) == first.start
