"""The whole line of a test: a real broker, a consumer over a fake inbox, a box that sends."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol, Self

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode
from pydantic import SecretStr

from central.ingest.consumer import Consumer, ConsumerSettings
from central.ingest.uplink import UplinkSettings
from central.ports import Dispatcher, Inbox, Lease, Pursuer
from edge.alerts.desk import Desk
from edge.alerts.event import EventWriter
from edge.bus.backoff import Backoff
from edge.bus.herald import Herald
from edge.bus.home import HomeAssistant
from edge.bus.outbox import Outbox
from edge.bus.sender import Sender, Timing
from edge.bus.window import Patience
from edge.config import CentreSection, EdgeConfig, Secret
from edge.db.database import Database
from edge.ports import VitalsSource
from protocol.clock import SystemClock
from protocol.messages import AlertOp
from protocol.topics import CENTRE_USER
from tests.support.desk_box import BOOT, BOX, TOKEN, StillVitals, box_config, occurrence
from tests.support.waiting import wait_until
from village.broker.broker import Broker, BrokerKind
from village.broker.mosquitto import find_mosquitto


class Place(Protocol):
    """Where a broker is."""

    @property
    def host(self) -> str: ...

    @property
    def port(self) -> int: ...


CENTRE_TOKEN = "token-of-the-centre"
OTHER = "other-box"
OTHER_TOKEN = "token-of-the-other-box"

CREDENTIALS = {
    BOX: SecretStr(TOKEN),
    OTHER: SecretStr(OTHER_TOKEN),
    CENTRE_USER: SecretStr(CENTRE_TOKEN),
}

#: As in life, but for back-off: a test has no minute. The resend timer is the real one, 10 s.
QUICK = Timing(reconnect=Backoff(0.05, 0.2), state_gap_s=0.05)
#: Its resend timer outlasts any test: what is sent again has another cause.
PATIENT = replace(QUICK, patience=Patience(first_s=600.0, cap_s=600.0))
IMPATIENT = replace(QUICK, patience=Patience(first_s=0.3, cap_s=1.0))

EVERY_BROKER = pytest.mark.parametrize(
    "kind",
    [BrokerKind.EMBEDDED, pytest.param(BrokerKind.MOSQUITTO, marks=pytest.mark.mosquitto)],
    ids=str,
)


def start_broker(folder: Path, kind: BrokerKind) -> Broker:
    """Return a running broker; skips where Mosquitto is wanted and not there."""
    if kind is BrokerKind.MOSQUITTO and find_mosquitto() is None:
        pytest.skip("Mosquitto is not installed")
    broker = Broker(folder / "broker", CREDENTIALS, kind=kind)
    broker.start()
    return broker


def uplink_settings(broker: Place) -> UplinkSettings:
    return UplinkSettings(host=broker.host, port=broker.port, password=SecretStr(CENTRE_TOKEN))


@contextmanager
def consuming(
    broker: Place,
    inbox: Inbox,
    *,
    pursuer: Pursuer | None = None,
    dispatcher: Dispatcher | None = None,
    lease: Lease | None = None,
    uplink: UplinkSettings | None = None,
    **settings: float,
) -> Iterator[Consumer]:
    """Run a consumer in a thread."""
    quick = {"reconnect_first_s": 0.05, "reconnect_cap_s": 0.2, "store_first_s": 0.02}
    consumer = Consumer(
        ConsumerSettings(uplink=uplink or uplink_settings(broker), **(quick | settings)),  # type: ignore[arg-type]
        inbox,
        SystemClock(),
        pursuer,
        lease,
        dispatcher,
    )
    thread = threading.Thread(target=consumer.run, name="test-consumer")
    thread.start()
    try:
        yield consumer
    finally:
        consumer.close()
        thread.join()


class SendingBox:
    """A box that reports and sends; what its central colleagues would see is in the broker."""

    #: Whether Home Assistant reads along.
    home_assistant = False

    def __init__(
        self,
        folder: Path,
        broker: Place,
        *,
        token: str = TOKEN,
        timing: Timing = QUICK,
        vitals: VitalsSource | None = None,
        version_5: bool = False,
        tls: bool = False,
        ca_file: Path | None = None,
    ) -> None:
        folder.mkdir(exist_ok=True)
        secret = folder / "token"
        secret.write_text(token)
        self.clock = SystemClock()
        self.config: EdgeConfig = box_config(folder)
        self.database = Database(folder / "box.sqlite3")
        self.outbox = Outbox(self.database, self.clock)
        self.home = HomeAssistant(self.config, "test")
        herald = Herald(
            self.config.box,
            self.clock,
            boot_id=BOOT,
            software="test",
            started_at=self.clock.now(),
            home=self.home if self.home_assistant else None,
        )
        centre = CentreSection(
            mqtt_host=broker.host,
            mqtt_port=broker.port,
            mqtt_tls=tls,
            mqtt_ca_file=ca_file,
            mqtt_version="5" if version_5 else "3.1.1",
            http_url="http://127.0.0.1:1",
            token=Secret(file=secret),
        )
        self.sender = Sender(
            centre,
            self.outbox,
            herald,
            vitals or StillVitals(),
            self.clock,
            timing=timing,
        )
        self.desk = Desk(
            self.config,
            self.database,
            self.outbox,
            self.clock,
            EventWriter(self.config, BOOT),
            on_commit=[self.sender.wake],
        )

    def report(self, count: int = 1) -> None:
        """Report so many messages: starts and ends by turns."""
        for _ in range(count):
            op = AlertOp.END if self.desk.open_alerts() else AlertOp.START
            self.desk.report(occurrence(op, at=self.clock.now()))

    def wait_connected(self) -> None:
        wait_until(lambda: self.sender.status().connected)

    def wait_cleared(self, within_s: float = 10.0) -> None:
        wait_until(lambda: self.outbox.load().rows == 0, within_s)

    def close(self) -> None:
        self.sender.close()
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Visitor:
    """A bare MQTT client that remembers all that happens to it."""

    def __init__(self, broker: Place, username: str, token: str, **client: object) -> None:
        self.connected: list[bool] = []
        self.reasons: list[str] = []
        self.granted: list[list[bool]] = []
        self.messages: list[tuple[str, bytes]] = []
        self.expiries: list[int | None] = []  # of the messages, by MQTT 5
        self.refusals: list[str] = []
        self.disconnects = 0
        ca_file = client.pop("ca_file", None)
        self.client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=str(client.pop("client_id", username)),
            reconnect_on_failure=False,
            **client,  # type: ignore[arg-type]
        )
        self.client.username_pw_set(username, token)
        self.client.on_connect = self._answered
        self.client.on_subscribe = lambda _c, _u, _m, reasons, _p: self.granted.append(
            [not reason.is_failure for reason in reasons]
        )
        self.client.on_message = self._hear
        self.client.on_publish = self._published
        self.client.on_disconnect = self._gone
        if ca_file is not None:
            self.client.tls_set(str(ca_file))
        self._broker = broker

    def _hear(self, _client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        self.expiries.append(getattr(message.properties, "MessageExpiryInterval", None))
        self.messages.append((message.topic, bytes(message.payload)))

    def _answered(self, *of: object) -> None:
        reason = of[3]
        assert isinstance(reason, ReasonCode)
        self.connected.append(not reason.is_failure)
        self.reasons.append(str(reason))

    def _published(self, *of: object) -> None:
        reason = of[3]
        assert isinstance(reason, ReasonCode)
        if reason.is_failure:
            self.refusals.append(str(reason))

    def _gone(self, *_: object) -> None:
        self.disconnects += 1

    def __enter__(self) -> Self:
        self.client.connect(self._broker.host, self._broker.port, 20)
        self.client.loop_start()
        wait_until(lambda: self.connected or self.disconnects)
        return self

    def __exit__(self, *_: object) -> None:
        self.client.disconnect()
        self.client.loop_stop()
        # As in Link.close: paho's sockets are closed when it is freed.
        self.client.on_connect = self.client.on_subscribe = None
        self.client.on_message = self.client.on_disconnect = None
        self.client.on_publish = None

    @property
    def admitted(self) -> bool:
        return self.connected == [True]

    def subscribe(self, *filters: str) -> list[bool]:
        """Subscribe, and return which were granted."""
        before = len(self.granted)
        self.client.subscribe([(each, 1) for each in filters])
        wait_until(lambda: len(self.granted) > before)
        return self.granted[-1]

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish and wait for the broker's acknowledgement, which says nothing about rights."""
        self.client.publish(topic, payload, 1, retain).wait_for_publish(5)
