"""TLS to a camera: a certificate that the system trusts, or the one that was pinned."""

import hashlib
import hmac
import socket
import ssl

from edge.errors import CameraBlocked, CameraTimeout, CameraUnreachable


def secured(plain: socket.socket, host: str, certificate: str, show_s: float) -> socket.socket:
    """Return ``plain`` with TLS over it; ``certificate`` is the pinned one's SHA-256, or empty.

    Nothing is sent to a camera with another certificate: CameraBlocked shows the SHA-256 of the one
    it has, which is asked for within ``show_s``. Cameras sign their own, and no authority would.
    """
    peer = plain.getpeername()[:2]
    try:
        if not certificate:
            return ssl.create_default_context().wrap_socket(plain, server_hostname=host)
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        wrapped = context.wrap_socket(plain, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        shown = _shown(peer, show_s)
        raise CameraBlocked(
            f"the camera's certificate is not trusted ({error.verify_message}); its SHA-256 is "
            f"{shown}"
        ) from error
    except TimeoutError as error:
        raise CameraTimeout("the camera never finished the TLS handshake") from error
    except OSError as error:
        raise CameraUnreachable(f"no TLS: {error.strerror or error}") from error
    shown = _sha256(wrapped.getpeercert(binary_form=True) or b"")
    if not hmac.compare_digest(shown, certificate):
        wrapped.close()
        raise CameraBlocked(f"the camera has another certificate: its SHA-256 is {shown}")
    return wrapped


def _shown(address: tuple[str, int], within_s: float) -> str:
    try:
        text = ssl.get_server_certificate(address, timeout=within_s)
        return _sha256(ssl.PEM_cert_to_DER_cert(text))
    except (OSError, ValueError):
        return "not to be had"


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
