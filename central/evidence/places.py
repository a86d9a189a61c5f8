"""Putting together where evidence lies, as a centre is configured."""

from central.codes import EvidencePlace
from central.config import CentralConfig
from central.errors import ConfigError
from central.evidence.folder import FolderStorage
from central.evidence.partial import PARTIAL, Partials
from central.evidence.s3_settings import S3Settings
from central.evidence.storage import EvidenceStorage, Storages
from protocol.clock import Clock


def open_storages(config: CentralConfig, clock: Clock) -> Storages:
    """Return the disk, and S3 where it is configured; nothing is asked yet.

    Raises ConfigError where a secret or the library for S3 is missing.
    """
    by_place: dict[EvidencePlace, EvidenceStorage] = {
        EvidencePlace.DISK: FolderStorage(config.evidence.folder)
    }
    s3 = config.evidence.s3
    if s3 is not None:
        by_place[EvidencePlace.S3] = _s3(s3.settings(config.village.region_code), clock)
    return Storages(by_place, config.evidence.store)


def open_partials(config: CentralConfig, clock: Clock) -> Partials:
    """Return the folder of what is here in part; nothing is made yet."""
    return Partials(config.evidence.folder / PARTIAL, config.evidence.allowance(), clock)


def _s3(settings: S3Settings, clock: Clock) -> EvidenceStorage:
    try:
        from central.evidence.s3 import (  # noqa: PLC0415 # house: late import - an extra
            S3Storage,
        )
    except ImportError as error:
        raise ConfigError("evidence.s3: S3 needs its library: pip install 'tanshao[s3]'") from error
    return S3Storage(settings, clock)
