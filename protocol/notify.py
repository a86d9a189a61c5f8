"""Telling systemd that the service is ready, alive or stopping (sd_notify(3)), without a library.

A no-op where the process was not started by systemd with ``Type=notify``.
"""

import os
import socket


class ServiceNotifier:
    """Sends states to the socket that systemd named in the environment."""

    def __init__(self, address: str | None = None) -> None:
        self._address = address if address is not None else os.environ.get("NOTIFY_SOCKET", "")

    def ready(self) -> None:
        """Say that start-up is done."""
        self._send(b"READY=1")

    def alive(self) -> None:
        """Feed the watchdog; systemd restarts a service that stops doing so."""
        self._send(b"WATCHDOG=1")

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
                # The supervisor is restarting itself; it will ask for nothing it has not got.
                return
