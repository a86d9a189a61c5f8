import math

from hypothesis import given
from hypothesis import strategies as st

from edge.recording.forecast import Usage, forecast
from edge.recording.retention import CameraPolicy, Disk, Policy

TOTAL = 1_000_000

usages = st.lists(
    st.builds(
        Usage,
        camera_id=st.uuids().map(str),
        size_bytes=st.integers(0, 1000),
        beyond_bytes=st.integers(0, 1000),
        lately_bytes=st.integers(1, 10_000),
        lately_s=st.floats(600, 86_400),
    ),
    min_size=1,
    max_size=6,
)
quotas = st.none() | st.integers(1, 100_000)


@given(st.data(), usages, quotas, st.integers(0, TOTAL), st.floats(0.01, 0.5))
def test_what_fits_takes_no_more_than_there_is_and_leaves_nothing_where_it_is_short(
    data, known, quota, free_bytes, min_free
):
    cameras = {
        each.camera_id: CameraPolicy(data.draw(st.integers(1, 200)), data.draw(quotas))
        for each in known
    }
    policy = Policy(30, quota, min_free, cameras)
    used = sum(each.size_bytes for each in known) + data.draw(st.integers(0, 1000))
    disk = Disk(TOTAL, free_bytes, used)

    made = forecast(known, disk, policy)

    free = free_bytes - round(min_free * TOTAL)
    if quota is not None:
        free = min(free, quota - used)
    room = max(0, free + used - sum(each.beyond_bytes for each in known))
    kept = {each.camera_id: min(each.fits_days, each.days) for each in made.cameras}
    taken = sum(each.daily_bytes * kept[each.camera_id] for each in made.cameras)
    assert taken <= room * (1 + 1e-9) + 1e-6

    short = [each for each in made.cameras if each.is_short]
    by_disk = [
        each
        for each in short
        if not (
            (own := cameras[each.camera_id].quota_bytes) is not None
            and math.isclose(each.fits_days, own / each.daily_bytes)
        )
    ]
    if by_disk:
        assert math.isclose(taken, room, rel_tol=1e-6, abs_tol=1e-6)
        assert len({round(each.fits_days, 9) for each in by_disk}) == 1
