"""Passwords and PINs, kept as Argon2id."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

#: OWASP's least: 19 MiB, two passes; 22 ms on the reference machine.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

#: What an unknown name is checked against, so that it takes as long as a known one.
_NOBODY = _HASHER.hash("nobody has this password")


def hash_password(password: str) -> str:
    """Return what is kept of a password or a PIN. Takes some 20 ms of one core."""
    return _HASHER.hash(password)


def verify(password: str, kept: str | None) -> bool:
    """Return whether ``password`` is the one that was kept; takes as long where none was."""
    try:
        _HASHER.verify(kept or _NOBODY, password)
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None
