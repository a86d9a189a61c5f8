"""The tokens a broker admits, as files that only this user can read."""

import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

_NOBODY = hashlib.sha256(b"nobody signs in with this").hexdigest()


def write_private(path: Path, text: str) -> None:
    """Replace ``path`` in one step by a file of mode 0600."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)


def write_digests(path: Path, credentials: Mapping[str, SecretStr]) -> None:
    """Write ``{username: SHA-256 of the token}``.

    A plain hash is enough, and quick enough for the event loop: tokens are random and long.
    """
    digests = {
        username: hashlib.sha256(token.get_secret_value().encode()).hexdigest()
        for username, token in credentials.items()
    }
    write_private(path, json.dumps(digests))


class Digests:
    """The file of digests, read again whenever it was replaced."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._version: tuple[int, int] | None = None
        self._digests: dict[str, str] = {}

    def admits(self, username: str | None, token: str | None) -> bool:
        """Return whether ``token`` is the user's; takes equally long for a user there is not."""
        self._refresh()
        given = hashlib.sha256((token or "").encode()).hexdigest()
        known = self._digests.get(username or "", _NOBODY)
        return hmac.compare_digest(given, known)

    def _refresh(self) -> None:
        stat = self._path.stat()
        version = (stat.st_ino, stat.st_mtime_ns)
        if version != self._version:
            self._digests = json.loads(self._path.read_text(encoding="utf-8"))
            self._version = version
