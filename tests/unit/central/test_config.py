import sys
from pathlib import Path

import pytest

from central.__main__ import main
from central.config import as_replica, load
from central.errors import ConfigError
from central.evidence.places import open_storages
from central.seed import load_seed
from protocol.clock import SystemClock
from protocol.messages import AlertLevel
from tests.support.tools import ROOT

MINIMAL = """
[village]
name = "下村"
region_code = "532324001002"
[mqtt]
password = { env = "MQTT" }
"""
S3 = """
[evidence.s3]
endpoint = "https://s3.example.org"
bucket = "village"
access_key = { env = "A" }
secret_key = { file = "secrets/s3" }
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "central.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_annotated_example_is_valid_and_spells_out_the_defaults(tmp_path):
    example = load(ROOT / "configs" / "central.toml")
    minimal = load(written(tmp_path, MINIMAL))
    assert example.deadlines == minimal.deadlines
    assert (example.http, example.sessions, example.feed) == (
        minimal.http,
        minimal.sessions,
        minimal.feed,
    )
    assert example.mqtt.model_dump(exclude={"password"}) == minimal.mqtt.model_dump(
        exclude={"password"}
    )


def test_relative_paths_are_below_the_files_folder(tmp_path):
    text = MINIMAL.replace('{ env = "MQTT" }', '{ file = "secrets/mqtt" }')
    config = load(written(tmp_path, text))
    assert config.database.address().database == str(tmp_path / "data" / "central.db")
    assert config.evidence.folder == tmp_path / "data" / "evidence"
    assert config.mqtt.password.file == tmp_path / "secrets" / "mqtt"


def test_postgresql_takes_its_password_from_a_secret(tmp_path, monkeypatch):
    monkeypatch.setenv("DB", "s3cret/@")
    text = MINIMAL + '[database]\nurl = "postgresql://t@db/tanshao"\npassword = { env = "DB" }\n'
    address = load(written(tmp_path, text)).database.address()
    assert (address.host, address.database, address.password) == ("db", "tanshao", "s3cret/@")


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ("[http]\nprot = 1\n", "'http.prot': Extra inputs are not permitted"),
        ("[http]\nport = 70000\n", "'http.port'"),
        ('[http]\npublic_url = "ftp://x"\n', "'http.public_url': must be a URL of scheme"),
        ('[database]\nurl = "mysql://x/y"\n', "'database.url': must be sqlite:///path or"),
        (
            '[database]\nurl = "postgresql://u:hidden@h/d"\n',
            "'database.url': must not hold a password: use password = { file = … }",
        ),
        (
            '[database]\nurl = "postgresql://u@h/d?password=hidden"\n',
            "'database.url': must not hold a password",
        ),
        ('[database]\nurl = "postgresql+psycopg://u:hidden@h/d"\n', "'database.url': must be"),
        ('[database]\nurl = "postgresql://u:hidden/d"\n', "'database.url': must be sqlite"),
        ('[database]\npassword = "hidden"\n', "'database.password': Input should be"),
        ('[http]\npublic_url = "ftp://u:hidden@h"\n', "'http.public_url': must not hold a user"),
        ('[http]\npublic_ur = "http://u:hidden@h"\n', "'http.public_ur': Extra inputs"),
        ("[deadlines]\nsign_s = { urgent = 5 }\n", "'sign_s' must give every level"),
        ("[deadlines]\nsign_s = { urgent = -5 }\n", "'deadlines.sign_s.urgent'"),
        ("[web]\nfolder = 1\n", "'web.folder'"),
        ('[evidence]\nstore = "s3"\n', 'store = "s3" needs a section [evidence.s3]'),
        (S3.replace("https:", "http:"), "'evidence.s3.endpoint': must be https: by http only"),
        (S3.replace("s3.example", "k:hidden@s3.example"), "'evidence.s3.endpoint': must not hold"),
        (S3.replace("org", "org/bucket"), "'evidence.s3.endpoint': must end after the host"),
        (S3.replace("village", "UP"), "'evidence.s3.bucket'"),
        (S3 + 'prefix = "../"\n', "'evidence.s3.prefix'"),
        (S3 + 'prefix = "county"\n', "'evidence.s3.prefix'"),
        (S3 + 'kms_key = "k"\n', "'kms_key' is for encryption"),
        (S3 + 'encryption = "rot13"\n', "'evidence.s3.encryption'"),
        (S3.replace('{ env = "A" }', '"hidden"'), "'evidence.s3.access_key': Input should be"),
    ],
)
def test_a_broken_key_is_named_with_its_rule_and_value(tmp_path, extra, words):
    with pytest.raises(ConfigError) as caught:
        load(written(tmp_path, MINIMAL + extra))
    assert words in str(caught.value)
    assert "hidden" not in str(caught.value)


def test_a_file_database_may_be_in_a_folder_of_any_name(tmp_path):
    text = MINIMAL + '[database]\nurl = "sqlite:///a:b@c/central.db"\n'
    database = load(written(tmp_path, text)).database.address().database
    assert database == str(tmp_path / "a:b@c" / "central.db")


def test_a_zone_that_is_none_is_refused(tmp_path):
    text = MINIMAL.replace("[mqtt]", 'time_zone = "Asia/Nowhere"\n[mqtt]')
    with pytest.raises(ConfigError, match="zone of the tz database"):
        load(written(tmp_path, text))


@pytest.mark.parametrize("text", ["not toml [", "\x00"])
def test_what_is_not_toml_is_said(tmp_path, text):
    with pytest.raises(ConfigError, match="not TOML"):
        load(written(tmp_path, text))


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(ConfigError, match="No such file"):
        load(tmp_path / "none.toml")


def test_a_missing_or_empty_secret_is_said_by_its_place(tmp_path, monkeypatch):
    monkeypatch.setenv("MQTT", "")
    config = load(written(tmp_path, MINIMAL))
    with pytest.raises(ConfigError, match="secret MQTT: empty or not set"):
        config.mqtt.password.read()


def test_a_secret_is_in_one_place(tmp_path):
    with pytest.raises(ConfigError, match="exactly one of 'file' and 'env'"):
        load(written(tmp_path, MINIMAL.replace('env = "MQTT"', 'env = "A", file = "b"')))


def test_deadlines_are_a_setting(tmp_path):
    extra = "[deadlines]\nsign_s = { extra_urgent = 30, urgent = 60, ordinary = 90 }\n"
    config = load(written(tmp_path, MINIMAL + extra))
    assert config.deadlines.deadlines().sign_s[AlertLevel.URGENT] == 60


def test_the_annotated_seed_is_valid():
    seed = load_seed(ROOT / "configs" / "village-seed.example.toml")
    assert seed.roster is not None
    assert (len(seed.grids), len(seed.people), len(seed.users), len(seed.boxes)) == (2, 3, 3, 1)
    assert [post.value for post, _ in seed.roster.teams[1].members()] == [
        "lead",
        "officer",
        "deputy",
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            '[[grids]]\ncode = "532324001002001"\nname = "一"\nworker = "nobody"\n',
            "not among 'people': nobody",
        ),
        (
            '[[users]]\nusername = "duty"\nrole = "duty"\nname = "x"\npassword = { env = "P" }\n',
            "a wall's account has no 'person', any other has one",
        ),
        (
            '[[people]]\nid = "a"\nname = "甲"\npost = "x"\n' * 2,
            "'people' must all be different",
        ),
        ('[[people]]\nid = "a"\nname = "甲"\npost = "x"\npin = "4711"\n', "'people.0.pin'"),
        ("[roster]\nfirst_day = 2026-11-01\nshifts = []\nteams = []\n", "'roster.shifts'"),
    ],
)
def test_a_broken_seed_is_refused(tmp_path, text, words):
    path = tmp_path / "seed.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_seed(path)
    assert words in str(caught.value)
    assert "4711" not in str(caught.value)


def test_s3_is_told_with_its_secrets_and_a_prefix_of_the_villages_own(tmp_path, monkeypatch):
    monkeypatch.setenv("A", "key")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "s3").write_text("hidden\n")
    config = load(written(tmp_path, MINIMAL + S3 + 'prefix = "county/"\nca_file = "ca.pem"\n'))
    assert config.evidence.s3 is not None
    settings = config.evidence.s3.settings(config.village.region_code)
    assert settings.prefix == "county/532324001002/"
    assert settings.secret_key.get_secret_value() == "hidden"
    assert settings.ca_file == tmp_path / "ca.pem"
    assert "hidden" not in f"{config!r}{settings!r}"


@pytest.mark.parametrize("host", ["127.0.0.1:9000", "localhost", "[::1]:9000"])
def test_s3_on_this_machine_may_be_spoken_to_by_http(tmp_path, host):
    text = MINIMAL + S3.replace("https://s3.example.org", f"http://{host}")
    s3 = load(written(tmp_path, text)).evidence.s3
    assert s3 is not None
    assert s3.endpoint == f"http://{host}"


def test_where_the_library_for_s3_is_missing_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("A", "key")
    monkeypatch.setitem(sys.modules, "boto3", None)
    monkeypatch.delitem(sys.modules, "central.evidence.s3", raising=False)
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "s3").write_text("hidden")
    config = load(written(tmp_path, MINIMAL + S3))
    with pytest.raises(ConfigError, match=r"pip install 'tanshao\[s3\]'"):
        open_storages(config, SystemClock())


SHARED = MINIMAL.replace("[mqtt]", '[database]\nurl = "postgresql://t@db/t"\n[mqtt]')


def test_one_of_several_consumers_signs_in_under_its_number(tmp_path):
    config = load(written(tmp_path, SHARED + 'version = "5"\nreplica = 3\n'))
    assert config.mqtt.user == "_centre-3"
    assert load(written(tmp_path, MINIMAL)).mqtt.user == "_centre"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (MINIMAL + 'version = "5"\nreplica = 1\n', "'mqtt.replica' needs PostgreSQL"),
        (SHARED + "replica = 1\n", "'replica' needs version = '5'"),
        (SHARED + 'version = "5"\nreplica = 1\nclean_session = false\n', "clean_session = true"),
        (SHARED + 'version = "5"\nreplica = 2\nusername = "_centre-1"\n', "as _centre-2"),
        (SHARED + 'version = "5"\nreplica = 100\n', "'mqtt.replica'"),
        (SHARED + 'version = "4"\n', "'mqtt.version'"),
    ],
)
def test_what_several_consumers_need_is_said(tmp_path, text, words):
    with pytest.raises(ConfigError) as caught:
        load(written(tmp_path, text))
    assert words in str(caught.value)


def test_one_file_serves_several_consumers(tmp_path):
    config = load(written(tmp_path, SHARED + 'version = "5"\n'))
    assert config.mqtt.user == "_centre"
    first, second = as_replica(config, 1), as_replica(config, 2)
    assert (first.mqtt.user, second.mqtt.user) == ("_centre-1", "_centre-2")
    assert first.mqtt.model_dump(exclude={"replica"}) == config.mqtt.model_dump(exclude={"replica"})
    assert first.database == config.database


@pytest.mark.parametrize("number", [0, 100])
def test_a_number_that_no_consumer_has_is_refused(tmp_path, number):
    config = load(written(tmp_path, SHARED + 'version = "5"\n'))
    with pytest.raises(ConfigError, match=f"--replica {number}: .*'mqtt.replica'"):
        as_replica(config, number)


def test_a_consumer_with_a_number_does_not_start_on_sqlite(tmp_path, capsys):
    path = written(tmp_path, MINIMAL + 'version = "5"\n')
    assert main(["consume", "--config", str(path), "--replica", "1"]) == 1
    assert "'mqtt.replica' needs PostgreSQL" in capsys.readouterr().err


def test_the_brokers_authority_is_below_the_files_folder(tmp_path):
    config = load(written(tmp_path, MINIMAL + 'ca_file = "secrets/ca.pem"\n'))
    assert config.mqtt.ca_file == tmp_path / "secrets" / "ca.pem"
