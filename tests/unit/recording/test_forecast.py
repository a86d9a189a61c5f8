import pytest

from edge.recording.forecast import Forecast, Usage, forecast
from edge.recording.retention import CameraPolicy, Disk, Policy

GB = 1_000_000_000
DAY_S = 86_400.0


def disk(free_gb: float, used_gb: float = 0.0) -> Disk:
    """A disk of 1 TB."""
    return Disk(1000 * GB, round(free_gb * GB), round(used_gb * GB))


def usage(camera_id: str, daily_gb: float, *, lately_s: float = DAY_S, beyond_gb: float = 0.0):
    lately = round(daily_gb * GB * lately_s / DAY_S)
    return Usage(camera_id, lately, round(beyond_gb * GB), lately, lately_s)


def policy(quota_gb: float | None = None, **days: int) -> Policy:
    quota = None if quota_gb is None else round(quota_gb * GB)
    return Policy(30, quota, 0.05, {name: CameraPolicy(each) for name, each in days.items()})


def fits(made: Forecast) -> dict[str, float | None]:
    return {each.camera_id: each.fits_days and round(each.fits_days, 2) for each in made.cameras}


def test_room_for_all_is_told_as_days_beyond_the_promise():
    made = forecast([usage("gate", 10), usage("lane", 10)], disk(850), policy())

    assert fits(made) == {"gate": 40.0, "lane": 40.0}
    assert not any(each.is_short for each in made.cameras)


def test_a_disk_that_all_days_fit_on_is_never_full():
    assert forecast([usage("gate", 10)], disk(400), policy()).full_in_days is None
    # What another camera left behind is in the way until it goes.
    old = Usage("old", 300 * GB, 0, 0, 0.0)
    assert forecast([usage("gate", 10), old], disk(250, 300), policy()).full_in_days == 20.0


def test_what_is_written_counts_as_room_and_the_watermark_does_not():
    assert fits(forecast([usage("gate", 10)], disk(150, 300), policy())) == {"gate": 40.0}


def test_too_little_room_is_shared_by_time():
    made = forecast([usage("gate", 30), usage("lane", 10)], disk(850), policy())

    assert fits(made) == {"gate": 20.0, "lane": 20.0}
    assert all(each.is_short for each in made.cameras)


def test_who_is_kept_for_less_leaves_the_rest_to_the_others():
    made = forecast([usage("gate", 10), usage("lane", 10)], disk(850), policy(gate=7, lane=90))

    assert fits(made) == {"gate": 7.0, "lane": 73.0}
    assert [each.is_short for each in made.cameras] == [False, True]


def test_the_boxs_quota_is_a_limit_like_the_disks():
    made = forecast([usage("gate", 10)], disk(850, 100), policy(quota_gb=200))

    assert fits(made) == {"gate": 20.0}
    assert made.full_in_days == 10.0


def test_a_cameras_own_quota_is_one_for_it_alone():
    limits = Policy(30, None, 0.05, {"gate": CameraPolicy(30, 100 * GB)})
    made = forecast([usage("gate", 10), usage("lane", 10)], disk(450), limits)

    assert fits(made) == {"gate": 10.0, "lane": 30.0}


def test_what_is_held_beyond_its_days_takes_its_room():
    made = forecast([usage("gate", 10, beyond_gb=200)], disk(50, 400), policy())

    assert fits(made) == {"gate": 20.0}


def test_an_hour_of_the_day_tells_the_day():
    made = forecast([usage("gate", 10, lately_s=3600)], disk(350), policy())

    assert fits(made) == {"gate": 30.0}
    assert made.cameras[0].daily_bytes == pytest.approx(10 * GB, rel=1e-6)


@pytest.mark.parametrize("lately_s", [0.0, 599.0])
def test_a_camera_that_was_hardly_recorded_is_told_nothing_of(lately_s):
    made = forecast([usage("gate", 10, lately_s=lately_s)], disk(350), policy())

    assert fits(made) == {"gate": None}
    assert made.full_in_days is None
    assert not made.cameras[0].is_short


def test_a_full_disk_is_full_today():
    assert forecast([usage("gate", 10)], disk(20, 400), policy()).full_in_days == 0.0
