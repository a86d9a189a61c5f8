"""What goes wrong, as the caller is told: ``{"error", "message", "message_zh"}``."""

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from edge.errors import EdgeError, NotFoundError, StorageError

log = logging.getLogger(__name__)


class Problem(Exception):  # noqa: N818 - it is what the caller is told, not only an error
    """An answer that is not what was asked for."""

    def __init__(self, status: int, error: str, message: str, message_zh: str) -> None:
        super().__init__(message)
        self.status = status
        self.error = error
        self.message = message
        self.message_zh = message_zh

    def response(self) -> JSONResponse:
        """Return it as JSON."""
        content = {"error": self.error, "message": self.message, "message_zh": self.message_zh}
        return JSONResponse(content, status_code=self.status, headers={"cache-control": "no-store"})


def invalid(message: str, message_zh: str) -> Problem:
    """Return the problem of a request that breaks a rule."""
    return Problem(422, "invalid", message, message_zh)


def install(app: FastAPI) -> None:
    """Let the application answer every error of ours, and every bad request, as a Problem."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(EdgeError, _edge_error)
    app.add_exception_handler(RequestValidationError, _bad_request)
    app.add_exception_handler(HTTPException, _http)


async def _problem(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)
    return error.response()


async def _edge_error(request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, NotFoundError):
        problem = Problem(404, "not_found", str(error), "没有找到")
    else:
        log.warning("web.failed", extra={"path": request.url.path, "error": repr(error)})
        if isinstance(error, StorageError):
            problem = Problem(
                503, "storage", "the disk or the index does not answer", "存储暂不可用"
            )
        else:
            problem = Problem(500, "media", "the video can't be read", "视频无法读取")
    return problem.response()


async def _bad_request(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    keys = {".".join(str(part) for part in item["loc"][1:]): item["msg"] for item in error.errors()}
    message = "; ".join(f"'{key}': {rule}" for key, rule in keys.items())
    return invalid(message, f"参数不正确：{'、'.join(keys)}").response()


async def _http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    words = {404: ("not_found", "没有找到"), 405: ("method_not_allowed", "不支持的操作")}
    code, zh = words.get(error.status_code, ("refused", "请求被拒绝"))
    return Problem(error.status_code, code, str(error.detail), zh).response()
