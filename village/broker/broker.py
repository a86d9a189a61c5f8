"""The MQTT broker of a run, as a child process."""

import contextlib
import logging
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import IO

from pydantic import SecretStr

from village.broker.credentials import write_digests
from village.broker.mosquitto import find_mosquitto, write_configuration, write_passwords

log = logging.getLogger(__name__)

#: A small box under load takes a few seconds to import amqtt.
READY_WITHIN_S = 30.0
STOP_WITHIN_S = 5.0


#: Where ``python -m village…`` finds us, installed or in a clone.
_ROOT = Path(__file__).parents[2]
_LEASH = Path(__file__).parents[1] / "leash.py"


class BrokerKind(StrEnum):
    """Which program serves."""

    MOSQUITTO = "mosquitto"
    EMBEDDED = "embedded"

    @property
    def advice(self) -> str:
        """What whoever runs it should know; empty where there is nothing."""
        if self is BrokerKind.MOSQUITTO:
            return ""
        return "for one village or a trial; a town uses Mosquitto (docs/handbook/broker.md)"


class BrokerError(RuntimeError):
    """The broker could not be started; the text ends with its own last words."""


class Broker:
    """A broker on ``host``:``port`` that admits ``credentials`` (user name to token).

    ``folder`` is its own, for configuration, passwords, log and what it persists. ``kind`` None
    means an installed Mosquitto, else the embedded one. ``port`` 0 lets the system choose once;
    the port stays the same over restarts. Start, update and close it from one thread.
    """

    def __init__(
        self,
        folder: Path,
        credentials: Mapping[str, SecretStr],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        kind: BrokerKind | None = None,
    ) -> None:
        self._folder = folder.absolute()
        self._credentials = dict(credentials)
        self._programs = None if kind is BrokerKind.EMBEDDED else find_mosquitto()
        if kind is BrokerKind.MOSQUITTO and self._programs is None:
            raise BrokerError("Mosquitto is not installed")
        self.kind = BrokerKind.MOSQUITTO if self._programs else BrokerKind.EMBEDDED
        self.host = host
        self.port = port
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The child's process id while it runs."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    @property
    def alive(self) -> bool:
        """Whether the child runs; any thread may ask."""
        return self.pid is not None

    @property
    def log_path(self) -> Path:
        """Where the child writes what it has to say; begun anew with each start."""
        return self._folder / "broker.log"

    def start(self) -> None:
        """Start the broker, also after it died, and wait until it answers. Raises BrokerError."""
        if self.alive:
            return
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._stop_leftover()
        self._reap()
        if self.port == 0:
            self.port = _free_port(self.host)
        self._write_credentials()
        with self.log_path.open("wb") as output:
            self._process = self._spawn(output)
        self._write_pid(self._process.pid)
        self._wait_ready(self._process)
        log.info("broker.started", extra={"kind": self.kind.value, "port": self.port})
        if self.kind is BrokerKind.EMBEDDED:
            log.info("broker.embedded", extra={"advice": self.kind.advice})

    def update(self, credentials: Mapping[str, SecretStr]) -> None:
        """Admit these users and no others from now on; who is connected stays connected."""
        self._credentials = dict(credentials)
        if self.alive:
            self._write_credentials()
            if self.kind is BrokerKind.MOSQUITTO:
                assert self._process is not None
                self._process.send_signal(signal.SIGHUP)

    def close(self) -> None:
        """Stop the broker and wait for it; idempotent."""
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                log.warning("broker.killed", extra={"pid": process.pid})
                process.kill()
        self._reap()
        self._pid_path.unlink(missing_ok=True)

    # -- the child --------------------------------------------------------------------------------

    @property
    def _pid_path(self) -> Path:
        return self._folder / "broker.pid"

    @property
    def _digests_path(self) -> Path:
        return self._folder / "digests.json"

    def _write_pid(self, pid: int) -> None:
        # Renamed into place: who looks while the broker starts again reads a whole number.
        beside = self._pid_path.with_suffix(".new")
        beside.write_text(str(pid), encoding="ascii")
        beside.replace(self._pid_path)

    def _write_credentials(self) -> None:
        if self._programs is None:
            write_digests(self._digests_path, self._credentials)
            return
        try:
            write_passwords(self._programs, self._folder / "passwords", self._credentials)
        except subprocess.SubprocessError as error:
            raise BrokerError("mosquitto_passwd refused the password file") from error

    def _spawn(self, output: IO[bytes]) -> subprocess.Popen[bytes]:
        if self._programs is not None:
            configuration = write_configuration(
                self._folder, self.host, self.port, self._credentials
            )
            command = [self._programs.daemon, "-c", str(configuration)]
        else:
            module = "village.broker.embedded"
            place = [self.host, str(self.port), str(self._digests_path)]
            command = [sys.executable, "-m", module, *place]
        # A session of its own: Ctrl-C is for the launcher, who stops its children in order. On a
        # leash, so that it ends with the launcher; the embedded broker also ends when the pipe to
        # its standard input does.
        return subprocess.Popen(
            [sys.executable, "-I", "-S", str(_LEASH), str(os.getpid()), *command],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def _wait_ready(self, process: subprocess.Popen[bytes]) -> None:
        pause_s = 0.02
        for _ in range(round(READY_WITHIN_S / pause_s)):
            try:
                process.wait(pause_s)
            except subprocess.TimeoutExpired:
                if self._answers():
                    return
            else:
                break
        words = self.log_path.read_text(encoding="utf-8", errors="replace")[-500:]
        self.close()
        raise BrokerError(f"the {self.kind} broker did not start on port {self.port}: {words}")

    def _answers(self) -> bool:
        if self.kind is BrokerKind.EMBEDDED:
            return b"READY" in self.log_path.read_bytes()
        # Whoever else has the port answers too: only a Mosquitto of ours writes it down.
        with contextlib.suppress(OSError), socket.create_connection((self.host, self.port), 1.0):
            return b"New connection from" in self.log_path.read_bytes()
        return False

    def _reap(self) -> None:
        if self._process is not None:
            self._process.wait()
            if self._process.stdin is not None:
                self._process.stdin.close()
            self._process = None

    def _stop_leftover(self) -> None:
        """Stop the Mosquitto of a launcher that was killed: it holds our port and our files."""
        try:
            pid = int(self._pid_path.read_text(encoding="ascii"))
            command_line = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return
        if str(self._folder).encode() not in command_line:
            return
        log.warning("broker.leftover_stopped", extra={"pid": pid})
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
            _wait_gone(pid)


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_gone(pid: int) -> None:
    """Wait for a process that is not our child; raises ProcessLookupError once it is gone."""
    descriptor = os.pidfd_open(pid)
    try:
        select.select([descriptor], [], [], STOP_WITHIN_S)
    finally:
        os.close(descriptor)
