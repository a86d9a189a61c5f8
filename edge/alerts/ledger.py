"""The box's own record of its alerts, and what evidence each of them asks for.

Every function runs in the caller's transaction: alert, outbox row, hold and evidence commit
together (alert I2).
"""

import sqlite3
from datetime import datetime
from uuid import UUID

from edge.alerts.curve import Curve
from edge.alerts.standing import Standing
from edge.db.instant import from_us, to_us
from protocol.messages import AlertCurve, AlertKind, AlertLevel, AlertMode, EvidenceKind


def insert_alert(connection: sqlite3.Connection, standing: Standing) -> None:
    """Record an alert that has begun; a second open one of its key is refused by the index."""
    connection.execute(
        """
        insert into alert (alert_id, camera_id, rule_id, region_id, kind, level, mode, started_us,
          count, threshold, peak, confidence, curve)
        values (:alert_id, :camera_id, :rule_id, :region_id, :kind, :level, :mode, :started_us,
          :count, :threshold, :peak, :confidence, :curve)
        """,
        {
            "alert_id": str(standing.alert_id),
            "camera_id": standing.camera_id,
            "rule_id": standing.rule_id,
            "region_id": standing.region_id,
            "kind": standing.kind.value,
            "level": standing.level.value,
            "mode": standing.mode.value,
            "started_us": to_us(standing.started_at),
            "count": standing.count,
            "threshold": standing.threshold,
            "peak": standing.peak,
            "confidence": standing.confidence,
            "curve": _curve_text(standing.curve),
        },
    )


def update_alert(
    connection: sqlite3.Connection, standing: Standing, ended_at: datetime | None
) -> None:
    """Record an alert's present state, and its end where it has ended."""
    connection.execute(
        """
        update alert set level = :level, count = :count, threshold = :threshold, peak = :peak,
          confidence = :confidence, curve = :curve, ended_us = :ended_us
        where alert_id = :alert_id
        """,
        {
            "alert_id": str(standing.alert_id),
            "level": standing.level.value,
            "count": standing.count,
            "threshold": standing.threshold,
            "peak": standing.peak,
            "confidence": standing.confidence,
            "curve": _curve_text(standing.curve),
            "ended_us": None if ended_at is None else to_us(ended_at),
        },
    )


def standing_alerts(connection: sqlite3.Connection) -> list[Standing]:
    """Return the open alerts, oldest first."""
    rows = connection.execute(
        "select * from alert where ended_us is null order by started_us, alert_id"
    ).fetchall()
    return [_standing(row) for row in rows]


def _standing(row: sqlite3.Row) -> Standing:
    return Standing(
        alert_id=UUID(row["alert_id"]),
        camera_id=row["camera_id"],
        rule_id=row["rule_id"],
        region_id=row["region_id"],
        kind=AlertKind(row["kind"]),
        level=AlertLevel(row["level"]),
        mode=AlertMode(row["mode"]),
        started_at=from_us(row["started_us"]),
        count=row["count"],
        threshold=row["threshold"],
        peak=row["peak"],
        confidence=row["confidence"],
        curve=_curve(row["curve"]),
    )


def mark_told(connection: sqlite3.Connection, alert_id: UUID, *, told: bool) -> None:
    """Note whether the outbox has a message of how an alert is now."""
    connection.execute(
        "update alert set untold = :untold where alert_id = :alert_id and untold <> :untold",
        {"alert_id": str(alert_id), "untold": int(not told)},
    )


def untold_alerts(
    connection: sqlite3.Connection, limit: int
) -> list[tuple[Standing, datetime | None]]:
    """Return alerts whose newest state found no room, oldest first, each with its end."""
    rows = connection.execute(
        "select * from alert where untold = 1 order by started_us, alert_id limit :limit",
        {"limit": limit},
    ).fetchall()
    ends = (None if row["ended_us"] is None else from_us(row["ended_us"]) for row in rows)
    return list(zip(map(_standing, rows), ends, strict=True))


def _curve_text(curve: Curve) -> str | None:
    told = curve.told()
    return None if told is None else told.model_dump_json()


def _curve(text: str | None) -> Curve:
    return Curve() if text is None else Curve.of(AlertCurve.model_validate_json(text))


def ask_evidence(
    connection: sqlite3.Connection,
    alert_id: UUID,
    kind: EvidenceKind,
    bounds: tuple[datetime, datetime],
    due: datetime,
) -> None:
    """Ask for a picture or clip that shows ``bounds``, to be made at ``due`` or later."""
    connection.execute(
        """
        insert into evidence (alert_id, kind, due_us, start_us, end_us)
        values (:alert_id, :kind, :due_us, :start_us, :end_us)
        """,
        {
            "alert_id": str(alert_id),
            "kind": kind.value,
            "due_us": to_us(due),
            "start_us": to_us(bounds[0]),
            "end_us": to_us(bounds[1]),
        },
    )
