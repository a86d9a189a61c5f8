"""One file at a time from a box's uploader to a real centre."""

import hashlib
from dataclasses import replace
from uuid import uuid4

import pytest
from pydantic import SecretStr

from edge.alerts.piece import Piece
from edge.alerts.upload import PART_BYTES, Uploader
from edge.alerts.verdict import Verdict
from protocol.messages import AlertLevel, EvidenceKind
from tests.support.cutting_link import CuttingLink
from tests.support.evidence_line import evidence_line
from tests.support.xiacun import BOX, BOX_TOKEN, NOW, alert_data, alert_message, received

CLIP = bytes(range(256)) * 6000  # three parts


@pytest.fixture
def line(tmp_path):
    with evidence_line(tmp_path, max_mb=2) as line:
        yield line


@pytest.fixture
def link(line):
    link = CuttingLink(line.port)
    yield link
    link.close()


@pytest.fixture
def uploader(link):
    made = []

    def build(token=BOX_TOKEN):
        made.append(Uploader(link.url, BOX, SecretStr(token)))
        return made[-1]

    yield build
    for each in made:
        each.close()


@pytest.fixture
def clip(line, tmp_path):
    """Return a clip of an alert that the centre knows, and its file."""

    def build(data=CLIP):
        alert = uuid4()
        line.centre.take(received(alert_message(alert_data(alert), 1)))
        file = tmp_path / "clip.mp4"
        file.write_bytes(data)
        return piece_of(str(alert), data), file

    return build


def piece_of(alert_id, data):
    return Piece(
        alert_id=alert_id,
        camera_id="square",
        kind=EvidenceKind.CLIP,
        level=AlertLevel.ORDINARY,
        began=NOW,
        due=NOW,
        start=NOW,
        end=NOW,
        path="clip.mp4",
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
        tries=0,
    )


def verdicts(uploader, piece, file, turns):
    return [uploader.send(piece, file).verdict for _ in range(turns)]


def test_a_file_goes_part_by_part_and_is_stored_with_the_last(line, uploader, clip):
    piece, file = clip()
    assert verdicts(uploader(), piece, file, 3) == [Verdict.PART, Verdict.PART, Verdict.STORED]
    assert line.stored() == {(piece.alert_id, EvidenceKind.CLIP): CLIP}


def test_a_box_that_starts_again_goes_on_where_it_was(link, uploader, clip):
    piece, file = clip()
    uploader().send(piece, file)
    assert verdicts(uploader(), piece, file, 2) == [Verdict.PART, Verdict.STORED]
    assert link.up_bytes < len(CLIP) + 10_000


def test_what_is_stored_already_is_not_sent_again(link, uploader, clip):
    piece, file = clip()
    verdicts(uploader(), piece, file, 3)
    sent = link.up_bytes
    assert uploader().send(piece, file).verdict is Verdict.STORED
    assert link.up_bytes < sent + 2000


def test_what_is_longer_than_the_centre_takes_is_not_sent_at_all(link, uploader, clip):
    piece, file = clip(b"x" * 2_000_001)
    outcome = uploader().send(piece, file)
    assert (outcome.verdict, outcome.limit_bytes) == (Verdict.TOO_LONG, 2_000_000)
    assert outcome.reason == "too large: 2000001 bytes, the centre takes at most 2000000"
    assert link.up_bytes < 2000


def test_bytes_that_changed_on_the_way_are_sent_again_from_the_beginning(line, uploader, clip):
    piece, file = clip()
    box = uploader()
    box.send(piece, file)
    (partial,) = (line.evidence / ".partial").iterdir()
    partial.write_bytes(b"\0" * PART_BYTES)
    assert verdicts(box, piece, file, 2) == [Verdict.PART, Verdict.AGAIN]
    assert verdicts(box, piece, file, 3) == [Verdict.PART, Verdict.PART, Verdict.STORED]


def test_bytes_that_changed_on_the_box_are_damaged(uploader, clip):
    piece, file = clip()
    file.write_bytes(b"\0" * len(CLIP))
    assert verdicts(uploader(), piece, file, 3)[-1] is Verdict.DAMAGED


def test_a_centre_that_forgot_its_part_says_where_to_go_on(line, uploader, clip):
    piece, file = clip()
    box = uploader()
    box.send(piece, file)
    (partial,) = (line.evidence / ".partial").iterdir()
    partial.unlink()
    assert box.send(piece, file).verdict is Verdict.AGAIN
    assert verdicts(box, piece, file, 3)[-1] is Verdict.STORED


def test_other_bytes_of_the_same_alert_are_refused(uploader, clip):
    piece, file = clip()
    box = uploader()
    verdicts(box, piece, file, 3)
    file.write_bytes(b"other")
    other = piece_of(piece.alert_id, b"other")
    assert box.send(other, file).verdict is Verdict.REFUSED
    assert box.send(replace(other, tries=1), file).verdict is Verdict.REFUSED


def test_an_alert_that_is_not_known_yet_is_asked_about_without_its_bytes(link, uploader, tmp_path):
    file = tmp_path / "clip.mp4"
    file.write_bytes(CLIP)
    outcome = uploader().send(piece_of(str(uuid4()), CLIP), file)
    assert outcome.verdict is Verdict.NOT_YET
    assert link.up_bytes < 2000


def test_a_wrong_token_holds_everything_back(uploader, clip):
    piece, file = clip()
    assert uploader("wrong").send(piece, file).verdict is Verdict.AWAY
