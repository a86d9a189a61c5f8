"""A throw-away PostgreSQL server: its own folder, a free port, gone at the end."""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import URL

_START_S = 60


class PostgresServer:
    """A running server. ``new_database`` gives an empty database of its own to each test."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._count = 0

    def new_database(self, template: str = "template1") -> URL:
        """Create a database, as a copy of ``template``, and return its address."""
        self._count += 1
        name = f"tanshao_{self._count}"
        with psycopg.connect(
            host="127.0.0.1", port=self._port, user="postgres", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(f"create database {name} template {template}")  # type: ignore[arg-type]
        return URL.create(
            "postgresql+psycopg",
            username="postgres",
            host="127.0.0.1",
            port=self._port,
            database=name,
        )


@contextlib.contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """Start a server, and stop it. Skips the test where there are no programs for it."""
    programs = _programs()
    if programs is None:
        pytest.skip("needs PostgreSQL's server programs (initdb, pg_ctl)")
    user = _user()
    # Not pytest's own folder: the server's user must be able to walk to it.
    folder = Path(tempfile.mkdtemp(prefix="tanshao-pg-"))
    try:
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
        data, port = folder / "data", _free_port()
        settings = f"-p {port} -k {folder} -h 127.0.0.1 -c max_connections=60 -c fsync=off"
        _run(user, programs / "initdb", "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8")
        log = folder / "log"
        start = ("-D", data, "-l", log, "-w", "-t", str(_START_S), "-o", settings, "start")
        _run(user, programs / "pg_ctl", *start)
        try:
            yield PostgresServer(port)
        finally:
            _run(user, programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path | None:
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return versions[-1].parent if versions else None


def _user() -> pwd.struct_passwd | None:
    """Return the user to run as; the server refuses to run as root."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        pytest.skip("root can't run PostgreSQL, and there is no user 'postgres'")


def _run(user: pwd.struct_passwd | None, program: Path, *arguments: object) -> None:
    identity = {} if user is None else {"user": user.pw_uid, "group": user.pw_gid}
    done = subprocess.run(
        [str(program), *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
        timeout=_START_S * 2,
        cwd="/",
        extra_groups=[] if user is not None else None,
        **identity,
    )
    assert done.returncode == 0, f"{program.name}: {done.stderr.decode()}"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
