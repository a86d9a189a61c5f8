"""The built interface: files, and one page for every address of it."""

from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

#: Addresses that the page itself understands, with what is below them.
PAGES = frozenset(
    {
        "",
        ".",
        "about",
        "activities",
        "alerts",
        "boxes",
        "coverage",
        "deliveries",
        "examples",
        "filing",
        "holds",
        "incidents",
        "login",
        "points",
        "print",
        "quarantine",
        "review",
        "wall",
    }
)

_NOT_FOUND = 404

_NOT_BUILT = """<!doctype html>
<html lang="zh-CN"><meta charset="utf-8"><title>探哨</title>
<h1>探哨:界面尚未构建</h1>
<p>服务正在运行,但没有找到界面文件。请在源码目录运行 <code>make web</code>,然后刷新本页。</p>
<p lang="en">The service runs, but its interface has not been built. Run <code>make web</code>
in the source folder and reload.</p>
</html>
"""


class Frontend(StaticFiles):
    """Serves the folder of the built interface; it may be built while the service runs.

    Files below ``assets/`` have their hash in their name and are kept by browsers for good; the
    page itself is asked for anew each time, so that a new version is seen at once.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder, check_dir=False)
        self.config_checked = True  # it would insist on the folder at the first request
        self._index = folder / "index.html"

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file, the page, or a plain page that says it has not been built."""
        first = Path(path).parts[0] if Path(path).parts else ""
        if first in PAGES:
            return self._page()
        try:
            answer = await super().get_response(path, scope)
        except HTTPException as error:
            if error.status_code == _NOT_FOUND and first == "api":
                raise HTTPException(_NOT_FOUND, "there is no such address") from error
            raise
        kept = first == "assets"
        answer.headers["cache-control"] = (
            "public, max-age=31536000, immutable" if kept else "no-cache"
        )
        return answer

    def _page(self) -> Response:
        headers = {"cache-control": "no-cache"}
        if not self._index.is_file():
            return HTMLResponse(_NOT_BUILT, status_code=503, headers=headers)
        return FileResponse(self._index, headers=headers)
