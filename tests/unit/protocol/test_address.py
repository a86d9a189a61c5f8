import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.address import holds_login, holds_password, is_address

RTSP = frozenset({"rtsp", "rtsps"})


@pytest.mark.parametrize(
    "address",
    [
        "rtsp://192.0.2.1/main",
        "rtsps://camera.example:8554/a/b?c=d",
        "rtsp://[2001:db8::1]:554/main",
    ],
)
def test_an_address_has_a_scheme_and_a_host(address):
    assert is_address(address, RTSP)
    assert not holds_login(address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "/dev/video0",
        "http://192.0.2.1/main",
        "rtsp:///main",
        "192.0.2.1:554/main",
        "rtsp://[1/main",
        "rtsp://192.0.2.1:port/main",
        "rtsp://192.0.2.1:99999/main",
        "rtsp://a\u2100b/main",
    ],
)
def test_what_is_no_address_of_the_scheme_is_told_from_one(address):
    assert not is_address(address, RTSP)


@pytest.mark.parametrize(
    "address",
    [
        "rtsp://admin:hunter2@192.0.2.1/x",
        "rtsp://admin@192.0.2.1/x",
        "rtsp://admin:hun#ter2@192.0.2.1/x",
        "rtsp://admin:hun/ter2@192.0.2.1/x",
        "rtsp://admin:hun?ter2@192.0.2.1/x",
        "rtsp://admin:p[ter2@192.0.2.1/x",
        "admin:hunter2@192.0.2.1:554/x",
        "http://admin:hunter2@h/x",
    ],
)
def test_a_login_is_found_however_it_is_written(address):
    assert holds_login(address)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://tanshao:S3cret@db/x",
        "postgresql+psycopg://tanshao:S3cret@db/x",
        "postgresql://tanshao:S3/cret@db/x",
        "postgresql://tanshao:S3#cret@db/x",
        "postgresql://tanshao:S3[cret@db/x",
        "postgresql://:S3cret@db/x",
        "tanshao:S3cret@db/x",
        "postgresql://tanshao@db/x?password=S3cret",
        "postgresql://db/x?user=tanshao&PassWord=S3cret",
        "postgresql://db/x?sslpassword=S3cret",
    ],
)
def test_a_password_is_found_however_it_is_written(address):
    assert holds_password(address)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://tanshao@db.example.org:5432/tanshao",
        "postgresql://db/x?connect_timeout=3",
        "postgresql:///tanshao?host=/run/postgresql",
        "tanshao@db/x",
    ],
)
def test_an_address_with_a_user_alone_holds_no_password(address):
    assert not holds_password(address)


@given(user=st.text(), password=st.text(min_size=1))
def test_no_password_hides_a_login(user, password):
    assert holds_login(f"rtsp://{user}:{password}@192.0.2.1/main")
    assert holds_password(f"postgresql://{user}:{password}@db/x")
