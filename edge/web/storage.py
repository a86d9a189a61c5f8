"""How full the recordings' disk is, and for how long it will do (docs/design/api.md)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from edge.alerts.evidence_store import EvidenceStore
from edge.errors import StorageError
from edge.recording.retention import Reason
from edge.recording.stock import Stock, Stocktaker


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, populate_by_name=True, from_attributes=True)


class CameraStorageAnswer(_Answer):
    """One camera: what is promised, what is there, and what will fit at today's rate.

    ``daily_bytes`` and ``fits_days`` are null where it was not recorded lately.
    """

    camera_id: str
    is_configured: bool
    days: int
    size_bytes: int = Field(serialization_alias="bytes")
    quota_bytes: int | None
    earliest: datetime | None
    daily_bytes: int | None
    fits_days: float | None


class DeletionAnswer(_Answer):
    """What was deleted of a camera's day for one reason."""

    camera_id: str
    day: date
    reason: Reason
    segments: int
    size_bytes: int = Field(serialization_alias="bytes")
    first: datetime
    last: datetime
    at: datetime


class StorageAnswer(_Answer):
    """The whole disk; ``trouble`` says why the limits can't be kept, if so."""

    at: datetime
    total_bytes: int
    free_bytes: int
    used_bytes: int
    kept_free_bytes: int
    quota_bytes: int | None
    held_bytes: int
    waiting_evidence: int
    waiting_evidence_bytes: int
    full_in_days: float | None
    trouble: str | None
    cameras: tuple[CameraStorageAnswer, ...]
    deletions: tuple[DeletionAnswer, ...]


@dataclass(frozen=True, slots=True)
class StorageRoutes:
    """``trouble`` is the janitor's."""

    stocktaker: Stocktaker
    evidence: EvidenceStore
    trouble: Callable[[], str | None]
    configured: frozenset[str]

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(prefix="/v1")
        router.add_api_route("/storage", self.storage)
        return router

    def storage(self) -> StorageAnswer:
        """Say how full the disk is, what takes it, and for how long it will do."""
        try:
            stock, policy = self.stocktaker.take(), self.stocktaker.policy
        except OSError as error:  # the disk is not mounted, or broken
            raise StorageError(f"recordings: {error.strerror}") from error
        return StorageAnswer(
            at=stock.at,
            total_bytes=stock.disk.total_bytes,
            free_bytes=stock.disk.free_bytes,
            used_bytes=stock.disk.used_bytes,
            kept_free_bytes=round(policy.min_free_fraction * stock.disk.total_bytes),
            quota_bytes=policy.quota_bytes,
            held_bytes=stock.held_bytes,
            waiting_evidence=self.evidence.pending(),
            waiting_evidence_bytes=self.evidence.pending_bytes(),
            full_in_days=stock.forecast.full_in_days,
            trouble=self.trouble(),
            cameras=self._cameras(stock),
            deletions=tuple(DeletionAnswer.model_validate(each) for each in stock.deletions),
        )

    def _cameras(self, stock: Stock) -> tuple[CameraStorageAnswer, ...]:
        return tuple(
            CameraStorageAnswer(
                camera_id=used.camera_id,
                is_configured=used.camera_id in self.configured,
                days=ahead.days,
                size_bytes=used.size_bytes,
                quota_bytes=self.stocktaker.policy.of(used.camera_id).quota_bytes,
                earliest=stock.earliest.get(used.camera_id),
                daily_bytes=ahead.daily_bytes,
                fits_days=ahead.fits_days,
            )
            for used, ahead in zip(stock.usages, stock.forecast.cameras, strict=True)
        )
