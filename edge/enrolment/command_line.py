"""The commands of enrolment on the command line: add, import, rename, replace, copy, remove."""

import argparse
import getpass
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from edge.enrolment.command import EnrolmentCommand
from edge.enrolment.enroller import Enroller
from edge.enrolment.request import RTSP, Asked, Watch, scheme_of
from edge.enrolment.room import space_for_one_more
from edge.errors import ConfigError
from edge.recording.footprint import footprints_at
from edge.settings.desk import SettingsDesk
from edge.settings.effective import ConfigFile, effective
from edge.settings.store import SettingsStore
from protocol.clock import SystemClock
from protocol.messages import LegalBasis

_Parser = argparse.ArgumentParser
#: Reads a password that is on no command line; the path is of a file that holds it.
ReadPassword = Callable[[Path | None], str]
_Act = Callable[[EnrolmentCommand], int]

_REASON = "命令行 command line"


def add_commands(
    doings: "argparse._SubParsersAction[argparse.ArgumentParser]", read_password: ReadPassword
) -> None:
    """Add enrolment's commands to those of ``cameras``."""

    def add(name: str, act: Callable[[argparse.Namespace], _Act], text: str) -> _Parser:
        parser = doings.add_parser(name, help=text, description=text)
        parser.add_argument("--config", type=Path, required=True, help="the TOML file")
        parser.add_argument("--reason", default=_REASON, help="why, for the history")
        parser.add_argument("--json", action="store_true", help="a JSON object a line")
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.set_defaults(run=lambda given: _run(given, act(given)))
        return parser

    def examining(parser: _Parser) -> None:
        parser.add_argument("host", help="its address, or its main stream's (rtsp://…)")
        parser.add_argument("--sub", help="the sub-stream's address, beside an rtsp:// one")
        parser.add_argument("--user", help="whose password is asked for, or read from stdin")
        parser.add_argument(
            "--password-file", type=Path, help="read the password from here instead"
        )
        parser.add_argument("--certificate", help="the SHA-256 of the one that is taken at https")
        parser.add_argument("--ahead", action="store_true", help="although its clock is days ahead")

    def adding(given: argparse.Namespace) -> _Act:
        asked = _asked(given, read_password)
        facts = _facts(given) | {"id": given.id, "like": given.like, "watch": given.watch}
        return lambda command: command.add(asked, facts, given.reason)

    def replacing(given: argparse.Namespace) -> _Act:
        asked = _asked(given, read_password)
        return lambda command: command.replace(given.id, asked, given.reason)

    parser = add("add", adding, "examine a camera and add it to the configuration")
    examining(parser)
    _describing(parser)
    parser.add_argument("--id", help="what it is called by (the next of cam1, cam2 …)")
    parser.add_argument("--like", metavar="ID", help="with the settings of this camera")
    parser.add_argument(
        "--watch",
        type=_watched,
        metavar="WHAT",
        help="gathering,fire (both, where it is like no other), one of them, or none",
    )
    parser = add("import", _importing, "look at a table (CSV) of cameras, or add them")
    parser.add_argument("file", type=Path)
    parser.add_argument("--apply", action="store_true", help="examine and add them")
    parser = add("rename", _renaming, "give a camera another name, grid or place")
    parser.add_argument("id")
    _describing(parser)
    parser = add("replace", replacing, "put another device in a camera's place; its history stays")
    parser.add_argument("id")
    examining(parser)
    parser = add("copy", _copying, "give a camera the settings of another")
    parser.add_argument("from_id", metavar="from")
    parser.add_argument("to_id", metavar="to")
    parser = add("remove", _removing, "take a camera out; its recordings stay for their time")
    parser.add_argument("id")


def _describing(parser: _Parser) -> None:
    parser.add_argument("--name")
    parser.add_argument("--grid", metavar="CODE", help="15 digits")
    parser.add_argument("--place")
    parser.add_argument("--legal-basis", choices=[each.value for each in LegalBasis])
    parser.add_argument("--days", type=int, help="to keep (the box's where absent)")
    parser.add_argument("--days-reason", help="why less than 30")
    parser.add_argument(
        "--record-sub", action="store_const", const=True, help="keep the sub-stream as well"
    )


def _watched(text: str) -> frozenset[Watch]:
    """Return what ``--watch`` names. Raises ValueError, which argparse says in its own words."""
    return frozenset() if text == "none" else frozenset(map(Watch, text.split(",")))


def _facts(given: argparse.Namespace) -> dict[str, Any]:
    facts = {
        "name": given.name,
        "grid_code": given.grid,
        "place": given.place,
        "legal_basis": given.legal_basis,
        "retention_days": given.days,
        "retention_reason": given.days_reason,
        "record_sub": given.record_sub,
    }
    return {key: value for key, value in facts.items() if value is not None}


def _asked(given: argparse.Namespace, read_password: ReadPassword) -> Asked:
    is_stream = scheme_of(given.host) in RTSP
    return Asked(
        address=None if is_stream else given.host,
        rtsp_url=given.host if is_stream else None,
        rtsp_sub_url=given.sub,
        username=given.user,
        password=None if given.user is None else read_password(given.password_file),
        certificate=given.certificate,
        may_be_ahead=given.ahead,
    )


def _importing(given: argparse.Namespace) -> _Act:
    return lambda command: command.import_table(given.file, given.reason, apply=given.apply)


def _renaming(given: argparse.Namespace) -> _Act:
    return lambda command: command.change(given.id, _facts(given), given.reason)


def _copying(given: argparse.Namespace) -> _Act:
    return lambda command: command.copy(given.from_id, given.to_id, given.reason)


def _removing(given: argparse.Namespace) -> _Act:
    return lambda command: command.remove(given.id, given.reason)


def _run(given: argparse.Namespace, act: _Act) -> int:
    """Do it over the settings on the disk, where a box that runs looks for changes itself."""
    clock = SystemClock()
    file = ConfigFile.read(given.config)
    _check_folder(file.config.box.data_dir)
    store = SettingsStore.of(file.config, clock)
    desk = SettingsDesk(file, store, effective(file, store))
    database = file.config.box.data_dir / "box.db"

    def recorded() -> frozenset[str]:
        return frozenset(footprints_at(database))

    with closing(
        Enroller(
            desk,
            recorded,
            lambda: space_for_one_more(desk.now().config, sum(footprints_at(database).values())),
            clock,
        )
    ) as enroller:
        command = EnrolmentCommand(
            enroller,
            print,
            _ask,
            actor=getpass.getuser(),
            as_json=given.json,
            is_sure=given.yes,
        )
        return command.run(act)


def _check_folder(data_dir: Path) -> None:
    """Raise ConfigError where the box has no folder yet: only it knows whose that is to be."""
    if not data_dir.is_dir():
        raise ConfigError(
            f"{data_dir} 还没有:请先启动一次主机程序 is not there yet: start the box once first"
        )


def _ask(question: str) -> str:
    """Ask whoever sits there; nobody does where standard input is no terminal."""
    return input(question) if sys.stdin.isatty() else ""
