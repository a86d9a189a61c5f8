import stat

import pytest

from village.home import Home, HomeError


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path / "data")
    home.open()
    yield home
    home.close()


def test_secrets_are_private_and_kept_for_the_second_start(home):
    path = home.token("box-token")
    first = home.word(path)
    assert len(first) >= 32
    assert mode(path) == 0o600
    assert mode(home.secrets) == 0o700
    assert home.word(Home(home.folder).token("box-token")) == first


def test_passwords_and_pins_differ_and_stay(home):
    passwords = {home.word(home.password(name)) for name in ("wall", "duty", "admin")}
    people = tuple(f"p{n}" for n in range(50))
    pins = home.pins(people)
    assert len(passwords) == 3
    assert len(set(pins.values())) == 50
    assert all(len(pin) == 4 and pin.isdigit() for pin in pins.values())
    assert home.pins(people) == pins
    assert home.word(home.secrets / "pin-p7") == pins["p7"]


def test_an_empty_secret_file_is_filled_again(home):
    home.token("box-token").write_text("")
    assert home.word(home.token("box-token"))


def test_a_second_village_on_the_folder_is_refused_and_told_whose_it_is(home):
    home.write_state({"pid": 4711})
    with pytest.raises(HomeError, match=r"in use by another Tanshao \(pid 4711\)"):
        Home(home.folder).open()
    assert Home(home.folder).is_running()


def test_a_closed_home_can_be_opened_again(home):
    home.close()
    assert not Home(home.folder).is_running()
    again = Home(home.folder)
    again.open()
    again.close()
    again.close()


def test_a_folder_that_can_not_be_made_is_an_error_in_words(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(HomeError, match="Not a directory"):
        Home(tmp_path / "file" / "data").open()


@pytest.mark.parametrize("text", ["", "{", "[]"])
def test_a_state_that_can_not_be_read_is_no_state(home, text):
    home.state_path.write_text(text)
    assert home.state() == {}
