import pytest

from edge.cameras.door import Door
from edge.errors import CameraBlocked

DOOR = Door.parse("http://192.168.1.64:8000/onvif/service")


@pytest.mark.parametrize(
    ("typed", "url", "address"),
    [
        ("192.168.1.64", "http://192.168.1.64/onvif/device_service", "192.168.1.64"),
        ("192.168.1.64:2020", "http://192.168.1.64:2020/onvif/device_service", "192.168.1.64"),
        (" https://camera.lan/onvif/x ", "https://camera.lan/onvif/x", ""),
        ("http://[fd00::5]:8080/", "http://[fd00::5]:8080/onvif/device_service", "fd00::5"),
        ("http://192.168.1.64/d?id=1", "http://192.168.1.64/d?id=1", "192.168.1.64"),
    ],
)
def test_a_door_is_what_an_operator_types(typed, url, address):
    door = Door.parse(typed)
    assert (door.url, door.address) == (url, address)


@pytest.mark.parametrize(
    "typed",
    [
        *("", "http://", "rtsp://192.168.1.64/main", "file:///etc/passwd", "192.168.1.64:0"),
        *("192.168.1.64:port", "a b", "http://[::1", "-x", "http://exa mple/", "x" * 3000),
    ],
)
def test_what_is_no_address_is_refused(typed):
    with pytest.raises(ValueError, match=r"address|http|port|host"):
        Door.parse(typed)


@pytest.mark.parametrize("typed", ["http://admin:hunter2@192.168.1.64", "192.168.1.64:hunter2"])
def test_a_refusal_does_not_repeat_what_may_be_a_password(typed):
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - what it does not say is the point
        Door.parse(typed)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("claimed", "asked"),
    [
        ("http://192.168.1.64/onvif/media", "http://192.168.1.64/onvif/media"),
        ("http://192.168.1.64:8899/onvif/media", "http://192.168.1.64:8899/onvif/media"),
        (" http://192.168.1.64:80:80/onvif/media\n", "http://192.168.1.64:80/onvif/media"),
        ("https://192.168.1.64/x?a=1#part", "https://192.168.1.64/x?a=1"),
    ],
)
def test_a_service_on_the_cameras_own_host_is_asked_where_it_says(claimed, asked):
    uri = DOOR.service(claimed)
    assert (uri.url, uri.claimed) == (asked, None)


@pytest.mark.parametrize(
    "claimed",
    [
        *("http://10.0.0.5/onvif/media", "http:///onvif/media", "http://:80/onvif/media"),
        *("http://0.0.0.0/onvif/media", "http://[fd00::1]/onvif/media"),
    ],
)
def test_a_service_inside_a_nat_is_asked_at_the_door_and_said_so(claimed):
    uri = DOOR.service(claimed)
    assert uri.url == "http://192.168.1.64:8000/onvif/media"
    assert uri.claimed == claimed


def test_a_stream_inside_a_nat_keeps_its_own_port():
    uri = DOOR.stream("rtsp://10.0.0.5:8554/main?channel=1")
    assert uri.url == "rtsp://192.168.1.64:8554/main?channel=1"
    assert uri.claimed == "rtsp://10.0.0.5:8554/main?channel=1"


def test_a_login_that_a_camera_writes_into_an_address_is_left_out():
    own, foreign = "rtsp://admin:hunter2@192.168.1.64/main", "rtsp://admin:hunter2@10.0.0.5/main"
    assert DOOR.stream(own).url == "rtsp://192.168.1.64/main"
    uri = DOOR.stream(foreign)
    assert (uri.url, uri.claimed) == ("rtsp://192.168.1.64/main", "rtsp://10.0.0.5/main")


def test_a_camera_asked_over_tls_is_not_asked_without():
    secure = Door.parse("https://192.168.1.64")
    assert secure.service("http://192.168.1.64:80/onvif/media").url == (
        "https://192.168.1.64/onvif/media"
    )


def test_a_name_that_was_looked_up_is_the_same_host_as_its_address():
    named = Door.parse("http://camera.lan:8000").at("192.168.1.64")
    uri = named.service("http://192.168.1.64:8880/snapshot")
    assert (uri.url, uri.claimed) == ("http://camera.lan:8880/snapshot", None)


@pytest.mark.parametrize(
    "claimed",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1:8610/api",
        "http://localhost/api",
        "http://[::1]/api",
        "http://[::ffff:127.0.0.1]/api",
        "http://8.8.8.8/onvif",
        "http://evil.example/onvif",
        "http://224.0.0.1/onvif",
        "http://2130706433/onvif",
        "http://192.168.1.64@evil.example/onvif",
        "http://192.168.1.64:0/onvif",
        "file:///etc/passwd",
        "ftp://192.168.1.64/x",
        "//192.168.1.64/x",
        "onvif/media",
        "http://192.168.1.64/a b",
        "http://192.168.1.64/a\r\nX-Header: 1",
        "http://[::1",
        "http://192.168.1.64:port/",
        "x" * 3000,
        "",
    ],
)
def test_what_no_honest_camera_needs_is_blocked(claimed):
    with pytest.raises(CameraBlocked):
        DOOR.service(claimed)


@pytest.mark.parametrize(
    "claimed",
    ["file:///etc/passwd", "http://192.168.1.64/main", "concat:a|b", "rtsp://169.254.169.254/x"],
)
def test_a_stream_is_pulled_by_rtsp_from_the_camera_or_not_at_all(claimed):
    with pytest.raises(CameraBlocked):
        DOOR.stream(claimed)
