"""A Mosquitto run with the configuration that towns are given, only ports and paths exchanged."""

import getpass
import hashlib
import shutil
import socket
import ssl
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import pytest
from pydantic import SecretStr

from tests.support.tools import ROOT, require_mosquitto
from tests.support.waiting import wait_until
from village.broker.mosquitto import find_mosquitto, write_passwords

#: For `openssl ca`, which alone can sign for times that are over.
_AUTHORITY = """
[ca]
default_ca = it
[it]
database = {folder}/index.txt
serial = {folder}/serial
new_certs_dir = {folder}
default_md = sha256
policy = any
x509_extensions = addressed
[any]
commonName = supplied
[addressed]
subjectAltName = IP:127.0.0.1
"""


def make_expired_certificate(folder: Path) -> tuple[Path, Path]:
    """Return a certificate for loopback that was its own authority last year, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    certificate, key, asked = folder / "expired.pem", folder / "expired.key", folder / "asked.csr"
    (folder / "index.txt").touch()
    (folder / "serial").write_text("01\n", encoding="utf-8")
    settings = folder / "openssl.cnf"
    settings.write_text(_AUTHORITY.format(folder=folder), encoding="utf-8")
    ask = ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    ask += ["-nodes", "-subj", "/CN=127.0.0.1", "-keyout", str(key), "-out", str(asked)]
    sign = ["openssl", "ca", "-batch", "-notext", "-selfsign", "-config", str(settings)]
    sign += ["-keyfile", str(key), "-in", str(asked), "-out", str(certificate)]
    sign += ["-startdate", "20250101000000Z", "-enddate", "20250201000000Z"]
    for command in (ask, sign):
        subprocess.run(command, check=True, capture_output=True)
    return certificate, key


def make_camera_certificate(folder: Path) -> tuple[Path, Path, str]:
    """Return one of :func:`make_certificate`, a file of it and its key, and its SHA-256."""
    certificate, key = make_certificate(folder)
    both = folder / "both.pem"
    both.write_bytes(key.read_bytes() + certificate.read_bytes())
    text = certificate.read_text(encoding="ascii")
    return certificate, both, hashlib.sha256(ssl.PEM_cert_to_DER_cert(text)).hexdigest()


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Return a certificate for loopback, which is its own authority, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    certificate, key = folder / "broker.pem", folder / "broker.key"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-keyout", str(key)]
    command += ["-out", str(certificate), "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key


class TownBroker:
    """configs/mosquitto.conf and configs/mosquitto.acl in use; a context."""

    host = "127.0.0.1"

    def __init__(
        self, folder: Path, credentials: Mapping[str, SecretStr], *, is_expired: bool = False
    ) -> None:
        self._daemon = require_mosquitto()
        folder.mkdir()
        make = make_expired_certificate if is_expired else make_certificate
        self.ca_file, key = make(folder)
        programs = find_mosquitto()
        assert programs is not None
        write_passwords(programs, folder / "passwords", credentials)
        self.acl = folder / "acl"
        shutil.copy(ROOT / "configs/mosquitto.acl", self.acl)
        with socket.create_server((self.host, 0)) as probe:
            self.port = int(probe.getsockname()[1])
        text = (ROOT / "configs/mosquitto.conf").read_text(encoding="utf-8")
        for named, ours in (
            ("/etc/mosquitto/tanshao.passwords", folder / "passwords"),
            ("/etc/mosquitto/tanshao.acl", self.acl),
            ("/etc/mosquitto/certs/broker.pem", self.ca_file),
            ("/etc/mosquitto/certs/broker.key", key),
            ("/var/lib/mosquitto/", f"{folder}/"),
            ("listener 8883", f"listener {self.port} {self.host}"),
        ):
            assert text.count(named) == 1, named
            text = text.replace(named, str(ours))
        # The files are this user's; where that is root, Mosquitto would give its rights up.
        self._configuration = folder / "mosquitto.conf"
        self._configuration.write_text(f"{text}user {getpass.getuser()}\n", encoding="utf-8")
        self.log = folder / "log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [self._daemon, "-c", str(self._configuration)], stderr=output
            )
        wait_until(self._answers)

    def stop(self) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait()

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.said()
        try:
            socket.create_connection((self.host, self.port), 1).close()
        except OSError:
            return False
        return True
