"""What the centre has a box do is done once, and the box says what came of it (protocol I20)."""

from datetime import timedelta

import pytest

from edge.alerts.evidence_store import EvidenceStore
from edge.commands.desk import MOST_OPEN
from edge.commands.journal import KEEP
from edge.errors import StorageError
from protocol.messages import EvidenceKind, Outcome
from tests.support.commanded import CommandedBox, command
from tests.support.desk_box import AT

MINUTE = timedelta(minutes=1)


@pytest.fixture
def box(tmp_path):
    opened = CommandedBox.opened(tmp_path / "box.db")
    yield opened
    opened.close()


def clip(**changes):
    bounds = {"start": (AT - 2 * MINUTE).isoformat(), "end": (AT - MINUTE).isoformat()}
    return command("clip", **(bounds | changes))


def only(box, message):
    (result,) = box.results(message.id)
    return result.outcome, result.reason


def test_a_picture_is_accepted_then_fetched_and_done_once_it_is_stored(box):
    message = command("snapshot")
    box.hear(message)
    assert box.outcomes() == [Outcome.ACCEPTED]
    piece = EvidenceStore(box.box.database).ready(EvidenceKind.SNAPSHOT, AT, made=False)
    assert piece is not None
    assert (piece.alert_id, piece.camera_id, piece.is_asked) == (str(message.id), "square", True)
    assert box.desk.settle() == 0
    box.fetch(message.id)
    assert box.desk.settle() == 1
    assert box.outcomes() == [Outcome.ACCEPTED, Outcome.DONE]
    assert box.desk.settle() == 0


def test_a_clip_is_of_the_time_that_was_asked_for(box):
    box.hear(clip())
    piece = EvidenceStore(box.box.database).ready(EvidenceKind.CLIP, AT, made=False)
    assert piece is not None
    assert (piece.start, piece.end) == (AT - 2 * MINUTE, AT - MINUTE)


def test_what_can_not_be_fetched_failed_and_says_why(box):
    message = clip()
    box.hear(message)
    box.fetch(message.id, failed="not made: no recording")
    box.desk.settle()
    last = box.results(message.id)[-1]
    assert (last.outcome, last.reason, last.detail) == (
        Outcome.FAILED,
        "not_fetched",
        "not made: no recording",
    )


def test_what_takes_longer_than_it_may_is_given_up_for_good(box):
    message = command("snapshot", ttl_s=60)
    box.hear(message)
    box.box.clock.advance(61)
    box.desk.settle()
    assert box.outcomes() == [Outcome.ACCEPTED, Outcome.EXPIRED]
    store = EvidenceStore(box.box.database)
    assert store.pending() == 0
    assert store.ready(EvidenceKind.SNAPSHOT, box.box.clock.now(), made=False) is None


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (command("reboot"), "arguments"),
        (command("snapshot", flash=True), "arguments"),
        (command("snapshot", camera_id="cellar"), "no_such_camera"),
        (command("disarm", for_s=600, rule_id="smoke"), "no_such_rule"),
        (command("arm", rule_id="smoke"), "no_such_rule"),
        (command("mask", rule_id="smoke", exclude=[]), "no_such_rule"),
        (command("mask", rule_id="crowd"), "arguments"),
        (clip(end=(AT + MINUTE).isoformat()), "not_recorded_yet"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.data.kind,
)
def test_what_can_not_be_is_refused_by_its_reason_and_nothing_is_done(box, message, reason):
    box.hear(message)
    assert only(box, message) == (Outcome.REFUSED, reason)
    assert box.box.rows("select * from evidence") == []
    assert box.box.rows("select * from disarmed") == []
    assert box.box.rows("select * from mask") == []


def test_no_more_is_fetched_at_once_than_the_box_bears(box):
    for _ in range(MOST_OPEN):
        box.hear(command("snapshot"))
    late = command("snapshot")
    box.hear(late)
    assert only(box, late) == (Outcome.REFUSED, "busy")
    box.hear(command("disarm", for_s=60))  # which takes no room
    assert box.outcomes()[-1] is Outcome.DONE


def test_heard_again_it_is_not_done_again_and_its_last_word_is_sent_again(box):
    message = command("disarm", for_s=600)
    box.hear(message)
    box.hear(command("arm"))
    assert box.box.outbox.receipted([1, 2]) == 2
    box.hear(message)
    assert box.outcomes(message.id) == [Outcome.DONE]
    assert box.box.rows("select * from disarmed") == []
    assert box.box.rows("select seq from outbox where receipt_us is null") == [{"seq": 1}]


def test_a_refused_disk_leaves_a_command_as_if_it_was_never_heard(box):
    message = command("disarm", for_s=600)
    with box.box.database.transaction() as connection:
        connection.execute(
            "create trigger full before insert on command begin select raise(abort, 'full'); end"
        )
    with pytest.raises(StorageError):
        box.hear(message)
    assert box.outcomes() == []
    assert box.box.rows("select * from disarmed") == []
    with box.box.database.transaction() as connection:
        connection.execute("drop trigger full")
    box.hear(message)
    assert box.outcomes() == [Outcome.DONE]


def test_ids_are_forgotten_only_when_no_centre_gives_them_any_more(box):
    old, open_ = command("disarm", for_s=60), command("snapshot", ttl_s=86_400)
    box.hear(old)
    box.hear(open_)
    box.box.clock.advance(KEEP.total_seconds() + 1)
    box.hear(command("arm"))
    kept = {row["command_id"] for row in box.box.rows("select command_id from command")}
    assert str(old.id) not in kept
    assert str(open_.id) in kept
