"""Token files of the broker."""

import json

import pytest
from pydantic import SecretStr

from village.broker.credentials import Digests, write_digests, write_private


def test_a_private_file_is_for_its_owner_only_and_replaced_whole(tmp_path):
    path = tmp_path / "secret"
    path.write_text("old")
    path.chmod(0o644)
    write_private(path, "new")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o600)
    assert [each.name for each in tmp_path.iterdir()] == ["secret"]


def test_tokens_are_kept_as_hashes_only(tmp_path):
    path = tmp_path / "digests.json"
    write_digests(path, {"box-1": SecretStr("very secret")})
    assert list(json.loads(path.read_text())) == ["box-1"]
    assert "secret" not in path.read_text()


@pytest.mark.parametrize(
    ("user", "token", "admitted"),
    [
        ("box-1", "right", True),
        ("box-1", "wrong", False),
        ("box-1", "", False),
        ("box-1", None, False),
        ("box-2", "right", False),
        ("", "", False),
        (None, None, False),
        ("box-1", "right ", False),
    ],
)
def test_only_the_right_token_of_a_known_user_is_admitted(tmp_path, user, token, admitted):
    path = tmp_path / "digests.json"
    write_digests(path, {"box-1": SecretStr("right")})
    assert Digests(path).admits(user, token) is admitted


def test_a_replaced_file_is_obeyed_at_once(tmp_path):
    path = tmp_path / "digests.json"
    write_digests(path, {"box-1": SecretStr("old")})
    digests = Digests(path)
    assert digests.admits("box-1", "old")
    write_digests(path, {"box-1": SecretStr("new")})
    assert (digests.admits("box-1", "old"), digests.admits("box-1", "new")) == (False, True)
