"""The MQTT broker of the default run: amqtt with our tokens and our topic rules.

``python -m village.broker.embedded HOST PORT DIGESTS`` serves until SIGTERM, or until its standard
input ends, which it does when the launcher dies. It says READY on standard output.

amqtt 0.12 needs help in five places; each is below, and each has a test:

- it forgets the session of any client id that a stranger names, before it asks for the password;
- it sends a new connection every retained message that anyone's filter matches;
- it waits for a subscriber's PUBACK of retained messages before it hears the subscriber again;
- it publishes last wills without asking whether that client may write there;
- it takes an MQTT 5 CONNECT for a longer one of 3.1.1, and waits for the rest of it.

Persistent sessions are refused: amqtt loses what they hold at a restart, and its users here keep
everything themselves until a receipt comes (protocol I2). It speaks MQTT 3.1.1 and knows no shared
subscriptions, and would take one for a topic on which nothing ever comes: they are refused too. It
is for one village or a trial; a town uses Mosquitto (configs/mosquitto.conf).
"""

import asyncio
import logging
import signal
import sys
from pathlib import Path
from typing import Any

from amqtt.adapters import ReaderAdapter
from amqtt.broker import Broker
from amqtt.contexts import Action
from amqtt.errors import AMQTTError, MQTTError, NoDataError
from amqtt.mqtt.constants import QOS_0
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.session import Session

from protocol.topics import SHARE
from village.broker.acl import may_read, may_subscribe, may_write
from village.broker.credentials import Digests

#: A client that has not said CONNECT by then is cut off.
CONNECT_WITHIN_S = 10.0

#: amqtt cuts a client off at its keep-alive exactly; MQTT 3.1.1 gives it half as much again.
KEEPALIVE_GRACE_S = 10

MAX_CONNECTIONS = 1000

#: How a CONNECT of MQTT 5 begins, behind its type and length (at most five bytes) …
_VERSION_5 = b"\x00\x04MQTT\x05"
_HEAD_BYTES = 5 + len(_VERSION_5)
#: … and the CONNACK that it understands: unsupported protocol version.
_NOT_5 = b"\x20\x03\x00\x84\x00"


class _ConnectReader(ReaderAdapter):  # type: ignore[misc]  # amqtt is not followed by mypy
    """Reads a CONNECT, but none of MQTT 5: there it raises MQTTError, with ``is_5`` set."""

    def __init__(self, reader: Any) -> None:  # noqa: ANN401 - amqtt's adapter
        self._reader = reader
        self._head = b""
        self.is_5 = False

    async def read(self, n: int = -1) -> bytes:
        data: bytes = await self._reader.read(n)
        if len(self._head) < _HEAD_BYTES:
            self._head += data
            self.is_5 = _VERSION_5 in self._head[:_HEAD_BYTES]
            if self.is_5:
                raise MQTTError("speaks MQTT 5")
        return data

    def feed_eof(self) -> None:
        self._reader.feed_eof()


class GuardedBroker(Broker):  # type: ignore[misc]  # amqtt is not followed by mypy
    """amqtt's broker behind our tokens and topic rules."""

    def __init__(self, host: str, port: int, digests: Digests) -> None:
        super().__init__(
            {
                "listeners": {
                    "default": {
                        "type": "tcp",
                        "bind": f"{host}:{port}",
                        "max_connections": MAX_CONNECTIONS,
                    }
                },
                "timeout_disconnect_delay": KEEPALIVE_GRACE_S,
                "plugins": {},
            }
        )
        self._digests = digests

    async def _initialize_client_session(
        self,
        reader: Any,  # noqa: ANN401 - amqtt's adapters
        writer: Any,  # noqa: ANN401
        remote_address: str,
        remote_port: int,
    ) -> tuple[BrokerProtocolHandler, Session]:
        """Ask for the token before anything of an older connection is touched."""
        connect = _ConnectReader(reader)
        try:
            async with asyncio.timeout(CONNECT_WITHIN_S):
                handler, session = await BrokerProtocolHandler.init_from_connect(
                    connect, writer, self.plugins_manager
                )
        except (AMQTTError, MQTTError, NoDataError, OSError, ValueError, TimeoutError) as error:
            if connect.is_5:
                writer.write(_NOT_5)
                await writer.drain()
            await writer.close()
            raise MQTTError(f"no CONNECT from {remote_address}:{remote_port}") from error
        if not self._admits(session):
            session.parent = 0
            handler.attach(session, reader, writer)
            await handler.mqtt_connack_authorize(authorize=False)
            await writer.close()
            raise MQTTError(f"refused {remote_address}:{remote_port}")
        await self._delete_session(session.client_id)
        session.parent = 0
        if session.keep_alive > 0:
            session.keep_alive += KEEPALIVE_GRACE_S
        return handler, session

    def _admits(self, session: Session) -> bool:
        """Return whether a client may come in: its token, its id, and a will it may write."""
        return (
            self._digests.admits(session.username, session.password)
            and session.client_id == session.username
            and bool(session.clean_session)
            and (not session.will_flag or may_write(session.username, session.will_topic))
        )

    async def _authenticate(self, _session: Session, _listener: Any) -> bool:  # noqa: ANN401
        return True  # _initialize_client_session has done it

    async def _topic_filtering(self, session: Session, topic: str, action: Action) -> bool:
        """Answer without a pause: amqtt walks its subscriptions meanwhile and must not be raced."""
        if action is Action.SUBSCRIBE and topic.startswith(f"{SHARE}/"):
            return False
        rule = {
            Action.SUBSCRIBE: may_subscribe,
            Action.PUBLISH: may_write,
            Action.RECEIVE: may_read,
        }[action]
        return rule(session.username, topic)

    async def _publish_retained_messages_for_subscription(
        self, subscription: tuple[str, int], session: Session
    ) -> None:
        """Send what this client subscribed to and may read, without waiting for its PUBACK."""
        topic_filter, _ = subscription
        holders = self.subscriptions.get(topic_filter, [])
        handler = self._get_handler(session)
        if handler is None or all(holder is not session for holder, _ in holders):
            return
        for topic, message in list(self.retained_messages.items()):
            if self._matches(topic, topic_filter) and may_read(session.username, topic):
                await handler.mqtt_publish(topic, message.data, QOS_0, retain=True)


async def _stdin_ends() -> None:
    """Return when the launcher, who holds the other end, is gone."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.read(4096):
        """What it says does not matter."""


async def serve(host: str, port: int, digests: Path) -> None:
    """Run the broker until SIGTERM or the end of standard input."""
    broker = GuardedBroker(host, port, Digests(digests))
    await broker.start()
    print("READY", flush=True)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    orphaned = asyncio.create_task(_stdin_ends())
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({orphaned, stopped}, return_when=asyncio.FIRST_COMPLETED)
    orphaned.cancel()
    stopped.cancel()
    await broker.shutdown()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])))
