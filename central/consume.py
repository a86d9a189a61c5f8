"""The centre's consumer as a program: it knows nothing of the web, and starts without it."""

import gc
import signal
import sys
import threading
from types import FrameType

from central.commands.dispatch import CommandDispatch
from central.config import CentralConfig, MqttSection
from central.db.engine import Database
from central.db.migrate import migrate
from central.delivery.pursuit import GapPursuit
from central.ingest.consumer import Consumer, ConsumerSettings
from central.ingest.group import DatabaseGroup
from central.ingest.inbox import DatabaseInbox
from central.ingest.pulse import FAILED, PulseBook, stand_by
from central.ingest.uplink import UplinkSettings
from protocol.clock import Clock
from protocol.notify import ServiceNotifier

#: paho reads a packet in three calls, and for each it waits until the thread that stores lets go of
#: the interpreter: five milliseconds, by default. (A quarter more events a second, measured.)
_SWITCH_S = 0.0002
#: How many new objects make the interpreter look for garbage; some 700 by default, a tenth of what
#: storing a batch costs.
_YOUNG_OBJECTS = 20_000


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
