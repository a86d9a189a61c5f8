"""The data folder of a village: its lock, its secrets, where everything is."""

import fcntl
import json
import os
import secrets
from pathlib import Path
from typing import Any

from village.broker.credentials import write_private

#: Without letters that look alike on a printed sheet.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_PASSWORD_LETTERS = 10
_PIN_DIGITS = 4


class HomeError(Exception):
    """The data folder can't be used; the text is for the person at the terminal."""


class Home:
    """``folder`` holds everything that a second start finds again. Take the lock before use."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._lock_fd: int | None = None

    @property
    def secrets(self) -> Path:
        """Where secrets are, one a file, readable by this user only."""
        return self.folder / "secrets"

    @property
    def logs(self) -> Path:
        """Where the programs' output goes."""
        return self.folder / "log"

    @property
    def state_path(self) -> Path:
        """Where a running village says what runs (``python -m village status``)."""
        return self.folder / "village.json"

    def open(self) -> None:
        """Create the folder and take its lock. Raises HomeError where another village has it."""
        try:
            for path in (self.folder, self.secrets, self.logs):
                path.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise HomeError(f"{self.folder}: {error.strerror}") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(lock)
            raise HomeError(
                f"{self.folder}: 另一个探哨正在使用此数据目录 · in use by another Tanshao "
                f"(pid {self.state().get('pid', '?')})"
            ) from error
        self._lock_fd = lock

    def close(self) -> None:
        """Give the lock back; idempotent."""
        if self._lock_fd is not None:
            os.close(self._lock_fd)
            self._lock_fd = None

    def is_running(self) -> bool:
        """Return whether a village has the lock now."""
        try:
            lock = os.open(self._lock_path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(lock)
        return False

    @property
    def _lock_path(self) -> Path:
        return self.folder / "village.lock"

    def token(self, name: str) -> Path:
        """Return the file of a long random secret for programs; made on first use."""
        return self._kept(name, secrets.token_urlsafe(32))

    def password(self, name: str) -> Path:
        """Return the file of a password that a person types."""
        word = "".join(secrets.choice(_LETTERS) for _ in range(_PASSWORD_LETTERS))
        return self._kept(name, word)

    def pins(self, people: tuple[str, ...]) -> dict[str, str]:
        """Return each person's PIN; all different, made on first use, in ``pin-<person>``."""
        known = {person: self._read(self.secrets / f"pin-{person}") for person in people}
        for person, pin in known.items():
            while not known[person]:
                fresh = "".join(secrets.choice("0123456789") for _ in range(_PIN_DIGITS))
                if fresh not in known.values():
                    known[person] = fresh
            if not pin:
                self.keep(f"pin-{person}", known[person])
        return known

    def keep(self, name: str, value: str) -> Path:
        """Write a secret that somebody gave us; return its file."""
        path = self.secrets / name
        write_private(path, value + "\n")
        return path

    def word(self, path: Path) -> str:
        """Return what a secret's file holds."""
        return self._read(path)

    def _kept(self, name: str, fresh: str) -> Path:
        path = self.secrets / name
        if not self._read(path):
            write_private(path, fresh + "\n")
        return path

    def write(self, name: str, text: str) -> Path:
        """Write a private file of the folder; return it."""
        path = self.folder / name
        write_private(path, text)
        return path

    def state(self) -> dict[str, Any]:
        """Return what the running village, or the last one, said of itself."""
        return self._json(self.state_path)

    def write_state(self, state: dict[str, Any]) -> None:
        """Say what runs."""
        write_private(self.state_path, json.dumps(state, ensure_ascii=False, indent=2))

    @staticmethod
    def _read(path: Path) -> str:
        try:
            return path.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return ""

    @staticmethod
    def _json(path: Path) -> dict[str, Any]:
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return value if isinstance(value, dict) else {}
