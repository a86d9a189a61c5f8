"""Cameras pulled over TLS, with certificates that nobody signed but themselves."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from edge.config import CameraSection
from edge.errors import StreamByUdp, StreamError, StreamUntrusted
from edge.ingest.choice import ChosenOpener
from edge.ingest.reader import Reader
from edge.media.sample import Codec
from protocol.clock import SystemClock
from protocol.relay import StreamName
from tests.support.doctor import PASSWORD, box_file, camera_table, examined
from tests.support.rtp import ScriptedCamera, plays, reply
from tests.support.rtsp import TestCamera, make_clip
from tests.support.tools import gstreamer_is_here
from tests.support.town_broker import make_camera_certificate

CLOCK = SystemClock()


@dataclass(frozen=True)
class Certificate:
    authority: Path
    with_key: Path
    sha256: str


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Certificate:
    return Certificate(*make_camera_certificate(tmp_path_factory.mktemp("tls")))


@pytest.fixture(scope="module", params=["gst", "python"])
def camera(request, tmp_path_factory, certificate) -> Iterator[TestCamera]:
    if request.param == "gst" and not gstreamer_is_here():
        pytest.skip("needs gst-rtsp-server for the system's python3")
    clip = make_clip(tmp_path_factory.mktemp("clips") / "cam.h264", frames=50)
    with TestCamera(
        {"/cam": (clip, 25)},
        kind=request.param,
        auth="digest",
        password=PASSWORD,
        certificate=certificate.with_key,
    ) as running:
        yield running


@pytest.fixture
def one_reader() -> Iterator[Reader]:
    running = Reader(CLOCK)
    yield running
    running.close()


@pytest.fixture
def login(monkeypatch) -> dict:
    monkeypatch.setenv("GATE_PASSWORD", PASSWORD)
    return {"username": "camera", "password": {"env": "GATE_PASSWORD"}}


def opener(url: str, reader: Reader, **changes) -> ChosenOpener:
    fields = {"id": "gate", "name": "村口", "grid_code": "533102105203001", "main_url": url}
    section = CameraSection.model_validate(fields | changes)
    return ChosenOpener.of_camera(section, StreamName.MAIN, reader, CLOCK)


def pulled(chosen: ChosenOpener, most: int = 30) -> int:
    source, packets = chosen.open(), []

    def take(packet) -> bool:
        packets.append(packet)
        return len(packets) < most

    source.deliver(take)
    source.close()
    return len(packets)


def test_a_pinned_certificate_is_taken_however_it_is_written(
    camera, certificate, one_reader, login
):
    sha256 = certificate.sha256
    spelled = ":".join(sha256.upper()[at : at + 2] for at in range(0, 64, 2))
    chosen = opener(camera.url("/cam"), one_reader, certificate_sha256=spelled, **login)
    assert pulled(chosen) == 30
    assert not chosen.is_ffmpeg


def test_a_certificate_of_an_authority_that_the_system_trusts_is_taken(
    camera, certificate, one_reader, login, monkeypatch
):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.authority))
    assert pulled(opener(camera.url("/cam"), one_reader, **login)) == 30


def test_a_certificate_that_nobody_trusts_is_shown_and_nothing_sent(one_reader, certificate):
    with ScriptedCamera(plays(Codec.H264, []), certificate=certificate.with_key) as server:
        with pytest.raises(StreamUntrusted, match=certificate.sha256):
            opener(server.url, one_reader).open()
        assert server.requests == []


def test_another_certificate_than_the_pinned_one_gets_nothing(one_reader, certificate):
    with ScriptedCamera(plays(Codec.H264, []), certificate=certificate.with_key) as server:
        with pytest.raises(StreamUntrusted, match=certificate.sha256):
            opener(server.url, one_reader, certificate_sha256="0" * 64).open()
        assert server.requests == []


def test_over_tls_no_camera_is_read_by_ffmpeg_which_takes_each_certificate(one_reader, certificate):
    def only_udp(message):
        if message.method == "SETUP":
            yield reply(message, "461 Unsupported Transport")
        else:
            yield from plays(Codec.H264, [])(message)

    with ScriptedCamera(only_udp, certificate=certificate.with_key) as server:
        chosen = opener(server.url, one_reader, certificate_sha256=certificate.sha256)
        with pytest.raises(StreamByUdp):
            chosen.open()
    assert not chosen.is_ffmpeg


def test_a_camera_that_speaks_no_tls_is_an_error(one_reader):
    with ScriptedCamera(plays(Codec.H264, [])) as server, pytest.raises(StreamError):
        opener(server.url.replace("rtsp:", "rtsps:"), one_reader).open()


def test_the_doctor_shows_a_certificate_that_is_not_trusted_and_is_content_with_a_pinned_one(
    camera, certificate, tmp_path, capsys
):
    url, off = camera.url("/cam"), "[detect]\nenabled = false"
    table = camera_table(url, url)
    found = examined(box_file(tmp_path, cameras=table, rest=off), capsys)
    assert found.ids("gate") == {"camera.untrusted"}
    assert certificate.sha256 in found.one("camera.untrusted")["seen"]

    pinned = f'{table}\ncertificate_sha256 = "{certificate.sha256}"'
    found = examined(box_file(tmp_path, cameras=pinned, rest=off), capsys)
    assert not [each for each in found.ids("gate") if each.startswith("camera.")]
