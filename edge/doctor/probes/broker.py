"""Connecting to the broker as the box would, and reading what it may read."""

import contextlib
import socket
import threading
from dataclasses import replace

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from pydantic import SecretStr

from edge.config import BoxSection, CentreSection
from edge.doctor.broker import BrokerFacts
from edge.doctor.certificate import Handshake
from edge.doctor.probes.network import is_local
from edge.doctor.probes.tls import shake_hands
from edge.errors import ConfigError
from protocol.client import trust
from protocol.topics import EPOCH, BoxTopic, Leaf

_CONNECT_S = 5.0
_ANSWER_S = 5.0
_KEEPALIVE_S = 30


def look_at(
    box: BoxSection,
    centre: CentreSection,
    *,
    is_connected: bool | None,
    may_log_in: bool,
    waiting: int | None,
) -> BrokerFacts:
    """Return how far one gets with the broker; ``waiting`` is what the running box says.

    A broker knows a box by its name, and a second login pushes the first one off. So where a box
    runs its word is taken (``is_connected``), and no login is tried where it may have one. The
    doctor never publishes.
    """
    facts = BrokerFacts(
        host=centre.mqtt_host,
        port=centre.mqtt_port,
        wants_tls=centre.mqtt_tls,
        is_local=is_local(centre.mqtt_host),
        connects=True,
        waiting=waiting,
    )
    try:
        handshake = _connect(centre)
    except OSError as error:
        return replace(facts, connects=False, reason=error.strerror or str(error))
    facts = replace(facts, handshake=handshake)
    if handshake is not None and handshake.distrust is not None:
        return facts
    if is_connected or not may_log_in:
        return replace(facts, logged_in=is_connected)
    try:
        token = centre.token.read()
    except ConfigError:
        return facts  # said of the configuration already
    return _Login(box, centre, token).outcome(facts)


def _connect(centre: CentreSection) -> Handshake | None:
    """Open the port, with TLS where the box wants it. Raises OSError."""
    if centre.mqtt_tls:
        return shake_hands(centre.mqtt_host, centre.mqtt_port, _CONNECT_S, centre.mqtt_ca_file)
    with socket.create_connection((centre.mqtt_host, centre.mqtt_port), timeout=_CONNECT_S):
        return None


class _Login:
    """One login and one subscription, then it takes its leave; nothing is published."""

    def __init__(self, box: BoxSection, centre: CentreSection, token: SecretStr) -> None:
        self._centre = centre
        self._topics = [
            str(BoxTopic(box.region_code, box.id, leaf)) for leaf in (Leaf.RECEIPT, Leaf.COMMAND)
        ] + [EPOCH]
        self._done = threading.Event()
        self._logged_in = False
        self._refusal = ""
        self._refused_topics: tuple[str, ...] = ()
        is_5 = centre.mqtt_version == "5"
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=box.id,
            protocol=mqtt.MQTTv5 if is_5 else mqtt.MQTTv311,
            clean_session=None if is_5 else True,
            reconnect_on_failure=False,
        )
        self._client.connect_timeout = _CONNECT_S
        self._client.username_pw_set(box.id, token.get_secret_value())
        if centre.mqtt_tls:
            trust(self._client, centre.mqtt_ca_file)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_disconnect = self._on_disconnect

    def outcome(self, facts: BrokerFacts) -> BrokerFacts:
        """Log in, and return the facts with what came of it."""
        try:
            self._client.connect(self._centre.mqtt_host, self._centre.mqtt_port, _KEEPALIVE_S)
        except (OSError, ValueError) as error:
            return replace(facts, logged_in=False, reason=type(error).__name__)
        self._client.loop_start()
        answered = self._done.wait(_ANSWER_S)
        self._client.disconnect()
        # paho may have forgotten its ended thread between looking at it and joining it.
        with contextlib.suppress(AttributeError):
            self._client.loop_stop()
        self._client.on_connect = self._client.on_subscribe = self._client.on_disconnect = None
        return replace(
            facts,
            logged_in=self._logged_in,
            is_refused=bool(self._refusal),
            reason=self._refusal or ("" if answered else "no answer in time"),
            refused_topics=self._refused_topics,
        )

    # -- in paho's thread -------------------------------------------------------------------------

    def _on_connect(
        self,
        client: mqtt.Client,
        _userdata: object,
        _flags: mqtt.ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            self._refusal = f"{reason} ({reason.value})"
            self._done.set()
            return
        self._logged_in = True
        client.subscribe([(topic, 1) for topic in self._topics])

    def _on_subscribe(
        self,
        _client: mqtt.Client,
        _userdata: object,
        _mid: int,
        reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        pairs = zip(self._topics, reasons, strict=False)
        self._refused_topics = tuple(topic for topic, reason in pairs if reason.is_failure)
        self._done.set()

    def _on_disconnect(self, *_given: object) -> None:
        self._done.set()
