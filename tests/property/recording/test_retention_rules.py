from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from edge.media.sample import Codec
from edge.recording.retention import CameraPolicy, Disk, Policy, Reason, plan
from edge.recording.segment import Hold, Segment
from tests.support.recordings import MAIN, at
from tests.support.shelf import Shelf

NOW = at(1000)
cameras = st.sampled_from(["gate", "square"])


def segment(segment_id: int, camera_id: str, start_s: int, size_bytes: int) -> Segment:
    return Segment(
        id=segment_id,
        camera_id=camera_id,
        stream=MAIN,
        run_id="",
        path=Path(f"/recordings/{segment_id}"),
        start=at(start_s),
        end=at(start_s + 10),
        start_dts_90k=0,
        duration_90k=900_000,
        size_bytes=size_bytes,
        init_bytes=1,
        codec=Codec.H264,
        mime_codec="",
        width=1,
        height=1,
        wall_us=1,
        sha256="",
    )


archives = st.lists(
    st.tuples(cameras, st.integers(-4_000_000, 990), st.integers(1, 500)), max_size=30
).map(
    lambda rows: [
        segment(number, *row) for number, row in enumerate(sorted(rows, key=lambda row: row[1]))
    ]
)
holds = st.lists(
    st.tuples(
        cameras,
        st.integers(-4_000_000, 990),
        st.integers(1, 10_000),
        st.integers(0, 2000),
        st.integers(0, 3600),
    ),
    max_size=5,
).map(
    lambda rows: [
        Hold(camera, at(start), at(start + length), "alert", at(until), timedelta(seconds=lead))
        for camera, start, length, until, lead in rows
    ]
)
camera_policies = st.dictionaries(
    cameras, st.builds(CameraPolicy, st.integers(1, 40), st.none() | st.integers(1, 4000))
)
policies = st.builds(
    Policy,
    st.integers(1, 40),
    st.none() | st.integers(1, 8000),
    st.floats(0.01, 0.5),
    camera_policies,
)


@given(archives, holds, policies, st.integers(0, 10_000), st.sets(st.integers(0, 29)))
def test_a_plan_meets_the_limits_or_says_why_not_and_spares_the_held(
    items, held, policy, free_bytes, growing_ids
):
    growing = {Path(f"/recordings/{number}") for number in growing_ids}
    used = sum(item.size_bytes for item in items)
    disk = Disk(10_000, free_bytes, used)

    result = plan(Shelf(items), held, growing, disk, policy, NOW)

    gone = [deletion.segment for deletion in result.deletions]
    kept = [item for item in items if item not in gone]

    def spared(item: Segment) -> bool:
        return item.path in growing or any(
            hold.camera_id == item.camera_id
            and hold.until > NOW
            and item.start < hold.end
            and item.end > hold.start - hold.lead
            for hold in held
        )

    def kept_from(item: Segment) -> datetime:
        return NOW - timedelta(days=policy.of(item.camera_id).days)

    assert len({item.id for item in gone}) == len(gone)
    assert not any(spared(item) for item in gone)

    # What is missing to the limits is what is said, and then nothing is left that could go.
    freed = sum(item.size_bytes for item in gone)
    over = 0 if policy.quota_bytes is None else used - freed - policy.quota_bytes
    under = round(policy.min_free_fraction * 10_000) - free_bytes - freed
    own = {
        camera_id: sum(item.size_bytes for item in kept if item.camera_id == camera_id)
        - each.quota_bytes
        for camera_id, each in policy.cameras.items()
        if each.quota_bytes is not None
    }
    assert result.short_bytes == max(0, over, under, *own.values())
    if max(over, under) > 0:
        assert all(spared(item) for item in kept)
    for camera_id, too_much in own.items():
        if too_much > 0:
            assert all(spared(item) for item in kept if item.camera_id == camera_id)

    # By age all that is old goes and nothing else; otherwise the oldest go.
    assert all(spared(item) for item in kept if item.end <= kept_from(item))
    for deletion in result.deletions:
        item = deletion.segment
        if deletion.reason is Reason.AGE:
            assert item.end <= kept_from(item)
        else:
            assert item.start <= min(
                (
                    other.start
                    for other in kept
                    if not spared(other) and other.camera_id == item.camera_id
                ),
                default=NOW,
            )


@given(archives, policies)
def test_where_nothing_is_scarce_only_age_counts(items, policy):
    result = plan(Shelf(items), [], (), Disk(10_000, 10_000, 0), policy.without_quotas(), NOW)

    assert result.short_bytes == 0
    assert {deletion.reason for deletion in result.deletions} <= {Reason.AGE}


@given(archives, policies)
def test_what_is_too_young_is_not_looked_at_where_nothing_is_scarce(items, policy):
    shelf = Shelf(items)
    plan(shelf, [], (), Disk(10_000, 10_000, 0), policy.without_quotas(), NOW)

    youngest_due = NOW - timedelta(days=min(policy.of(item).days for item in ("gate", "square")))
    due = sum(item.start <= youngest_due for item in items)
    assert len(set(shelf.read)) <= due + 1
