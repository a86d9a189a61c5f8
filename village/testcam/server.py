"""Which test camera this machine can run, and its command line."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Literal

from village.testcam.programme import Mount

Kind = Literal["gst", "python"]

_SYSTEM_PYTHON = "/usr/bin/python3"
_PROBE = """
import sys, gi
assert sys.version_info >= (3, 11)
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gst, GstRtspServer
Gst.init(None)
assert all(map(Gst.ElementFactory.find, ("appsrc", "h264parse", "rtph264pay", "h265parse")))
"""


def has_gstreamer() -> bool:
    """Return whether the system's Python can run gst_server (asks it; takes about 0.2 s)."""
    try:
        probe = subprocess.run(
            [_SYSTEM_PYTHON, "-c", _PROBE],
            capture_output=True,
            timeout=20,
            check=False,
            env=environment("gst"),
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return probe.returncode == 0


def command(
    kind: Kind,
    mounts: list[Mount],
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    auth: Literal["basic", "digest"] | None = None,
    username: str = "camera",
    password_file: str = "-",  # noqa: S107 - a file's name, here standard input
    certificate: Path | None = None,
) -> list[str]:
    """Return the command line of a server; run it with :func:`environment`.

    ``certificate`` is a PEM file with its key: clients come by ``rtsps://`` then.
    """
    python = _SYSTEM_PYTHON if kind == "gst" else sys.executable
    module = "village.testcam.gst_server" if kind == "gst" else "village.testcam.py_server"
    line = [python, "-m", module, "--host", host, "--port", str(port)]
    for mount in mounts:
        line += ["--mount", str(mount)]
    if auth is not None:
        line += ["--auth", auth, "--username", username, "--password-file", password_file]
    if certificate is not None:
        line += ["--certificate", str(certificate)]
    return line


def environment(kind: Kind) -> dict[str, str]:
    """Return the environment in which a server finds this project and its own Python's modules."""
    given = dict(os.environ)
    given["PYTHONPATH"] = str(Path(__file__).resolve().parents[2])
    if kind == "gst":
        for name in ("PYTHONHOME", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__"):
            given.pop(name, None)
        given["PYTHONDONTWRITEBYTECODE"] = "1"  # two Pythons share the folder
    return given
