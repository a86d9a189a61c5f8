"""Who acts, in words, on their way through a header."""

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from protocol.actor import MAX_ACTOR_CHARS, actor_words, from_header, to_header

ANYTHING = st.text(st.characters(), max_size=200)


@given(ANYTHING, ANYTHING)
def test_whatever_an_account_says_arrives_as_words_that_can_be_shown(name, username):
    words = actor_words(name, username)
    header = to_header(words)
    assert header.isascii()
    assert from_header(header) == words
    assert len(words) <= MAX_ACTOR_CHARS
    assert "\n" not in words


@given(st.text(max_size=400))
def test_any_header_is_an_actor_or_refused(value):
    with contextlib.suppress(ValueError):
        words = from_header(value)
        assert words.strip()
        assert from_header(to_header(words)) == words


def test_the_words_are_the_name_and_in_brackets_the_username():
    assert actor_words("杨文昌", "yangwc") == "杨文昌 (yangwc)"
