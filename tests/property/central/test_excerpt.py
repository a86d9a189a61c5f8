"""What of a message that nobody understood may be read: short, on one line's terms, no secrets."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from central.quarantine.excerpt import EXCERPT_CHARS, excerpt

SECRET = "s3cr3tSesame"


@given(st.binary(max_size=6000))
@example(b"//" * 3000)
@example(b"password_" * 700)
def test_any_bytes_become_a_short_text_that_shows_as_it_is(payload):
    text = excerpt(payload)
    assert len(text) <= EXCERPT_CHARS
    assert all(ord(each) >= 0x20 or each in "\t\n" for each in text)
    assert not {"\u202e", "\u2028", "\u200b", "\x7f", "\x9b"} & set(text)


@pytest.mark.parametrize(
    "words",
    [
        f'{{"token":"{SECRET}"}}',
        f'{{"camera": {{"main_password" : "{SECRET}"}}}}',
        f'{{"url":"rtsp://admin:{SECRET}@10.0.0.9/main"}}',
        f'{{"url":"rtsp://admin:a@{SECRET}@10.0.0.9/main"}}',
        f'{{"url":"rtsp:\\/\\/admin:{SECRET}@10.0.0.9\\/main"}}',
        f"GET /x?access_token={SECRET}&y=1",
        f"Authorization: Bearer {SECRET}",
        f"x Bearer {SECRET} y",
        f"pin={SECRET}",
        f"口令:{SECRET}",
        f'{{"secret":"a\\"{SECRET}"}}',
        f"PASSWORD='{SECRET}'",
        f'{{"api-key" : "{SECRET}"}}',
    ],
)
@pytest.mark.parametrize("padding", [0, 100, 590, 3000])
def test_secrets_are_left_out_wherever_they_stand(words, padding):
    text = excerpt((" " * padding + words).encode())
    assert SECRET not in text
    assert padding > EXCERPT_CHARS - 100 or "***" in text


@given(st.integers(0, 4200), st.sampled_from([f'"token":"{SECRET}"', f"//a:{SECRET}@host"]))
def test_a_secret_is_left_out_where_the_reading_ends_in_it_too(padding, words):
    # Long hidden values bring what stands far behind into the excerpt.
    hidden = '"password":"' + "x" * padding + '" '
    assert "s3cr3t" not in excerpt((hidden + words * 40).encode())


def test_what_is_no_secret_stays():
    message = json.dumps(
        {"type": "cn.tanshao.alert.v9", "data": {"camera_name": "文化广场"}}, ensure_ascii=False
    )
    assert excerpt(message.encode()) == message


def test_bytes_that_are_no_text_and_marks_that_turn_it_are_shown_as_such():
    assert excerpt(b"\xff\x00a\xe2\x80\xaeb") == "\ufffd\ufffda\ufffdb"
