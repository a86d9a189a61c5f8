"""The paper that goes with an export: what it is, of what it is made, and the hashes. Pure."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any

from edge.exports.holes import holes
from edge.exports.job import Job, Kind, Piece
from edge.exports.order import Made
from edge.recording.segment import Gap

MANIFEST = "manifest.json"
SUMS = "SHA256SUMS"
#: Of this document's form; a reader refuses one it does not know.
FORM = 1


def manifest(
    job: Job,
    made: Made,
    gaps: Iterable[Gap],
    *,
    root: PurePath,
    box: dict[str, str],
    camera: dict[str, str],
    software: str,
    created_at: datetime,
) -> bytes:
    """Return the manifest as JSON text.

    It names box, camera and who asked what for; every video with its true bounds and its hash;
    what is missing between the bounds asked for, and why; every recorded file it was made of,
    by its path below ``root``.
    """
    ask = job.ask
    shown = [each for part in made.parts for each in part.shown]
    missing = holes(shown, gaps, made.lost, ask.start, ask.end)
    said: dict[str, Any] = {
        "form": FORM,
        "job": job.id,
        "created_at": _iso(created_at),
        "software": software,
        "box": box,
        "camera": camera | {"stream": ask.stream.value},
        "asked": {
            "by": ask.by,
            "reason": ask.reason,
            "at": _iso(job.created_at),
            "start": _iso(ask.start),
            "end": _iso(ask.end),
        },
        "kind": ask.kind.value,
        "settings": _settings(job, made),
        "parts": [
            {
                "file": part.file.name,
                "bytes": part.file.size_bytes,
                "sha256": part.file.sha256,
                "start": _iso(part.said.start),
                "end": _iso(part.said.end),
                "codec": part.said.codec.value,
                "width": part.said.width,
                "height": part.said.height,
                "undecodable_pictures": part.undecodable,
            }
            for part in made.parts
        ],
        "missing": [
            {"start": _iso(hole.start), "end": _iso(hole.end), "reason": hole.reason}
            for hole in missing
        ],
        "sources": [
            {
                "path": str(PurePath(each.path).relative_to(root)),
                "start": _iso(each.start),
                "end": _iso(each.end),
                "bytes": each.size_bytes,
                "sha256": each.sha256,
                "intact": each.intact,
            }
            for each in made.used
        ],
        "lost": [
            {
                "path": str(PurePath(each.path).relative_to(root)),
                "start": _iso(each.start),
                "end": _iso(each.end),
                "error": each.error,
            }
            for each in made.lost
        ],
    }
    return (json.dumps(said, ensure_ascii=False, indent=1) + "\n").encode()


def sums(files: Iterable[Piece]) -> bytes:
    """Return the hashes as ``sha256sum -c`` reads them; the names hold no character it escapes."""
    return "".join(f"{each.sha256}  {each.name}\n" for each in files).encode()


def _settings(job: Job, made: Made) -> dict[str, Any]:
    """Return what was done to the pictures, in words that somebody can check."""
    ask = job.ask
    if ask.kind is Kind.COPY:
        return {"encoded_anew": False}
    settings: dict[str, Any] = {"encoded_anew": True, "encoder": "libx264"}
    if ask.kind is Kind.MARKED:
        settings |= {"mark": ask.mark, "font": made.font}
    if ask.kind is Kind.BLURRED:
        whole = not ask.regions
        settings |= {"blurred": "whole picture" if whole else "regions", "regions": ask.regions}
    return settings


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
