"""Who acts, in words: as the relay tells a box, and as the box writes it down. Pure.

The words are for people to read in a list of acts (``杨文昌 (yangwc)``), not a key: the centre
knows its people, a box does not.
"""

import unicodedata
from typing import Annotated
from urllib.parse import quote, unquote_to_bytes

from pydantic import AfterValidator, Field

#: The header with which a request to the box's own interface says who acts: percent-encoded UTF-8.
ACTOR_HEADER = "x-tanshao-actor"

MAX_ACTOR_CHARS = 120


def _plain(words: str) -> str:
    if not words.strip() or any(map(_is_unprintable, words)):
        raise ValueError("must hold words, and no control characters")
    return words


#: Words for who acts: bounded, not blank, no control characters.
Actor = Annotated[str, Field(max_length=MAX_ACTOR_CHARS), AfterValidator(_plain)]


def actor_words(name: str, username: str) -> str:
    """Return an Actor from what an account says, whatever it holds."""
    plain_name, plain_username = (
        "".join(character for character in words if not _is_unprintable(character)).strip()
        for words in (name, username)
    )
    suffix = f" ({plain_username[: MAX_ACTOR_CHARS // 2]})"
    return plain_name[: MAX_ACTOR_CHARS - len(suffix)] + suffix


def to_header(actor: str) -> str:
    """Return the value of ACTOR_HEADER."""
    return quote(actor, safe="")


def from_header(value: str) -> str:
    """Return the Actor in a value of ACTOR_HEADER. Raises ValueError where there is none."""
    words = unquote_to_bytes(value).decode()
    if len(words) > MAX_ACTOR_CHARS:
        raise ValueError(f"must have at most {MAX_ACTOR_CHARS} characters")
    return _plain(words)


def _is_unprintable(character: str) -> bool:
    """Control, format, surrogate, private or unassigned; line and paragraph separators too."""
    return unicodedata.category(character)[0] == "C" or character in "\u2028\u2029"
