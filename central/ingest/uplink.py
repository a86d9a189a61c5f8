"""One connection of the consumer to the broker, from CONNECT to its end; never used twice."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from pydantic import SecretStr

from central.ports import Received
from protocol.client import send_at_once, trust, why_disconnected
from protocol.clock import Clock
from protocol.reasons import explained
from protocol.topics import CENTRE_USER, SITE_FILTERS, UPLINK_FILTERS, shared_filters

log = logging.getLogger(__name__)

#: Receipts that may wait for the broker. One that finds no room is dropped: the box sends its rows
#: again and gets another.
MAX_QUEUED = 10_000

#: How long a broker keeps a session for us that is not clean, in seconds (MQTT 5).
SESSION_EXPIRY_S = 86_400

#: "Disconnect with Will Message" (MQTT 5, 3.14.2.1).
_LEAVE_WITH_WILL = 0x04


@dataclass(frozen=True, slots=True)
class UplinkSettings:
    """Where and as whom the consumer connects; ``username`` is its client id too.

    With ``clean_session`` off, a broker with a session store keeps what comes while the consumer is
    away; nothing depends on it, as the boxes keep it too. ``ca_file`` holds the only authorities
    the broker's certificate may come from, else they are the system's. ``share``: it is one of
    several consumers that share alerts under this name (protocol I14); needs ``version_5``.
    """

    host: str
    port: int
    password: SecretStr
    tls: bool = False
    ca_file: Path | None = None
    version_5: bool = False
    username: str = CENTRE_USER
    clean_session: bool = True
    share: str | None = None
    keepalive_s: int = 20
    connect_timeout_s: float = 5.0

    @property
    def filters(self) -> tuple[str, ...]:
        """What it subscribes to as it connects."""
        return UPLINK_FILTERS if self.share is None else shared_filters(self.share)


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes, retained, when a connection ends by itself."""

    topic: str
    payload: bytes


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
        will: Will | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._deliver = deliver
        self._changed = changed
        self._lock = threading.Lock()
        self._phase = Phase.OPENING
        self._reason = ""
        self._session_present = False
        self._answered = False
        self._has_will = will is not None
        self._has_complained = False
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=settings.username,
            protocol=mqtt.MQTTv5 if settings.version_5 else mqtt.MQTTv311,
            clean_session=None if settings.version_5 else settings.clean_session,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        self._client.connect_timeout = settings.connect_timeout_s
        self._client.username_pw_set(settings.username, settings.password.get_secret_value())
        self._client.max_inflight_messages_set(1000)
        self._client.max_queued_messages_set(MAX_QUEUED)
        if will is not None:
            self._client.will_set(will.topic, will.payload, 1, retain=True)
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
            if self._settings.tls:
                trust(self._client, self._settings.ca_file)
            self._connect()
        except (OSError, ValueError) as error:
            self._go_down(str(error) or type(error).__name__)
            return
        self._client.loop_start()

    def read_sites(self, *, on: bool) -> None:
        """Begin, or cease, to read what boxes say of themselves (protocol I15).

        What of it is retained comes at once. A broker that refuses ends the connection.
        """
        if on:
            self._client.subscribe([(topic, 1) for topic in SITE_FILTERS])
        else:
            self._client.unsubscribe(list(SITE_FILTERS))

    def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, expires_s: float | None = None
    ) -> bool:
        """Hand a message of QoS 1 to paho; return whether it took it.

        A broker that still has it after ``expires_s`` lets it go, where it speaks MQTT 5.
        """
        properties = None
        if expires_s is not None and self._settings.version_5:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.MessageExpiryInterval = max(1, round(expires_s))
        info = self._client.publish(topic, payload, 1, retain, properties)
        return info.rc == mqtt.MQTT_ERR_SUCCESS

    def acknowledge(self, delivery: Delivery) -> None:
        """Acknowledge a delivery of this connection; one of an older connection is left alone.

        Packet ids begin anew with each connection: an old one would acknowledge a stranger.
        """
        if delivery.uplink is self and delivery.qos > 0:
            self._client.ack(delivery.mid, delivery.qos)

    def close(self, *, for_good: bool = False) -> None:
        """End the connection and wait for paho's thread.

        ``for_good``: nobody comes after it, so the broker publishes its will.
        """
        self._go_down("closed")
        if for_good and self._has_will:
            self._client.disconnect(ReasonCode(PacketTypes.DISCONNECT, identifier=_LEAVE_WITH_WILL))
        else:
            self._client.disconnect()
        try:
            self._client.loop_stop()
        except AttributeError:
            # paho forgets its ended thread between looking at it and joining it.
            log.debug("uplink.thread_gone")
        # paho closes its sockets when it is freed: without the cycle that is now.
        self._client.on_connect = self._client.on_subscribe = None
        self._client.on_disconnect = self._client.on_message = None
        self._client.on_publish = None

    def _connect(self) -> None:
        place = self._settings.host, self._settings.port, self._settings.keepalive_s
        if not self._settings.version_5:
            self._client.connect(*place)
            return
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        if not self._settings.clean_session:
            properties.SessionExpiryInterval = SESSION_EXPIRY_S
        clean = self._settings.clean_session
        self._client.connect(*place, clean_start=clean, properties=properties)

    # -- in paho's thread -------------------------------------------------------------------------

    def _on_connect(
        self,
        client: mqtt.Client,
        _userdata: object,
        flags: mqtt.ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        self._answered = True
        if reason.is_failure:
            self._go_down(f"refused: {explained(reason.value, str(reason))}")
            return
        if self._settings.share and not getattr(properties, "SharedSubscriptionAvailable", 1):
            self._go_down("the broker has no shared subscriptions: one consumer only")
            return
        with self._lock:
            self._session_present = flags.session_present
        client.subscribe([(topic, 1) for topic in self._settings.filters])

    def _on_subscribe(
        self,
        _client: mqtt.Client,
        _userdata: object,
        _mid: int,
        reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        refused = [explained(each.value, str(each)) for each in reasons if each.is_failure]
        if refused:
            self._go_down(f"subscription refused: {refused[0]}")
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
        _mid: int,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        # What else is refused on this connection is so for the same reason.
        if reason.is_failure and not self._has_complained:
            self._has_complained = True
            words = explained(reason.value, str(reason))
            log.warning("uplink.refused", extra={"reason": words})

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
