"""Getting the person model on the first start, where there is a network."""

import logging
import threading

from models.errors import ModelError
from models.fetch import fetch, https_client
from models.store import ModelStore

log = logging.getLogger(__name__)


class ModelErrand:
    """Fetches the best person model in a thread where the machine has none but the fallback.

    Nobody has to wait for it: the run begins with what is there, and a model that comes late is
    taken at the edge's next start.
    """

    def __init__(self, store: ModelStore) -> None:
        self._store = store
        self._thread = threading.Thread(target=self._run, name="model", daemon=True)

    def start(self) -> None:
        """Begin, if there is anything to do."""
        self._thread.start()

    def wait(self, timeout_s: float) -> None:
        """Give it so long to end; at once where it was not begun."""
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            if not self._store.select().fallback:
                return
            best = next(entry for entry in self._store.entries if entry.task == "person")
            with https_client() as client:
                fetch(best, self._store.download_dir, client=client)
            log.info("model.fetched", extra={"model": best.name})
        except ModelError as error:
            log.warning("model.not_fetched", extra={"error": str(error)})


def shown(store: ModelStore, name: str) -> str:
    """Return one line that says which model will watch, and plainly if it is the fallback."""
    try:
        selection = store.select(name)
    except ModelError as error:
        return (
            f"没有可用的人员模型,聚集告警停用 · no person model, gatherings are not seen: {error}"
        )
    if selection.fallback:
        return (
            f"{selection.entry.name}(备用模型,准确度较低 · "
            "the fallback model, less accurate: no network and no local model folder)"
        )
    return selection.entry.name
