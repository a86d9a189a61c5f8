"""Cameras asked over TLS, with certificates that nobody signed but themselves."""

import hashlib
import shutil
import socket
import ssl
import subprocess
import threading
from pathlib import Path

import pytest

from bench.onvif_device import Device
from edge.cameras.camera import Camera
from edge.cameras.door import Door
from edge.cameras.transport import Limits
from edge.errors import CameraBlocked, CameraTimeout, CameraUnreachable
from edge.rtsp.challenge import Credentials
from protocol.clock import SystemClock

LOGIN = Credentials("operator", "correct horse")
PATIENT = Limits(connect_s=30, read_s=60, total_s=60)


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> tuple[Path, Path]:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    written = ("-keyout", str(key), "-out", str(certificate), "-subj", "/CN=camera")
    subprocess.run(
        ["openssl", "req", "-x509", *curve, *written],
        check=True,
        capture_output=True,
    )
    return key, certificate


@pytest.fixture
def device(files):
    key, certificate = files
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with Device(tls=context, login=LOGIN) as one:
        yield one


@pytest.fixture
def sha256(files) -> str:
    text = files[1].read_text(encoding="ascii")
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(text)).hexdigest()


def camera(door: Door, limits: Limits = PATIENT) -> Camera:
    return Camera(door, LOGIN, SystemClock(), limits=limits)


def test_a_certificate_that_nobody_trusts_is_shown_and_nothing_sent(device, sha256):
    with pytest.raises(CameraBlocked, match=sha256):
        camera(Door.parse(device.base)).information()
    assert device.requests == []


def test_a_pinned_certificate_is_taken_however_it_is_written(device, sha256):
    spelled = ":".join(sha256.upper()[at : at + 2] for at in range(0, 64, 2))
    door = Door.parse(device.base).pinned(spelled)
    asked = camera(door)
    assert asked.information().manufacturer == "Example"
    assert len(asked.media.profiles()) == 2


def test_another_certificate_than_the_pinned_one_gets_nothing(device, sha256):
    door = Door.parse(device.base).pinned("0" * 64)
    with pytest.raises(CameraBlocked, match=sha256):
        camera(door).information()
    assert device.requests == []


def test_what_is_no_fingerprint_is_refused():
    with pytest.raises(ValueError, match="64 hexadecimal"):
        Door.parse("https://192.168.1.64").pinned("abc")


def test_a_camera_that_speaks_no_tls_is_unreachable():
    def answer(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            connection.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=answer, args=(server,))
        thread.start()
        door = Door.parse(f"https://127.0.0.1:{server.getsockname()[1]}")
        with pytest.raises(CameraUnreachable):
            camera(door).information()
        thread.join()


def test_a_handshake_that_never_ends_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as mute:
        door = Door.parse(f"https://127.0.0.1:{mute.getsockname()[1]}")
        asked = camera(door, Limits(connect_s=0.2))
        with pytest.raises(CameraTimeout):
            asked.information()
