"""What every section of the centre's configuration is made from, and where a secret is kept."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, SecretStr

from central.errors import ConfigError
from protocol.secret import KeptSecret, NoSecretError


class Section(BaseModel):
    """A table of the configuration: unknown keys are refused, and nothing changes it later."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Secret(KeptSecret):
    """Where a secret is: exactly one of a file (its first line) or an environment variable."""

    def read(self) -> SecretStr:
        """Return the secret. Raises ConfigError where it is missing, empty or no text."""
        try:
            return self.fetch()
        except NoSecretError as error:
            raise ConfigError(str(error)) from error.__cause__

    def below(self, folder: Path) -> "Secret":
        """Return the secret with a relative file made absolute below ``folder``."""
        return self if self.file is None else Secret(file=folder / self.file)
