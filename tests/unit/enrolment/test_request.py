"""What is asked of enrolment."""

import pytest

from edge.config import CameraSection
from edge.enrolment.request import Asked, Refusal, checked, host_of, is_at, known_at, of_camera
from edge.errors import RefusedError

GATE = CameraSection(
    id="gate",
    name="村口",
    grid_code="533102105203001",
    main_url="rtsp://192.0.2.10:8554/main?a=1",
    sub_url="rtsp://192.0.2.10:8554/sub",
)


@pytest.mark.parametrize(
    ("typed", "host"),
    [
        ("192.168.1.64", "192.168.1.64"),
        (" Camera-1.local:8000 ", "camera-1.local"),
        ("http://192.168.1.64/onvif", "192.168.1.64"),
        ("rtsp://[fe80::1]:554/main", "fe80::1"),
        ("two words", ""),
        ("http://[broken/", ""),
        ("a:0", ""),
        ("a:port", ""),
        ("", ""),
    ],
)
def test_a_host_is_read_out_of_what_is_typed(typed, host):
    assert host_of(typed) == host


def test_an_rtsp_address_in_the_other_field_is_taken_as_what_it_is():
    asked = checked(Asked(address="RTSP://192.0.2.10/main"))
    assert (asked.address, asked.rtsp_url) == (None, "RTSP://192.0.2.10/main")


def test_a_certificate_is_taken_as_browsers_show_it():
    asked = checked(Asked(address="a", certificate=":".join(["AB"] * 32)))
    assert asked.certificate == "ab" * 32


def test_a_password_that_the_box_keeps_is_for_its_cameras_host_alone():
    own = of_camera(Asked(camera_id="gate"), GATE)
    assert (own.rtsp_url, own.rtsp_sub_url) == (GATE.main_url, GATE.sub_url)
    assert is_at(own, GATE)
    assert is_at(Asked(address="192.0.2.10:80"), GATE)
    assert not is_at(Asked(address="192.0.2.11"), GATE)
    assert not is_at(Asked(rtsp_url=GATE.main_url, rtsp_sub_url="rtsp://192.0.2.11/sub"), GATE)


def test_a_password_is_in_no_representation():
    assert "hunter2" not in repr(Asked(address="a", username="b", password="hunter2"))


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (Asked(), Refusal.ADDRESS_MISSING),
        (Asked(address="a", rtsp_url="rtsp://a/"), Refusal.ADDRESS_MISSING),
        (Asked(address="http://user:word@a/"), Refusal.ADDRESS_LOGIN),
        (Asked(rtsp_url="rtsp://a/", rtsp_sub_url="rtsp://user:word@a/"), Refusal.ADDRESS_LOGIN),
        (Asked(address="two words"), Refusal.ADDRESS_BAD),
        (Asked(rtsp_url="http://a/"), Refusal.ADDRESS_BAD),
        (Asked(rtsp_url="rtsp://a/", rtsp_sub_url="rtsp://"), Refusal.ADDRESS_BAD),
        (Asked(address="a", username="admin"), Refusal.LOGIN_HALF),
        (Asked(address="a", certificate="12"), Refusal.CERTIFICATE_BAD),
    ],
)
def test_what_makes_no_sense_is_refused(asked, why):
    with pytest.raises(RefusedError) as caught:
        checked(asked)
    assert caught.value.why is why


def test_an_address_that_is_given_counts_before_the_cameras_own():
    asked = Asked(address="192.0.2.11", camera_id="gate")
    assert of_camera(asked, GATE) is asked


def test_a_device_that_is_configured_is_known_by_its_host():
    assert known_at("192.0.2.10", [GATE]) == "gate"
    assert known_at("192.0.2.11", [GATE]) is None
