"""A Mosquitto that speaks TLS with a certificate of its own."""

import shutil
import socket
import subprocess
from pathlib import Path
from typing import Protocol

import pytest

from village.broker.mosquitto import find_mosquitto


class PlainBroker(Protocol):
    @property
    def port(self) -> int: ...


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


def make_certificate(folder: Path, *, begin: str, end: str) -> tuple[Path, Path]:
    """Make a certificate for 127.0.0.1, signed by itself.

    ``begin`` and ``end`` are as 20260101000000Z. Returns its file and its key's; skips where
    openssl is not installed.
    """
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder.mkdir(exist_ok=True)
    certificate, key, request = folder / "it.pem", folder / "key.pem", folder / "it.csr"
    (folder / "index.txt").touch()
    (folder / "serial").write_text("01\n")
    settings = folder / "openssl.cnf"
    settings.write_text(_AUTHORITY.format(folder=folder))
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    asked = ("openssl", "req", "-new", *curve, "-subj", "/CN=127.0.0.1")
    signed = ("openssl", "ca", "-batch", "-notext", "-selfsign", "-config", settings)
    for line in (
        (*asked, "-keyout", key, "-out", request),
        (
            *(*signed, "-keyfile", key, "-in", request, "-out", certificate),
            *("-startdate", begin, "-enddate", end),
        ),
    ):
        subprocess.run(line, check=True, capture_output=True)
    return certificate, key


class TlsMosquitto:
    """A Mosquitto with a certificate of its own, beside a plain one whose users it shares.

    ``folder`` is the one that the plain broker's folder is in.
    """

    host = "127.0.0.1"

    def __init__(
        self,
        folder: Path,
        plain: PlainBroker,
        *,
        begin: str = "20260101000000Z",
        end: str = "21000101000000Z",
    ) -> None:
        self.certificate, key = make_certificate(folder / "tls", begin=begin, end=end)
        with socket.socket() as probe:
            probe.bind((self.host, 0))
            self.port = probe.getsockname()[1]
        text = (folder / "broker" / "mosquitto.conf").read_text()
        configuration = folder / "tls.conf"
        configuration.write_text(
            text.replace(f"listener {plain.port}", f"listener {self.port}").replace(
                "persistence true", "persistence false"
            )
            + f"certfile {self.certificate}\nkeyfile {key}\n"
        )
        programs = find_mosquitto()
        assert programs is not None
        self._process = subprocess.Popen(
            [programs.daemon, "-c", configuration], stderr=subprocess.DEVNULL
        )

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()
