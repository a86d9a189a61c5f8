"""Random words and how they are kept: a token of 256 bits needs no slow hash."""

import hashlib
import hmac
import secrets


def new_token() -> str:
    """Return 256 random bits, safe in a cookie, a header or a file."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """Return what is kept of a token: its SHA-256 in hexadecimal."""
    return hashlib.sha256(token.encode()).hexdigest()


def fits(token: str, token_sha256: str) -> bool:
    """Return whether ``token`` is the one that was kept, in constant time."""
    return hmac.compare_digest(hash_token(token), token_sha256)
