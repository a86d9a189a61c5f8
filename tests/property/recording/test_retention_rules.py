from datetime import timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from edge.media.sample import Codec
from edge.recording.retention import HOLD_LEAD, Disk, Policy, Reason, plan
from edge.recording.segment import Hold, Segment
from tests.support.recordings import MAIN, at

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
    st.tuples(cameras, st.integers(-4_000_000, 990), st.integers(1, 10_000), st.integers(0, 2000)),
    max_size=5,
).map(
    lambda rows: [
        Hold(camera, at(start), at(start + length), "alert", at(until))
        for camera, start, length, until in rows
    ]
)
policies = st.builds(
    Policy, st.integers(1, 40), st.none() | st.integers(1, 8000), st.floats(0.01, 0.5)
)


@given(archives, holds, policies, st.integers(0, 10_000), st.sets(st.integers(0, 29)))
def test_a_plan_meets_the_limits_or_says_why_not_and_spares_the_held(
    items, held, policy, free_bytes, growing_ids
):
    growing = {Path(f"/recordings/{number}") for number in growing_ids}
    used = sum(item.size_bytes for item in items)
    disk = Disk(10_000, free_bytes, used)

    result = plan(items, held, growing, disk, policy, NOW)

    gone = [deletion.segment for deletion in result.deletions]
    kept = [item for item in items if item not in gone]

    def spared(item: Segment) -> bool:
        return item.path in growing or any(
            hold.camera_id == item.camera_id
            and hold.until > NOW
            and item.start < hold.end
            and item.end > hold.start - HOLD_LEAD
            for hold in held
        )

    assert not any(spared(item) for item in gone)
    freed = sum(item.size_bytes for item in gone)
    over = 0 if policy.quota_bytes is None else used - freed - policy.quota_bytes
    under = round(policy.min_free_fraction * 10_000) - free_bytes - freed
    assert result.short_bytes == max(0, over, under)
    if result.short_bytes:
        assert all(spared(item) for item in kept)
    oldest_kept = min((item.start for item in kept if not spared(item)), default=NOW)
    for deletion in result.deletions:
        if deletion.reason is not Reason.AGE:
            assert deletion.segment.start <= oldest_kept
    limit = NOW - timedelta(days=policy.days)
    assert all(spared(item) for item in kept if item.end <= limit)
