"""``python -m edge cameras clock|osd|imaging|presets|goto|reboot|events``: what is typed."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from edge.rtsp.challenge import Credentials
from edge.settings.effective import counts
from protocol.clock import SystemClock

if TYPE_CHECKING:
    from edge.cameras.care import CameraCare
    from edge.cameras.door import Door

#: Asks for a password, or reads it from a file.
AskPassword = Callable[[Path | None], str]
_Doing = Callable[["CameraCare", argparse.Namespace], int]


class _Misused(Exception):  # noqa: N818 - it is no error of ours
    """What was typed makes no sense; the text says why, without a password."""


def add_care(
    doings: "argparse._SubParsersAction[argparse.ArgumentParser]", ask: AskPassword
) -> None:
    """Add what one camera can be told to do by ONVIF to the words behind ``cameras``."""

    def add(name: str, doing: _Doing, text: str) -> argparse.ArgumentParser:
        parser = doings.add_parser(name, help=text, description=text)
        parser.add_argument("camera", help="its address, or with --config the id of a camera")
        parser.add_argument("--config", type=Path, help="the TOML file, whose login is used")
        parser.add_argument("--user", help="whose password is asked for, or read from stdin")
        parser.add_argument("--password-file", type=Path, help="read the password from here")
        parser.add_argument("--certificate", help="the SHA-256 of the one that is taken at https")
        text = "log in although its clock is more than a day ahead"
        parser.add_argument("--ahead", action="store_true", help=text)
        parser.add_argument("--json", action="store_true", help="JSON, one object a line")
        parser.set_defaults(run=lambda given: _run(given, doing, ask))
        return parser

    clock = add(
        "clock",
        lambda care, given: care.clock(set_it=given.set, ending_ntp=given.end_ntp),
        "how far its clock is off, and set it by this machine's",
    )
    clock.add_argument(
        "--set", action="store_true", help="set it, where it is off by more than 2 s"
    )
    text = "with --set: also where it asks a time server, which it then does no more"
    clock.add_argument("--end-ntp", action="store_true", help=text)
    osd = add("osd", lambda care, given: care.osd(given.text), "the texts that it writes")
    osd.add_argument("--text", nargs=2, metavar=("TOKEN", "TEXT"), help="have one say this")
    imaging = add("imaging", _imaging, "brightness and the like, in its own range")
    for name in ("brightness", "contrast", "saturation", "sharpness"):
        imaging.add_argument(f"--{name}", type=float, help="change it, for good")
    add("presets", lambda care, _: care.presets(), "the views that it can be turned to")
    goto = add("goto", lambda care, given: care.goto(given.preset), "turn it to a view")
    goto.add_argument("preset", help="token or name of what 'presets' shows")
    reboot = add("reboot", lambda care, given: care.reboot(_sure(given)), "start it anew, and ask")
    reboot.add_argument("--yes", action="store_true", help="do not ask")
    events = add("events", lambda care, given: care.events(given.seconds), "what it reports")
    events.add_argument("--seconds", type=float, default=30.0, help="to listen (30)")


def _imaging(care: "CameraCare", given: argparse.Namespace) -> int:
    # house: late import - the box's own process loads nothing of ONVIF (cameras I7)
    from edge.cameras.picture import Imaging  # noqa: PLC0415

    return care.imaging(
        Imaging(given.brightness, given.contrast, given.saturation, given.sharpness)
    )


def _sure(given: argparse.Namespace) -> bool:
    if given.yes:
        return True
    return sys.stdin.isatty() and input("重启摄像机 reboot? [yes/no] ").strip().lower() == "yes"


def _run(given: argparse.Namespace, doing: _Doing, ask: AskPassword) -> int:
    # house: late import - the box's own process loads nothing of ONVIF (cameras I7)
    from edge.cameras.care import CameraCare  # noqa: PLC0415

    try:
        door, login = _asked(given, ask)
    except _Misused as error:
        sys.stderr.write(f"cameras {given.doing}: {error}\n")
        return 2
    care = CameraCare(
        door, login, SystemClock(), print, as_json=given.json, may_be_ahead=given.ahead
    )
    return care.told(lambda: doing(care, given))


def _asked(given: argparse.Namespace, ask: AskPassword) -> "tuple[Door, Credentials | None]":
    """Return where and as whom the camera is asked. Raises _Misused and ConfigError."""
    # house: late import - the box's own process loads nothing of ONVIF (cameras I7)
    from edge.cameras.door import Door  # noqa: PLC0415

    address, login = given.camera, None
    if given.config is not None:
        config = counts(given.config, SystemClock()).config
        found = [each for each in config.cameras if each.id == given.camera]
        if not found:
            raise _Misused(f"the configuration has no camera '{given.camera}'")
        address, password = found[0].onvif_address(), found[0].password
        if given.user is None and found[0].username is not None and password is not None:
            login = Credentials(found[0].username, password.read().get_secret_value())
    try:
        door = Door.parse(address)
        if given.certificate is not None:
            door = door.pinned(given.certificate)
    except ValueError as error:
        raise _Misused(str(error)) from None
    if given.user is not None:
        login = Credentials(given.user, ask(given.password_file))
    return door, login
