"""What is needed to speak to S3-compatible storage; the library itself is an extra."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import SecretStr

#: How a bucket is named in an address: as a folder, or as a part of the host's name.
Addressing = Literal["path", "virtual"]
#: How the storage encrypts what lies there, with its own keys or with those of a key service.
Encryption = Literal["AES256", "aws:kms"]


@dataclass(frozen=True, slots=True)
class S3Settings:
    """Where, as whom, and how long to wait. Keys lie below ``prefix``, which is this centre's own.

    ``attempts``: of one request, in all. ``ca_file``: who vouches for the server, where it is not
    one of the machine's own authorities.
    """

    endpoint: str
    region: str
    bucket: str
    prefix: str
    access_key: SecretStr
    secret_key: SecretStr
    addressing: Addressing = "path"
    ca_file: Path | None = None
    encryption: Encryption | None = None
    kms_key: str | None = None
    connect_timeout_s: float = 5.0
    read_timeout_s: float = 20.0
    attempts: int = 3
