from dataclasses import asdict, replace

import pytest

from edge.errors import NotFoundError, StorageError
from edge.media.sample import TICKS_PER_S, GapReason
from edge.recording.coverage import Stretch
from edge.recording.retention import Deletion, Reason
from edge.recording.segment import Footage, Gap, Totals
from protocol.relay import StreamName
from tests.support.recordings import FAR_AHEAD, LONG_AGO, MAIN, at, closed_file


def test_a_segment_comes_back_as_it_went_in(archive):
    file = closed_file(archive, 0.25)

    segment = archive.index.add(file)

    assert asdict(segment) == asdict(file) | {"id": segment.id}
    assert archive.index.segment(segment.id) == segment
    assert archive.segments() == [segment]


def test_a_segment_that_is_not_there_is_not_found(archive):
    with pytest.raises(NotFoundError):
        archive.index.segment(7)


def test_the_same_file_is_indexed_once(archive):
    archive.index.add(closed_file(archive, 0))

    with pytest.raises(StorageError):
        archive.index.add(closed_file(archive, 0))


def test_a_row_that_was_written_is_not_read_back_and_so_can_not_be_refused_again(
    archive, monkeypatch
):
    def refuse() -> None:
        raise StorageError("disk I/O error")

    monkeypatch.setattr(archive.database, "reading", refuse)
    file = closed_file(archive, 0)

    segment = archive.index.add(file)

    monkeypatch.undo()
    assert archive.segments() == [segment]


def test_a_range_gives_what_overlaps_it_of_that_stream_oldest_first(archive):
    later = archive.index.add(closed_file(archive, 10))
    earlier = archive.index.add(closed_file(archive, 0))
    archive.index.add(closed_file(archive, 0, camera_id="square"))

    def found(start_s: float, end_s: float, stream: StreamName = MAIN) -> list:
        return archive.index.segments("gate", stream, at(start_s), at(end_s))

    assert found(0, 20) == [earlier, later]
    assert found(9.9, 10) == [earlier]
    assert found(10, 10.1) == [later]
    assert found(20, 30) == []
    assert found(0, 20, StreamName.SUB) == []


def test_where_a_clock_was_set_back_each_run_is_whole_the_one_that_began_first_comes_first(archive):
    # The second run began 15 s after the first by its clock, which had been set back by 15 s.
    first = [archive.index.add(closed_file(archive, second)) for second in (0, 10, 20)]
    later = replace(closed_file(archive, 25), run_id="1" * 32, start_dts_90k=10 * TICKS_PER_S)
    second = [
        archive.index.add(later),
        archive.index.add(replace(closed_file(archive, 15), run_id="1" * 32, start_dts_90k=0)),
    ]
    grown = replace(closed_file(archive, 35), run_id="1" * 32, start_dts_90k=20 * TICKS_PER_S)
    growing = Footage(**{name: getattr(grown, name) for name in Footage.__slots__})
    archive.index.set_growing(growing)

    assert archive.segments() == [*first, second[1], second[0]]
    footage = archive.index.footage("gate", MAIN, at(0), at(60))
    assert footage == [*first, second[1], second[0], growing]
    assert [item.run_id for item in archive.index.footage("gate", MAIN, at(12), at(18))] == [
        "0" * 32,
        "1" * 32,
    ]


def test_of_runs_that_began_at_once_the_older_row_comes_first(archive):
    runs = ["b" * 32, "a" * 32]
    rows = [
        archive.index.add(
            replace(closed_file(archive, s, camera_id=c), run_id=run, camera_id="gate")
        )
        for run, c in zip(runs, ("one", "two"), strict=True)
        for s in (0, 10)
    ]

    assert archive.segments() == rows


def test_footage_goes_back_to_the_key_frame_of_a_long_group(archive):
    first = archive.index.add(closed_file(archive, 0, 60))
    second = archive.index.add(closed_file(archive, 60, 60, starts_key=False))
    third = archive.index.add(closed_file(archive, 120, 60, starts_key=False))
    archive.index.add(closed_file(archive, 500, 60, starts_key=False))

    assert archive.index.footage("gate", MAIN, at(130), at(140)) == [first, second, third]
    assert len(archive.index.footage("gate", MAIN, at(510), at(520))) == 1


def test_the_growing_file_is_footage_until_it_is_indexed(archive):
    file = closed_file(archive, 0)
    growing = Footage(**{name: getattr(file, name) for name in Footage.__slots__})

    archive.index.set_growing(growing)
    assert archive.index.growing("gate", MAIN) == growing
    assert archive.index.growing("square", MAIN) is None
    assert archive.index.growing_paths() == {file.path}
    assert archive.index.footage("gate", MAIN, at(0), at(5)) == [growing]
    assert archive.index.footage("gate", MAIN, at(11), at(15)) == []

    segment = archive.index.add(file)
    assert archive.index.growing("gate", MAIN) is None
    assert archive.index.footage("gate", MAIN, at(0), at(5)) == [segment]


def test_totals_and_extremes_of_a_stream(archive):
    archive.index.add(closed_file(archive, 0, size_bytes=10))
    archive.index.add(closed_file(archive, 10, size_bytes=20))
    archive.index.add(closed_file(archive, 5, camera_id="square", size_bytes=30))

    assert archive.index.totals() == [
        Totals("gate", MAIN, 2, 30, at(0), at(20)),
        Totals("square", MAIN, 1, 30, at(5), at(15)),
    ]
    assert archive.index.size_bytes() == 60
    assert archive.index.earliest("gate", MAIN) == at(0)
    assert archive.index.latest("gate", MAIN, at(60)) == at(20)
    assert archive.index.latest("nobody", MAIN, at(60)) is None
    assert archive.index.earliest("nobody", MAIN) is None


def test_the_latest_is_what_had_begun_by_now_however_far_ahead_the_clock_once_was(archive):
    archive.index.add(closed_file(archive, 0))
    archive.index.add(closed_file(archive, 86_400))

    assert archive.index.latest("gate", MAIN, at(5)) == at(10)
    assert archive.index.latest("gate", MAIN, at(-1)) is None


def test_what_all_segments_take_is_right_after_every_change(archive):
    files = [archive.index.add(closed_file(archive, s, size_bytes=100)) for s in (0, 10, 20, 30)]

    def broken() -> None:
        with archive.database.transaction():
            archive.index.forget(files[0])
            archive.index.add(closed_file(archive, 40))
            raise RuntimeError("rolled back")

    with pytest.raises(RuntimeError):
        broken()
    assert archive.index.size_bytes() == 400

    archive.index.forget(files[0])
    archive.doomed.condemn([Deletion(files[1], Reason.AGE)], at(100))
    assert archive.index.size_bytes() == 200


def test_every_folder_and_every_stream_is_found(archive):
    assert (list(archive.index.folders()), archive.index.streams()) == ([], set())
    for camera_id in ("gate", "gate-2", "gate/odd", "well"):
        for second in (0, 10, 86_400):
            archive.index.add(closed_file(archive, second, camera_id=camera_id, on_disk=False))
    archive.index.add_gap(Gap("lane", MAIN, at(0), at(1), GapReason.CAMERA))

    rows = {row.path.parent for row in archive.index.oldest_first()}
    assert sorted(archive.index.folders()) == sorted(rows)
    assert archive.index.streams() == {
        (camera_id, MAIN) for camera_id in ("gate", "gate-2", "gate/odd", "lane", "well")
    }


@pytest.mark.parametrize(
    ("ask", "how"),
    [
        (lambda archive: archive.index.latest("gate", MAIN, at(0)), "segment_time"),
        (lambda archive: archive.index.earliest("gate", MAIN), "segment_time"),
        (lambda archive: archive.index.streams(), "(camera_id,stream)>(?,?)"),
        (
            lambda archive: list(archive.index.of_camera("gate", at(9), [Stretch(at(1), at(2))])),
            "segment_time",
        ),
        (lambda archive: list(archive.index.folders()), "sqlite_autoindex_segment_1"),
        (
            lambda archive: archive.index.segments("gate", MAIN, at(0), at(1)),
            "camera_id=? AND stream=? AND end_us>? AND end_us<?",
        ),
    ],
)
def test_no_question_reads_the_whole_table(archive, ask, how):
    """A box of 16 cameras has four million rows after a month."""
    asked: list[str] = []
    archive.database._connection.set_trace_callback(asked.append)
    ask(archive)
    archive.database._connection.set_trace_callback(None)

    plans = [
        row["detail"]
        for question in asked
        for row in archive.database._connection.execute(f"explain query plan {question}")
        if "segment" in row["detail"]
    ]
    assert plans
    assert all(plan.startswith("SEARCH") and how in plan for plan in plans)


def test_pages_of_the_oldest_leave_none_out(archive):
    files = [closed_file(archive, second, 1, on_disk=False) for second in range(1100)]
    with archive.database.transaction():
        ids = [archive.index.add(file).id for file in reversed(files)]

    assert [segment.id for segment in archive.index.oldest_first()] == ids[::-1]


def test_a_cameras_segments_are_found_between_the_stretches_that_are_passed_over(archive):
    ids = [
        archive.index.add(closed_file(archive, start_s, on_disk=False)).id
        for start_s in (0, 10, 20, 30, 40, 50)
    ]
    archive.index.add(closed_file(archive, 5, camera_id="hall", on_disk=False))
    passing = [Stretch(at(10), at(20)), Stretch(at(25), at(41))]

    def found(*limits) -> list[int]:
        return [segment.id for segment in archive.index.of_camera("gate", *limits)]

    assert found() == ids
    assert found(at(40)) == ids[:5]
    assert found(None, passing) == [ids[0], ids[2], ids[5]]
    assert found(at(20), passing) == [ids[0], ids[2]]
    assert found(at(15), passing) == [ids[0]]
    assert found(at(-1), passing) == []


def gap(start_s: float, end_s: float | None, reason: GapReason = GapReason.CAMERA) -> Gap:
    return Gap("gate", MAIN, at(start_s), None if end_s is None else at(end_s), reason)


def test_a_gap_is_open_until_it_is_closed(archive):
    archive.index.open_gap("gate", MAIN, at(0), GapReason.CAMERA)
    archive.index.open_gap("gate", MAIN, at(5), GapReason.DISK)
    assert archive.index.open_gaps() == [gap(0, None)]
    assert archive.index.gaps("gate", MAIN, at(100), at(200)) == [gap(0, None)]

    archive.index.close_gap("gate", MAIN, at(10))
    archive.index.close_gap("gate", MAIN, at(20))

    assert archive.index.open_gaps() == []
    assert archive.index.gaps("gate", MAIN, LONG_AGO, FAR_AHEAD) == [gap(0, 10)]


@pytest.mark.parametrize("end_s", [0, -5])
def test_a_gap_of_no_length_leaves_no_row(archive, end_s):
    archive.index.open_gap("gate", MAIN, at(0), GapReason.CAMERA)
    archive.index.close_gap("gate", MAIN, at(end_s))
    archive.index.add_gap(gap(0, end_s))

    assert archive.gaps() == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([gap(0, 10)], []),  # covered
        ([gap(-5, 15)], [gap(-5, 0), gap(10, 15)]),  # around
        ([gap(-5, 5), gap(8, 20)], [gap(-5, 0), gap(10, 20)]),  # at both ends
        ([gap(-5, None)], [gap(-5, 0), gap(10, None)]),  # still open
        ([gap(5, None)], [gap(10, None)]),
        ([gap(-5, 0), gap(10, 20)], [gap(-5, 0), gap(10, 20)]),  # neighbours
    ],
)
def test_footage_that_turns_up_is_taken_out_of_the_gaps(archive, before, after):
    for each in before:
        archive.index.add_gap(each)

    archive.index.uncover(closed_file(archive, 0, 10))

    assert archive.index.gaps("gate", MAIN, LONG_AGO, FAR_AHEAD) == after


def test_a_gap_that_ends_leaves_out_what_was_recorded_before_the_clock_was_set_back(archive):
    archive.index.add(closed_file(archive, 0, 20))
    archive.index.open_gap("gate", MAIN, at(-3600), GapReason.TIMESTAMPS)

    archive.index.resume("gate", MAIN, at(30), at(31))

    assert archive.index.gaps("gate", MAIN, LONG_AGO, FAR_AHEAD) == [
        gap(-3600, 0, GapReason.TIMESTAMPS),
        gap(20, 30, GapReason.TIMESTAMPS),
    ]


def test_a_file_is_taken_out_of_the_gap_that_a_clock_ahead_has_left(archive):
    archive.index.add_gap(gap(5, 3600, GapReason.TIMESTAMPS))

    archive.index.add(closed_file(archive, 10))

    assert archive.index.gaps("gate", MAIN, LONG_AGO, FAR_AHEAD) == [
        gap(5, 10, GapReason.TIMESTAMPS),
        gap(20, 3600, GapReason.TIMESTAMPS),
    ]


@pytest.mark.parametrize(
    ("known", "explained"),
    [
        (gap(30, None), [gap(20, 30, GapReason.BOX_OFF), gap(30, None)]),
        (gap(30, 40), [gap(20, 30, GapReason.BOX_OFF), gap(30, 40)]),
        (gap(20, 40), [gap(20, 40)]),
        (None, []),
    ],
)
def test_the_time_after_a_file_found_late_is_explained_up_to_what_is_known(
    archive, known, explained
):
    file = archive.index.add(closed_file(archive, 10))
    if known is not None:
        archive.index.add_gap(known)

    archive.index.explain_after(file.path)

    assert archive.index.gaps("gate", MAIN, LONG_AGO, FAR_AHEAD) == explained


@pytest.mark.parametrize(("start_s", "gaps"), [(15, []), (25, [gap(20, 25, GapReason.BOX_OFF)])])
def test_nothing_is_missing_where_other_footage_goes_on(archive, start_s, gaps):
    file = archive.index.add(closed_file(archive, 10))
    archive.index.add(closed_file(archive, start_s))

    archive.index.explain_after(file.path)

    assert archive.index.gaps("gate", MAIN, LONG_AGO, FAR_AHEAD) == gaps


def test_a_file_that_retention_took_meanwhile_explains_nothing(archive):
    archive.index.explain_after(archive.root / "gate" / "gone.mp4")

    assert archive.gaps() == []


def test_the_box_remembers_when_it_was_last_alive(archive):
    assert archive.index.last_alive() is None

    archive.index.stamp_alive(at(1), believed=at(1))
    archive.index.stamp_alive(at(2), believed=None)

    assert archive.index.last_alive() == at(2)
    assert archive.index.last_believed() == at(1)
