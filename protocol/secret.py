"""Where a secret of a configuration is kept: never in its file."""

import os
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, SecretStr, model_validator


class NoSecretError(Exception):
    """A secret is not where it should be; the text says where that is, and nothing of it."""


class KeptSecret(BaseModel):
    """Where a secret is: exactly one of a file (its first line) or an environment variable."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: Path | None = None
    env: str | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.file is None) == (self.env is None):
            raise ValueError("give exactly one of 'file' and 'env'")
        return self

    def fetch(self) -> SecretStr:
        """Return the secret. Raises NoSecretError where it is missing, empty or no text."""
        if self.file is not None:
            try:
                value = self.file.read_text(encoding="utf-8").partition("\n")[0].strip()
            except OSError as error:
                raise NoSecretError(f"secret file {self.file}: {error.strerror}") from error
            except ValueError:  # which would go on with what the file holds
                raise NoSecretError(f"secret file {self.file}: not text in UTF-8") from None
        else:
            assert self.env is not None
            value = os.environ.get(self.env, "")
        if not value:
            raise NoSecretError(f"secret {self.file or self.env}: empty or not set")
        return SecretStr(value)
