"""Saying who we are, against the examples of the standards."""

import base64

import pytest

from edge.rtsp.challenge import Authoriser, Credentials

#: RFC 7616, 3.9.1
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
EXAMPLE = (
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={}, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
    'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)
ANSWERS = {
    "MD5": "8ca523f5e9506fed4657c9700eebdbec",
    "SHA-256": "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
}


def authoriser(user: str = "Mufasa", password: str = "Circle of Life") -> Authoriser:
    return Authoriser(Credentials(user, password), lambda: CNONCE)


@pytest.mark.parametrize("algorithm", ANSWERS)
def test_the_examples_of_the_standard_are_answered(algorithm):
    ours = authoriser()

    assert ours.take([EXAMPLE.format(algorithm)])

    header = ours.header("GET", "/dir/index.html")
    assert f'response="{ANSWERS[algorithm]}"' in header
    assert "nc=00000001" in header
    assert 'opaque="FQhe' in header


def test_the_stronger_of_two_digests_is_taken_and_digest_before_basic():
    ours = authoriser()

    assert ours.take(['Basic realm="x"', EXAMPLE.format("MD5"), EXAMPLE.format("SHA-256")])

    assert ANSWERS["SHA-256"] in ours.header("GET", "/dir/index.html")


def test_a_server_that_knows_no_qop_gets_the_older_answer():
    ours = authoriser("user", "secret")
    assert ours.take(['Digest realm="IP Camera", nonce="abc"'])

    header = ours.header("DESCRIBE", "rtsp://192.0.2.7/cam")

    # MD5(MD5("user:IP Camera:secret"):abc:MD5("DESCRIBE:rtsp://192.0.2.7/cam")), by md5sum
    assert 'response="42f8326217f5cbe1af9144910f253006"' in header
    assert "cnonce" not in header


def test_each_request_counts_up():
    ours = authoriser()
    ours.take([EXAMPLE.format("MD5")])
    assert "nc=00000001" in ours.header("GET", "/")
    assert "nc=00000002" in ours.header("GET", "/")


def test_a_session_variant_mixes_our_nonce_in():
    ours, plain = authoriser(), authoriser()
    assert ours.take(['Digest realm="r", nonce="n", algorithm=MD5-sess'])
    plain.take(['Digest realm="r", nonce="n"'])
    assert "cnonce=" in ours.header("GET", "/")
    assert ours.header("GET", "/") != plain.header("GET", "/")


def test_basic_carries_any_character():
    ours = authoriser("admin", "密码:x")
    assert ours.take(["Basic realm=x"])
    word, _, said = ours.header("OPTIONS", "rtsp://x").partition(" ")
    assert (word, base64.b64decode(said).decode()) == ("Basic", "admin:密码:x")


def test_quotes_in_names_are_escaped_and_read():
    ours = authoriser('a"b', "x")
    assert ours.take([r'Digest realm="the \"gate\"", nonce="n"'])
    header = ours.header("GET", "/")
    assert r'username="a\"b"' in header
    assert r'realm="the \"gate\""' in header


@pytest.mark.parametrize(
    "challenges",
    [[], [""], ["Negotiate"], ['Digest realm="r"'], ['Digest realm="r", nonce="n", algorithm=X']],
)
def test_what_is_not_understood_is_not_answered(challenges):
    ours = authoriser()
    assert not ours.take(challenges)
    assert ours.header("GET", "/") is None


def test_an_integrity_only_digest_is_not_answered():
    assert not authoriser().take(['Digest realm="r", nonce="n", qop="auth-int"'])


def test_without_a_password_no_challenge_is_answered():
    ours = Authoriser(None, lambda: CNONCE)
    assert not ours.take(["Basic realm=x"])
    assert ours.header("GET", "/") is None


def test_a_second_refusal_is_the_last_but_for_a_nonce_that_was_too_old():
    ours = authoriser()
    assert ours.take([EXAMPLE.format("MD5")])
    assert not ours.take([EXAMPLE.format("MD5")])
    assert ours.take([EXAMPLE.format("MD5") + ", stale=TRUE"])

    basic = authoriser()
    assert basic.take(["Basic realm=x"])
    assert not basic.take(["Basic realm=x"])


def test_the_password_is_in_no_representation():
    assert "Circle" not in repr(Credentials("Mufasa", "Circle of Life"))
