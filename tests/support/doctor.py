"""The doctor as a person runs it, and what it found."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from edge.__main__ import main

#: Every secret of :func:`box_file`: none may ever be said.
PASSWORD = "Hunter2+of/the gate"
TOKEN = "token-of-the-box-nobody-may-see"
BOX = "xiacun-1"


@dataclass(frozen=True)
class Examined:
    """The exit status, and the report as JSON."""

    status: int
    document: dict[str, Any]

    def ids(self, subject: str | None = None) -> set[str]:
        """Return what was found, of one subject or of all, but for what is fine."""
        return {
            finding["id"]
            for finding in self.document["findings"]
            if finding["severity"] != "ok" and subject in (None, finding["subject"])
        }

    def one(self, name: str) -> dict[str, Any]:
        """Return the one finding of that id."""
        (found,) = (each for each in self.document["findings"] if each["id"] == name)
        return found


def examined(path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> Examined:
    """Run the doctor on a configuration; no secret of it may be in what it says."""
    status = main(["doctor", "--config", str(path), "--json", *options])
    said = capsys.readouterr()
    for secret in (PASSWORD, TOKEN):
        assert secret not in said.out + said.err
    return Examined(status, json.loads(said.out))


def box_file(folder: Path, *, centre: str = "", cameras: str = "", rest: str = "") -> Path:
    """Write the configuration of a box with a token and a password; return its path."""
    (folder / "token").write_text(f"{TOKEN}\n", encoding="utf-8")
    (folder / "password").write_text(f"{PASSWORD}\n", encoding="utf-8")
    path = folder / "edge.toml"
    path.write_text(
        f"""
[box]
id = "{BOX}"
name = "下村"
region_code = "533102105203"
data_dir = "data"
{centre}
{rest}
{cameras}
""",
        encoding="utf-8",
    )
    return path


def camera_table(main_url: str, sub_url: str | None = None, *, login: bool = True) -> str:
    """Return the table of a camera named gate, with the password of :func:`box_file`."""
    lines = [
        "[[cameras]]",
        'id = "gate"',
        'name = "村口主路"',
        'grid_code = "533102105203001"',
        f'main_url = "{main_url}"',
    ]
    if sub_url is not None:
        lines.append(f'sub_url = "{sub_url}"')
    if login:
        lines += ['username = "camera"', 'password = { file = "password" }']
    return "\n".join(lines)
