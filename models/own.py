"""Models that users bring: a ``models.toml`` beside their weights, in the form of our manifest."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from models.errors import ModelError
from models.manifest import ModelEntry, read

OWN_MANIFEST = "models.toml"


@dataclass(frozen=True, slots=True)
class OwnModels:
    """The users' models in the order of their folders, and which manifest each is from.

    ``problems`` has a line for each manifest that was refused, whole: a user who misspelt
    something is told, and nothing of the file is taken by half.
    """

    entries: tuple[ModelEntry, ...]
    manifests: Mapping[str, Path]
    problems: tuple[str, ...]


def collect(folders: Iterable[Path], taken: Iterable[str]) -> OwnModels:
    """Read the manifests of these folders; a name of ``taken`` is not theirs to use again.

    Never raises: whoever asks for a program's own model must not suffer for a user's file (models
    I5).
    """
    entries: list[ModelEntry] = []
    manifests: dict[str, Path] = {}
    problems: list[str] = []
    names = set(taken)
    for folder in dict.fromkeys(folders):
        path = folder / OWN_MANIFEST
        try:
            if not path.is_file():
                continue
            found = _without_collision(path, read(path), names)
        except OSError as error:  # a folder that may not be looked into
            problems.append(f"{path}: {error.strerror}")
            continue
        except ModelError as error:
            problems.append(str(error))
            continue
        entries.extend(found)
        names.update(entry.name for entry in found)
        manifests.update((entry.name, path) for entry in found)
    return OwnModels(tuple(entries), manifests, tuple(problems))


def _without_collision(
    path: Path, found: tuple[ModelEntry, ...], names: set[str]
) -> tuple[ModelEntry, ...]:
    for entry in found:
        if entry.name in names:
            raise ModelError(f"{path}: 'name' must be of no other model, not '{entry.name}'")
    return found
