"""The section ``[evidence.s3]`` of the configuration."""

import ipaddress
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from central.evidence.s3_settings import Addressing, Encryption, S3Settings
from central.section import Secret, Section
from protocol.address import holds_login, is_address


def _endpoint(value: str) -> str:
    if holds_login(value):
        raise ValueError("must not hold a user or password, nor any '@'")
    if not is_address(value, frozenset({"http", "https"})):
        raise ValueError("must be a URL of scheme https")
    parts = urlsplit(value)
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("must end after the host: the bucket has a key of its own")
    if parts.scheme == "http" and not _is_this_machine(parts.hostname or ""):
        raise ValueError("must be https: by http only to this machine itself")
    return value.rstrip("/")


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name
        return False


class S3Section(Section):
    """S3-compatible storage for evidence; the bucket is there already."""

    endpoint: Annotated[str, AfterValidator(_endpoint)]
    region: str = Field(default="us-east-1", pattern=r"^[a-zA-Z0-9-]{1,40}$")
    bucket: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
    prefix: str = Field(default="", pattern=r"^([a-zA-Z0-9][a-zA-Z0-9_-]{0,60}/){0,8}$")
    access_key: Secret
    secret_key: Secret
    addressing: Addressing = "path"
    ca_file: Path | None = None
    encryption: Encryption | None = None
    kms_key: str | None = Field(default=None, min_length=1, max_length=300)
    connect_timeout_s: float = Field(default=5, gt=0, le=60)
    read_timeout_s: float = Field(default=20, gt=0, le=300)
    attempts: int = Field(default=3, ge=1, le=10)

    @model_validator(mode="after")
    def _key_fits(self) -> Self:
        if self.kms_key is not None and self.encryption != "aws:kms":
            raise ValueError("'kms_key' is for encryption = \"aws:kms\"")
        return self

    def below(self, folder: Path) -> "S3Section":
        """Return the section with its relative files made absolute below ``folder``."""
        return self.model_copy(
            update={
                "access_key": self.access_key.below(folder),
                "secret_key": self.secret_key.below(folder),
                "ca_file": self.ca_file and folder / self.ca_file,
            }
        )

    def settings(self, region_code: str) -> S3Settings:
        """Return how to reach it. Raises ConfigError where a secret is missing.

        A village's objects lie below its region's code, so that several may share a bucket.
        """
        return S3Settings(
            endpoint=self.endpoint,
            region=self.region,
            bucket=self.bucket,
            prefix=f"{self.prefix}{region_code}/",
            access_key=self.access_key.read(),
            secret_key=self.secret_key.read(),
            addressing=self.addressing,
            ca_file=self.ca_file,
            encryption=self.encryption,
            kms_key=self.kms_key,
            connect_timeout_s=self.connect_timeout_s,
            read_timeout_s=self.read_timeout_s,
            attempts=self.attempts,
        )
