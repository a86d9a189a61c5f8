"""The house rules that a tool does not know. Each test says which, and why there is one."""

import ast
import fnmatch
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from pydantic import BaseModel

import central.config
import central.seed
import edge.config
from edge.ports import Box, Detections
from protocol.messages import AlertMessage, HeartbeatMessage, StateMessage

ROOT = Path(__file__).resolve().parents[1]
PRODUCT = ("protocol", "models", "edge", "central", "village")

#: What a package may import of this project, besides itself (docs/adr/0001-layout.md).
MAY_IMPORT = {
    "protocol": set(),
    "models": {"protocol"},
    "edge": {"protocol", "models"},
    "central": {"protocol"},
    "village": {"protocol", "models"},
}

#: What does input or output, waits, or depends on chance: no business of a pure module.
IMPURE = {
    *("asyncio", "concurrent", "http", "io", "multiprocessing", "os", "queue", "random", "secrets"),
    *("select", "shutil", "signal", "socket", "sqlite3", "subprocess", "tempfile", "threading"),
    *("time", "urllib.request", "alembic", "av", "fastapi", "httpx", "onnxruntime", "paho"),
    *("boto3", "sqlalchemy", "starlette", "uvicorn", "websockets"),
}

#: Modules that only declare what others mean: pure code may name them.
DECLARATIVE = {
    *("edge.config", "edge.rule_config", "edge.errors", "edge.ports", "edge.recording.segment"),
    *("central.codes", "central.errors", "central.points.codes", "central.ports", "models.errors"),
}

#: Among the pure code, the few modules through which it meets the world.
WAYS_OUT = {
    "protocol.clock": "time",
    "protocol.ids": "chance",
    "edge.alarm.watch": "the thread that takes what the detector says to the rules",
}


@dataclass(frozen=True)
class Module:
    name: str
    path: Path
    tree: ast.Module
    lines: list[str]

    @property
    def place(self) -> str:
        return str(self.path.relative_to(ROOT))

    def imports(self) -> set[str]:
        """Return the modules it imports anywhere, as written, ``from a import b`` as ``a.b``."""
        return {name for name, _ in imports_of(self.tree)}

    def excuse(self, line: int, rule: str) -> bool:
        """Return whether the line, or the one above, says ``house: <rule>`` and a reason."""
        return any(
            re.search(rf"# house: {rule} - \S", text)
            for text in self.lines[max(0, line - 2) : line]
        )


def imports_of(tree: ast.AST) -> Iterator[tuple[str, ast.stmt]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide where a name comes from"
            assert node.module is not None
            yield from ((f"{node.module}.{alias.name}", node) for alias in node.names)


def sources(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != "node_modules"]
        yield from (Path(place, name) for name in names if name.endswith(".py"))


@cache
def modules() -> dict[str, Module]:
    found = {}
    for package in PRODUCT:
        for path in sorted(sources(ROOT / package)):
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            text = path.read_text(encoding="utf-8")
            found[name] = Module(name, path, ast.parse(text), text.splitlines())
    return found


@cache
def tracked() -> tuple[Path, ...]:
    """Return the files that are or would be part of the project."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=False,
        text=True,
    )
    if listed.returncode != 0:
        pytest.skip("needs the project's git repository")
    paths = (ROOT / name for name in listed.stdout.split("\0") if name)
    return tuple(path for path in paths if path.is_file())


def text_files() -> Iterator[tuple[str, str]]:
    for path in tracked():
        try:
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def own(name: str) -> str | None:
    """Return the product module that an imported name is, or is in."""
    while name:
        if name in modules():
            return name
        name = name.rpartition(".")[0]
    return None


# -- who may know whom ------------------------------------------------------------------------


@pytest.mark.parametrize("package", PRODUCT)
def test_a_package_imports_only_what_it_may(package):
    """Box and centre are upgraded at different times: all they share is the wire contract."""
    allowed = MAY_IMPORT[package] | {package}
    wrong = [
        f"{module.place}: {name}"
        for module in modules().values()
        if module.name.split(".")[0] == package
        for name in module.imports()
        if name.split(".")[0] in {*PRODUCT, "tests", "bench"} - allowed
    ]
    assert wrong == []


def test_training_and_export_code_is_imported_by_nobody():
    """It needs AGPL packages and half a gigabyte: it must never reach a box (ADR 0003)."""
    kept_apart = ("models.training", "models.export", "ultralytics", "torch")
    wrong = [
        f"{module.place}: {name}"
        for module in modules().values()
        if not module.name.startswith(("models.training", "models.export"))
        for name in module.imports()
        if name.startswith(kept_apart)
    ]
    assert wrong == []


def pure_modules() -> list[Module]:
    """Return what the Makefile gates as pure code, without its ways out."""
    line = re.search(r"^PURE := (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert line is not None
    patterns = line.group(1).split(",")
    for pattern in patterns:
        assert list(ROOT.glob(pattern)), f"{pattern} of the Makefile's PURE matches nothing"
    return [
        module
        for module in modules().values()
        if any(fnmatch.fnmatch(module.place, pattern) for pattern in patterns)
        and module.name not in WAYS_OUT
    ]


def test_pure_code_does_no_input_or_output():
    """What decides is tested by values alone, as fast as it can be computed."""
    wrong = [
        f"{module.place}: {name}"
        for module in pure_modules()
        for name in module.imports()
        if any(name == one or name.startswith(f"{one}.") for one in IMPURE)
    ]
    assert wrong == []


def test_pure_code_imports_only_pure_code():
    """Else the rule above holds in the letter only."""
    pure = {module.name for module in pure_modules()} | DECLARATIVE | WAYS_OUT.keys()
    wrong = [
        f"{module.place}: {target}"
        for module in pure_modules()
        for target in {own(name) for name in module.imports()} - {None}
        if target not in pure
    ]
    assert wrong == []


def test_no_modules_import_each_other_in_a_circle():
    """In the code bases we read, cycles had grown over half of the packages."""
    graph = {
        module.name: {
            target
            for name, node in imports_of(module.tree)
            if (target := own(name)) not in (None, module.name)
            and node in module.tree.body  # a late import is how a cycle would be hidden: see below
        }
        for module in modules().values()
    }
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as cycle:
        pytest.fail(" → ".join(cycle.args[1]))


def test_late_imports_are_the_command_lines_own():
    """A late import makes a command start faster; anywhere else it hides a cycle."""
    wrong = [
        f"{module.place}:{node.lineno} {name}"
        for module in modules().values()
        if not module.name.endswith("__main__")
        for name, node in imports_of(module.tree)
        if own(name) is not None
        and node not in module.tree.body
        and not _type_checking(module, node)
        and not module.excuse(node.lineno, "late import")
    ]
    assert wrong == []


def _type_checking(module: Module, node: ast.stmt) -> bool:
    return any(
        isinstance(outer, ast.If) and node in outer.body and "TYPE_CHECKING" in ast.dump(outer.test)
        for outer in module.tree.body
    )


# -- how code is written ----------------------------------------------------------------------


def test_time_comes_from_the_clock_alone():
    """A component that asks the machine for the time can't be tested at another one."""
    asked = {
        *("time.time", "time.time_ns", "time.monotonic", "time.monotonic_ns", "time.sleep"),
        *("time.perf_counter", "datetime.now", "datetime.utcnow", "datetime.today", "date.today"),
    }
    last_words = {name.rpartition(".")[2] for name in asked}  # to unparse every node takes seconds
    wrong = [
        f"{module.place}:{node.lineno} {ast.unparse(node)}"
        for module in modules().values()
        if module.name != "protocol.clock"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute)
        and node.attr in last_words
        and any(f".{ast.unparse(node)}".endswith(f".{name}") for name in asked)
        and not module.excuse(node.lineno, "time")
    ]
    assert wrong == []


def test_no_error_is_swallowed_without_a_word():
    """Viseron's cameras died in silence behind ``except: pass``."""
    wrong = []
    for module in modules().values():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ExceptHandler):
                bare = node.type is None
                silent = len(node.body) == 1 and isinstance(node.body[0], ast.Pass)
            elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress"):
                names = {ast.unparse(argument) for argument in node.args}
                bare, silent = bool(names & {"Exception", "BaseException"}), False
            else:
                continue
            if (bare or silent) and not module.excuse(node.lineno, "except"):
                wrong.append(f"{module.place}:{node.lineno}")
    assert wrong == []


def test_every_module_is_about_one_noun():
    """A drawer named utils takes anything, and nobody finds it again."""
    drawers = {"util", "utils", "helper", "helpers", "common", "misc", "shared", "lib", "tools"}
    assert [name for name in modules() if drawers & set(name.split("."))] == []


# -- what it never does -----------------------------------------------------------------------

#: Words of what this product does not do, as they would stand in an identifier.
NEVER = (
    *("face", "faces", "facial", "embedding", "embeddings", "reid", "re id", "gait", "biometric"),
    *("plate", "plates", "lpr", "anpr", "voiceprint", "track id", "person id vector", "loiter"),
    *("loitering", "suspect", "suspects", "blacklist", "watchlist", "whitelist", "banner"),
    *("slogan", "microphone", "recognize", "recognise", "recognition", "identify person"),
)
NAMED_BY_OTHERS = {
    ("edge/media/fmp4.py", "track id"): "ISO/IEC 14496-12's word for a file's one track",
    ("edge/exports/looks.py", "face"): "OpenCV's word for a font: FontFace",
}


UP_MESSAGES = (AlertMessage, StateMessage, HeartbeatMessage)
#: Numbers with a fraction that a box may send: how sure a rule was, on average.
KNOWN_FRACTIONS = {"confidence"}


def identifiers(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
                yield name, node.lineno
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name, node.lineno
            case ast.ClassDef(name=name):
                yield name, node.lineno
            case ast.alias(name=name):
                yield name, node.lineno
            case _:
                continue


@cache
def words(identifier: str) -> str:
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", identifier)
    return f" {' '.join(part.lower() for part in parts)} "


def test_nothing_identifies_anybody():
    """No face, plate, gait or voice, nobody followed from picture to picture: a count, no more."""
    wrong = [
        f"{module.place}:{line} {name}"
        for module in modules().values()
        for name, line in identifiers(module.tree)
        for never in NEVER
        if f" {never} " in words(name) and (module.place, never) not in NAMED_BY_OTHERS
    ]
    assert wrong == []


def test_the_boxs_database_has_no_column_about_a_person():
    """What is not stored can't be asked for."""
    schema = (ROOT / "edge/db/schema.sql").read_text(encoding="utf-8")
    code = re.sub(r"--.*", "", schema)
    assert [word for word in NEVER if f" {word} " in words(code)] == []
    assert "person" not in words(code)


def test_a_detection_is_a_place_and_a_score():
    """A field more, and somebody could be told from somebody else."""
    assert [field.name for field in fields(Box)] == ["left", "top", "right", "bottom", "score"]
    of_the_frame = ["camera_id", "run_id", "pts_90k", "at", "boxes", "aspect"]
    assert [field.name for field in fields(Detections)] == of_the_frame


def schema_nodes(node: object) -> Iterator[dict[str, object]]:
    parts: list[object] = []
    if isinstance(node, dict):
        yield node
        parts = list(node.values())
    elif isinstance(node, list):
        parts = node
    for part in parts:
        yield from schema_nodes(part)


@pytest.mark.parametrize("message", UP_MESSAGES, ids=lambda message: message.__name__)
def test_no_message_of_a_box_has_room_for_a_place_or_for_features(message):
    """Lists are of whole numbers or of things with names; fractions stand alone, and are known."""
    schema = message.model_json_schema()
    listed = [
        item
        for node in schema_nodes(schema)
        if node.get("type") == "array"
        for item in schema_nodes([node.get("items"), node.get("prefixItems")])
    ]
    assert [item for item in listed if item.get("type") == "number"] == []
    fractions = {
        name
        for node in schema_nodes(schema)
        for name, kind in dict(node.get("properties", {})).items()
        if any(part.get("type") == "number" for part in schema_nodes(kind))
    }
    assert fractions <= KNOWN_FRACTIONS
    names = {name for node in schema_nodes(schema) for name in dict(node.get("properties", {}))}
    wrong = [name for name in names for never in NEVER if f" {never} " in words(name)]
    assert wrong == []


def test_the_centre_looks_into_no_picture():
    """It keeps and shows pictures and opens none: nobody can be cut out, marked or measured."""
    looks = {"av", "cv2", "numpy", "onnxruntime", "PIL"}
    wrong = [
        f"{module.place} {name}"
        for module in modules().values()
        if module.place.startswith("central/")
        for name in module.imports()
        if name.partition(".")[0] in looks
    ]
    assert wrong == []


def test_no_sound_is_pulled_from_a_camera():
    """Sound is of no use here, and what is said near a camera is nobody's business."""
    opener = (ROOT / "edge/ingest/ffmpeg.py").read_text(encoding="utf-8")
    assert '"allowed_media_types": "video"' in opener
    wrong = [
        f"{module.place}:{line} {name}"
        for module in modules().values()
        for name, line in identifiers(module.tree)
        if " audio " in words(name)
    ]
    assert wrong == []


# -- what the project says --------------------------------------------------------------------


def test_no_file_names_a_registry():
    """Which mirror a machine uses is its own setting; a name in a file would override it."""
    hosts = ("py" + "pi.org", "python" + "hosted", "npm" + "js.org", "deb.deb" + "ian.org")
    wrong = [f"{name}: {host}" for name, text in text_files() for host in hosts if host in text]
    assert wrong == []


def test_no_file_names_a_path_of_one_machine():
    """It would work there and nowhere else."""
    machine = re.compile(r"(?<![\w.~@-])/(?:wo" r"rk|ro" r"ot|ho" r"me/[a-z]\w*|Us" r"ers)/")
    wrong = [
        f"{name}:{number}"
        for name, text in text_files()
        for number, line in enumerate(text.splitlines(), start=1)
        if machine.search(line)
    ]
    assert wrong == []


def examples() -> dict[Path, type[BaseModel]]:
    found: dict[Path, type[BaseModel]] = {}
    for path in sorted((ROOT / "configs").glob("*.toml")):
        if path.name.startswith("edge"):
            found[path] = edge.config.EdgeConfig
        elif "seed" in path.name:
            found[path] = central.seed.Seed
        else:
            found[path] = central.config.CentralConfig
    return found


@pytest.mark.parametrize("path", examples(), ids=lambda path: path.name)
def test_an_example_is_valid(path):
    """People copy examples and change three lines."""
    examples()[path].model_validate(tomllib.loads(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "model",
    sorted(set(examples().values()), key=str),  # the same for every worker
    ids=lambda model: model.__name__,
)
def test_every_key_is_explained_in_an_example(model):
    """A key that no example shows is known to nobody but its author."""
    text = "".join(path.read_text("utf-8") for path, kind in examples().items() if kind is model)
    shown = set(re.findall(r"[\w-]+", text))
    assert sorted({key for key in keys_of(model) if key not in shown}) == []


def keys_of(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield name
        for part in nested(field.annotation):
            yield from keys_of(part)


def nested(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from nested(part)


@pytest.mark.parametrize("path", sorted((ROOT / "systemd").glob("*.service")), ids=lambda p: p.name)
def test_a_unit_starts_a_command_that_exists(path):
    """A unit is not run before it is installed; then it is too late."""
    (start,) = re.findall(r"^ExecStart=(.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    program, dash_m, module, command, *rest = shlex.split(start)
    assert (Path(program).name, dash_m) == ("python", "-m")
    shown = subprocess.run(
        [sys.executable, "-m", module, command, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for option in (word for word in rest if word.startswith("--")):
        assert option in shown.stdout


def named_commands() -> dict[str, set[str]]:
    """Return what pages, examples and units tell people to run, as module: commands."""
    found: dict[str, set[str]] = {}
    for name, text in text_files():
        if name.endswith((".md", ".toml", ".service")):
            told = re.findall(
                r"python -m ((?:models|edge|central|village)\b[\w.]*) ([a-z-]+)", text
            )
            for module, command in told:
                found.setdefault(module, set()).add(command)
    return found


@pytest.mark.parametrize("module", ["models", "edge", "central", "village"])
def test_a_command_that_the_docs_name_is_there(module):
    """What a page says is typed as it stands."""
    told = named_commands().get(module, set())
    if not told:
        return
    shown = subprocess.run(
        [sys.executable, "-m", module, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert sorted(command for command in told if command not in shown.stdout) == []


def pages() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".md"]


def test_links_in_the_docs_lead_somewhere():
    """A dead link is the first thing a new reader meets."""
    wrong = []
    for page in pages():
        text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"[a-z]+:", target) or target.startswith("#"):
                continue
            if not (page.parent / target.partition("#")[0]).exists():
                wrong.append(f"{page.relative_to(ROOT)}: {target}")
    assert wrong == []


def test_paths_that_docstrings_and_docs_name_are_there():
    """Files move; the sentences about them do not."""
    named = re.compile(r"(?<![\w/.])((?:docs|configs|systemd)/[\w./-]+\.(?:md|toml|service|png))")
    wrong = [
        f"{name}: {target}"
        for name, text in text_files()
        if name.endswith((".py", ".md", ".toml", ".service", "Makefile"))
        for target in named.findall(text)
        if not (ROOT / target).exists()
    ]
    assert wrong == []


def test_every_invariant_that_is_quoted_is_written_down():
    """``storage I2`` in a comment is worth nothing where nobody wrote storage's I2."""
    pages_of = {path.stem: path.read_text("utf-8") for path in (ROOT / "docs/design").glob("*.md")}
    quoted = re.compile(rf"\b({'|'.join(pages_of)}) I(\d+)\b")
    wrong = [
        f"{name}: {subject} I{number}"
        for name, text in text_files()
        if name.endswith((".py", ".sql", ".md"))
        for subject, number in quoted.findall(text)
        if not re.search(rf"\bI{number}\b", pages_of[subject])
    ]
    assert wrong == []
