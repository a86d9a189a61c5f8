"""What models/manifest.toml says, and a manifest of the same form beside a user's own weights."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from models.errors import ModelError

HERE = Path(__file__).resolve().parent
MAX_MODEL_BYTES = 512 * 1024 * 1024
_SHA256 = re.compile(r"[0-9a-f]{64}")
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
#: What a model can be for, and the classes of which it must have one.
TASKS = {"person": frozenset({"person"}), "fire": frozenset({"flame", "smoke"})}


@dataclass(frozen=True, slots=True)
class ModelInput:
    """How a picture becomes the network's input. ``mean`` and ``std`` are in 0-255, by channel.

    ``tiles`` n > 1: the picture is also looked at in an n by n grid of overlapping tiles.
    """

    colour: str
    layout: str
    long_side_px: int
    multiple_px: int
    pad: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    tiles: int


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One model. ``url`` is None where the file comes with the package.

    ``classes`` are the network's, in its order, in this product's words: ``person``, ``flame`` and
    ``smoke``; any other is of no interest. ``min_score`` is the score below which a box is nothing,
    chosen for this model's own scale, and ``class_scores`` the same where classes differ in it;
    ``fallback`` marks the one taken where nothing better is there.
    """

    name: str
    version: str
    task: str
    family: str
    file: str
    size_bytes: int
    sha256: str
    url: str | None
    licence: str
    licence_note: str
    classes: tuple[str, ...]
    fallback: bool
    card: str
    input: ModelInput
    min_score: float
    nms_iou: float
    evaluation: Mapping[str, object]
    class_scores: tuple[float, ...] = ()

    @property
    def scores(self) -> tuple[float, ...]:
        """Return the score below which a box is nothing, for each of ``classes``."""
        return self.class_scores or (self.min_score,) * len(self.classes)


class Reader:
    """Takes typed values out of one table of the manifest; ModelError names key and rule."""

    def __init__(self, table: Mapping[str, object], where: str) -> None:
        self._table = table
        self._where = where
        self._asked: set[str] = set()

    def _get(self, key: str, default: object = None) -> object:
        self._asked.add(key)
        return self._table.get(key, default)

    def nothing_else(self) -> None:
        """Refuse keys that nobody asked for: a misspelt one would be passed over in silence."""
        unknown = sorted(self._table.keys() - self._asked)
        if unknown:
            raise ModelError(f"{self._where}: unknown key '{unknown[0]}'")

    def _fail(self, key: str, rule: str) -> ModelError:
        return ModelError(f"{self._where}: '{key}' must be {rule}, not {self._table.get(key)!r}")

    def text(self, key: str, default: str | None = None) -> str:
        """Return a string that is not empty."""
        value = self._get(key, default)
        if not isinstance(value, str) or not value:
            raise self._fail(key, "a text")
        return value

    def matching(self, key: str, pattern: re.Pattern[str]) -> str:
        """Return a string that the whole pattern matches."""
        value = self.text(key)
        if not pattern.fullmatch(value):
            raise self._fail(key, f"of the form {pattern.pattern}")
        return value

    def whole(self, key: str, low: int, high: int) -> int:
        """Return an integer from low to high."""
        value = self._get(key)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self._fail(key, f"a whole number from {low} to {high}")
        return value

    def share(self, key: str) -> float:
        """Return a number between 0 and 1."""
        value = self._get(key)
        if not isinstance(value, (int, float)) or not 0 < value < 1:
            raise self._fail(key, "a number between 0 and 1")
        return float(value)

    def shares(self, key: str, count: int) -> tuple[float, ...]:
        """Return so many numbers between 0 and 1; none where there is no such key."""
        value = self._get(key, [])
        if not isinstance(value, list) or (
            value
            and (
                len(value) != count
                or not all(isinstance(item, (int, float)) and 0 < item < 1 for item in value)
            )
        ):
            raise self._fail(key, f"a list of {count} numbers between 0 and 1")
        return tuple(float(item) for item in value)

    def numbers(self, key: str) -> tuple[float, ...]:
        """Return a list of three numbers."""
        value = self._get(key)
        if (
            not isinstance(value, list)
            or len(value) != 3  # noqa: PLR2004 - colour channels
            or not all(isinstance(item, (int, float)) for item in value)
        ):
            raise self._fail(key, "three numbers")
        return tuple(float(item) for item in value)

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of strings that is not empty."""
        value = self._get(key)
        if not isinstance(value, list) or not value or not all(isinstance(v, str) for v in value):
            raise self._fail(key, "a list of texts")
        return tuple(value)

    def flag(self, key: str) -> bool:
        """Return a boolean; absent is false."""
        value = self._get(key, default=False)
        if not isinstance(value, bool):
            raise self._fail(key, "true or false")
        return value

    def https_url(self, key: str) -> str | None:
        """Return an HTTPS address, or None where there is none."""
        if self._get(key) is None:
            return None
        value = self.text(key)
        if urlsplit(value).scheme != "https" or not urlsplit(value).hostname:
            raise self._fail(key, "an https address")
        return value

    def table(self, key: str) -> "Reader":
        """Return a table inside this one."""
        value = self._get(key)
        if not isinstance(value, dict):
            raise self._fail(key, "a table")
        return Reader(value, f"{self._where}.{key}")

    def raw(self, key: str) -> object:
        """Return a value of any kind, or None."""
        return self._get(key)

    def free_table(self, key: str) -> Mapping[str, object]:
        """Return a table of any keys; an absent one is empty."""
        value = self._get(key, {})
        if not isinstance(value, dict):
            raise self._fail(key, "a table")
        return dict(value)


def parse(document: Mapping[str, object], source: str = "manifest") -> tuple[ModelEntry, ...]:
    """Return the models of a manifest, in its order; ``source`` is how errors call it.

    Raises ModelError for what breaks a rule.
    """
    tables = document.get("model")
    if not isinstance(tables, list) or not tables:
        raise ModelError(f"{source}: 'model' must be a list of tables")
    top = Reader(document, source)
    top.raw("model")
    top.nothing_else()
    entries = tuple(
        _entry(table, f"{source}: model {position}") for position, table in enumerate(tables, 1)
    )
    names = [entry.name for entry in entries]
    if len(set(names)) != len(names):
        raise ModelError(f"{source}: 'name' must differ from model to model, not {names}")
    return entries


def _entry(table: object, where: str) -> ModelEntry:
    if not isinstance(table, dict):
        raise ModelError(f"{where} must be a table, not {table!r}")
    read = Reader(table, where)
    picture, thresholds = read.table("input"), read.table("thresholds")
    classes = read.texts("classes")
    entry = ModelEntry(
        name=read.matching("name", NAME),
        version=read.text("version"),
        task=read.matching("task", re.compile("|".join(TASKS))),
        family=read.text("family"),
        file=read.matching("file", re.compile(r"[A-Za-z0-9_.-]+")),
        size_bytes=read.whole("bytes", 1, MAX_MODEL_BYTES),
        sha256=read.matching("sha256", _SHA256),
        url=read.https_url("url"),
        licence=read.text("licence"),
        licence_note=read.text("licence_note", "-"),
        classes=classes,
        fallback=read.flag("fallback"),
        card=read.text("card"),
        input=_input(picture),
        min_score=thresholds.share("score"),
        nms_iou=thresholds.share("nms_iou"),
        evaluation=read.free_table("evaluation"),
        class_scores=thresholds.shares("class_scores", len(classes)),
    )
    for each in (read, picture, thresholds):
        each.nothing_else()
    wanted = TASKS[entry.task]
    if not wanted.intersection(classes):
        raise ModelError(
            f"{where}: 'classes' must have {' or '.join(sorted(wanted))} for task '{entry.task}', "
            f"not {list(classes)}"
        )
    return entry


def _input(read: Reader) -> ModelInput:
    return ModelInput(
        colour=read.matching("colour", re.compile("RGB|BGR")),
        layout=read.matching("layout", re.compile("NCHW|NHWC")),
        long_side_px=read.whole("long_side_px", 32, 4096),
        multiple_px=read.whole("multiple_px", 1, 4096),
        pad=read.whole("pad", 0, 255),
        mean=read.numbers("mean"),
        std=read.numbers("std"),
        tiles=read.whole("tiles", 1, 8),
    )


@cache
def load() -> tuple[ModelEntry, ...]:
    """Return the models of the manifest that comes with the program."""
    return read(HERE / "manifest.toml")


def read(path: Path) -> tuple[ModelEntry, ...]:
    """Return the models of a manifest file. Raises ModelError where it is unreadable or wrong."""
    try:
        return parse(tomllib.loads(path.read_text(encoding="utf-8")), str(path))
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}") from error
    except ValueError as error:  # no TOML, or no UTF-8
        raise ModelError(f"{path}: {error}") from error


def find(name: str, entries: Sequence[ModelEntry] | None = None) -> ModelEntry:
    """Return the model of that name. Raises ModelError that says which names there are."""
    known = load() if entries is None else entries
    for entry in known:
        if entry.name == name:
            return entry
    raise ModelError(
        f"model '{name}': must be one of {', '.join(entry.name for entry in known)} or auto"
    )
