"""What this machine has: the programs and files that some tests need, and where they are."""

import os
import shutil
from functools import cache
from pathlib import Path

import pytest

from village.testcam.server import has_gstreamer

ROOT = Path(__file__).resolve().parents[2]


@cache
def gstreamer_is_here() -> bool:
    return has_gstreamer()


def assets_dir() -> Path | None:
    """Return the folder of footage and weights that is not part of the project, if it is there."""
    named = os.environ.get("TANSHAO_ASSETS")
    folder = Path(named) if named else ROOT.parent / "shared" / "assets"
    return folder if folder.is_dir() else None


def require_asset(name: str) -> Path:
    folder = assets_dir()
    if folder is None or not (folder / name).exists():
        pytest.skip(f"needs {name} of the assets folder (set TANSHAO_ASSETS)")
    return folder / name


def chromium_path() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser")


def require_chromium() -> str:
    path = chromium_path()
    if path is None:
        pytest.skip("needs Chromium (apt-get install chromium)")
    return path


def postgres_bin() -> Path | None:
    """Return the folder of PostgreSQL's server programs, the newest version's."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    if found:
        return found[-1].parent
    named = shutil.which("initdb")
    return Path(named).parent if named else None


def require_postgres() -> Path:
    folder = postgres_bin()
    if folder is None:
        pytest.skip("needs PostgreSQL's server programs (apt-get install postgresql)")
    return folder


def mosquitto_path() -> str | None:
    return shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


def require_mosquitto_sub() -> str:
    path = shutil.which("mosquitto_sub")
    if path is None:
        pytest.skip("needs mosquitto_sub (apt-get install mosquitto-clients)")
    return path


def require_mosquitto() -> str:
    path = mosquitto_path()
    if path is None:
        pytest.skip("needs the mosquitto broker (apt-get install mosquitto)")
    return path
