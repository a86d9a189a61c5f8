"""The environment of the programs that the box starts beside itself."""

import os
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]


def environment(**more: str) -> dict[str, str]:
    """Return ours, so that a child finds our packages wherever we were started; ``more`` counts."""
    paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **more}
