"""The edge's command line; ``python -m edge --help`` lists its commands."""

import argparse
import asyncio
import getpass
import json
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pythonjsonlogger.json import JsonFormatter

from edge import heap, unneeded
from edge.config import EdgeConfig, Secret, read, validated
from edge.enrolment import command_line as enrolment
from edge.errors import ConfigError, EdgeError, NotFoundError
from edge.settings.effective import ConfigFile, counts, effective
from edge.settings.layer import laid_over
from edge.settings.store import SettingsStore
from edge.template import applied, template_of
from edge.toml_text import toml_text
from edge.zygote import Zygote
from protocol.clock import SystemClock

if TYPE_CHECKING:
    from edge.cameras.command import CamerasCommand
    from edge.settings.command import SettingsCommand


def main(arguments: list[str] | None = None) -> int:
    """Run a command; return the exit status: 0 done, 1 failed, 2 wrong use.

    The doctor's is another: 0 nothing to do, 1 something wants looking after, 2 something broken.
    """
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
    doctor = add("doctor", _doctor, "say what is wrong with cameras, disks, clock, network, centre")
    doctor.add_argument("--lang", choices=["zh", "en"], default="zh", help="the report's language")
    doctor.add_argument("--json", action="store_true", help="for programs")
    doctor.add_argument("--write", action="store_true", help="also write a test file of 64 MB")
    doctor.add_argument(
        "--camera", action="append", default=[], metavar="ID", help="only this camera; repeatable"
    )
    add("renew-outbox", _renew, "number alerts anew, after the disk was restored from a copy")
    text = "carry what was tuned to other villages, show what was changed from afar"
    _add_config(commands.add_parser("config", help=text))
    _add_cameras(commands)
    given = parser.parse_args(arguments)
    # The box does no algebra to speak of: said before the first picture imports NumPy.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        return int(given.run(given))
    except EdgeError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1


def _add_cameras(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = "find cameras, ask one what it is, add, change and list those that are configured"
    cameras = commands.add_parser("cameras", help=text, description=text)
    doings = cameras.add_subparsers(dest="doing", required=True)

    def add(name: str, run: object, text: str) -> argparse.ArgumentParser:
        doing = doings.add_parser(name, help=text, description=text)
        doing.add_argument("--json", action="store_true", help="one JSON object")
        doing.set_defaults(run=run)
        return doing

    listing = add("list", _list_cameras, "the cameras of a configuration")
    listing.add_argument("--config", type=Path, required=True, help="the TOML file")
    probe = add("probe", _probe_camera, "what a camera is and which streams it has, by ONVIF")
    probe.add_argument("host", help="its address: a host, host:port, or what discover shows")
    probe.add_argument("--user", help="whose password is asked for, or read from standard input")
    probe.add_argument("--password-file", type=Path, help="read the password from here instead")
    probe.add_argument("--certificate", help="the SHA-256 of the one that is taken at https")
    probe.add_argument(
        "--ahead",
        action="store_true",
        help="log in although the camera's clock is more than a day ahead",
    )
    discover = add("discover", _discover_cameras, "who answers on this machine's networks")
    discover.add_argument(
        "--interface", action="append", default=[], help="an own address (all; repeatable)"
    )
    discover.add_argument("--seconds", type=float, default=3.0, help="to listen (3)")
    enrolment.add_commands(doings, _camera_password)


def _list_cameras(given: argparse.Namespace) -> int:
    return _cameras_command(given).list(_config(given))


def _probe_camera(given: argparse.Namespace) -> int:
    from edge.cameras.door import Door  # noqa: PLC0415
    from edge.rtsp.challenge import Credentials  # noqa: PLC0415

    try:
        door = Door.parse(given.host)
        if given.certificate is not None:
            door = door.pinned(given.certificate)
    except ValueError as error:
        print(f"cameras probe: {error}", file=sys.stderr)
        return 2
    login = None
    if given.user is not None:
        login = Credentials(given.user, _camera_password(given.password_file))
    return _cameras_command(given).probe(door, login, may_be_ahead=given.ahead)


def _discover_cameras(given: argparse.Namespace) -> int:
    return _cameras_command(given).discover(given.interface, given.seconds)


def _cameras_command(given: argparse.Namespace) -> "CamerasCommand":
    from edge.cameras.command import CamerasCommand  # noqa: PLC0415

    return CamerasCommand(SystemClock(), print, as_json=given.json)


def _camera_password(path: Path | None) -> str:
    """Return a password that was never on a command line, where every user could read it."""
    if path is not None:
        return Secret(file=path).read().get_secret_value()
    if sys.stdin.isatty():
        return getpass.getpass("密码 password: ")
    return sys.stdin.readline().rstrip("\r\n")


def _add_config(parser: argparse.ArgumentParser) -> None:
    ways = parser.add_subparsers(dest="way", required=True)
    text = "print a configuration as a template: no names, addresses or secrets, nothing drawn"
    export = ways.add_parser("export", help=text, description=text)
    export.add_argument("--config", type=Path, required=True, help="the TOML file")
    export.add_argument("--template", action="store_true", required=True, help="as a template")
    export.set_defaults(run=_export)
    text = "print what rules look past by a person's word, in place of this configuration's"
    masks = ways.add_parser("masks", help=text, description=text)
    masks.add_argument("--config", type=Path, required=True, help="the TOML file")
    masks.set_defaults(run=_masks)
    text = "print the configuration that counts: the file, and what was changed since laid over it"
    show = ways.add_parser("show", help=text, description=text)
    show.add_argument("--config", type=Path, required=True, help="the TOML file")
    part = show.add_mutually_exclusive_group()
    part.add_argument("--layer", action="store_true", help="only what was changed since")
    part.add_argument("--history", action="store_true", help="who changed what, when and why")
    show.set_defaults(run=_show)
    text = "undo what was changed since: the file alone counts, also for a box that runs"
    drop = ways.add_parser("drop-layer", help=text, description=text)
    drop.add_argument("--config", type=Path, required=True, help="the TOML file")
    drop.add_argument("--yes", action="store_true", help="do not ask")
    drop.set_defaults(run=_drop)
    text = "print a village's configuration: a template, and what is its own laid over it"
    other = ways.add_parser("from-template", help=text, description=text)
    other.add_argument("--template", type=Path, required=True, help="what 'export' printed")
    other.add_argument(
        "--village", type=Path, required=True, help="TOML: box, centre, cameras with like and host"
    )
    other.set_defaults(run=_from_template)


def _masks(given: argparse.Namespace) -> int:
    from edge.commands.masks import masks_at, unknown  # noqa: PLC0415

    config = _config(given)
    path = config.box.data_dir / "box.db"
    masks = masks_at(path) if path.exists() else ()
    for mask in masks:
        lone = " (no such rule here)" if unknown([mask], config) else ""
        since = mask.since.isoformat(timespec="seconds")
        print(f"# {mask.camera_id}/{mask.rule_id}{lone}: {mask.actor}, {since}: {mask.reason}")
        print(f"exclude = {[list(map(list, polygon)) for polygon in mask.exclude]}")
    return 0


def _export(given: argparse.Namespace) -> int:
    file = ConfigFile.read(given.config)  # what is not valid here is no good elsewhere
    store = SettingsStore.of(file.config, SystemClock())
    layer = effective(file, store).version.layer
    print(toml_text(template_of(laid_over(file.document, layer, store.folder))), end="")
    return 0


def _show(given: argparse.Namespace) -> int:
    command = _settings_command(given)
    if given.history:
        return command.history()
    return command.layer() if given.layer else command.show()


def _drop(given: argparse.Namespace) -> int:
    return _settings_command(given).drop(getpass.getuser(), partial(_agreed, given))


def _settings_command(given: argparse.Namespace) -> "SettingsCommand":
    from edge.settings.command import SettingsCommand  # noqa: PLC0415

    return SettingsCommand(given.config, SystemClock(), print)


def _from_template(given: argparse.Namespace) -> int:
    document = applied(read(given.template), read(given.village))
    validated(document, str(given.village))
    print(toml_text(document), end="")
    return 0


def _check(given: argparse.Namespace) -> int:
    found = counts(given.config, SystemClock())
    if found.trouble is not None:
        raise ConfigError(found.trouble)
    config = found.config
    config.check_secrets()
    config.check_place()
    changed = f" (with version {found.version.number} of the settings)" if found.seen else ""
    print(f"{given.config}{changed}: valid; box {config.box.id}, {len(config.cameras)} cameras")
    return 0


def _config(given: argparse.Namespace) -> EdgeConfig:
    """Return the configuration that counts: the file, and what was changed since."""
    return counts(given.config, SystemClock()).config


def _agreed(given: argparse.Namespace, question: str) -> bool:
    if given.yes:
        return True
    return sys.stdin.isatty() and input(f"{question}[yes/no] ").strip().lower() == "yes"


def _fsck(given: argparse.Namespace) -> int:
    from edge.fsck import Fsck  # noqa: PLC0415
    from edge.recording.audit import Level  # noqa: PLC0415

    config = _config(given)
    ask = partial(_agreed, given)
    fsck = Fsck(config, config.recordings_folder(), SystemClock(), print, ask)
    return fsck.run(Level(given.level), repair=given.repair)


def _doctor(given: argparse.Namespace) -> int:
    from edge.doctor.checkup import Checkup  # noqa: PLC0415

    # The report says it all: what the box's parts log is for a box that runs.
    logging.getLogger().addHandler(logging.NullHandler())
    checkup = Checkup(given.config, SystemClock(), given.write, frozenset(given.camera))
    try:
        report, zone = checkup.run()
    except NotFoundError as error:
        print(error, file=sys.stderr)
        return 2
    if given.json:
        print(json.dumps(report.document(given.lang), ensure_ascii=False, indent=2))
    else:
        print(report.text(given.lang, zone), end="")
    return report.exit_status


def _renew(given: argparse.Namespace) -> int:
    from edge.bus.outbox import Outbox  # noqa: PLC0415
    from edge.db.database import Database  # noqa: PLC0415
    from edge.recording.claim import Claim  # noqa: PLC0415

    config = _config(given)
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
    from edge.app import import_late_parts  # noqa: PLC0415
    from edge.box_process import BoxProcess  # noqa: PLC0415

    file = ConfigFile.read(given.config)
    import_late_parts(file.config)

    def box() -> int:
        process = BoxProcess(file.again(), SystemClock())
        process.start()
        asyncio.run(_until_told(process.run))
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
