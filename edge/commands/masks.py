"""Areas that a rule looks past by a person's word, in place of the configuration's (protocol I25).

::

    configuration   exclude = […]      what a rule looks past by itself
    table mask      a row a rule       what it looks past instead, for good; taken away by undoing
"""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter

from edge.config import EdgeConfig
from edge.db.database import Database
from edge.db.instant import from_us, to_us
from edge.errors import StorageError
from edge.health import Component, Condition, Figure
from protocol.shapes import Exclusions

_EXCLUSIONS: TypeAdapter[Exclusions] = TypeAdapter(Exclusions)
_SELECT = "select * from mask order by camera_id, rule_id"

#: A camera's rule.
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class RuleMask:
    """What one rule of a camera looks past since then, by whose word and what for."""

    camera_id: str
    rule_id: str
    exclude: Exclusions
    since: datetime
    actor: str
    reason: str

    @property
    def key(self) -> Key:
        """The rule."""
        return self.camera_id, self.rule_id


def put_mask(connection: sqlite3.Connection, mask: RuleMask) -> None:
    """Write down what a rule looks past, in the caller's transaction; an older word is replaced."""
    connection.execute(
        """
        insert or replace into mask (camera_id, rule_id, exclude, since_us, actor, reason)
        values (:camera_id, :rule_id, :exclude, :since_us, :actor, :reason)
        """,
        {
            "camera_id": mask.camera_id,
            "rule_id": mask.rule_id,
            "exclude": _EXCLUSIONS.dump_json(mask.exclude).decode(),
            "since_us": to_us(mask.since),
            "actor": mask.actor,
            "reason": mask.reason,
        },
    )


def undo_mask(connection: sqlite3.Connection, camera_id: str, rule_id: str) -> bool:
    """Have the configuration count again, in the caller's transaction; say if it did not."""
    cursor = connection.execute(
        "delete from mask where camera_id = ? and rule_id = ?", (camera_id, rule_id)
    )
    return cursor.rowcount > 0


def masks_in(database: Database) -> tuple[RuleMask, ...]:
    """Return all that were put, by camera and rule. Raises StorageError."""
    with database.reading() as connection:
        return _masks(connection)


def masks_at(path: Path) -> tuple[RuleMask, ...]:
    """Return all that were put in the database file of a box that may be running.

    Raises StorageError. Nothing is changed, not even a schema of an older box.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as opened:
            opened.row_factory = sqlite3.Row
            return _masks(opened)
    except sqlite3.Error as error:
        raise StorageError(f"{path}: {error}") from error


def _masks(connection: sqlite3.Connection) -> tuple[RuleMask, ...]:
    return tuple(
        RuleMask(
            row["camera_id"],
            row["rule_id"],
            _EXCLUSIONS.validate_json(row["exclude"]),
            from_us(row["since_us"]),
            row["actor"],
            row["reason"],
        )
        for row in connection.execute(_SELECT)
    )


def exclusions(masks: Sequence[RuleMask]) -> Mapping[Key, Exclusions]:
    """Return what each rule that has a mask looks past."""
    return {mask.key: mask.exclude for mask in masks}


def unknown(masks: Sequence[RuleMask], config: EdgeConfig) -> tuple[RuleMask, ...]:
    """Return those of rules that the configuration no longer has: they do nothing for now."""
    rules = {(camera.id, rule.id) for camera in config.cameras for rule in camera.rules}
    return tuple(mask for mask in masks if mask.key not in rules)


def masks_component(masks: Sequence[RuleMask], config: EdgeConfig) -> Component:
    """Return for the health board how many areas each rule looks past by a person's word.

    None of it is a fault.
    """
    figures: dict[str, Figure] = {"/".join(mask.key): len(mask.exclude) for mask in masks}
    lone = ", ".join("/".join(mask.key) for mask in unknown(masks, config))
    return Component(Condition.OK, f"of no rule here: {lone}" if lone else None, figures)
