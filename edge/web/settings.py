"""What of the box's settings may be changed from afar, as it is now (docs/design/api.md)."""

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from edge.settings.desk import SettingsDesk
from edge.toml_text import toml_text


class SettingsAnswer(BaseModel):
    """What a patch may be made of, as TOML, and the version that it is of.

    The box runs with ``running``; ``on_trial``: the newest has still to prove itself. No secrets,
    no addresses, no names, nothing drawn.
    """

    model_config = ConfigDict(frozen=True)

    version: int
    running: int
    on_trial: bool
    toml: str


class SettingsRoutes:
    """One method a route; it reads files, so it runs in a worker thread."""

    def __init__(self, settings: SettingsDesk) -> None:
        self._settings = settings

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(prefix="/v1")
        router.add_api_route("/settings", self.settings)
        return router

    def settings(self) -> SettingsAnswer:
        """Say what a patch may be made of, and for which version."""
        now, tuning = self._settings.tuning()
        return SettingsAnswer(
            version=now.version.number,
            running=self._settings.running(),
            on_trial=self._settings.is_on_trial(now.version),
            toml=toml_text(tuning),
        )
