"""``python -m edge cameras add`` and its like, as they are typed at the box; Chinese, English."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from edge.config import CameraSection
from edge.enrolment.bulk import Bulk, RowProgress
from edge.enrolment.enroller import Enroller
from edge.enrolment.errand import ProbeSaid
from edge.enrolment.faults import REFUSALS, told
from edge.enrolment.plan import verdicts
from edge.enrolment.request import Asked, Refusal, Wanted, Watch
from edge.enrolment.sheet import Fault, SheetError, rows, text_of
from edge.enrolment.work import Examination
from edge.errors import ConfigError, RefusedError
from protocol.messages import LegalBasis

Say = Callable[[str], None]
#: Asks a question and returns the answer; empty where nobody is there to be asked.
Ask = Callable[[str], str]

_MARKS = {"must": "必须 must", "should": "建议 should", "note": "说明 note"}
_YES = frozenset({"yes", "y", "是"})
_WATCHES = {Watch.GATHERING: "人员聚集 gatherings", Watch.FIRE: "明火烟雾 fire and smoke"}


class EnrolmentCommand:
    """Does what the command line says and tells ``say``; returns the exit status.

    The acts raise RefusedError, SheetError and EdgeError; :meth:`run` tells what they say.
    """

    def __init__(
        self,
        enroller: Enroller,
        say: Say,
        ask: Ask,
        *,
        actor: str,
        as_json: bool,
        is_sure: bool,
    ) -> None:
        self._enroller = enroller
        self._actor = actor
        self._say = say
        self._ask = ask
        self._as_json = as_json
        self._is_sure = is_sure

    def add(self, asked: Asked, given: Mapping[str, Any], reason: str) -> int:
        """Examine a camera, tell what it is, and add it.

        ``given`` are its facts, and id, like and watch.

        What of the facts is missing is asked for.
        """
        examined = self._examined(asked)
        if examined is None:
            return 1
        wanted = Wanted(
            self._complete(given), given.get("id"), given.get("like"), given.get("watch")
        )
        self._tell(
            {"like": wanted.like, "watch": sorted(wanted.watched())},
            _looks_for(wanted),
        )
        if not self._confirmed("保存? save it?"):
            return 1
        camera = self._enroller.enrol(examined, wanted, actor=self._actor, reason=reason)
        self._saved(camera)
        return 0

    def replace(self, camera_id: str, asked: Asked, reason: str) -> int:
        """Examine a device and have it take a camera's place."""
        examined = self._examined(asked)
        if examined is None or not self._confirmed(f"换到 {camera_id}? put it in its place?"):
            return 1
        camera = self._enroller.put_in_place(camera_id, examined, actor=self._actor, reason=reason)
        self._saved(camera)
        return 0

    def change(self, camera_id: str, changes: Mapping[str, Any], reason: str) -> int:
        """Change facts of a camera."""
        self._saved(self._enroller.change(camera_id, changes, actor=self._actor, reason=reason))
        return 0

    def copy(self, from_id: str, to_id: str, reason: str) -> int:
        """Give a camera the settings of another."""
        self._saved(self._enroller.like(to_id, from_id, actor=self._actor, reason=reason))
        return 0

    def remove(self, camera_id: str, reason: str) -> int:
        """Take a camera out."""
        camera = self._enroller.camera(camera_id)
        if not self._confirmed(f"删除 {camera.id} {camera.name}? remove it?"):
            return 1
        self._enroller.remove(camera_id, actor=self._actor, reason=reason)
        self._tell(
            {"removed": camera_id},
            f"已删除 removed: {camera_id},录像到期才删 its recordings stay for their time",
        )
        return 0

    def import_table(self, path: Path, reason: str, *, apply: bool) -> int:
        """Look at a table of cameras, or add them one after another; 1 where a row is refused."""
        found = rows(text_of(_read(path)))
        cameras = self._enroller.book.cameras()
        if not apply:
            judged = verdicts(found, cameras)
            for each in judged:
                self._row(
                    each.line, each.name, "ok" if each.fault is None else "refused", each.fault
                )
            return 1 if any(each.fault for each in judged) else 0
        bulk = Bulk(
            found,
            cameras,
            self._enroller,
            actor=self._actor,
            reason=reason,
            tell=self._tell_progress,
        )
        bulk.work()
        return 0 if all(row.state == "saved" for row in bulk.rows()) else 1

    def run(self, act: Callable[["EnrolmentCommand"], int]) -> int:
        """Do one of the acts above; 1 where it is refused, which is told.

        Raises NotFoundError and StorageError.
        """
        try:
            return act(self)
        except RefusedError as error:
            fault = REFUSALS[Refusal(error.why)]
        except SheetError as error:
            fault = error.fault
        except ConfigError as error:
            fault = told(str(error))
        self._tell({"zh": fault.zh, "en": fault.en}, f"{fault.zh} · {fault.en}")
        return 1

    def _examined(self, asked: Asked) -> Examination | None:
        """Examine a camera and tell what it is; None where it can't be pulled. Raises EdgeError."""
        if not self._as_json:
            self._say("正在检查,最多三分钟 examining it, three minutes at most …")
        examined = self._enroller.examination(asked)
        examined.work()
        self._report(examined.said)
        return None if examined.said.pulled is None else examined

    def _report(self, said: ProbeSaid) -> None:
        if self._as_json:
            shown = said.model_dump(mode="json", by_alias=True, exclude={"said", "pulled"})
            self._say(json.dumps(shown, ensure_ascii=False))
            return
        if (device := said.device) is not None:
            self._say(f"摄像机 camera: {device.maker} {device.model} · {device.firmware}")
        for each in said.streams:
            self._say(
                f"码流 stream {each.stream.value}: {each.codec} {each.width}×{each.height} "
                f"{each.fps} fps, {each.kbit_s} kbit/s, 关键帧 key frame {each.gop_s} s, "
                f"{each.transport}"
            )
        for advice in said.advice:
            self._say(f"{_MARKS[advice.level]}: {advice.zh} · {advice.en}")
        if (problem := said.problem) is not None:
            self._say(f"{problem.zh} · {problem.en}")

    def _complete(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the facts of a camera, with what is missing asked for."""
        facts = {key: value for key, value in given.items() if key not in {"id", "like", "watch"}}
        bases = " / ".join(LegalBasis)
        questions = {
            "name": "名称 name: ",
            "grid_code": "网格编码(15 位) grid code: ",
            "legal_basis": f"法律依据 legal basis ({bases}): ",
        }
        for key, question in questions.items():
            if facts.get(key) is None:
                facts[key] = self._ask(question).strip()
        return {key: value for key, value in facts.items() if value is not None}

    def _confirmed(self, question: str) -> bool:
        """Return whether it is to be done; where not, that nothing was is told."""
        if self._is_sure or self._ask(f"{question} [yes/no] ").strip().lower() in _YES:
            return True
        self._tell({"changed": False}, "没有改动 nothing was changed (--yes)")
        return False

    def _saved(self, camera: CameraSection) -> None:
        self._tell(
            {"saved": camera.id},
            f"已保存 saved: {camera.id} {camera.name}。主机在运行的话几秒后生效 "
            "a box that runs takes it within seconds",
        )

    def _tell_progress(self, row: RowProgress) -> None:
        self._row(row.line, f"{row.camera_id} {row.name}".strip(), row.state, row.fault)

    def _row(self, line: int, name: str, state: str, fault: Fault | None) -> None:
        why = "" if fault is None else f": {fault.zh} · {fault.en}"
        told_as: dict[str, object] = {"line": line, "name": name, "state": state}
        if fault is not None:
            told_as |= {"zh": fault.zh, "en": fault.en}
        self._tell(told_as, f"第 {line} 行 line {line}  {name}  {state}{why}")

    def _tell(self, document: Mapping[str, object], text: str) -> None:
        self._say(json.dumps(document, ensure_ascii=False) if self._as_json else text)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SheetError(
            Fault(f"打不开 {path}", f"{path} can't be read: {error.strerror}")
        ) from error


def _looks_for(wanted: Wanted) -> str:
    """Return in words what a camera is to look for."""
    named = [_WATCHES[kind] for kind in Watch if kind in wanted.watched()]
    if wanted.like is not None:
        named.insert(0, f"同 as {wanted.like}")
    return f"看 looks for: {'、'.join(named) or '无 nothing'}"
