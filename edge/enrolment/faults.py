"""What is said of what can't be done, in both languages. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from edge.config import CameraSection
from edge.enrolment.request import Refusal
from edge.enrolment.sheet import Fault
from edge.rule_config import RULE_KINDS
from protocol.refusal import refusal

#: By the last part of a key that breaks a rule; others are said in English alone.
_ZH: Final[Mapping[str, str]] = {
    "id": "编号只能用小写字母、数字、- 和 _,最长 32 个字",
    "name": "名称要 1 至 24 个字",
    "grid_code": "网格编码要 15 位数字",
    "place": "位置最长 60 个字",
    "legal_basis": "法律依据不在可选的几项里",
    "retention_days": "保存天数要在 1 至 3650 之间",
    "retention_reason": "保存理由最长 200 个字",
    "password": "密码要在一行里,首尾不能有空格",
}
#: Rules of several keys together, and of the settings, by words that only they have.
_TOGETHER: Final[Mapping[str, str]] = {
    "'retention_days' must": "公共场所的录像至少存 30 天(公共安全视频条例第十七条);"
    "只有第九条的场所和非公共场所可以少于 30 天",
    "'retention_reason' must": "保存少于 30 天的,要写明理由",
    "'record_sub' needs": "没有子码流,不能录子码流",
    "'cameras' must have different ids": "这个编号已经有摄像机在用",
    "is on trial": "主机正在试用另一次设置改动,请等它结束再改",
}

#: Why nothing is done.
REFUSALS: Final[Mapping[Refusal, Fault]] = {
    Refusal.ADDRESS_MISSING: Fault(
        "请填写摄像机地址或视频流地址(二选一)",
        "give either the camera's address or that of its main stream",
    ),
    Refusal.ADDRESS_BAD: Fault(
        "地址不正确。填 IP 地址(192.168.1.64)、http://… 或 rtsp://…",
        "the address is none: give a host, http://… or rtsp://…",
    ),
    Refusal.ADDRESS_LOGIN: Fault(
        "地址里不要写用户名和密码,请填在用户名和密码栏",
        "an address holds no user and no password: they have fields of their own",
    ),
    Refusal.CERTIFICATE_BAD: Fault(
        "证书指纹是 64 位十六进制数", "a certificate's SHA-256 is 64 hexadecimal digits"
    ),
    Refusal.LOGIN_HALF: Fault("用户名和密码要一起填", "'username' and 'password' go together"),
    Refusal.LOGIN_ELSEWHERE: Fault(
        "地址换了:原来的密码不会发给新地址,请重新填写用户名和密码",
        "the address is another: the stored password is not sent there, type user and password",
    ),
    Refusal.PROBE_RUNNING: Fault("检查还没有做完", "the examination is not over"),
    Refusal.PROBE_FAILED: Fault(
        "这台摄像机没有通过检查,不能保存", "the camera was examined and can't be pulled"
    ),
    Refusal.ID_TAKEN: Fault("这个编号已经有摄像机在用", "another camera has this id"),
    Refusal.ID_RECORDED: Fault(
        "这个编号还有以前的录像,请换一个", "recordings of an earlier camera have this id"
    ),
    Refusal.TOO_MANY_CAMERAS: Fault("一台主机最多 64 台摄像机", "a box has 64 cameras at most"),
}


def fault_of(document: Mapping[str, Any]) -> Fault | None:
    """Return what is wrong with a camera's table by itself; None where nothing is."""
    try:
        CameraSection.model_validate(document)
    except ValidationError as error:
        return told(refusal(error, RULE_KINDS))
    return None


def told(said: str) -> Fault:
    """Return a refusal of the configuration as it is told to whoever typed the camera."""
    for mark, zh in _TOGETHER.items():
        if mark in said:
            return Fault(zh, said)
    keys = {clause.partition("'")[2].partition("'")[0].rpartition(".")[2] for clause in _of(said)}
    known = [_ZH[key] for key in _ZH if key in keys]
    return Fault(";".join(known) or f"摄像机的设置不符合要求:{said}", said)


def _of(said: str) -> list[str]:
    return said.split("; ")
