"""One connection of the consumer to the broker, from CONNECT to its end; never used twice."""

import logging
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from pydantic import SecretStr

from central.ports import Received
from protocol.clock import Clock
from protocol.topics import CENTRE_USER, UPLINK_FILTERS

log = logging.getLogger(__name__)

#: Receipts that may wait for the broker. One that finds no room is dropped: the box sends its rows
#: again and gets another.
MAX_QUEUED = 10_000


@dataclass(frozen=True, slots=True)
class UplinkSettings:
    """Where and as whom the consumer connects.

    With ``clean_session`` off, a broker with a session store keeps what comes while the consumer is
    away; nothing depends on it, as the boxes keep it too.
    """

    host: str
    port: int
    password: SecretStr
    tls: bool = False
    username: str = CENTRE_USER
    client_id: str = CENTRE_USER
    clean_session: bool = True
    keepalive_s: int = 20
    connect_timeout_s: float = 5.0


class Phase(StrEnum):
    """Where a connection is in its life; it only ever moves on."""

    OPENING = "opening"
    READY = "ready"  # connected, and every subscription is granted
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message and what it takes to acknowledge it: on its own connection, and on no other."""

    uplink: "Uplink"
    mid: int
    qos: int
    received: Received


class Uplink:
    """A connection that subscribes to every box.

    ``deliver`` and ``changed`` are called in paho's thread and must return at once. Nothing is
    acknowledged before :meth:`acknowledge`.
    """

    def __init__(
        self,
        settings: UplinkSettings,
        clock: Clock,
        deliver: Callable[[Delivery], None],
        changed: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._deliver = deliver
        self._changed = changed
        self._lock = threading.Lock()
        self._phase = Phase.OPENING
        self._reason = ""
        self._session_present = False
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=settings.client_id,
            protocol=mqtt.MQTTv311,
            clean_session=settings.clean_session,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        self._client.connect_timeout = settings.connect_timeout_s
        self._client.username_pw_set(settings.username, settings.password.get_secret_value())
        self._client.max_inflight_messages_set(1000)
        self._client.max_queued_messages_set(MAX_QUEUED)
        if settings.tls:
            self._client.tls_set()
        self._client.on_socket_open = _send_at_once
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message

    @property
    def phase(self) -> Phase:
        """Where the connection is."""
        with self._lock:
            return self._phase

    @property
    def reason(self) -> str:
        """Why it is down; empty while it is not."""
        with self._lock:
            return self._reason

    @property
    def session_present(self) -> bool:
        """Whether the broker still had our session, and with it what came while we were away."""
        with self._lock:
            return self._session_present

    def open(self) -> None:
        """Connect and start paho's thread. Blocks for the TCP (and TLS) handshake only.

        Whatever goes wrong, now or later, shows as the phase DOWN with its reason.
        """
        try:
            self._client.connect(
                self._settings.host, self._settings.port, self._settings.keepalive_s
            )
        except (OSError, ValueError) as error:
            self._go_down(str(error) or type(error).__name__)
            return
        self._client.loop_start()

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """Hand a message of QoS 1 to paho; return whether it took it."""
        return self._client.publish(topic, payload, 1, retain).rc == mqtt.MQTT_ERR_SUCCESS

    def acknowledge(self, delivery: Delivery) -> None:
        """Acknowledge a delivery of this connection; one of an older connection is left alone.

        Packet ids begin anew with each connection: an old one would acknowledge a stranger.
        """
        if delivery.uplink is self and delivery.qos > 0:
            self._client.ack(delivery.mid, delivery.qos)

    def close(self) -> None:
        """End the connection and wait for paho's thread."""
        self._go_down("closed")
        self._client.disconnect()
        try:
            self._client.loop_stop()
        except AttributeError:
            # paho forgets its ended thread between looking at it and joining it.
            log.debug("uplink.thread_gone")
        # paho closes its sockets when it is freed: without the cycle that is now.
        self._client.on_connect = self._client.on_subscribe = None
        self._client.on_disconnect = self._client.on_message = None

    # -- in paho's thread -------------------------------------------------------------------------

    def _on_connect(
        self,
        client: mqtt.Client,
        _userdata: object,
        flags: mqtt.ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            self._go_down(f"refused: {reason}")
            return
        with self._lock:
            self._session_present = flags.session_present
        client.subscribe([(topic, 1) for topic in UPLINK_FILTERS])

    def _on_subscribe(
        self,
        _client: mqtt.Client,
        _userdata: object,
        _mid: int,
        reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            self._go_down("subscription refused")
            return
        with self._lock:
            if self._phase is Phase.OPENING:
                self._phase = Phase.READY
        self._changed()

    def _on_disconnect(
        self,
        _client: mqtt.Client,
        _userdata: object,
        _flags: mqtt.DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._go_down(f"disconnected: {reason}")

    def _on_message(self, _client: mqtt.Client, _userdata: Any, message: mqtt.MQTTMessage) -> None:  # noqa: ANN401 - paho's type
        received = Received(message.topic, bytes(message.payload), self._clock.now())
        self._deliver(Delivery(self, message.mid, message.qos, received))

    def _go_down(self, reason: str) -> None:
        with self._lock:
            if self._phase is Phase.DOWN:
                return
            self._phase = Phase.DOWN
            self._reason = reason
        self._changed()


def _send_at_once(_client: mqtt.Client, _userdata: object, sock: object) -> None:
    """Switch Nagle's algorithm off: with delayed ACKs it held each message for 40 ms, measured."""
    assert isinstance(sock, socket.socket)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
