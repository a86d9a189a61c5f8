"""TLS to a camera that is asked over ONVIF."""

import socket

from edge import trust
from edge.errors import CameraBlocked, CameraTimeout, CameraUnreachable, UntrustedError


def secured(plain: socket.socket, host: str, certificate: str, show_s: float) -> socket.socket:
    """Return ``plain`` with TLS over it, as :func:`edge.trust.secured` does; raises CameraError.

    A certificate that is neither trusted nor the pinned one is CameraBlocked.
    """
    try:
        return trust.secured(plain, host, certificate, show_s)
    except UntrustedError as error:
        raise CameraBlocked(str(error)) from error
    except TimeoutError as error:
        raise CameraTimeout("the camera never finished the TLS handshake") from error
    except OSError as error:
        raise CameraUnreachable(f"no TLS: {error.strerror or error}") from error
