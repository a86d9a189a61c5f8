import re

from central.http.frontend import PAGES
from tests.support.tools import ROOT

ROUTER = ROOT / "central" / "web" / "src" / "router.ts"


def test_every_address_of_the_interface_may_be_opened_anew_at_the_centre():
    paths = re.findall(r"path: '/?([^']*)'", ROUTER.read_text(encoding="utf-8"))
    pages = {path.partition("/")[0] for path in paths if not path.startswith(":")}
    assert len(pages) > 5
    assert pages | {"."} == PAGES
