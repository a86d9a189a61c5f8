"""Getting a model file from its pinned address."""

import fcntl
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import httpx

from models.errors import ModelError
from models.manifest import ModelEntry
from protocol.clock import Clock, SystemClock

CONNECT_TIMEOUT_S = 5.0  # a village without internet must not wait long for the fallback
READ_TIMEOUT_S = 20.0  # silence this long means the line is dead
TOTAL_TIMEOUT_S = 600.0  # 4 MB at 8 kB/s; over a slower line the next call goes on
_BLOCK_BYTES = 65_536


def https_client() -> httpx.Client:
    """Return the client that downloads use; it follows no redirect. The caller closes it."""
    timeout = httpx.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
    return httpx.Client(timeout=timeout, headers={"accept-encoding": "identity"})


def fetch(
    entry: ModelEntry,
    folder: Path,
    *,
    client: httpx.Client,
    clock: Clock | None = None,
    progress: Callable[[int], None] | None = None,
) -> Path:
    """Download the model into ``folder``, check it, and only then give it its name (models I4).

    HTTPS only; never takes more than the manifest's size. What came before a line broke stays in a
    hidden file of that folder, and the next call goes on behind it; what turns out to be wrong
    leaves nothing. One download of a model at a time, among processes too. ``progress`` is told the
    bytes so far. Raises ModelError.
    """
    if entry.url is None:
        raise ModelError(f"model '{entry.name}': has no address, there is nothing to fetch")
    target = folder / entry.file
    part = folder / f".{entry.file}.{entry.sha256[:16]}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _claimed(part) as file:
            try:
                _Download(entry, file, clock or SystemClock(), progress).run(client)
            except _WrongError:
                part.unlink()
                raise
            finally:
                file.flush()
                _drop_empty(part)
            os.fsync(file.fileno())
            part.chmod(0o644)  # the box's service may run as another user
            part.replace(target)
    except OSError as error:
        raise ModelError(f"{target}: {error.strerror}") from error
    return target


def _drop_empty(part: Path) -> None:
    """Remove a file into which nothing came."""
    if part.exists() and part.stat().st_size == 0:
        part.unlink()


class _WrongError(ModelError):
    """What came is not the model: nothing of it is of use."""


def _claimed(part: Path) -> BinaryIO:
    """Open the file for this process alone. Raises ModelError where another one is at it."""
    file = os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+b")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # The other one may have finished, and moved the file away, since it was opened.
        is_same = part.stat().st_ino == os.fstat(file.fileno()).st_ino
    except (BlockingIOError, FileNotFoundError):
        is_same = False
    if not is_same:
        file.close()
        raise ModelError(f"{part}: another download of it is under way")
    return file


class _Download:
    """The rest of a file, behind what is in it already."""

    def __init__(
        self,
        entry: ModelEntry,
        file: BinaryIO,
        clock: Clock,
        progress: Callable[[int], None] | None,
    ) -> None:
        self._entry = entry
        self._url = entry.url or ""
        self._file = file
        self._clock = clock
        self._progress = progress
        self._digest = hashlib.sha256()
        self._got_bytes = 0

    def run(self, client: httpx.Client) -> None:
        """Bring the file to its end and check it. Raises ModelError, _WrongError and OSError."""
        self._take_up()
        if self._got_bytes < self._entry.size_bytes:
            try:
                self._ask(client)
            except httpx.HTTPError as error:
                raise ModelError(f"{self._url}: {error or type(error).__name__}") from error
        size_bytes, sha256 = self._entry.size_bytes, self._entry.sha256
        if self._got_bytes != size_bytes:
            raise ModelError(f"{self._url}: must have {size_bytes} bytes, not {self._got_bytes}")
        if self._digest.hexdigest() != sha256:
            raise _WrongError(
                f"{self._url}: sha256 must be {sha256}, not {self._digest.hexdigest()}"
            )

    def _take_up(self) -> None:
        """Read what an earlier call left; begin anew where that is too much."""
        while block := self._file.read(_BLOCK_BYTES):
            self._digest.update(block)
            self._got_bytes += len(block)
        if self._got_bytes > self._entry.size_bytes:
            self._begin_anew()

    def _begin_anew(self) -> None:
        self._file.seek(0)
        self._file.truncate()
        self._digest, self._got_bytes = hashlib.sha256(), 0

    def _ask(self, client: httpx.Client) -> None:
        begun = self._got_bytes
        headers = {"range": f"bytes={begun}-"} if begun else {}
        deadline_ns = self._clock.monotonic_ns() + round(TOTAL_TIMEOUT_S * 1e9)
        with client.stream("GET", self._url, headers=headers) as response:
            self._check_head(response)
            for block in response.iter_raw():  # as it comes: what came is kept where it breaks
                self._take(block)
                if self._clock.monotonic_ns() > deadline_ns:
                    raise ModelError(f"{self._url}: must come within {TOTAL_TIMEOUT_S:.0f} s")

    def _take(self, block: bytes) -> None:
        if self._got_bytes + len(block) > self._entry.size_bytes:
            raise _WrongError(f"{self._url}: must have {self._entry.size_bytes} bytes, has more")
        self._digest.update(block)
        self._file.write(block)
        self._got_bytes += len(block)
        if self._progress is not None:
            self._progress(self._got_bytes)

    def _check_head(self, response: httpx.Response) -> None:
        if response.url.scheme != "https":
            raise ModelError(f"{response.url}: must be an https address")
        if response.status_code == httpx.codes.OK:
            self._begin_anew()  # also where only the rest was asked for
        elif response.status_code != httpx.codes.PARTIAL_CONTENT or not self._is_rest(response):
            raise ModelError(f"{self._url}: must answer 200, not {response.status_code}")
        announced = response.headers.get("content-length")
        rest_bytes = self._entry.size_bytes - self._got_bytes
        if announced is not None and announced != str(rest_bytes):
            raise _WrongError(f"{self._url}: must have {rest_bytes} bytes, not {announced}")

    def _is_rest(self, response: httpx.Response) -> bool:
        last = self._entry.size_bytes - 1
        rest = f"bytes {self._got_bytes}-{last}/{self._entry.size_bytes}"
        return self._got_bytes > 0 and response.headers.get("content-range") == rest
