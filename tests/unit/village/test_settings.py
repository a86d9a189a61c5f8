import socket

import pytest

from central.config import load as load_central
from central.seed import load_seed
from edge.config import load as load_edge
from protocol.messages import AlertLevel
from village import demo
from village.home import Home, HomeError
from village.seed import logins_text, pins_text, seed_document
from village.settings import (
    Detection,
    Places,
    answers,
    camera_port,
    central_document,
    check_port,
    database,
    demo_cameras,
    edge_document,
    free_port,
    real_cameras,
)

PLACES = Places("127.0.0.1", 8600, 8610, 8554, 1883)


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path)
    home.open()
    yield home
    home.close()


def test_the_edge_takes_what_is_written_for_the_demo(home):
    text = edge_document(home, PLACES, demo_cameras(PLACES), Detection(fps=3.5))
    config = load_edge(home.write("edge.toml", text))
    assert [camera.id for camera in config.cameras] == ["cam-01", "cam-02", "cam-03", "cam-04"]
    assert len({camera.grid_code for camera in config.cameras}) == 4
    assert config.detect.fps == 3.5
    assert config.centre.token.read().get_secret_value() == home.word(home.token("box-token"))
    first = config.cameras[0]
    assert first.main_url == "rtsp://127.0.0.1:8554/cam-01/main"
    assert (first.rules[0].mode, first.rules[0].levels) == (
        "close_together",
        {AlertLevel.URGENT: 3},
    )
    assert len(first.ground) == 4


def test_the_centre_takes_what_is_written(home):
    config = load_central(
        home.write("central.toml", central_document(home, PLACES, database(None, home, {})))
    )
    assert (config.village.name, config.http.port) == ("青石岭村", 8600)
    assert config.mqtt.password.read().get_secret_value() == home.word(home.token("centre-token"))


@pytest.mark.parametrize("keeps", [False, True])
def test_false_alarms_are_kept_only_where_it_was_asked_for(home, keeps):
    text = central_document(home, PLACES, database(None, home, {}), keeps_examples=keeps)
    examples = load_central(home.write("central.toml", text)).examples
    assert (examples.keep, examples.folder) == (keeps, home.folder / "examples")


def test_the_centre_takes_another_database_with_a_password_from_the_environment(home):
    given = database("postgresql://lin@db/village", home, {"DATABASE_PASSWORD": "p@ss"})
    text = central_document(home, PLACES, given)
    address = load_central(home.write("central.toml", text)).database.address()
    assert (address.username, address.host, address.password) == ("lin", "db", "p@ss")
    assert "p@ss" not in text


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://lin:geheim@db/village",
        "postgresql://lin:#geheim@db/village",
        "postgresql://lin@db/village?password=geheim",
    ],
)
def test_a_password_in_a_database_address_is_refused_without_repeating_it(home, url):
    with pytest.raises(HomeError, match="DATABASE_PASSWORD") as refused:
        database(url, home, {})
    assert "geheim" not in str(refused.value)


def test_the_centre_takes_the_demo_village(home):
    seed = load_seed(home.write("seed.toml", seed_document(home)))
    assert len(seed.grids) == 8
    assert {user.username for user in seed.users} == {"wall", "duty", "admin"}
    assert seed.boxes[0].token.read().get_secret_value() == home.word(home.token("box-token"))
    pins = {person.pin.read().get_secret_value() for person in seed.people}
    assert len(pins) == len(seed.people) == 15


def test_no_team_has_a_person_twice():
    for team in demo.TEAMS:
        assert len({team.lead, team.officer, team.deputy, team.standby}) == 4


def test_secrets_are_in_no_configuration(home):
    texts = [
        edge_document(home, PLACES, demo_cameras(PLACES), Detection()),
        central_document(home, PLACES, database(None, home, {})),
        seed_document(home),
    ]
    secrets = {home.word(path) for path in home.secrets.iterdir()}
    # a PIN's four digits may be part of a telephone number
    assert [word for word in secrets if len(word) > 4 and any(word in text for text in texts)] == []


def test_the_sheet_has_every_login_and_pin(home):
    sheet = logins_text(home, PLACES.web_url) + pins_text(home)
    for account in demo.ACCOUNTS:
        assert home.word(home.password(f"password-{account.username}")) in sheet
    assert "http://127.0.0.1:8600/wall" in sheet
    for person in demo.PEOPLE:
        assert f"{home.word(home.secrets / f'pin-{person.id}')}  {person.name}" in sheet


def test_real_cameras_take_their_login_from_the_environment(home):
    environ = {"CAMERA_USER": "admin", "CAMERA_PASSWORD": "p@ss"}
    cameras = real_cameras(["rtsp://10.0.0.5/1", "rtsp://10.0.0.6/1"], home, environ)
    text = edge_document(home, PLACES, cameras, Detection())
    config = load_edge(home.write("edge.toml", text))
    assert [(camera.main_url, camera.username) for camera in config.cameras] == [
        ("rtsp://10.0.0.5/1", "admin"),
        ("rtsp://10.0.0.6/1", "admin"),
    ]
    assert config.cameras[0].password.read().get_secret_value() == "p@ss"
    assert "p@ss" not in text


@pytest.mark.parametrize("variable", ["CAMERA_USER", "CAMERA_PASSWORD"])
def test_a_user_without_a_password_is_refused_before_anything_starts(home, variable):
    with pytest.raises(HomeError, match="CAMERA_USER and CAMERA_PASSWORD go together") as refused:
        real_cameras(["rtsp://10.0.0.5/1"], home, {variable: "geheim"})
    assert "geheim" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://admin:geheim@10.0.0.5/1",
        "rtsp://admin:#geheim@10.0.0.5/1",
        "rtsp://admin:/geheim@10.0.0.5/1",
        "rtsp://admin:[geheim@10.0.0.5/1",
        "admin:geheim@10.0.0.5/1",
    ],
)
def test_a_login_in_a_camera_address_is_refused_without_repeating_it(home, url):
    with pytest.raises(HomeError, match="CAMERA_PASSWORD") as refused:
        real_cameras([url], home, {})
    assert "geheim" not in str(refused.value)


@pytest.mark.parametrize("url", ["", "http://a/b", "rtsp:///x", "/dev/video0", "rtsp://[1/x"])
def test_what_is_no_camera_address_is_refused(home, url):
    with pytest.raises(HomeError, match="rtsp://host/path"):
        real_cameras([url], home, {})


def test_a_taken_port_is_refused_before_anything_starts():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(HomeError, match="choose another with --port"):
            check_port("127.0.0.1", port)
    check_port("127.0.0.1", port)


def test_the_demos_cameras_are_where_they_were_in_the_last_run_unless_that_is_taken(home):
    path = home.folder / "edge.toml"
    assert camera_port(path) > 0
    places = Places("127.0.0.1", 8600, 1, free_port(), 3)
    path.write_text(edge_document(home, places, demo_cameras(places), Detection()), "utf-8")
    assert camera_port(path) == places.camera_port
    with socket.create_server(("127.0.0.1", places.camera_port)):
        assert camera_port(path) != places.camera_port
    path.write_text("[[cameras]]", "utf-8")
    assert camera_port(path) > 0


def test_a_village_for_the_lan_is_shown_with_an_address_that_people_can_type():
    places = Places("0.0.0.0", 8600, 1, 2, 3)
    assert places.local_host == "127.0.0.1"
    assert "0.0.0.0" not in places.web_url


def test_a_port_answers_once_something_listens_there():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        assert not answers(port)
        listener.listen()
        assert answers(port)
