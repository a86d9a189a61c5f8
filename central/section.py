"""What every section of the centre's configuration is made from, and where a secret is kept."""

import os
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, SecretStr, model_validator

from central.errors import ConfigError


class Section(BaseModel):
    """A table of the configuration: unknown keys are refused, and nothing changes it later."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Secret(Section):
    """Where a secret is: exactly one of a file (its first line) or an environment variable."""

    file: Path | None = None
    env: str | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.file is None) == (self.env is None):
            raise ValueError("give exactly one of 'file' and 'env'")
        return self

    def read(self) -> SecretStr:
        """Return the secret. Raises ConfigError where it is missing, empty or no text."""
        if self.file is not None:
            try:
                value = self.file.read_text(encoding="utf-8").partition("\n")[0].strip()
            except OSError as error:
                raise ConfigError(f"secret file {self.file}: {error.strerror}") from error
            except ValueError:  # which would go on with what the file holds
                raise ConfigError(f"secret file {self.file}: not text in UTF-8") from None
        else:
            assert self.env is not None
            value = os.environ.get(self.env, "")
        if not value:
            raise ConfigError(f"secret {self.file or self.env}: empty or not set")
        return SecretStr(value)

    def below(self, folder: Path) -> "Secret":
        """Return the secret with a relative file made absolute below ``folder``."""
        return self if self.file is None else Secret(file=folder / self.file)
