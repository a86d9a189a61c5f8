"""Which machine this is."""

import hashlib
from pathlib import Path

_MACHINE_ID = Path("/etc/machine-id")


def machine_name(path: Path = _MACHINE_ID) -> str | None:
    """Return a name that is this machine's alone; None where it has none.

    The id itself is confidential (machine-id(5)), so it is hashed for our use.
    """
    try:
        machine_id = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None
    if not machine_id:
        return None
    return hashlib.sha256(f"tanshao {machine_id}".encode()).hexdigest()[:32]
