"""What a person may see of a message that nobody understood: readable, short, no secrets. Pure."""

import re

#: Characters of an excerpt.
EXCERPT_CHARS = 600
_HIDDEN = "***"
#: A payload is read so far; what could be a half of a secret there is left out again.
_READ_BYTES, _TAIL_CHARS = 4096, 400

#: A login before a host: what stands between "//" (or what JSON may write for it)
#: and the last "@" of a word.
_LOGIN = re.compile(r"(?:(?<=//)|(?<=\\/\\/))[^\s\"'<>]{0,400}@")
#: A value after a word that says what it is, in JSON, in a query or in a header.
_NAMED = re.compile(
    r"""(?ix)
    ((?:\b|_)(?:\w{0,20}(?:password|passwd|pwd|secret|token|api[_-]?key|authorization|cookie|口令|密码)\w{0,20}|pin)
      ["']?\s*[:=]\s*)                    # the name, and what parts it from its value
    (?:"(?:[^"\\]|\\.)*"? | '[^']*'? | (?:bearer|basic)\s+[^\s,;&}\]]+ | [^\s,;&}\]]+)
    """
)
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}")
#: All that is no printed character: one of them could end a line, or turn its direction.
_UNPRINTED = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffc]"
)


def excerpt(payload: bytes) -> str:
    """Return the beginning of a payload as text.

    Bytes that are no UTF-8, and what is no printed character, are shown as U+FFFD. Logins in
    addresses, and values that are called a password or the like, are left out as three asterisks.
    """
    text = payload[:_READ_BYTES].decode("utf-8", errors="replace")
    text = _UNPRINTED.sub("\ufffd", text)
    text = _LOGIN.sub(f"{_HIDDEN}@", text)
    text = _NAMED.sub(rf"\1{_HIDDEN}", text)
    text = _BEARER.sub(rf"\1 {_HIDDEN}", text)
    if len(payload) > _READ_BYTES:
        text = text[:-_TAIL_CHARS]
    return text if len(text) <= EXCERPT_CHARS else text[: EXCERPT_CHARS - 1] + "…"
