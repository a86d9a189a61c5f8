"""A camera's clock set right, in this process and in one of its own."""

import sys

import pytest

from edge.cameras.camera import Camera
from edge.cameras.clock_care import ClockOutcome, set_right
from edge.cameras.door import Door
from edge.commands.camera_clock import ClockErrand, Ending
from edge.config import CameraSection
from protocol.clock import SystemClock
from protocol.messages import Outcome
from tests.support.clocked_device import LOGIN, ClockedDevice

CLOCK = SystemClock()
SETTING = "SetSystemDateAndTime"


def asked(device: ClockedDevice, *, ending_ntp: bool = False) -> ClockOutcome:
    camera = Camera(Door.parse(device.base), LOGIN, CLOCK)
    return set_right(camera, CLOCK, ending_ntp=ending_ntp).outcome


@pytest.mark.parametrize("off_s", [-754, 3.5, -60_480_000])
def test_a_clock_that_is_off_is_set_by_the_boxs(off_s):
    with ClockedDevice(off_s) as device:
        assert asked(device) is ClockOutcome.SET
        assert abs(device.off.total_seconds()) < 5


def test_one_that_is_right_is_left_alone():
    with ClockedDevice(0.5) as device:
        assert asked(device) is ClockOutcome.RIGHT
        assert device.asked(SETTING) == []


def test_one_that_is_kept_by_ntp_is_set_only_by_who_wants_that_to_end():
    with ClockedDevice(90, by_ntp=True) as device:
        assert asked(device) is ClockOutcome.KEPT_BY_NTP
        assert device.asked(SETTING) == []
        assert asked(device, ending_ntp=True) is ClockOutcome.SET


def test_one_that_says_yes_and_does_nothing_is_found_out():
    with ClockedDevice(90, obeys=False) as device:
        assert asked(device) is ClockOutcome.NOT_TAKEN


@pytest.fixture
def section(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text(f"{LOGIN.password}\n")

    def of(onvif_url: str) -> CameraSection:
        return CameraSection.model_validate(
            {
                "id": "gate",
                "name": "村口",
                "grid_code": "533102105203001",
                "main_url": "rtsp://127.0.0.1/main",
                "onvif_url": onvif_url,
                "username": LOGIN.username,
                "password": {"file": secret},
            }
        )

    return of


def test_a_process_of_its_own_sets_it_with_the_configurations_login(section):
    with ClockedDevice(-754) as device:
        ending = ClockErrand().run(section(device.base))
        assert abs(device.off.total_seconds()) < 5
    assert (ending.outcome, ending.reason) == (Outcome.DONE, "clock_set")
    assert ending.detail.startswith("it was -75")
    assert LOGIN.password not in ending.detail


def test_it_says_why_a_camera_was_not_asked(section, tmp_path):
    with ClockedDevice(90) as device:
        wrong = section(device.base)
        (tmp_path / "secret").write_text("wrong\n")
        refused = ClockErrand().run(wrong)
    assert (refused.outcome, refused.reason) == (Outcome.FAILED, "camera_not_asked")
    assert refused.detail.startswith("auth: ")
    assert ClockErrand().run(section("http://127.0.0.1:1/")).detail.startswith("unreachable: ")
    (tmp_path / "secret").unlink()
    assert "secret file" in ClockErrand().run(section(device.base)).detail


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("import time; time.sleep(60)", "no end within 0.2 s"),
        ("raise SystemExit(3)", "the process ended with 3"),
        ("print('[]')", "the process ended with 0"),
        ('print(\'{"outcome": "dance"}\')', "the process ended with 0"),
    ],
)
def test_a_process_that_fails_or_hangs_is_a_command_that_failed(section, program, words):
    limit_s = 0.2 if "sleep" in program else 60.0
    errand = ClockErrand((sys.executable, "-c", program), limit_s)
    ending = errand.run(section("http://127.0.0.1:1/"))
    assert ending == Ending(Outcome.FAILED, "camera_not_asked", words)


def test_one_that_cannot_be_started_or_comes_after_the_end_asks_nobody(section):
    camera = section("http://127.0.0.1:1/")
    assert "No such file" in ClockErrand(("/no/such/program",)).run(camera).detail
    errand = ClockErrand()
    errand.stop()
    assert errand.run(camera).detail == "the box stops"


def test_a_camera_without_an_address_of_its_own_is_asked_at_its_streams_host(section):
    camera = section("http://127.0.0.1:1/")
    plain = camera.model_copy(update={"onvif_url": None})
    assert plain.onvif_address() == "127.0.0.1"
    six = plain.model_copy(update={"main_url": "rtsp://[2001:db8::7]:8554/main"})
    assert Door.parse(six.onvif_address()).netloc == "[2001:db8::7]"
