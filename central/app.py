"""The composition root of the web service."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path

import anyio
from fastapi import FastAPI
from starlette.requests import HTTPConnection

import central.activities.routes
import central.alerts.routes
import central.auth.routes
import central.commands.routes
import central.delivery.routes
import central.duty.routes
import central.evidence.lacks
import central.evidence.routes
import central.examples.routes
import central.fleet.routes
import central.incidents.routes
import central.points.routes
import central.quarantine.routes
import central.sites.routes
import central.wall.routes
from central.auth.routes import program_version
from central.config import CentralConfig
from central.db.engine import Database
from central.errors import SignInError, StoreUnavailableError
from central.http.access import (
    ANY,
    DUTY,
    require_asker,
    require_reviewer,
    requires,
    say_roles,
    signed_in,
)
from central.http.centre import Centre, build_centre
from central.http.frontend import Frontend
from central.http.guard import BodyLimit, OriginGuard, PlainAddresses, SecurityHeaders
from central.http.problems import add_problem_handlers
from central.relay.router import AuthenticateBox, StillAllowed, create_relay_router
from protocol.clock import Clock

log = logging.getLogger(__name__)


def create_app(config: CentralConfig, database: Database, clock: Clock) -> FastAPI:
    """Return the web service on a database that has been migrated.

    Its lifespan starts and stops the background; ``app.state.centre`` has the services.
    """
    centre = build_centre(config, database, clock)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await anyio.to_thread.run_sync(centre.start)
        try:
            yield
        finally:
            await centre.leave_browsers()
            await anyio.to_thread.run_sync(centre.close)

    app = FastAPI(
        title="Tanshao 探哨",
        version=program_version(),
        lifespan=lifespan,
        openapi_url="/api/openapi.json",
        docs_url=None,  # it would load scripts from elsewhere
        redoc_url=None,
    )
    app.state.centre = centre
    add_problem_handlers(app)
    for routes in (
        central.auth.routes,
        central.wall.routes,
        central.alerts.routes,
        central.incidents.routes,
        central.activities.routes,
        central.duty.routes,
        central.sites.routes,
        central.evidence.routes,
        central.evidence.lacks,
        central.examples.routes,
        central.delivery.routes,
        central.points.routes,
        central.quarantine.routes,
        central.fleet.routes,
        central.commands.routes,
    ):
        app.include_router(routes.router)
    relay = create_relay_router(
        centre.hub,
        _admits(centre),
        requires(ANY),
        _is_signed_in(centre),
        require_reviewer,
        require_asker,
    )
    app.include_router(say_roles(relay, *DUTY))
    app.mount("/", Frontend(config.web.folder or _built_interface()))
    app.add_middleware(OriginGuard, public_url=config.http.public_url)
    app.add_middleware(BodyLimit)
    app.add_middleware(PlainAddresses)
    app.add_middleware(SecurityHeaders, https=config.http.is_https)
    return app


def _admits(centre: Centre) -> AuthenticateBox:
    async def admits(box_id: str, token: str) -> bool:
        return await anyio.to_thread.run_sync(centre.boxes.admits, box_id, token)

    return admits


def _is_signed_in(centre: Centre) -> StillAllowed:
    async def is_signed_in(connection: HTTPConnection) -> bool:
        try:
            await anyio.to_thread.run_sync(signed_in, connection, centre)
        except SignInError:
            return False
        except StoreUnavailableError as error:
            # Live pictures go on while the database is away.
            log.warning("live.unchecked", extra={"error": str(error)})
        return True

    return is_signed_in


def _built_interface() -> Path:
    """Return where the interface lies in the package."""
    return Path(str(files("central"))) / "web" / "dist"
