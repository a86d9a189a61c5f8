"""The launcher's command line: ``python -m village run|status``."""

import argparse
import logging
import sys
from pathlib import Path

from protocol.clock import SystemClock
from village.broker.broker import BrokerKind
from village.home import Home, HomeError
from village.settings import Detection

_DATA = Path("data")
_PORT = 8600


def main(arguments: list[str] | None = None) -> int:
    """Run a command; return the exit status: 0 done, 1 failed, 2 wrong use, 3 not running."""
    given = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    try:
        if given.command == "status":
            from village.status import show  # noqa: PLC0415 - no heavy imports for a status

            return show(Home(given.data))
        return _run(given)
    except HomeError as error:
        print(error, file=sys.stderr)
        return 1


def _run(given: argparse.Namespace) -> int:
    from village.run import Choices, Village  # noqa: PLC0415 - as above

    choices = Choices(
        data=given.data,
        cameras=tuple(given.camera),
        host=given.listen,
        port=given.port,
        database=given.database,
        broker=BrokerKind(given.broker) if given.broker else None,
        testcam=given.testcam,
        detection=Detection(given.model, tuple(given.models), given.detect_fps),
        keeps_examples=given.keep_examples,
    )
    return Village(choices, SystemClock()).run()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m village", description="Tanshao 探哨: a whole village on one machine"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="start everything and keep it running until Ctrl-C")
    status = commands.add_parser("status", help="say what runs")
    for command in (run, status):
        command.add_argument("--data", type=Path, default=_DATA, help="the data folder (./data)")
    run.add_argument(
        "--camera",
        action="append",
        default=[],
        metavar="RTSP_URL",
        help="a real camera, repeatable, instead of the demo's four; its user and password are "
        "taken from CAMERA_USER and CAMERA_PASSWORD of the environment",
    )
    run.add_argument(
        "--listen", default="127.0.0.1", metavar="HOST", help="0.0.0.0 serves the LAN too"
    )
    run.add_argument("--port", type=int, default=_PORT, help=f"of the interface ({_PORT})")
    run.add_argument(
        "--database",
        metavar="URL",
        help="postgresql://user@host/name instead of a file in the data folder; its password is "
        "taken from DATABASE_PASSWORD of the environment",
    )
    run.add_argument(
        "--broker", choices=list(BrokerKind), help="an installed Mosquitto, else the embedded one"
    )
    run.add_argument(
        "--testcam", choices=("gst", "python"), help="GStreamer's where it is, else pure Python"
    )
    run.add_argument("--model", default="auto", help="a name of models/manifest.toml (auto)")
    run.add_argument(
        "--models", type=Path, action="append", default=[], metavar="DIR", help="a model folder"
    )
    run.add_argument(
        "--detect-fps", type=float, default=2.0, help="pictures a second the detector looks at (2)"
    )
    run.add_argument(
        "--keep-examples",
        action="store_true",
        help="keep the pictures of false alarms for the next training (docs/design/examples.md)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
