"""One TLS handshake with a server, as any client of it would do it."""

import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path

from edge.doctor.certificate import Distrust, Handshake

#: OpenSSL's numbers for what is wrong with a certificate (X509_V_ERR_…).
_NOT_YET_VALID, _EXPIRED = 9, 10
_WRONG_NAME = frozenset({62, 64})  # of a host, of an address


def shake_hands(host: str, port: int, timeout_s: float, ca_file: Path | None = None) -> Handshake:
    """Return what came of it. Raises OSError where no connection came about at all.

    ``ca_file`` holds the only authorities that are believed; without it they are the system's.
    """
    with socket.create_connection((host, port), timeout=timeout_s) as connection:
        try:
            with ssl.create_default_context(cafile=ca_file).wrap_socket(
                connection, server_hostname=host
            ) as secured:
                return Handshake(_until(secured))
        except ssl.SSLCertVerificationError as error:
            return Handshake(None, _distrust(error.verify_code), error.verify_message)
        except OSError as error:  # ssl.SSLError is one
            return Handshake(None, Distrust.FAILED, error.strerror or type(error).__name__)


def _distrust(code: int) -> Distrust:
    if code == _EXPIRED:
        return Distrust.EXPIRED
    if code == _NOT_YET_VALID:
        return Distrust.NOT_YET_VALID
    return Distrust.WRONG_NAME if code in _WRONG_NAME else Distrust.UNTRUSTED


def _until(secured: ssl.SSLSocket) -> datetime | None:
    certificate = secured.getpeercert() or {}
    until = certificate.get("notAfter")
    if not isinstance(until, str):
        return None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(until), UTC)
