"""What the recordings of each camera take, asked of the database file of a box that may run."""

import sqlite3
from contextlib import closing
from pathlib import Path

from edge.errors import StorageError


def footprints_at(path: Path) -> dict[str, int]:
    """Return bytes by camera, configured or not; nothing where there is no database yet.

    Raises StorageError. Nothing is changed, not even a schema of an older box.
    """
    if not path.exists():
        return {}
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as opened:
            rows = opened.execute(
                "select camera_id, size_bytes from footprint where size_bytes > 0"
            )
            return dict(rows.fetchall())
    except sqlite3.Error as error:
        raise StorageError(f"{path}: {error}") from error
