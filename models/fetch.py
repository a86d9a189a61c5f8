"""Getting a model file from its pinned address."""

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import httpx

from models.errors import ModelError
from models.manifest import ModelEntry
from protocol.clock import Clock, SystemClock

CONNECT_TIMEOUT_S = 5.0  # a village without internet must not wait long for the fallback
READ_TIMEOUT_S = 20.0  # silence this long means the line is dead
TOTAL_TIMEOUT_S = 600.0  # 4 MB at 8 kB/s; over a slower line the file is carried by hand


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
    """Download the model into ``folder``, check it, and only then give it its name.

    HTTPS only; never takes more than the manifest's size; writes to a temporary file in the same
    folder. ``progress`` is told the bytes so far. Raises ModelError and leaves nothing behind.
    """
    if entry.url is None:
        raise ModelError(f"model '{entry.name}': comes with the program, there is nothing to fetch")
    target = folder / entry.file
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, prefix=f".{entry.file}.")
    except OSError as error:
        raise ModelError(f"{folder}: {error.strerror}") from error
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            _download(entry, client, clock or SystemClock(), file.write, progress)
            file.flush()
            os.fsync(file.fileno())
        part.chmod(0o644)  # made as 0600; the box's service may run as another user
        part.replace(target)
    except OSError as error:
        raise ModelError(f"{target}: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
    return target


def _download(
    entry: ModelEntry,
    client: httpx.Client,
    clock: Clock,
    write: Callable[[bytes], object],
    progress: Callable[[int], None] | None,
) -> None:
    url = entry.url or ""
    digest, got_bytes = hashlib.sha256(), 0
    deadline_ns = clock.monotonic_ns() + round(TOTAL_TIMEOUT_S * 1e9)
    try:
        with client.stream("GET", url) as response:
            _check_head(entry, response)
            for block in response.iter_raw(65_536):
                got_bytes += len(block)
                if got_bytes > entry.size_bytes:
                    raise ModelError(f"{url}: must have {entry.size_bytes} bytes, has more")
                if clock.monotonic_ns() > deadline_ns:
                    raise ModelError(f"{url}: must come within {TOTAL_TIMEOUT_S:.0f} s")
                digest.update(block)
                write(block)
                if progress is not None:
                    progress(got_bytes)
    except httpx.HTTPError as error:
        raise ModelError(f"{url}: {error or type(error).__name__}") from error
    if got_bytes != entry.size_bytes:
        raise ModelError(f"{url}: must have {entry.size_bytes} bytes, not {got_bytes}")
    if digest.hexdigest() != entry.sha256:
        raise ModelError(f"{url}: sha256 must be {entry.sha256}, not {digest.hexdigest()}")


def _check_head(entry: ModelEntry, response: httpx.Response) -> None:
    if response.url.scheme != "https":
        raise ModelError(f"{response.url}: must be an https address")
    if response.status_code != httpx.codes.OK:
        raise ModelError(f"{entry.url}: must answer 200, not {response.status_code}")
    announced = response.headers.get("content-length")
    if announced is not None and announced != str(entry.size_bytes):
        raise ModelError(f"{entry.url}: must have {entry.size_bytes} bytes, not {announced}")
