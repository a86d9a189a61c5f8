import pytest

from edge.cameras import digest
from edge.cameras.login import Login

# The examples of RFC 7616, 3.9.1, and of RFC 2069 with its erratum.
NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
OPAQUE = "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"
CLIENT = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
MUFASA = Login("Mufasa", "Circle of Life")


def asked(algorithm: str) -> str:
    return (
        f'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={algorithm}, '
        f'nonce="{NONCE}", opaque="{OPAQUE}"'
    )


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_a_challenge_is_answered_as_the_rfc_does(algorithm, response):
    challenge = digest.challenge([asked(algorithm)])
    answer = digest.authorization(
        challenge, MUFASA, "GET", "/dir/index.html", count=1, client_nonce=CLIENT
    )
    assert f'response="{response}"' in answer
    assert "nc=00000001" in answer
    assert f'opaque="{OPAQUE}"' in answer


def test_a_server_without_qop_is_answered_the_old_way():
    header = 'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"'
    answer = digest.authorization(
        digest.challenge([header]),
        Login("Mufasa", "CircleOfLife"),
        "GET",
        "/dir/index.html",
        count=1,
        client_nonce="x",
    )
    assert 'response="1949323746fe6a43ef61f9606e7febea"' in answer
    assert "nc=" not in answer


def test_a_digest_is_found_beside_other_schemes():
    one_header = [f'Basic realm="a, Digest b", {asked("MD5")}']
    assert digest.challenge(one_header).nonce == NONCE
    assert digest.challenge(['Basic realm="x"', asked("MD5")]).nonce == NONCE
    first = digest.challenge([f'{asked("SHA-256")}, Basic realm="x"'])
    assert (first.algorithm, first.realm) == ("SHA-256", "http-auth@example.org")


@pytest.mark.parametrize(
    "header",
    [
        'Basic realm="x"',
        'Digest realm="x"',
        'Digest realm="x", nonce="n", algorithm=MD5-sess',
        'Digest realm="x", nonce="n", qop="auth-int"',
        'Digest realm="x\r\nX-Header: 1", nonce="n"',
        f'Digest realm="x", nonce="{"n" * 5000}"',
        "",
    ],
)
def test_what_can_not_be_answered_is_no_challenge(header):
    assert digest.challenge([header]) is None


def test_quotes_in_a_name_stay_within_it():
    challenge = digest.challenge([r'Digest realm="a \"b\"", nonce="n"'])
    assert challenge.realm == 'a "b"'
    answer = digest.authorization(
        challenge, Login('x", uri="/y', "p"), "GET", "/", count=1, client_nonce="c"
    )
    assert r'username="x\", uri=\"/y"' in answer
    assert r'realm="a \"b\""' in answer


def test_a_login_shows_neither_user_nor_password():
    assert repr(Login("admin", "hunter2")) == "Login()"
