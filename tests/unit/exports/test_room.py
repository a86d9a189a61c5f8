from datetime import timedelta

from edge.exports.job import Ask, Job, Kind, Piece, State
from edge.exports.room import (
    KEPT_FOR,
    MOST_KEPT,
    Space,
    budget_bytes,
    floor_bytes,
    has_room,
    outdated,
)
from tests.support.recordings import at

NOW = at(0) + timedelta(days=30)
TB = 1_000_000_000_000


def job(number: int, size_bytes: int = 100, days: float = 1, state: State = State.DONE) -> Job:
    piece = Piece(name="a.mp4", size_bytes=size_bytes, sha256="", crc32=0)
    ask = Ask(camera_id="gate", start=at(0), end=at(1), kind=Kind.COPY, reason="r", by="b")
    return Job(
        id=f"{number:032x}",
        created_at=at(0),
        ask=ask,
        state=state,
        ended_at=None if state in {State.QUEUED, State.RUNNING} else NOW - timedelta(days=days),
        files=(piece,) if state is State.DONE else (),
    )


def numbers(jobs: list[Job]) -> list[int]:
    return [int(each.id, 16) for each in jobs]


def test_a_small_disk_lends_five_gigabytes_and_a_large_one_a_twentieth():
    assert budget_bytes(Space(TB // 20, 0)) == 5_000_000_000
    assert budget_bytes(Space(4 * TB, 0)) == TB // 5


def test_half_of_what_the_watermark_leaves_free_stays_free():
    at_watermark = Space(TB, TB // 20)
    floor = floor_bytes(at_watermark, 0.05)
    assert TB // 40 < floor < TB // 20
    assert has_room(at_watermark, 0.05, at_watermark.free_bytes - floor)
    assert not has_room(at_watermark, 0.05, at_watermark.free_bytes - floor + 1)


def test_results_go_after_a_week_and_so_do_failures():
    week = KEPT_FOR / timedelta(days=1)
    jobs = [job(1, days=week), job(2, days=week - 0.01), job(3, days=week, state=State.FAILED)]
    assert numbers(outdated(jobs, {}, NOW, 10**9)) == [1, 3]


def test_as_many_of_the_oldest_go_as_are_too_many():
    jobs = [job(3), job(1), job(4), job(2)]
    assert numbers(outdated(jobs, {}, NOW, 250)) == [1, 2]
    assert outdated(jobs, {}, NOW, 400) == []


def test_what_is_read_stays_and_the_next_one_goes_instead():
    jobs = [job(1, days=100), job(2), job(3)]
    assert numbers(outdated(jobs, {job(1).id}, NOW, 250)) == [2]


def test_what_waits_or_works_never_goes():
    jobs = [job(1, state=State.QUEUED), job(2, state=State.RUNNING)]
    assert outdated(jobs, {}, NOW, -1) == []


def test_of_results_and_of_failures_so_many_are_kept_and_the_newest():
    results = [job(number, size_bytes=0) for number in range(MOST_KEPT + 2)]
    failed = [job(number, state=State.FAILED) for number in range(1000, 1000 + MOST_KEPT + 1)]
    assert numbers(outdated([*failed, *results], {}, NOW, 10**9)) == [0, 1, 1000]
    assert numbers(outdated(results, {job(0).id}, NOW, 10**9)) == [1, 2]


def test_a_failure_frees_no_room_and_does_not_go_for_it():
    jobs = [job(1, state=State.FAILED), job(2)]
    assert numbers(outdated(jobs, {}, NOW, 0)) == [2]
