"""One connection to the MQTT broker, from CONNECT to its end; never used twice.

paho keeps messages of its own across reconnects and would send again what the outbox sends again
(measured: 13 322 needless deliveries of 13 281 rows). So there is one paho client a connection, and
the outbox is the only source of what is sent.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from pydantic import SecretStr

from edge.bus.meter import LineMeter
from protocol.client import send_at_once, trust, why_disconnected
from protocol.reasons import explained

log = logging.getLogger(__name__)

#: Messages from the centre that may wait for the sender. Beyond it the oldest is dropped and
#: counted: a lost receipt only means that its rows are sent, and receipted, once more.
INBOX_SIZE = 1024


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """Where and as whom to connect. ``username`` is the client id too.

    ``ca_file`` holds the only authorities a broker's certificate may come from; without it they are
    the system's.
    """

    host: str
    port: int
    tls: bool
    version_5: bool
    username: str
    password: SecretStr
    keepalive_s: int
    connect_timeout_s: float
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to publish."""

    topic: str
    payload: bytes
    qos: int
    retain: bool = False


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message that came; ``retained`` says that it was there before us."""

    topic: str
    payload: bytes
    retained: bool


class Phase(StrEnum):
    """Where a connection is in its life; it only ever moves on."""

    OPENING = "opening"
    READY = "ready"  # connected, and every subscription is granted
    DOWN = "down"


class Link:
    """A connection with its subscriptions and its last will.

    ``changed`` is called in paho's thread whenever there is something new to look at; it must
    return at once. All methods are for one thread, the owner's.

    ``refused`` counts messages that the broker would not take, ``refusal`` is why it last would
    not. MQTT 3.1.1 has no word for it, and neither is a receipt: what was refused is sent again.
    """

    def __init__(
        self,
        settings: LinkSettings,
        subscriptions: tuple[str, ...],
        will: Outgoing,
        changed: Callable[[], None],
        meter: LineMeter,
    ) -> None:
        self._settings = settings
        self._meter = meter
        self._subscriptions = subscriptions
        self._changed = changed
        self._lock = threading.Lock()
        self._phase = Phase.OPENING
        self._reason = ""
        self._inbox: deque[Incoming] = deque(maxlen=INBOX_SIZE)
        self._answered = False
        self.dropped = 0
        self.refused = 0
        self.refusal = ""
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=settings.username,
            protocol=mqtt.MQTTv5 if settings.version_5 else mqtt.MQTTv311,
            clean_session=None if settings.version_5 else True,
            reconnect_on_failure=False,
        )
        self._client.connect_timeout = settings.connect_timeout_s
        self._client.username_pw_set(settings.username, settings.password.get_secret_value())
        self._client.max_inflight_messages_set(1000)  # the window bounds it, not paho
        self._client.will_set(will.topic, will.payload, will.qos, will.retain)
        self._client.on_socket_open = send_at_once
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message
        self._client.on_publish = self._on_publish

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

    def open(self) -> None:
        """Connect and start paho's thread. Blocks for the TCP (and TLS) handshake only.

        Whatever goes wrong, now or later, shows as the phase DOWN with its reason.
        """
        try:
            if self._settings.tls:
                trust(self._client, self._settings.ca_file)
            if self._settings.version_5:
                self._client.connect(
                    self._settings.host,
                    self._settings.port,
                    self._settings.keepalive_s,
                    clean_start=True,
                )
            else:
                self._client.connect(
                    self._settings.host, self._settings.port, self._settings.keepalive_s
                )
        except (OSError, ValueError) as error:
            self._go_down(str(error) or type(error).__name__)
            return
        self._client.loop_start()

    def publish(self, message: Outgoing) -> bool:
        """Hand a message to paho; return whether it took it. Does not wait for the broker."""
        info = self._client.publish(message.topic, message.payload, message.qos, message.retain)
        if info.rc != mqtt.MQTT_ERR_SUCCESS:
            return False
        self._meter.sent(len(message.payload))
        if message.qos > 0:
            self._meter.published(info.mid)
        return True

    def received(self) -> list[Incoming]:
        """Return what came since the last call."""
        with self._lock:
            messages = list(self._inbox)
            self._inbox.clear()
        return messages

    def close(self, farewell: Outgoing | None = None, timeout_s: float = 2.0) -> None:
        """End the connection and wait for paho's thread.

        ``farewell`` is published first where the connection is up, and is given ``timeout_s`` to be
        acknowledged: a broker does not publish the last will of a client that takes its leave.
        """
        if farewell is not None and self.phase is Phase.READY:
            info = self._client.publish(
                farewell.topic, farewell.payload, farewell.qos, farewell.retain
            )
            if info.rc == mqtt.MQTT_ERR_SUCCESS:
                info.wait_for_publish(timeout_s)
        self._go_down("closed")
        self._client.disconnect()
        try:
            self._client.loop_stop()
        except AttributeError:
            # paho forgets its ended thread between looking at it and joining it.
            log.debug("link.thread_gone")
        # paho closes its sockets when it is freed: without the cycle that is now.
        self._client.on_connect = self._client.on_subscribe = None
        self._client.on_disconnect = self._client.on_message = None
        self._client.on_publish = None

    # -- in paho's thread -------------------------------------------------------------------------

    def _on_connect(
        self,
        client: mqtt.Client,
        _userdata: object,
        _flags: mqtt.ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._answered = True
        if reason.is_failure:
            self._go_down(f"refused: {explained(reason.value, str(reason))}")
            return
        client.subscribe([(topic, 1) for topic in self._subscriptions])

    def _on_subscribe(
        self,
        _client: mqtt.Client,
        _userdata: object,
        _mid: int,
        reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        refused = [
            f"{topic}: {explained(reason.value, str(reason))}"
            for topic, reason in zip(self._subscriptions, reasons, strict=False)
            if reason.is_failure
        ]
        if refused:
            self._go_down(f"subscription refused: {', '.join(refused)}")
            return
        with self._lock:
            if self._phase is Phase.OPENING:
                self._phase = Phase.READY
        self._changed()

    def _on_disconnect(
        self,
        _client: mqtt.Client,
        _userdata: object,
        flags: mqtt.DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        version_5 = self._settings.version_5
        self._go_down(why_disconnected(flags, reason, version_5=version_5, answered=self._answered))

    def _on_publish(
        self,
        _client: mqtt.Client,
        _userdata: object,
        mid: int,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._meter.acknowledged(mid)
        if reason.is_failure:
            self.refusal = explained(reason.value, str(reason))
            self.refused += 1
            self._changed()

    def _on_message(self, _client: mqtt.Client, _userdata: Any, message: mqtt.MQTTMessage) -> None:  # noqa: ANN401 - paho's type
        with self._lock:
            self.dropped += len(self._inbox) == INBOX_SIZE
            self._inbox.append(Incoming(message.topic, bytes(message.payload), message.retain))
        self._changed()

    def _go_down(self, reason: str) -> None:
        with self._lock:
            if self._phase is Phase.DOWN:
                return
            self._phase = Phase.DOWN
            self._reason = reason
        self._changed()
