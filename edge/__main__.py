"""The edge's command line: ``python -m edge run|check-config|fsck|renew-outbox|config``."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

from pythonjsonlogger.json import JsonFormatter

from edge import heap, unneeded
from edge.config import load, read, validated
from edge.errors import ConfigError, EdgeError
from edge.template import applied, template_of
from edge.toml_text import toml_text
from edge.zygote import Zygote
from protocol.clock import SystemClock


def main(arguments: list[str] | None = None) -> int:
    """Run a command; return the exit status: 0 done, 1 failed, 2 wrong use."""
    parser = argparse.ArgumentParser(
        prog="python -m edge", description="Tanshao 探哨: the village box"
    )
    commands = parser.add_subparsers(dest="command", required=True)

    def add(name: str, run: object, text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--config", type=Path, required=True, help="the TOML file")
        command.set_defaults(run=run)
        return command

    add("run", _run, "pull, record, watch and report until told to stop")
    add("check-config", _check, "say whether a configuration and its secrets are valid")
    fsck = add("fsck", _fsck, "say whether index and files are what they promise, and mend them")
    fsck.add_argument(
        "--level",
        choices=["rows", "files", "bytes"],
        default="files",
        help="the index alone (seconds), and names and sizes (minutes), and every byte (hours)",
    )
    fsck.add_argument("--repair", action="store_true", help="show what would mend it, and ask")
    fsck.add_argument("--yes", action="store_true", help="do not ask")
    add("renew-outbox", _renew, "number alerts anew, after the disk was restored from a copy")
    _add_templates(commands.add_parser("config", help="carry what was tuned to other villages"))
    given = parser.parse_args(arguments)
    # The box does no algebra to speak of: said before the first picture imports NumPy.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        return int(given.run(given))
    except EdgeError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1


def _add_templates(parser: argparse.ArgumentParser) -> None:
    ways = parser.add_subparsers(dest="way", required=True)
    text = "print a configuration as a template: no names, addresses or secrets, nothing drawn"
    export = ways.add_parser("export", help=text, description=text)
    export.add_argument("--config", type=Path, required=True, help="the TOML file")
    export.add_argument("--template", action="store_true", required=True, help="as a template")
    export.set_defaults(run=_export)
    text = "print a village's configuration: a template, and what is its own laid over it"
    other = ways.add_parser("from-template", help=text, description=text)
    other.add_argument("--template", type=Path, required=True, help="what 'export' printed")
    other.add_argument(
        "--village", type=Path, required=True, help="TOML: box, centre, cameras with like and host"
    )
    other.set_defaults(run=_from_template)


def _export(given: argparse.Namespace) -> int:
    load(given.config)  # what is not valid here is no good elsewhere
    print(toml_text(template_of(read(given.config))), end="")
    return 0


def _from_template(given: argparse.Namespace) -> int:
    document = applied(read(given.template), read(given.village))
    validated(document, str(given.village))
    print(toml_text(document), end="")
    return 0


def _check(given: argparse.Namespace) -> int:
    config = load(given.config)
    config.check_secrets()
    config.check_place()
    print(f"{given.config}: valid; box {config.box.id}, {len(config.cameras)} cameras")
    return 0


def _fsck(given: argparse.Namespace) -> int:
    from edge.fsck import Fsck  # noqa: PLC0415
    from edge.recording.audit import Level  # noqa: PLC0415

    def ask(question: str) -> bool:
        if given.yes:
            return True
        return sys.stdin.isatty() and input(f"{question}[yes/no] ").strip().lower() == "yes"

    config = load(given.config)
    fsck = Fsck(config, config.recordings_folder(), SystemClock(), print, ask)
    return fsck.run(Level(given.level), repair=given.repair)


def _renew(given: argparse.Namespace) -> int:
    from edge.bus.outbox import Outbox  # noqa: PLC0415
    from edge.db.database import Database  # noqa: PLC0415
    from edge.recording.claim import Claim  # noqa: PLC0415

    config = load(given.config)
    path = config.box.data_dir / "box.db"
    if not path.exists():
        raise ConfigError(f"{path}: there is no database to number anew")
    claim = Claim(config.box.data_dir)
    claim.take()  # a box that runs would go on with the old numbers
    with closing(claim), closing(Database(path)) as database:
        waiting = Outbox(database, SystemClock()).begin_anew()
    print(f"{path}: numbered anew; {waiting} messages wait")
    return 0


def _run(given: argparse.Namespace) -> int:
    _log_to_stderr()
    heap.keep_large_blocks_apart()
    unneeded.keep_out()
    # All that a box needs, so that one that is killed is back in milliseconds.
    from edge.app import Edge, import_late_parts  # noqa: PLC0415
    from edge.station import Station  # noqa: PLC0415

    config = load(given.config)
    import_late_parts(config)

    def box() -> int:
        clock = SystemClock()
        station = Station(config, clock)
        station.start()
        asyncio.run(_until_told(Edge(config, station, clock).run))
        return 0

    return Zygote(box, SystemClock()).run()


async def _until_told(run: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    await run(stopping)


def _log_to_stderr() -> None:
    """Write one JSON object a line: events carry their facts in fields, not in sentences."""
    handler = logging.StreamHandler()
    handler.setFormatter(
        JsonFormatter(
            "{levelname}{name}{message}",
            style="{",
            rename_fields={"message": "event"},
            timestamp=True,
        )
    )
    logging.basicConfig(level=logging.INFO, handlers=[handler])


if __name__ == "__main__":
    sys.exit(main())
