"""What packages import for others and a box never uses: kept out, for it costs memory twice.

Once in the process that forks the box, and, as it is touched, once more in the box. Each of these
is one that its importer does without where it is not installed, and that is what it is told.
"""

import sys

MODULES = (
    # The command line of HTTPX, and with it Rich and Pygments where they are installed: 4 MB.
    "httpx._main",
    # Pydantic 1, which FastAPI looks for old models in, anew in each fork: 3 MB and 40 ms.
    "pydantic.v1",
)


def keep_out() -> None:
    """Let importing any of MODULES raise ImportError from now on; call it before other imports."""
    for name in MODULES:
        # None is how Python is told that there is no such module; what is imported already stays.
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]
