"""An installed Mosquitto, set up for our boxes."""

import getpass
import os
import shutil
import subprocess
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from protocol.codec import MAX_PAYLOAD_BYTES
from protocol.topics import CENTRE_USER, is_centre
from village.broker.acl import mosquitto_acl
from village.broker.credentials import write_private

#: Debian puts the daemon where a user's PATH does not look.
_PLACES = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"))

#: Room for an MQTT PUBLISH's head: type, length, topic, packet id.
PACKET_HEAD_BYTES = 512


@dataclass(frozen=True, slots=True)
class MosquittoPrograms:
    """The daemon and its password tool."""

    daemon: str
    password_tool: str


def find_mosquitto() -> MosquittoPrograms | None:
    """Return the installed Mosquitto, or None where one of its programs is missing."""
    daemon = shutil.which("mosquitto", path=_PLACES)
    password_tool = shutil.which("mosquitto_passwd", path=_PLACES)
    if daemon is None or password_tool is None:
        return None
    return MosquittoPrograms(daemon, password_tool)


def write_passwords(
    programs: MosquittoPrograms, path: Path, credentials: Mapping[str, SecretStr]
) -> None:
    """Write a password file: plain and private first, then hashed in place, never in an argv."""
    plain = path.with_name(f"{path.name}.plain")
    lines = (f"{name}:{token.get_secret_value()}\n" for name, token in credentials.items())
    write_private(plain, "".join(lines))
    subprocess.run(
        [programs.password_tool, "-U", str(plain)], check=True, capture_output=True, timeout=60
    )
    plain.chmod(0o600)
    plain.replace(path)


def write_configuration(folder: Path, host: str, port: int, users: Collection[str]) -> Path:
    """Write ``mosquitto.conf`` and its ACL file into ``folder``; return the former.

    ``users`` are those with a password: the rules name each of the centre's consumers among them.

    The client id is forced to be the user name: no box can push another one off the broker, and a
    box that comes back replaces its own half-dead connection, last will first.
    """
    acl = folder / "acl"
    write_private(acl, mosquitto_acl(sorted({CENTRE_USER, *filter(is_centre, users)})))
    configuration = folder / "mosquitto.conf"
    settings = {
        "listener": f"{port} {host}",
        "allow_anonymous": "false",
        "password_file": folder / "passwords",
        "acl_file": acl,
        "use_username_as_clientid": "true",
        "persistence": "true",
        "persistence_location": f"{folder}/",
        "autosave_interval": "60",
        "max_inflight_messages": "1000",
        "max_queued_messages": "10000",
        "max_packet_size": MAX_PAYLOAD_BYTES + PACKET_HEAD_BYTES,
        "set_tcp_nodelay": "true",
        "log_dest": "stderr",
        # Only obeyed where we are root: the files above are this user's.
        "user": getpass.getuser(),
    }
    lines = [f"{key} {value}" for key, value in settings.items()]
    lines += [f"log_type {kind}" for kind in ("error", "warning", "notice")]
    write_private(configuration, "\n".join(lines) + "\n")
    return configuration
