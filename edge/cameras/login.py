"""Who asks a camera."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Login:
    """A camera's user and password; its text shows neither."""

    user: str = field(repr=False)
    password: str = field(repr=False)
