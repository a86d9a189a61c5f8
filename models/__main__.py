"""``python -m models list|fetch|verify``: what models there are, getting them, checking them."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx

from models.errors import ModelError
from models.fetch import fetch, https_client
from models.manifest import TASKS, ModelEntry, find
from models.store import AUTO, ModelStore, check

_MB = 1024 * 1024
Say = Callable[[str], object]


def run(
    arguments: Sequence[str],
    store: Callable[[Sequence[Path]], ModelStore] = ModelStore,
    say: Say = print,
    client: Callable[[], httpx.Client] = https_client,
    progress: Callable[[ModelEntry, int], None] = lambda _entry, _bytes: None,
) -> int:
    """Do what the command line says and return the exit status: 0 well, 1 not.

    ``progress`` is told the bytes of a download so far. Raises ModelError where a name is none.
    """
    parser = argparse.ArgumentParser(prog="python -m models", description=__doc__)
    parser.add_argument(
        "--dir",
        type=Path,
        action="append",
        default=[],
        help="a folder of models, as in the box's detect.model_dirs; repeatable",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="every model, where it is, and which one is taken")
    for name, text in (
        ("fetch", "download a model from its pinned address into the user's model folder"),
        ("verify", "check the files against the manifest"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("name", nargs="*", help="all where none is named")
    given = parser.parse_args(arguments)
    models = store(given.dir)
    if given.command == "list":
        return _list(models, say)
    entries = [find(name, models.entries) for name in given.name] or list(models.entries)
    if given.command == "verify":
        return max(_refused(models, say), *(_verify(models, entry, say) for entry in entries))
    wanted = entries if given.name else [entry for entry in entries if entry.url is not None]
    with client() as open_client:
        return max(
            (_fetch(models, entry, open_client, say, progress) for entry in wanted), default=0
        )


def _list(store: ModelStore, say: Say) -> int:
    for entry in store.entries:
        try:
            place = str(store.locate(entry))
        except ModelError:
            place = "-"
        size = f"{entry.size_bytes / _MB:.1f} MB"
        role = "fallback" if entry.fallback else "default"
        if entry not in store.order(entry.task):
            role = "own"
        say(f"{entry.name}  {entry.version}  {size}  {entry.licence}  {role}  {place}")
    status = _refused(store, say)
    return max(status, *(_say_order(store, task, say) for task in TASKS if store.order(task)))


def _say_order(store: ModelStore, task: str, say: Say) -> int:
    """Say which model ``auto`` takes, and among which, in their order."""
    order = ", then ".join(entry.name for entry in store.order(task))
    try:
        chosen = store.select(AUTO, task)
    except ModelError as error:
        say(f"{AUTO} ({task}: {order}): {error}")
        return 1
    note = f" (fallback: {chosen.reason})" if chosen.fallback else ""
    say(f"{AUTO} ({task}: {order}): {chosen.entry.name}{note}")
    return 0


def _refused(store: ModelStore, say: Say) -> int:
    for problem in store.problems:
        say(problem)
    return 1 if store.problems else 0


def _verify(store: ModelStore, entry: ModelEntry, say: Say) -> int:
    try:
        say(f"{entry.name}: {store.locate(entry)}: as in the manifest")
    except ModelError as error:
        say(f"{entry.name}: {error}")
        return 1
    return 0


def _fetch(
    store: ModelStore,
    entry: ModelEntry,
    client: httpx.Client,
    say: Say,
    progress: Callable[[ModelEntry, int], None],
) -> int:
    there = store.download_dir / entry.file
    if check(there, entry) is None:
        say(f"{entry.name}: {there}: is there already")
        return 0
    try:
        path = fetch(
            entry,
            store.download_dir,
            client=client,
            progress=lambda got_bytes: progress(entry, got_bytes),
        )
    except ModelError as error:
        say(f"{entry.name}: {error}")
        say(
            f"carry it by hand: put {entry.file} ({entry.size_bytes} bytes, SHA-256 "
            f"{entry.sha256}) into {store.download_dir}, or into a folder that "
            "TANSHAO_MODEL_DIR names"
        )
        return 1
    say(f"{entry.name}: {path}")
    return 0


def _bar(entry: ModelEntry, got_bytes: int) -> None:
    """Show how far a download is, where there is somebody to see it."""
    if not sys.stderr.isatty():
        return
    end = "\n" if got_bytes == entry.size_bytes else "\r"
    share = f"{got_bytes / _MB:.1f} of {entry.size_bytes / _MB:.1f} MB"
    sys.stderr.write(f"{entry.file}: {share} ({got_bytes * 100 // entry.size_bytes} %){end}")
    sys.stderr.flush()


def main() -> None:
    """Serve the command line."""
    try:
        sys.exit(run(sys.argv[1:], progress=_bar))
    except ModelError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
