import av.error
import pytest
from pydantic import SecretStr

from edge.config import CameraSection
from edge.errors import StreamError, StreamMissing, StreamRefused, StreamStalled
from edge.ingest.ffmpeg import TIMEOUT_S, FfmpegOpener, _translated
from protocol.clock import SystemClock
from protocol.relay import StreamName

PASSWORD = "p@ss:w/rd%?#"
URL = "rtsp://192.0.2.7:554/Streaming/Channels/101?transportmode=unicast"


def camera(**changes) -> CameraSection:
    fields = {
        "id": "gate",
        "name": "村口",
        "grid_code": "533102105203001",
        "main_url": "rtsp://192.0.2.7/main",
        "sub_url": "rtsp://192.0.2.7/sub",
    }
    return CameraSection.model_validate(fields | changes)


def test_credentials_are_put_into_the_url_escaped():
    opener = FfmpegOpener(URL, SystemClock(), "ad:min", lambda: SecretStr(PASSWORD))

    assert opener._with_credentials() == (
        "rtsp://ad%3Amin:p%40ss%3Aw%2Frd%25%3F%23@192.0.2.7:554"
        "/Streaming/Channels/101?transportmode=unicast"
    )


def test_without_credentials_the_url_stays_as_it_is():
    assert FfmpegOpener(URL, SystemClock())._with_credentials() == URL


def test_the_sub_stream_is_the_main_one_where_there_is_no_other():
    def url(of: CameraSection, stream: StreamName) -> str:
        return FfmpegOpener.of_camera(of, stream, SystemClock(), "tcp")._url

    both, one = camera(), camera(sub_url=None)
    assert url(both, StreamName.SUB) == "rtsp://192.0.2.7/sub"
    assert url(both, StreamName.MAIN) == "rtsp://192.0.2.7/main"
    assert url(one, StreamName.SUB) == "rtsp://192.0.2.7/main"


def test_the_password_is_read_from_where_the_configuration_says(monkeypatch):
    monkeypatch.setenv("GATE_PASSWORD", PASSWORD)
    section = camera(username="admin", password={"env": "GATE_PASSWORD"})

    opener = FfmpegOpener.of_camera(section, StreamName.MAIN, SystemClock(), "tcp")

    assert opener._with_credentials() == "rtsp://admin:p%40ss%3Aw%2Frd%25%3F%23@192.0.2.7/main"


def test_a_password_that_can_not_be_read_refuses_the_stream_and_is_read_again(monkeypatch):
    monkeypatch.delenv("GATE_PASSWORD", raising=False)
    section = camera(username="admin", password={"env": "GATE_PASSWORD"})
    opener = FfmpegOpener.of_camera(section, StreamName.MAIN, SystemClock(), "tcp")

    with pytest.raises(StreamRefused, match="secret GATE_PASSWORD: empty or not set"):
        opener.open()

    monkeypatch.setenv("GATE_PASSWORD", PASSWORD)
    assert "p%40ss" in opener._with_credentials()


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        (av.error.HTTPUnauthorizedError(1, "401 Unauthorized", URL), StreamRefused),
        (av.error.HTTPForbiddenError(1, "403 Forbidden", URL), StreamRefused),
        (av.error.HTTPNotFoundError(1, "404 Not Found", URL), StreamMissing),
        (av.error.HTTPBadRequestError(1, "400 Bad Request", URL), StreamMissing),
        (av.error.HTTPOtherClientError(1, "454 Session Not Found", URL), StreamMissing),
        (av.error.HTTPServerError(1, "503 Service Unavailable", URL), StreamError),
        (av.error.ConnectionRefusedError(111, "Connection refused", URL), StreamError),
        (av.error.TimeoutError(110, "timed out", URL), StreamStalled),
        (av.error.ExitError(1, "Immediate exit requested", URL), StreamStalled),
        (av.error.InvalidDataError(1, "Invalid data", URL), StreamError),
        (ValueError("something with rtsp://admin:secret@192.0.2.7"), StreamError),
    ],
)
def test_pyavs_errors_become_ours_without_the_url(error, ours):
    translated = _translated(error)

    assert type(translated) is ours
    assert "rtsp" not in str(translated)
    assert "192.0.2.7" not in str(translated)


def test_a_watched_camera_that_sends_no_packet_is_told_in_words(monkeypatch):
    asked = {}

    def refuse(_url, **given):
        asked.update(given)
        raise av.error.ExitError(1414092869, "Immediate exit requested")

    monkeypatch.setattr("edge.ingest.ffmpeg.av.open", refuse)
    with pytest.raises(StreamStalled, match="connected, but no packet"):
        FfmpegOpener(URL, SystemClock()).open(watched=True)
    assert asked["timeout"] == (2 * TIMEOUT_S, 2 * TIMEOUT_S)


def test_it_is_ffmpeg_that_keeps_the_time_limit_and_not_python(monkeypatch):
    """PyAV's own limit takes Python's lock at every packet of the network."""
    asked = {}

    def refuse(_url, **given):
        asked.update(given)
        raise av.error.TimeoutError(110, "timed out")

    monkeypatch.setattr("edge.ingest.ffmpeg.av.open", refuse)
    with pytest.raises(StreamStalled):
        FfmpegOpener(URL, SystemClock()).open()
    assert asked["timeout"] == (2 * TIMEOUT_S, None)  # it is not asked while packets come
    assert asked["options"]["timeout"] == str(round(TIMEOUT_S * 1_000_000))
