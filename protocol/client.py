"""What a box's MQTT client and the centre's have in common."""

import socket
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.reasoncodes import ReasonCode

from protocol.reasons import explained


def trust(client: mqtt.Client, ca_file: Path | None) -> None:
    """Let a client use TLS and check the broker's certificate and name; once, before it connects.

    ``ca_file`` holds the only authorities that are believed (PEM); without it they are the
    system's. Raises OSError, which names the file.
    """
    try:
        client.tls_set(None if ca_file is None else str(ca_file))
    except OSError as error:
        raise OSError(f"{ca_file}: {error.strerror or error}") from error


def send_at_once(_client: mqtt.Client, _userdata: object, sock: object) -> None:
    """Switch Nagle's algorithm off: with delayed ACKs it held each message for 40 ms, measured."""
    assert isinstance(sock, socket.socket)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def why_disconnected(
    flags: mqtt.DisconnectFlags, reason: ReasonCode, *, version_5: bool, answered: bool
) -> str:
    """Return in words why a connection ended; ``answered``: the broker had answered CONNECT."""
    if flags.is_disconnect_packet_from_server:
        return f"disconnected: {explained(reason.value, str(reason))}"
    if version_5 and not answered:
        return "hung up on: does the broker speak MQTT 5?"
    return f"disconnected: {reason}"
