"""Errors as JSON: ``{"error","message","message_zh"}``."""

import logging
from dataclasses import dataclass

from fastapi import FastAPI, Request, WebSocket
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from central.errors import (
    BoxTooOldError,
    BoxUnreachableError,
    BoxUnsureError,
    CentralError,
    ConflictError,
    DamagedError,
    EvidenceAwayError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    OffsetError,
    OverlapError,
    SignInError,
    SpanError,
    StoreUnavailableError,
    TooLongError,
    TooManyTriesError,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem."""

    status: int
    error: str
    zh: str
    retry_after_s: int | None = None


_KINDS: dict[type[CentralError], Kind] = {
    SignInError: Kind(401, "sign_in", "未登录,或用户名、密码、PIN 不正确"),
    ForbiddenError: Kind(403, "forbidden", "没有权限,或需先用 PIN 签到"),
    NotFoundError: Kind(404, "not_found", "没有找到"),
    ConflictError: Kind(409, "conflict", "状态已改变,请刷新后再试"),
    OverlapError: Kind(409, "overlap", "同一点位同一时间已有报备活动;确需重叠的,请写明原因"),
    OffsetError: Kind(409, "offset", "文件续传的位置不对,请从已收到的位置继续"),
    InvalidError: Kind(422, "invalid", "填写的内容不符合要求"),
    DamagedError: Kind(422, "damaged", "收到的文件与校验值不符,请重新上传"),
    SpanError: Kind(416, "span", "所请求的部分超出了文件的长度"),
    TooLongError: Kind(413, "too_long", "文件过大"),
    TooManyTriesError: Kind(429, "too_many_tries", "尝试次数过多,请稍后再试"),
    BoxTooOldError: Kind(502, "box_too_old", "村级主机的软件版本过旧,不支持此操作"),
    BoxUnreachableError: Kind(503, "box_unreachable", "村级主机不在线"),
    BoxUnsureError: Kind(504, "box_unsure", "村级主机没有答复,可能已经执行,请先查看再操作"),
    StoreUnavailableError: Kind(503, "unavailable", "数据库暂时不可用,请稍后再试"),
    EvidenceAwayError: Kind(503, "evidence_away", "图片和视频的存储暂时不可用,请稍后再试", 30),
}
_BY_STATUS = {
    400: Kind(400, "bad_request", "请求不正确"),
    403: Kind(403, "forbidden", "没有权限"),
    404: Kind(404, "not_found", "没有找到"),
    405: Kind(405, "method_not_allowed", "不支持的操作"),
    422: _KINDS[InvalidError],
}
_INTERNAL = Kind(500, "internal", "系统内部错误")


def problem(kind: Kind, message: str) -> JSONResponse:
    """Return a problem as an answer."""
    wait = {} if kind.retry_after_s is None else {"retry-after": str(kind.retry_after_s)}
    return JSONResponse(
        {"error": kind.error, "message": message, "message_zh": kind.zh},
        status_code=kind.status,
        headers=wait,
    )


def problem_of(error: CentralError) -> JSONResponse:
    """Return the answer to an error that was raised on purpose."""
    return problem(_KINDS.get(type(error), _INTERNAL), str(error))


def add_problem_handlers(app: FastAPI) -> None:
    """Make every error leave ``app`` in our shape."""

    async def central(connection: Request, error: Exception) -> Response:
        assert isinstance(error, CentralError)
        kind = _KINDS.get(type(error), _INTERNAL)
        if kind.status >= _INTERNAL.status:
            log.warning("http.failed", extra={"path": connection.url.path, "error": str(error)})
        answer = problem(kind, str(error))
        if isinstance(connection, WebSocket):
            await connection.send_denial_response(answer)
        return answer

    async def invalid(_request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        words = "; ".join(
            f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()[:5]
        )
        return problem(_KINDS[InvalidError], words)

    async def unkept(request: Request, error: Exception) -> Response:
        assert isinstance(error, DataError)
        log.warning("http.unkept", extra={"path": request.url.path, "error": str(error.orig)})
        return problem(_KINDS[InvalidError], "holds a value that can't be kept")

    async def http(_request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        fallback = Kind(error.status_code, "error", "请求没有成功")
        return problem(_BY_STATUS.get(error.status_code, fallback), str(error.detail))

    async def internal(request: Request, error: Exception) -> Response:
        log.error("http.broken", exc_info=error, extra={"path": request.url.path})
        return problem(_INTERNAL, "something is wrong here; the log has it")

    app.add_exception_handler(CentralError, central)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(DataError, unkept)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, internal)
