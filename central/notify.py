"""Telling systemd that the service is ready or stopping (sd_notify(3)), without a library."""

import os
import socket


class ServiceNotifier:
    """Sends states to the socket that systemd named; does nothing where it named none."""

    def __init__(self, address: str | None = None) -> None:
        self._address = address if address is not None else os.environ.get("NOTIFY_SOCKET", "")

    def ready(self) -> None:
        """Say that start-up is done."""
        self._send(b"READY=1")

    def stopping(self) -> None:
        """Say that shutdown has begun."""
        self._send(b"STOPPING=1")

    def _send(self, state: bytes) -> None:
        if not self._address:
            return
        # "@" names an abstract socket, which the kernel spells with a leading zero byte.
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            try:
                channel.sendto(state, address)
            except OSError:
                return  # systemd is restarting itself, and asks for nothing it has not got
