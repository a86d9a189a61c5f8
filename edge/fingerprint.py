"""The SHA-256 of a certificate, as people write it. Pure."""

import re
from typing import Final

_SHA256: Final = re.compile(r"[0-9a-f]{64}")


def fingerprint(text: str) -> str:
    """Return it in 64 small hexadecimal digits, with colons and capitals or without.

    Raises ValueError where it is none.
    """
    plain = text.strip().lower().replace(":", "")
    if not _SHA256.fullmatch(plain):
        raise ValueError("a certificate's SHA-256 is 64 hexadecimal digits")
    return plain
