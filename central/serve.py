"""The centre's web service as a program."""

import logging
import signal
import socket
from types import FrameType

import uvicorn

from central.app import create_app
from central.config import CentralConfig
from central.db.engine import Database
from central.db.migrate import migrate
from central.http.centre import Centre
from protocol.clock import Clock
from protocol.notify import ServiceNotifier

log = logging.getLogger(__name__)

#: What may be half-way when the service is told to stop: a clip that comes in.
_GRACE_S = 5


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
