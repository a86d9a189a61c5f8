import subprocess
import sys

from tests.support.tools import ROOT

#: Builds an interface with a model in it, and an HTTP client, as a box does; says what is imported.
_PROGRAM = """
import sys
from edge import unneeded
if "keep_out" in sys.argv:
    unneeded.keep_out()
import httpx
from fastapi import FastAPI
from pydantic import BaseModel

class Answer(BaseModel):
    ok: bool

app = FastAPI()

@app.get("/")
def say() -> Answer:
    return Answer(ok=True)

httpx.Client().close()
print(*(name for name in unneeded.MODULES if sys.modules.get(name) is not None))
"""


def imported(*does: str) -> set[str]:
    line = [sys.executable, "-c", _PROGRAM, *does]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_packages_import_for_others_what_a_box_never_uses():
    assert "pydantic.v1" in imported()


def test_kept_out_it_is_not_imported_and_nobody_misses_it():
    assert imported("keep_out") == set()
