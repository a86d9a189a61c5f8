"""How the configuration is changed: the whole is checked, and what is refused changes nothing."""

import threading

import pytest
from pydantic import SecretStr

from edge.errors import ConfigError, NotFoundError
from edge.health import Condition
from edge.settings.layer import Layer
from tests.support.settings import TEXT, Paper, camera

WHO = {"actor": "李秀英", "reason": "新装"}


@pytest.fixture
def paper(tmp_path):
    return Paper(tmp_path)


def test_a_camera_is_added_and_its_password_is_in_a_file_of_its_own(paper):
    table = camera("road", username="viewer")
    made = paper.desk.save(table, SecretStr("word"), **WHO)
    assert made == paper.desk.cameras()[1]
    assert made.password.file == paper.store.folder / "secrets/road-1"
    assert paper.passwords() == {"gate": "gate-secret", "road": "word"}
    kept = (paper.store.folder / "00000001.json").read_text(encoding="utf-8")
    assert "word" not in kept.replace('"password"', "")


def test_a_camera_that_is_saved_without_a_password_keeps_the_one_it_has(paper):
    paper.desk.save(camera("road", username="viewer"), SecretStr("word"), **WHO)
    paper.desk.save(camera("road", "桥头", username="other"), None, **WHO)
    paper.desk.save(camera("gate", "大门", username="viewer"), None, **WHO)
    assert paper.names() == {"gate": "大门", "road": "桥头"}
    assert paper.passwords() == {"gate": "gate-secret", "road": "word"}


def test_a_camera_that_is_saved_without_a_login_has_none(paper):
    paper.desk.save(camera("gate"), None, **WHO)
    assert paper.passwords() == {}


def test_an_environment_variable_is_kept_as_that(tmp_path, monkeypatch):
    monkeypatch.setenv("GATE", "word")
    paper = Paper(tmp_path, TEXT.replace('file = "gate.password"', 'env = "GATE"'))
    paper.desk.save(camera("gate", username="viewer"), None, **WHO)
    assert paper.passwords() == {"gate": "word"}


def test_a_removed_camera_is_gone_and_one_of_that_id_can_be_added_again(paper):
    paper.desk.remove("gate", **WHO)
    assert paper.names() == {}
    paper.desk.save(camera("gate"), None, **WHO)
    assert paper.names() == {"gate": "老街"}
    paper.desk.remove("gate", **WHO)
    with pytest.raises(NotFoundError):
        paper.desk.remove("gate", **WHO)


@pytest.mark.parametrize(
    ("table", "password", "words"),
    [
        (camera("road", grid_code="5"), None, "'grid_code'.*not '5'"),
        (camera("road", nam="x"), None, "'nam': Extra inputs"),
        (camera("road", main_url="ftp://192.0.2.1/"), None, "'main_url': must be a URL of scheme"),
        (camera("road", username="viewer"), None, "'username' and 'password' go together"),
        (camera("road"), "s3cret", "^'username' and 'password' go together"),
        (camera("road", retention_days=7), None, "Regulation 799, article 17"),
        (camera("../road"), None, "'id'"),
        (camera("road", username="v", password={"env": "PATH"}), None, "'password': must not be"),
        (camera("road", username="v"), "s3cret\nline", "'password': must be one line"),
        (camera("road", username="v"), " s3cret", "'password': must be one line"),
        (camera("road", username="v"), "", "'password': must be one line"),
        ({"name": "x"}, None, "'id': Field required"),
    ],
)
def test_what_is_not_valid_is_refused_by_key_rule_and_value_and_nothing_is_kept(
    paper, table, password, words
):
    secret = None if password is None else SecretStr(password)
    with pytest.raises(ConfigError, match=words) as refused:
        paper.desk.save(table, secret, **WHO)
    assert not password or password not in str(refused.value)
    assert paper.desk.version() == 0
    assert not (paper.store.folder / "secrets").exists()


def test_a_camera_must_fit_the_rest_as_well(paper):
    for number in range(63):
        paper.desk.change(
            lambda layer, number=number: layer.with_camera(camera(f"c{number}")), **WHO
        )
    with pytest.raises(ConfigError, match=r"'cameras'.*at most 64"):
        paper.desk.save(camera("road"), None, **WHO)


def test_a_password_that_can_not_be_read_is_not_kept(paper):
    (paper.path.parent / "gate.password").unlink()
    with pytest.raises(ConfigError, match=r"gate\.password: No such file"):
        paper.desk.save(camera("gate", username="viewer"), None, **WHO)
    paper.desk.save(camera("road"), None, **WHO)  # no business of this one


def test_sections_are_tuned_key_by_key(paper):
    tuned = {"detect": {"fps": 4}}
    version = paper.desk.change(lambda layer: layer.with_sections(tuned), **WHO)
    assert (version.number, paper.desk.now().config.detect.fps) == (1, 4)
    with pytest.raises(ConfigError, match=r"'detect\.fps'.*not 99"):
        paper.desk.change(lambda layer: layer.with_sections({"detect": {"fps": 99}}), **WHO)
    assert paper.desk.now().config.detect.fps == 4


def test_what_changes_nothing_makes_no_version(paper):
    paper.desk.save(camera("road"), None, **WHO)
    paper.desk.save(camera("road"), None, **WHO)
    assert paper.desk.version() == 1


def test_all_can_be_undone_also_where_the_newest_is_not_used(paper):
    paper.desk.save(camera("road"), None, **WHO)
    (paper.store.folder / "00000001.json").write_bytes(b"")
    assert paper.desk.change(lambda _: Layer(), **WHO).number == 2
    assert paper.desk.now().trouble is None


def test_what_no_longer_fits_an_edited_file_is_passed_over_and_said(paper):
    paper.desk.save(camera("road"), None, **WHO)
    tuned = {"centre": {"mqtt_port": 1}}
    text = '[centre]\nmqtt_host = "x"\nhttp_url = "http://x"\ntoken = { env = "T" }\n'
    paper.path.write_text(text + TEXT, encoding="utf-8")
    paper.open()
    paper.desk.change(lambda layer: layer.with_sections(tuned), **WHO)
    paper.path.write_text(TEXT, encoding="utf-8")
    paper.open()
    assert set(paper.names()) == {"gate", "road"}
    said = paper.desk.now().trouble
    assert said.startswith("version 2 does not fit: ")
    assert "'centre.mqtt_host': Field required" in said
    assert said.endswith("; version 1 counts")


def test_changes_by_many_at_once_are_all_there(paper):
    def save(number):
        paper.desk.save(camera(f"c{number}"), None, **WHO)

    threads = [threading.Thread(target=save, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(paper.names()) == {"gate", *(f"c{number}" for number in range(12))}
    assert paper.desk.version() == 12


def test_health_says_what_runs_what_is_newest_and_what_is_wrong(paper):
    assert paper.desk.component().condition is Condition.OK
    paper.desk.save(camera("road"), None, **WHO)
    assert paper.desk.component().figures == {"version": 1, "running": 0}
    (paper.store.folder / "00000001.json").write_bytes(b"")
    paper.desk.took(paper.desk.now())
    said = paper.desk.component()
    assert said.condition is Condition.DEGRADED
    assert "version 1 is damaged" in str(said.detail)


def test_health_says_that_the_file_can_not_be_read_any_more(paper):
    paper.path.write_text("[box", encoding="utf-8")
    paper.file = paper.file.again()
    assert [each.id for each in paper.file.config.cameras] == ["gate"]
    desk = type(paper.desk)(paper.file, paper.store, paper.desk.now())
    said = desk.component()
    assert said.condition is Condition.DEGRADED
    assert "not TOML" in str(said.detail)
    assert "what it said before counts" in str(said.detail)


def test_it_is_known_which_cameras_are_the_files(paper):
    paper.desk.save(camera("road"), None, **WHO)
    assert paper.desk.changed_cameras() == {"road"}
    paper.desk.save(camera("gate"), None, **WHO)
    assert paper.desk.changed_cameras() == {"gate", "road"}
