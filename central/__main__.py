"""The centre's command line: ``python -m central COMMAND --config FILE``."""

import argparse
import logging
import sys
from collections.abc import Callable
from pathlib import Path

from pythonjsonlogger.json import JsonFormatter

from central.codes import EvidencePlace, Role
from central.config import CentralConfig, as_replica, load
from central.db.engine import Database
from central.errors import CentralError, ConfigError
from central.section import Secret
from protocol.clock import SystemClock


def main(arguments: list[str] | None = None) -> int:
    """Run a command; return the exit status: 0 done, 1 failed, 2 wrong use."""
    given = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace, CentralConfig], int] = given.run
    try:
        return command(given, load(given.config))
    except CentralError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m central", description="Tanshao 探哨: the centre"
    )
    commands = parser.add_subparsers(dest="command", required=True)

    def add(name: str, run: object, text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--config", type=Path, required=True, help="the TOML file")
        command.set_defaults(run=run)
        return command

    add("serve", _serve, "serve the interface until told to stop")
    consume = add("consume", _consume, "take in what boxes send until told to stop")
    consume.add_argument("--replica", type=int, help="the number of this one of several consumers")
    add("migrate", _migrate, "bring the database to this program's schema")
    add("check-config", _check, "say whether a configuration is valid, and what is wrong")
    evidence = add("evidence", _evidence, "move pictures and clips from one storage to the other")
    evidence.add_argument("action", choices=["move"])
    evidence.add_argument("--to", choices=[place.value for place in EvidencePlace], required=True)
    add("check-ledgers", _check_ledgers, "say whether the history is as it was written")
    setup = add("setup", _setup, "enter a village: grids, people, accounts, boxes, roster")
    setup.add_argument("--file", type=Path, required=True, help="the village's seed, TOML")
    user = add("add-user", _add_user, "enter an account, or change it; the password from stdin")
    user.add_argument("--username", required=True)
    user.add_argument("--role", choices=[role.value for role in Role], required=True)
    user.add_argument("--name", required=True, help="the name that is shown")
    user.add_argument("--person", help="the person's id; a wall has none")
    user.add_argument("--password-file", type=Path, help="read the password from here instead")
    gone = add("retire", _retire, "let a person or an account sign in no more, from now on")
    who = gone.add_mutually_exclusive_group(required=True)
    who.add_argument("--person", help="the person's id; their accounts go with them")
    who.add_argument("--username", help="an account; its person stays")
    gone.add_argument("--undo", action="store_true", help="take the person on again")
    return parser


def _check(given: argparse.Namespace, config: CentralConfig) -> int:
    config.database.address()
    config.mqtt.password.read()
    from central.evidence.places import open_storages  # noqa: PLC0415 - as below

    open_storages(config, SystemClock())
    print(f"{given.config}: valid; village {config.village.name} ({config.village.region_code})")
    return 0


def _serve(_given: argparse.Namespace, config: CentralConfig) -> int:
    _log_to_stderr()
    from central.serve import serve  # noqa: PLC0415 - the short commands start without it

    return serve(config, SystemClock())


def _consume(given: argparse.Namespace, config: CentralConfig) -> int:
    if given.replica is not None:
        config = as_replica(config, given.replica)
    _log_to_stderr()
    from central.consume import consume  # noqa: PLC0415 - the short commands start without it

    return consume(config, SystemClock())


def _migrate(_given: argparse.Namespace, config: CentralConfig) -> int:
    from central.db.migrate import migrate  # noqa: PLC0415 - Alembic takes a while to import

    database = Database(config.database.address())
    done = migrate(database, SystemClock())
    database.close()
    backup = f"; copied to {done.backup} before" if done.backup else ""
    print(f"schema {done.before or 'none'} → {done.after}{backup}")
    return 0


def _setup(given: argparse.Namespace, config: CentralConfig) -> int:
    from central.db.migrate import migrate  # noqa: PLC0415 - as above
    from central.seed import load_seed  # noqa: PLC0415
    from central.setup import enter  # noqa: PLC0415

    seed, clock = load_seed(given.file), SystemClock()
    database = Database(config.database.address())
    migrate(database, clock)
    done = enter(database, clock, config.village, seed)
    database.close()
    print(
        f"{config.village.name}: {done.grids} grids, {done.people} people, {done.users} accounts, "
        f"{done.boxes} boxes; {done.new_shifts} shifts added"
    )
    return 0


def _add_user(given: argparse.Namespace, config: CentralConfig) -> int:
    from central.db.models import Person  # noqa: PLC0415 - as above
    from central.setup import check_password, put_account  # noqa: PLC0415

    role = Role(given.role)
    if (role is Role.WALL) == (given.person is not None):
        raise ConfigError("a wall's account has no --person, any other has one")
    if given.password_file is not None:
        password = Secret(file=given.password_file).read().get_secret_value()
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    check_password(given.username, password)
    database = Database(config.database.address())
    with database.write() as session:
        if given.person is not None and session.get(Person, given.person) is None:
            raise ConfigError(f"there is no person '{given.person}'")
        put_account(session, given.username, role, given.name, given.person, password)
    database.close()
    print(f"{given.username}: {role}")
    return 0


def _retire(given: argparse.Namespace, config: CentralConfig) -> int:
    from central.people.retirement import (  # noqa: PLC0415 - as above
        reinstate,
        retire_account,
        retire_person,
    )

    if given.undo and given.person is None:
        raise ConfigError("--undo is for a --person; an account is entered again with add-user")
    database = Database(config.database.address())
    with database.write() as session:
        if given.undo:
            reinstate(session, given.person)
        elif given.person is not None:
            retire_person(session, given.person, SystemClock().now())
        else:
            retire_account(session, given.username)
    database.close()
    print(f"{given.person or given.username}: {'on the staff' if given.undo else 'retired'}")
    return 0


def _evidence(given: argparse.Namespace, config: CentralConfig) -> int:
    from central.evidence.folder import MOVING  # noqa: PLC0415 - as above
    from central.evidence.moving import EvidenceMover  # noqa: PLC0415
    from central.evidence.places import open_storages  # noqa: PLC0415

    _log_to_stderr()
    storages = open_storages(config, SystemClock())
    database = Database(config.database.address())
    work = config.evidence.folder / MOVING
    try:
        for done in EvidenceMover(database, storages, EvidencePlace(given.to), work).move():
            print(f"{done.pieces} moved, {done.bytes / 1e6:.1f} MB", flush=True)
    finally:
        database.close()
    print(f"{done.gone} gone, {done.damaged} damaged, {done.tidied} left over from before removed")
    return 0 if done.is_whole else 1


def _check_ledgers(_given: argparse.Namespace, config: CentralConfig) -> int:
    from central.ledger.book import LEDGERS, broken_at  # noqa: PLC0415 - as above

    database = Database(config.database.address())
    status = 0
    with database.read() as session:
        for table in LEDGERS:
            broken = broken_at(session, table)
            print(f"{table.__tablename__}: {f'broken at {broken}' if broken else 'whole'}")
            status = 1 if broken else status
    database.close()
    return status


def _log_to_stderr() -> None:
    """Write one JSON object a line: events carry their facts in fields, not in sentences."""
    handler = logging.StreamHandler()
    handler.setFormatter(
        JsonFormatter(
            "{asctime}{levelname}{name}{message}", style="{", rename_fields={"message": "event"}
        )
    )
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)


if __name__ == "__main__":
    sys.exit(main())
