"""A PostgreSQL server of the bench's own: durable as one in use is, killed and started again."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Self

from sqlalchemy import URL

from bench.program import ProgramError
from bench.wait import WaitedTooLongError, until
from protocol.clock import Clock

_START_S = 60.0
_TRY_S = 15


class PostgresServer:
    """One server on loopback, its first database empty; a context.

    Everything that makes a commit durable is on, as in use (``fsync``, ``synchronous_commit``).
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._programs = _programs()
        self._user = _user()
        # Not below the bench's own folder: the server's user must be able to walk to it.
        self._folder = Path(tempfile.mkdtemp(prefix="bench-pg-"))
        self._port = _free_port()

    @property
    def url(self) -> URL:
        """The database's address."""
        name = "postgres"  # its owner's and its own
        return URL.create(
            "postgresql", username=name, host="127.0.0.1", port=self._port, database=name
        )

    def __enter__(self) -> Self:
        """Make the server and start it. Raises ProgramError."""
        if self._user is not None:
            os.chown(self._folder, self._user.pw_uid, self._user.pw_gid)
        self._run("initdb", "-D", self._data, "-A", "trust", "-U", "postgres", "-E", "UTF8")
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it and remove what it kept."""
        if (self._data / "postmaster.pid").exists():
            self._try("pg_ctl", "-D", self._data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Start it, also after it was killed. Raises ProgramError.

        For about a second after a kill the old server's children still hold its memory, and a new
        one refuses: it is tried again.
        """
        options = f"-p {self._port} -k {self._folder} -h 127.0.0.1 -c max_connections=60"
        log = self._folder / "log"
        start = ("-D", self._data, "-l", log, "-w", "-t", str(_TRY_S), "-o", options, "start")
        try:
            until(
                lambda: self._try("pg_ctl", *start).returncode == 0,
                limit_s=_START_S,
                what="PostgreSQL's start",
                clock=self._clock,
            )
        except WaitedTooLongError as error:
            raise ProgramError(f"{error}: {log.read_text(errors='replace')[-500:]}") from error

    def kill(self) -> None:
        """Kill the server by SIGKILL; its children end when they notice."""
        try:
            first, *_ = (self._data / "postmaster.pid").read_text().splitlines()
            os.kill(int(first), signal.SIGKILL)
        except (OSError, ValueError) as error:
            raise ProgramError(f"PostgreSQL does not run: {error}") from error

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _run(self, program: str, *arguments: object) -> None:
        done = self._try(program, *arguments)
        if done.returncode != 0:
            raise ProgramError(f"{program}: {done.stderr.decode(errors='replace')}")

    def _try(self, program: str, *arguments: object) -> subprocess.CompletedProcess[bytes]:
        user = self._user
        errors = self._folder / "errors"
        # To a file: a server that was started would hold a pipe open.
        with errors.open("wb") as output:
            done = subprocess.run(
                [str(self._programs / program), *map(str, arguments)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=output,
                check=False,
                cwd="/",
                user=None if user is None else user.pw_uid,
                group=None if user is None else user.pw_gid,
                extra_groups=None if user is None else [],
            )
        return subprocess.CompletedProcess(
            done.args, done.returncode, stderr=errors.read_bytes()[-1000:]
        )


def _programs() -> Path:
    found = shutil.which("pg_ctl")
    if found is not None:
        return Path(found).parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    if not versions:
        raise ProgramError("PostgreSQL's server programs are not installed (apt: postgresql)")
    return versions[-1].parent


def _user() -> pwd.struct_passwd | None:
    """Return the user to run as: the server refuses to run as root."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        raise ProgramError("root can't run PostgreSQL: there is no user 'postgres'") from None


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
