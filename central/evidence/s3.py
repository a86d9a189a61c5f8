"""Evidence on S3-compatible storage: AWS, MinIO, OSS, COS, SeaweedFS and others of that interface.

Only what all of them have is used. Needs the extra ``s3``.
"""

import contextlib
import hashlib
import logging
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from central.errors import EvidenceAwayError, NotFoundError
from central.evidence.outage import Outage
from central.evidence.s3_settings import S3Settings
from central.evidence.span import Span
from central.evidence.storage import Content, Kept
from protocol.clock import Clock

log = logging.getLogger(__name__)

#: A longer file goes in parts of this size; S3 takes none below 5 MiB.
PART_BYTES = 16 * 1024 * 1024
_READ_BYTES = 256 * 1024
_CONNECTIONS = 16
#: The object is not there, or is shorter than it was: somebody else had it in hand.
_GONE = frozenset({"NoSuchKey", "404", "InvalidRange"})


class S3Storage:
    """Objects in one bucket, below a prefix of this centre's own.

    What is put is read back and hashed: not every server of this interface checks a hash that it
    is given. Nobody but the centre reads objects, so none is public and no address is signed.
    """

    def __init__(self, settings: S3Settings, clock: Clock) -> None:
        self._bucket = settings.bucket
        self._prefix = settings.prefix
        self._client = _client(settings)
        self._extra = _encryption(settings)
        self._transfer = TransferConfig(
            multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES, use_threads=False
        )
        self._outage = Outage(clock)

    @property
    def works(self) -> bool:
        """Whether the last request was answered as it should be."""
        return not self._outage.is_on

    def check(self) -> None:
        """Raise EvidenceAwayError where it failed within the last 10 s."""
        self._outage.check()

    def probe(self) -> None:
        """Ask for the bucket, by a list of nothing: who may write may not always ask otherwise."""
        with self._speaking():
            self._client.list_objects_v2(Bucket=self._bucket, Prefix=self._prefix, MaxKeys=1)

    def put(self, key: str, source: Path, sha256: str) -> None:
        """Send a file, in parts where it is long, and read it back."""
        self.check()
        with self._speaking(), source.open("rb") as file:
            self._client.upload_fileobj(
                file, self._bucket, self._prefix + key, ExtraArgs=self._extra, Config=self._transfer
            )
            found = self._sha256_of(key)
        if found != sha256:
            with contextlib.suppress(EvidenceAwayError):
                self.delete(key)
            raise EvidenceAwayError("evidence: S3 gives back other bytes than it was given")

    def open(self, key: str, span: Span) -> Content:
        """Return those bytes of an object."""
        self.check()
        with self._speaking():
            answer = self._client.get_object(
                Bucket=self._bucket,
                Key=self._prefix + key,
                Range=f"bytes={span.first}-{span.last}",
            )
        return _Body(answer["Body"], self)

    def delete(self, key: str) -> None:
        """Remove an object, where there is one."""
        with self._speaking():
            self._client.delete_object(Bucket=self._bucket, Key=self._prefix + key)

    def kept(self) -> Iterator[Kept]:
        """Yield every object below the prefix."""
        pages = self._client.get_paginator("list_objects_v2")
        with self._speaking():
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix):
                for entry in page.get("Contents", ()):
                    key = entry["Key"].removeprefix(self._prefix)
                    yield Kept(key, entry["LastModified"])

    def end_unfinished(self, before: datetime) -> int:
        """Drop the parts of uploads that began before then: they take room and can't be seen."""
        pages = self._client.get_paginator("list_multipart_uploads")
        ended = 0
        with self._speaking():
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix):
                for upload in page.get("Uploads", ()):
                    if upload["Initiated"] < before:
                        self._client.abort_multipart_upload(
                            Bucket=self._bucket, Key=upload["Key"], UploadId=upload["UploadId"]
                        )
                        ended += 1
        return ended

    def _sha256_of(self, key: str) -> str:
        answer = self._client.get_object(Bucket=self._bucket, Key=self._prefix + key)
        digest = hashlib.sha256()
        with contextlib.closing(answer["Body"]) as body:
            while some := body.read(_READ_BYTES):
                digest.update(some)
        return digest.hexdigest()

    @contextlib.contextmanager
    def _speaking(self) -> Iterator[None]:
        """Turn what the library raises into our errors, and remember whether S3 works.

        Only codes and classes are repeated: an answer's own words may hold anything.
        """
        try:
            yield
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", "an error"))
            if code in _GONE:
                self._well()
                raise NotFoundError("the file is gone") from error
            raise self._away(code) from error
        except BotoCoreError as error:
            raise self._away(type(error).__name__) from error
        except OSError as error:  # the file that is sent can't be read
            raise EvidenceAwayError(f"evidence: {error.strerror}") from error
        self._well()

    def _away(self, reason: str) -> EvidenceAwayError:
        said = f"evidence: S3: {reason}"
        if self._outage.begin(said):
            log.error("evidence.s3_away", extra={"bucket": self._bucket, "error": reason})
        return EvidenceAwayError(said)

    def _well(self) -> None:
        if self._outage.end():
            log.info("evidence.s3_back", extra={"bucket": self._bucket})


class _Body:
    """An object while it is read."""

    def __init__(self, body: Any, storage: S3Storage) -> None:  # noqa: ANN401 - it has no types
        self._body = body
        self._storage = storage

    def read(self, size: int, /) -> bytes:
        """Return the next bytes. Raises EvidenceAwayError."""
        with self._storage._speaking():  # noqa: SLF001 - it is a part of it
            some: bytes = self._body.read(size)
        return some

    def close(self) -> None:
        """Let go of the connection."""
        self._body.close()


def _client(settings: S3Settings) -> Any:  # noqa: ANN401 - it has no types
    session = boto3.session.Session(
        aws_access_key_id=settings.access_key.get_secret_value(),
        aws_secret_access_key=settings.secret_key.get_secret_value(),
        region_name=settings.region,
    )
    return session.client(
        "s3",
        endpoint_url=settings.endpoint,
        verify=str(settings.ca_file) if settings.ca_file else None,
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": settings.addressing},
            connect_timeout=settings.connect_timeout_s,
            read_timeout=settings.read_timeout_s,
            retries={"total_max_attempts": settings.attempts, "mode": "standard"},
            max_pool_connections=_CONNECTIONS,
            # Not every server knows the newer checksums; what is put is read back instead.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )


def _encryption(settings: S3Settings) -> dict[str, str]:
    if settings.encryption is None:
        return {}
    asked: dict[str, str] = {"ServerSideEncryption": settings.encryption}
    return asked if settings.kms_key is None else asked | {"SSEKMSKeyId": settings.kms_key}
