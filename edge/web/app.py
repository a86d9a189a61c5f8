"""The box's own HTTP interface, as an ASGI application."""

from fastapi import FastAPI

from edge.web import problem
from edge.web.exports import ExportRoutes
from edge.web.guard import HostGuard
from edge.web.holds import HoldRoutes
from edge.web.previews import PreviewRoutes
from edge.web.routes import Collaborators, EdgeRoutes


def create_app(box: Collaborators, host: str = "127.0.0.1") -> FastAPI:
    """Return the application; ``host`` is the name it is reached by, beside addresses."""
    app = FastAPI(
        title="Tanshao box", docs_url=None, redoc_url=None, openapi_url="/v1/openapi.json"
    )
    problem.install(app)
    app.include_router(EdgeRoutes(box).router())
    app.include_router(HoldRoutes(box.holds).router())
    app.include_router(box.storage.router())
    app.include_router(box.rules.router())
    app.include_router(box.settings.router())
    cameras = frozenset(camera.id for camera in box.cameras)
    app.include_router(PreviewRoutes(cameras, box.previews, box.clock).router())
    app.include_router(ExportRoutes(box.exporter, cameras, box.zone).router())
    if box.setup is not None:
        app.include_router(box.setup.router())
    app.add_middleware(HostGuard, host=host)
    return app
