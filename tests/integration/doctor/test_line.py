"""The doctor on the way to the centre: real brokers and a real centre, broken on purpose."""

import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from pydantic import SecretStr
from sqlalchemy import URL

from central.auth.tokens import hash_token
from central.db.engine import Database
from central.db.migrate import migrate
from central.db.models import Box
from edge.config import load
from edge.doctor.probes import broker as probe
from protocol.clock import SystemClock
from protocol.topics import CENTRE_USER
from tests.support.doctor import BOX, TOKEN, box_file, examined
from tests.support.edge_process import EdgeProcess
from tests.support.town_broker import TownBroker
from tests.support.waiting import wait_until
from tests.support.web_centre import WebCentre, running_centre
from tests.support.xiacun import enter_village
from village.broker.broker import Broker, BrokerKind
from village.broker.mosquitto import find_mosquitto

OFF = "[detect]\nenabled = false"
USERS = {BOX: SecretStr(TOKEN), CENTRE_USER: SecretStr("token-of-the-centre")}


def a_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def centre_table(
    mqtt_port: int, http_url: str = "", *, tls: bool = False, ca_file: Path | None = None
) -> str:
    authority = "" if ca_file is None else f'mqtt_ca_file = "{ca_file}"'
    url = http_url or f"http://127.0.0.1:{a_free_port()}"
    return f"""
[centre]
mqtt_host = "127.0.0.1"
mqtt_port = {mqtt_port}
mqtt_tls = {"true" if tls else "false"}
http_url = "{url}"
token = {{ file = "token" }}
{authority}
"""


def started(folder: Path, kind: BrokerKind, token: str = TOKEN) -> Broker:
    if kind is BrokerKind.MOSQUITTO and find_mosquitto() is None:
        pytest.skip("Mosquitto is not installed")
    broker = Broker(folder / "broker", USERS | {BOX: SecretStr(token)}, kind=kind)
    broker.start()
    return broker


@pytest.fixture
def centre(tmp_path) -> Iterator[WebCentre]:
    folder = tmp_path / "centre"
    folder.mkdir()
    database = Database(URL.create("sqlite", database=str(folder / "central.db")))
    migrate(database, SystemClock())
    enter_village(database)
    with database.write() as session:
        session.get_one(Box, BOX).token_sha256 = hash_token(TOKEN)
    with running_centre(database, SystemClock(), folder) as running:
        yield running
    database.close()


@pytest.mark.parametrize(
    "kind",
    [BrokerKind.EMBEDDED, pytest.param(BrokerKind.MOSQUITTO, marks=pytest.mark.mosquitto)],
    ids=str,
)
def test_a_broker_that_takes_the_token_is_told_from_one_that_does_not(tmp_path, capsys, kind):
    broker = started(tmp_path, kind)
    good = examined(box_file(tmp_path, centre=centre_table(broker.port), rest=OFF), capsys)
    broker.close()
    (tmp_path / "other").mkdir()
    broker = started(tmp_path / "other", kind, token="another")
    bad = examined(box_file(tmp_path, centre=centre_table(broker.port), rest=OFF), capsys)
    broker.close()

    at = f"127.0.0.1:{broker.port}"
    assert good.one("broker.fine")["severity"] == "ok"
    assert bad.ids(at) == {"broker.refused"}
    assert "令牌" in bad.one("broker.refused")["do"]


@pytest.mark.mosquitto
def test_an_expired_certificate_is_told_from_one_of_a_stranger(tmp_path, capsys):
    with TownBroker(tmp_path / "town", USERS, is_expired=True) as broker:
        stranger = examined(
            box_file(tmp_path, centre=centre_table(broker.port, tls=True), rest=OFF), capsys
        )
        trusted = centre_table(broker.port, tls=True, ca_file=broker.ca_file)
        old = examined(box_file(tmp_path, centre=trusted, rest=OFF), capsys)

    at = f"127.0.0.1:{broker.port}"
    assert stranger.ids(at) == {"tls.untrusted"}
    assert old.ids(at) == {"tls.expired"}
    assert "证书" in old.one("tls.expired")["do"]


@pytest.mark.mosquitto
def test_a_certificate_that_ends_soon_is_said_beside_a_login_that_is_taken(tmp_path, capsys):
    with TownBroker(tmp_path / "town", USERS) as broker:  # its certificate is good for two days
        trusted = centre_table(broker.port, tls=True, ca_file=broker.ca_file)
        found = examined(box_file(tmp_path, centre=trusted, rest=OFF), capsys)

    at = f"127.0.0.1:{broker.port}"
    assert found.one("broker.fine")["subject"] == at
    assert found.ids(at) == {"tls.expires_soon"}


def test_the_word_of_a_box_that_is_connected_is_taken_and_it_is_not_pushed_off(tmp_path):
    broker = started(tmp_path, BrokerKind.EMBEDDED, token="another")
    config = load(box_file(tmp_path, centre=centre_table(broker.port), rest=OFF))
    told, untold = (
        probe.look_at(
            config.box, config.centre, is_connected=connected, may_log_in=False, waiting=3
        )
        for connected in (True, None)
    )
    broker.close()
    assert told.logged_in  # with a token that the broker would have refused
    assert untold.logged_in is None


def test_a_box_that_runs_is_not_pushed_off_the_broker_even_where_it_can_not_be_asked(
    tmp_path, capsys
):
    broker = started(tmp_path, BrokerKind.EMBEDDED)
    rest = f"{OFF}\n[http]\nport = 0"  # where the doctor finds nobody
    path = box_file(tmp_path, centre=centre_table(broker.port), rest=rest)

    with EdgeProcess(path) as box:
        wait_until(lambda: bus_of(box)["condition"] == "ok")
        before = bus_of(box)["figures"]["since"]
        found = examined(path, capsys)
        assert bus_of(box)["condition"] == "ok"
        assert bus_of(box)["figures"]["since"] == before
    broker.close()
    assert found.ids(f"127.0.0.1:{broker.port}") == set()


def bus_of(box: EdgeProcess) -> dict:
    return box.get("/v1/health")["components"]["bus"]


def test_a_centre_that_knows_the_box_is_told_from_one_that_does_not(centre, tmp_path, capsys):
    path = box_file(tmp_path, centre=centre_table(a_free_port(), centre.url), rest=OFF)
    at = centre.url.removeprefix("http://")
    good = examined(path, capsys)
    (tmp_path / "token").write_text("a-token-of-nobody\n", encoding="utf-8")
    bad = examined(path, capsys)

    assert good.one("centre.fine")["subject"] == at
    # Nobody takes alerts in here, which the centre says itself.
    assert good.ids(at) == {"centre.degraded"}
    assert bad.ids(at) == {"centre.degraded", "centre.token_refused"}


class Portal(BaseHTTPRequestHandler):
    """What a hotel's network answers in everybody's name."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>please sign in</html>")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_page_that_is_no_centre_is_no_centre(tmp_path, capsys):
    with ThreadingHTTPServer(("127.0.0.1", 0), Portal) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        path = box_file(tmp_path, centre=centre_table(a_free_port(), url), rest=OFF)
        found = examined(path, capsys)
        server.shutdown()
    assert found.ids(url.removeprefix("http://")) == {"centre.other"}
