"""``python -m models list|fetch|verify``: what models there are, getting them, checking them."""

import argparse
import sys
from collections.abc import Callable, Sequence

import httpx

from models.errors import ModelError
from models.fetch import fetch, https_client
from models.manifest import ModelEntry, find
from models.store import AUTO, ModelStore

_MB = 1024 * 1024


def run(
    arguments: Sequence[str],
    store: ModelStore,
    say: Callable[[str], object] = print,
    client: Callable[[], httpx.Client] = https_client,
) -> int:
    """Do what the command line says and return the exit status: 0 well, 1 not."""
    parser = argparse.ArgumentParser(prog="python -m models", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="every model, and where it is")
    for name, text in (
        ("fetch", "download a model from its pinned address into the user's model folder"),
        ("verify", "check the files against the manifest"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("name", nargs="*", help="all where none is named")
    given = parser.parse_args(arguments)
    if given.command == "list":
        return _list(store, say)
    entries = [find(name, store.entries) for name in given.name] or list(store.entries)
    if given.command == "verify":
        return max(_verify(store, entry, say) for entry in entries)
    wanted = entries if given.name else [entry for entry in entries if entry.url is not None]
    with client() as open_client:
        return max(_fetch(store, entry, open_client, say) for entry in wanted)


def _list(store: ModelStore, say: Callable[[str], object]) -> int:
    for entry in store.entries:
        try:
            place = str(store.locate(entry))
        except ModelError:
            place = "-"
        size = f"{entry.size_bytes / _MB:.1f} MB"
        role = "fallback" if entry.fallback else "default"
        say(f"{entry.name}  {entry.version}  {size}  {entry.licence}  {role}  {place}")
    try:
        chosen = store.select(AUTO)
    except ModelError as error:
        say(f"{AUTO}: {error}")
        return 1
    note = " (fallback)" if chosen.fallback else ""
    say(f"{AUTO}: {chosen.entry.name}{note}")
    return 0


def _verify(store: ModelStore, entry: ModelEntry, say: Callable[[str], object]) -> int:
    try:
        say(f"{entry.name}: {store.locate(entry)}: as in the manifest")
    except ModelError as error:
        say(f"{entry.name}: {error}")
        return 1
    return 0


def _fetch(
    store: ModelStore, entry: ModelEntry, client: httpx.Client, say: Callable[[str], object]
) -> int:
    try:
        say(f"{entry.name}: {fetch(entry, store.download_dir, client=client)}")
    except ModelError as error:
        say(f"{entry.name}: {error}")
        say(
            f"carry it by hand: put {entry.file} ({entry.size_bytes} bytes, SHA-256 "
            f"{entry.sha256}) into {store.download_dir}, or into a folder that "
            "TANSHAO_MODEL_DIR names"
        )
        return 1
    return 0


def main() -> None:
    """Serve the command line."""
    try:
        sys.exit(run(sys.argv[1:], ModelStore()))
    except ModelError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
