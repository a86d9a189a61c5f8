"""TLS to a device: a certificate that the system trusts, or the one that was pinned."""

import hashlib
import hmac
import socket
import ssl

from edge.errors import UntrustedError


def secured(plain: socket.socket, host: str, pinned: str, show_s: float) -> ssl.SSLSocket:
    """Return ``plain`` with TLS over it; ``pinned`` is the one certificate's SHA-256, or empty.

    Nothing is sent to a device with another certificate: UntrustedError shows the SHA-256 of the
    one it has, which is asked for within ``show_s``. Cameras sign their own, and no authority
    would. Raises OSError as a handshake does; ``plain`` is the caller's to close then.
    """
    if pinned:
        return _pinned(plain, host, pinned)
    peer = plain.getpeername()[:2]
    try:
        return ssl.create_default_context().wrap_socket(plain, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        shown = _shown(peer, show_s)
        raise UntrustedError(
            f"the camera's certificate is not trusted ({error.verify_message}); its SHA-256 is "
            f"{shown}"
        ) from error


def _pinned(plain: socket.socket, host: str, pinned: str) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    wrapped = context.wrap_socket(plain, server_hostname=host)
    shown = _sha256(wrapped.getpeercert(binary_form=True) or b"")
    if not hmac.compare_digest(shown, pinned):
        wrapped.close()
        raise UntrustedError(f"the camera has another certificate: its SHA-256 is {shown}")
    return wrapped


def _shown(address: tuple[str, int], within_s: float) -> str:
    try:
        text = ssl.get_server_certificate(address, timeout=within_s)
        return _sha256(ssl.PEM_cert_to_DER_cert(text))
    except (OSError, ValueError):
        return "not to be had"


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
