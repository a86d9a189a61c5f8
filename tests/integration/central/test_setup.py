import io
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from central.__main__ import main
from central.auth.passwords import hash_password, verify
from central.auth.tokens import fits
from central.codes import Role
from central.config import VillageSection
from central.db.models import Account, Box, Grid, Person, Session, Shift
from central.duty.roster import duty_at
from central.errors import ConfigError
from central.seed import load_seed
from central.setup import Entered, enter, put_account
from tests.support.tools import ROOT
from tests.support.xiacun import NOW

VILLAGE = VillageSection(name="下村", region_code="532324001002")
SECRETS = {
    "TANSHAO_PIN_ZHANG": "1357",
    "TANSHAO_PIN_LI": "2468",
    "TANSHAO_PASSWORD_WALL": "wall-password",
    "TANSHAO_PASSWORD_DUTY": "duty-password",
    "TANSHAO_PASSWORD_ADMIN": "admin-password",
    "TANSHAO_TOKEN_XIACUN_1": "a-long-random-token",
}
EXAMPLE = ROOT / "configs" / "village-seed.example.toml"


@pytest.fixture
def secrets(monkeypatch):
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


def test_a_village_is_entered_and_entering_it_again_changes_nothing(database, clock, secrets):
    seed = load_seed(EXAMPLE)
    assert enter(database, clock, VILLAGE, seed) == Entered(2, 3, 3, 1, 124)
    with database.read() as session:
        kept = session.execute(select(Account.password_hash, Person.pin_hash).join(Person)).all()
        zhang = session.get_one(Person, "zhang")
        assert verify("1357", zhang.pin_hash)
        assert verify("duty-password", session.get_one(Account, "duty").password_hash)
        assert fits("a-long-random-token", session.get_one(Box, "xiacun-1").token_sha256)
        assert session.get_one(Grid, "532324001002001").worker_id == "wang"
        # 14:00 on 22 November: day 21 of the rotation is the second team's
        has_it = duty_at(session, VILLAGE.region_code, clock.now())
    assert has_it is not None
    assert (has_it.shift.name, [one.person_id for one in has_it.shift.people]) == (
        "白班",
        ["zhang", "wang", "li"],
    )
    assert enter(database, clock, VILLAGE, seed).new_shifts == 0
    with database.read() as session:
        again = session.execute(select(Account.password_hash, Person.pin_hash).join(Person)).all()
    assert again == kept


def test_the_roster_is_made_further_each_time_and_changed_days_stay(database, clock, secrets):
    seed = load_seed(EXAMPLE)
    enter(database, clock, VILLAGE, seed)
    with database.write() as session:
        session.execute(text("update shift set name = '换班' where id = 1"))
    clock.advance(3 * 86_400)
    assert enter(database, clock, VILLAGE, seed).new_shifts == 6
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Shift)) == 130
        assert session.get_one(Shift, 1).name == "换班"


def test_a_changed_password_and_token_count_from_then_on(database, clock, secrets, monkeypatch):
    enter(database, clock, VILLAGE, load_seed(EXAMPLE))
    monkeypatch.setenv("TANSHAO_PASSWORD_DUTY", "another-password")
    monkeypatch.setenv("TANSHAO_TOKEN_XIACUN_1", "another-long-token")
    enter(database, clock, VILLAGE, load_seed(EXAMPLE))
    with database.read() as session:
        assert verify("another-password", session.get_one(Account, "duty").password_hash)
        assert fits("another-long-token", session.get_one(Box, "xiacun-1").token_sha256)


def sessions(database) -> list[tuple[str, str | None]]:
    with database.read() as session:
        query = select(Session.username, Session.operator_id).order_by(Session.username)
        return [tuple(row) for row in session.execute(query)]


def sign_in(database, *usernames: str, operator: str | None = None) -> None:
    """Put sessions there as they are after signing in."""
    with database.write() as session:
        for username in usernames:
            session.add(
                Session(
                    id_sha256=f"of {username}",
                    username=username,
                    created_at=NOW,
                    expires_at=NOW + timedelta(hours=12),
                    operator_id=operator if username == "wall" else None,
                    operator_until=NOW + timedelta(hours=12) if username == "wall" else None,
                )
            )


def test_a_new_password_ends_the_sessions_of_its_account_alone(
    database, clock, secrets, monkeypatch
):
    enter(database, clock, VILLAGE, load_seed(EXAMPLE))
    sign_in(database, "admin", "duty", "wall")
    enter(database, clock, VILLAGE, load_seed(EXAMPLE))
    assert len(sessions(database)) == 3  # entered again with the same passwords
    monkeypatch.setenv("TANSHAO_PASSWORD_DUTY", "another-password")
    enter(database, clock, VILLAGE, load_seed(EXAMPLE))
    assert [username for username, _ in sessions(database)] == ["admin", "wall"]


def test_an_account_that_is_given_to_somebody_else_ends_its_sessions(database, clock, secrets):
    enter(database, clock, VILLAGE, load_seed(EXAMPLE))
    sign_in(database, "duty")
    with database.write() as session:
        put_account(session, "duty", Role.DUTY, "值班员", "li", "duty-password")
    assert sessions(database) == []


def test_a_new_pin_takes_who_stood_at_a_wall_by_the_old_one_away(
    database, clock, secrets, monkeypatch
):
    enter(database, clock, VILLAGE, load_seed(EXAMPLE))
    sign_in(database, "wall", operator="li")
    enter(database, clock, VILLAGE, load_seed(EXAMPLE))
    assert sessions(database) == [("wall", "li")]
    monkeypatch.setenv("TANSHAO_PIN_LI", "8642")
    enter(database, clock, VILLAGE, load_seed(EXAMPLE))
    assert sessions(database) == [("wall", None)]


def test_a_pin_of_somebody_whom_the_seed_does_not_name_is_refused(
    database, clock, secrets, monkeypatch
):
    enter(database, clock, VILLAGE, load_seed(EXAMPLE))
    with database.write() as session:
        session.get_one(Person, "wang").pin_hash = hash_password("7777")
    seed = load_seed(EXAMPLE)
    without_wang = seed.model_copy(
        update={"people": tuple(one for one in seed.people if one.id != "wang")}
    )
    monkeypatch.setenv("TANSHAO_PIN_LI", "7777")
    with pytest.raises(ConfigError, match="the PIN of 'li' is another person's"):
        enter(database, clock, VILLAGE, without_wang)
    enter(database, clock, VILLAGE, seed)  # whom the seed gives no PIN has none


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("TANSHAO_PIN_LI", "1357", "two PINs are the same"),
        ("TANSHAO_PIN_LI", "12", "four to eight digits"),
        ("TANSHAO_PASSWORD_DUTY", "short", "at least 8 characters"),
        ("TANSHAO_TOKEN_XIACUN_1", "short", "at least 16 random characters"),
        ("TANSHAO_PIN_ZHANG", "", "empty or not set"),
    ],
)
def test_a_weak_secret_is_refused_and_nothing_is_entered(
    database, clock, secrets, monkeypatch, name, value, words
):
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=words) as caught:
        enter(database, clock, VILLAGE, load_seed(EXAMPLE))
    assert not value or value not in str(caught.value).replace("1357", "")
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Person)) == 0


@pytest.fixture
def config_path(tmp_path, secrets) -> Path:
    path = tmp_path / "central.toml"
    path.write_text(
        '[village]\nname = "下村"\nregion_code = "532324001002"\n'
        '[mqtt]\npassword = { env = "TANSHAO_TOKEN_XIACUN_1" }\n',
        encoding="utf-8",
    )
    return path


def test_the_command_line_from_nothing_to_a_village(config_path, tmp_path, capsys, monkeypatch):
    config = ["--config", str(config_path)]
    assert main(["check-config", *config]) == 0
    assert main(["migrate", *config]) == 0
    assert main(["setup", *config, "--file", str(EXAMPLE)]) == 0
    password = tmp_path / "password"
    password.write_text("another-wall\n", encoding="utf-8")
    wall = ["add-user", *config, "--username", "wall2", "--role", "wall", "--name", "大屏二"]
    assert main([*wall, "--password-file", str(password)]) == 0
    assert main(["check-ledgers", *config]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said == [
        f"{config_path}: valid; village 下村 (532324001002)",
        "schema none → 0005",
        "下村: 2 grids, 3 people, 3 accounts, 1 boxes; 124 shifts added",
        "wall2: wall",
        "alert_ledger: whole",
        "incident_ledger: whole",
        "activity_ledger: whole",
        "quarantine_ledger: whole",
        "command_ledger: whole",
        "point_ledger: whole",
        "enrolment_ledger: whole",
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--role", "duty"], "a wall's account has no --person, any other has one"),
        (["--role", "duty", "--person", "nobody"], "there is no person 'nobody'"),
        (["--role", "wall"], "at least 8 characters"),
    ],
)
def test_an_account_that_makes_no_sense_is_refused(
    config_path, capsys, monkeypatch, arguments, words
):
    config = ["--config", str(config_path)]
    main(["migrate", *config])
    password = "long-enough\n" if words != "at least 8 characters" else "short\n"
    monkeypatch.setattr("sys.stdin", open_text(password))
    user = ["add-user", *config, "--username", "x", "--name", "某", *arguments]
    assert main(user) == 1
    assert words in capsys.readouterr().err


def test_an_account_is_retired_on_the_command_line_and_entered_again(
    config_path, tmp_path, capsys, monkeypatch
):
    config = ["--config", str(config_path)]
    assert main(["setup", *config, "--file", str(EXAMPLE)]) == 0
    assert main(["retire", *config, "--username", "duty"]) == 0
    assert main(["retire", *config, "--username", "duty"]) == 0  # again changes nothing
    assert main(["setup", *config, "--file", str(EXAMPLE)]) == 1
    monkeypatch.setattr("sys.stdin", open_text("another-password\n"))
    user = ["add-user", *config, "--username", "duty", "--name", "值班员"]
    assert main([*user, "--role", "duty", "--person", "zhang"]) == 0
    assert main(["retire", *config, "--person", "nobody"]) == 1
    assert main(["retire", *config, "--username", "nobody"]) == 1
    said = capsys.readouterr()
    assert said.out.splitlines()[1:] == ["duty: retired", "duty: retired", "duty: duty"]
    first, *others = said.err.splitlines()
    assert first.startswith("ConfigError: 'users': 'duty' is retired")
    assert others == [
        "ConfigError: there is no person 'nobody'",
        "ConfigError: there is no account 'nobody'",
    ]


def open_text(words: str):

    return io.StringIO(words)


def test_a_broken_configuration_is_said_and_the_exit_status_tells(tmp_path, capsys):
    path = tmp_path / "central.toml"
    path.write_text("[village]\n", encoding="utf-8")
    assert main(["check-config", "--config", str(path)]) == 1
    assert "'mqtt': Field required" in capsys.readouterr().err
