"""Where model files are, and which one to take. Imports no inference library."""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.errors import ModelError
from models.manifest import HERE, ModelEntry, find, load
from models.own import collect

AUTO = "auto"
_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Selection:
    """The model to run, the file that holds it, and why this one.

    ``fallback`` is true where a better model of the manifest was asked for, or would have been
    taken, and is not there. ``manifest`` is the user's file that describes it, or None where the
    program's own does.
    """

    entry: ModelEntry
    path: Path
    fallback: bool
    reason: str
    manifest: Path | None = None


class ModelStore:
    """The folders of models, searched in order; a file is known by its content, not by its name.

    Order: ``dirs`` (the configuration's), ``TANSHAO_MODEL_DIR``, the user's own model folder,
    ``weights`` in the folder of test data where there is one, and the package's own folder.

    ``entries`` are the program's models and behind them those of the ``models.toml`` of the first
    three kinds of folders; ``problems`` says which such file was refused, and why.
    """

    def __init__(
        self,
        dirs: Sequence[Path] = (),
        environ: Mapping[str, str] | None = None,
        entries: Sequence[ModelEntry] | None = None,
        bundled: Path = HERE / "weights",
    ) -> None:
        environ = os.environ if environ is None else environ
        self._ours = tuple(load() if entries is None else entries)
        self.download_dir = user_dir(environ)
        named = environ.get("TANSHAO_MODEL_DIR")
        users = (*dirs, *([Path(named)] if named else []), self.download_dir)
        self.dirs = (*users, assets_dir(environ) / "weights", bundled)
        own = collect(users, [entry.name for entry in self._ours])
        self.entries = (*self._ours, *own.entries)
        self.problems = own.problems
        self._manifests = own.manifests

    def locate(self, entry: ModelEntry) -> Path:
        """Return the file that holds this model. Raises ModelError that says what was looked at.

        A file of the right name but other content is named with the rule it breaks.
        """
        refused = []
        for folder in self.dirs:
            for path in _candidates(folder, entry):
                problem = check(path, entry)
                if problem is None:
                    return path
                refused.append(problem)
        if refused:
            raise ModelError("; ".join(refused))
        folders = ", ".join(str(folder) for folder in self.dirs)
        raise ModelError(f"{entry.file} of model '{entry.name}': must be in one of {folders}")

    def select(self, name: str = AUTO, task: str = "person") -> Selection:
        """Return the named model, or for ``auto`` the program's first of its task that is there.

        A user's own is taken by its name alone: nobody here has measured it. Raises ModelError
        where the named one, or every one, is missing or altered, or the named one is of another
        task.
        """
        if name != AUTO:
            return self._named(name, task)
        missing: list[str] = []
        for entry in self.order(task):
            try:
                path = self.locate(entry)
            except ModelError as error:
                missing.append(str(error))
                continue
            reason = "; ".join(missing) or "the best that is there"
            return Selection(entry, path, fallback=bool(missing), reason=reason)
        raise ModelError("; ".join(missing) or f"no model of task '{task}' in the manifest")

    def order(self, task: str) -> tuple[ModelEntry, ...]:
        """Return the models among which ``auto`` chooses, the best first."""
        return tuple(entry for entry in self._ours if entry.task == task)

    def _named(self, name: str, task: str) -> Selection:
        try:
            entry = find(name, self.entries)
        except ModelError as error:
            raise ModelError("; ".join([str(error), *self.problems])) from error
        if entry.task != task:
            raise ModelError(f"model '{name}': 'task' must be {task}, not {entry.task}")
        return Selection(
            entry,
            self.locate(entry),
            fallback=False,
            reason="named in the configuration",
            manifest=self._manifests.get(name),
        )


def check(path: Path, entry: ModelEntry) -> str | None:
    """Return what is wrong with the file as this model's, or None (models I1). Reads it whole."""
    try:
        size_bytes = path.stat().st_size
        if size_bytes != entry.size_bytes:
            return f"{path}: must have {entry.size_bytes} bytes, not {size_bytes}"
        found = sha256_of(path)
    except OSError as error:
        return f"{path}: {error.strerror}"
    if found != entry.sha256:
        return f"{path}: sha256 must be {entry.sha256}, not {found}"
    return None


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hex. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def user_dir(environ: Mapping[str, str]) -> Path:
    """Return the user's folder of downloaded models (XDG base directories)."""
    base = environ.get("XDG_CACHE_HOME") or str(Path(environ.get("HOME", "/nonexistent"), ".cache"))
    return Path(base, "tanshao", "models")


def assets_dir(environ: Mapping[str, str]) -> Path:
    """Return the folder of test data: ``TANSHAO_ASSETS``, else beside the checkout."""
    return Path(environ.get("TANSHAO_ASSETS") or HERE.parent.parent / "shared" / "assets")


def _candidates(folder: Path, entry: ModelEntry) -> Iterator[Path]:
    """Give the files that may be this model: the one of its name first, then those of its size."""
    try:
        files = sorted(path for path in folder.iterdir() if path.is_file())
    except OSError:
        return
    yield from (path for path in files if path.name == entry.file)
    for path in files:
        if path.name != entry.file and path.suffix == ".onnx":
            try:
                same_size = path.stat().st_size == entry.size_bytes
            except OSError:
                continue
            if same_size:
                yield path
