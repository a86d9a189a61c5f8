"""The two long-running programs of the centre: the web service and the consumer."""

import gc
import logging
import signal
import socket
import sys
import threading
from types import FrameType

import uvicorn

from central.app import create_app
from central.commands.dispatch import CommandDispatch
from central.config import CentralConfig, MqttSection
from central.db.engine import Database
from central.db.migrate import migrate
from central.delivery.pursuit import GapPursuit
from central.http.centre import Centre
from central.ingest.consumer import Consumer, ConsumerSettings
from central.ingest.group import DatabaseGroup
from central.ingest.inbox import DatabaseInbox
from central.ingest.pulse import FAILED, PulseBook, stand_by
from central.ingest.uplink import UplinkSettings
from protocol.clock import Clock
from protocol.notify import ServiceNotifier

log = logging.getLogger(__name__)

#: What may be half-way when the service is told to stop: a clip that comes in.
_GRACE_S = 5
#: paho reads a packet in three calls, and for each it waits until the thread that stores lets go of
#: the interpreter: five milliseconds, by default. (A quarter more events a second, measured.)
_SWITCH_S = 0.0002
#: How many new objects make the interpreter look for garbage; some 700 by default, a tenth of what
#: storing a batch costs.
_YOUNG_OBJECTS = 20_000


class CentreServer(uvicorn.Server):
    """Uvicorn that says when it is ready, and lets go of browsers before it waits for them."""

    def __init__(self, config: uvicorn.Config, centre: Centre, notifier: ServiceNotifier) -> None:
        super().__init__(config)
        self._centre = centre
        self._notifier = notifier

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        if self.should_exit:
            return
        ports = [
            listener.getsockname()[1] for server in self.servers for listener in server.sockets
        ]
        log.info("serve.ready", extra={"host": self.config.host, "port": ports[0]})
        self._notifier.ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop: live feeds and relays first, they would stay for ever."""
        self._notifier.stopping()
        await self._centre.leave_browsers()
        await super().shutdown(sockets)


def serve(config: CentralConfig, clock: Clock) -> int:
    """Migrate, then serve until SIGINT or SIGTERM; return the exit status."""
    database = Database(config.database.address())
    migrate(database, clock)
    app = create_app(config, database, clock)
    settings = uvicorn.Config(
        app,
        host=config.http.host,
        port=config.http.port,
        log_config=None,
        access_log=False,
        server_header=False,
        ws="websockets-sansio",
        ws_per_message_deflate=False,  # video does not get smaller
        timeout_graceful_shutdown=_GRACE_S,
    )
    server = CentreServer(settings, app.state.centre, ServiceNotifier())
    for number in (signal.SIGINT, signal.SIGTERM):
        # Uvicorn takes the signals while it runs and raises them again afterwards: to nobody.
        signal.signal(number, _heard)
    server.run()
    return 0 if server.started else 1


def _heard(_number: int, _frame: FrameType | None) -> None:
    """Do nothing: the signal has been answered already."""


def consume(config: CentralConfig, clock: Clock) -> int:
    """Migrate, then take in what boxes send until SIGINT or SIGTERM; return the exit status."""
    database = Database(config.database.address())
    migrate(database, clock)
    is_alone = config.mqtt.replica is None
    group = None if is_alone else DatabaseGroup(database, config.mqtt.user)
    uplink = _uplink(config.mqtt, None if group is None else group.share())
    inbox = DatabaseInbox(database, clock, config.deadlines.deadlines())
    consumer = Consumer(
        ConsumerSettings(uplink),
        inbox,
        clock,
        GapPursuit(database, clock),
        lease=group,
        dispatcher=CommandDispatch(database, clock),
    )
    stopping = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    sys.setswitchinterval(_SWITCH_S)
    # Of a batch's many objects few are in cycles, and what is loaded by now stays.
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS)
    pulse = PulseBook(database, clock, uplink.username, consumer.status)
    pulse.start()
    works = stand_by(consumer, stopping, ServiceNotifier())
    pulse.close()
    database.close()
    return 0 if works else FAILED


def _uplink(mqtt: MqttSection, share: str | None) -> UplinkSettings:
    return UplinkSettings(
        host=mqtt.host,
        port=mqtt.port,
        password=mqtt.password.read(),
        tls=mqtt.tls,
        ca_file=mqtt.ca_file,
        version_5=mqtt.version == "5",
        username=mqtt.user,
        clean_session=mqtt.clean_session,
        share=share,
    )
