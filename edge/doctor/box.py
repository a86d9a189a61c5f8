"""How the box's program and its machine are. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from edge.doctor.finding import Finding, Kind, Values

_SHORT_MEMORY = 0.08
_HOT_C = 80.0
#: systemd starts it anew however often it falls: more than a few times is no accident.
_MANY_RESTARTS = 3


@dataclass(frozen=True, slots=True)
class PartFacts:
    """What a component of the running box says of itself: ok, degraded or down."""

    name: str
    condition: str
    detail: str


@dataclass(frozen=True, slots=True)
class UnitFacts:
    """What systemd says of the service."""

    state: str
    is_enabled: bool
    restarts: int
    result: str
    exit_status: str


@dataclass(frozen=True, slots=True)
class ProgramFacts:
    """Whether the box runs.

    ``lock_pid`` is the process that holds its data folder, None where none does; ``parts`` is what
    it says over HTTP, None where it does not answer. ``unit`` is None where systemd knows none.
    """

    version: str
    lock_pid: int | None
    parts: tuple[PartFacts, ...] | None
    unit: UnitFacts | None


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """What the machine has; None is what it does not tell."""

    memory_bytes: int | None
    available_bytes: int | None
    temperature_c: float | None


@dataclass(frozen=True, slots=True)
class SettingsFacts:
    """What was changed while the box ran: the version that counts (0: none), and who made it.

    ``trouble`` is why a newer one does not count; ``undone`` why one was taken back.
    """

    version: int
    actor: str
    trouble: str | None
    undone: str | None


def judge_settings(facts: SettingsFacts) -> Iterator[Finding]:
    """Yield what of the configuration is not in its file, or should be and is not used."""
    if facts.trouble is not None:
        yield Finding(Kind.BOX_SETTINGS_UNUSED, values={"detail": facts.trouble})
    if facts.undone is not None:
        yield Finding(Kind.BOX_SETTINGS_UNDONE, values={"detail": facts.undone})
    elif facts.version:
        values: Values = {"version": facts.version, "actor": facts.actor}
        yield Finding(Kind.BOX_SETTINGS_CHANGED, values=values)


def judge_config(problem: str | None, secrets: Iterable[str]) -> Iterator[Finding]:
    """Yield what is wrong with the configuration, and with the secrets that it names."""
    if problem is not None:
        yield Finding(Kind.BOX_CONFIG_INVALID, values={"detail": problem})
    for secret in secrets:
        yield Finding(Kind.BOX_SECRET_UNREADABLE, values={"detail": secret})


def judge_program(facts: ProgramFacts) -> Iterator[Finding]:
    """Yield whether the box runs, and what of it does not work."""
    if facts.unit is not None:
        yield from _judge_unit(facts.unit)
    if facts.parts is not None:
        yield from _judge_parts(facts.parts, facts.version)
    elif facts.lock_pid is not None:
        yield Finding(Kind.BOX_SILENT, values={"pid": facts.lock_pid})
    else:
        unit = facts.unit
        last = "" if unit is None else f" ({unit.state}, {unit.result}, {unit.exit_status})"
        yield Finding(Kind.BOX_STOPPED, values={"last": last})


def judge_machine(facts: MachineFacts) -> Iterator[Finding]:
    """Yield what the machine lacks."""
    if facts.memory_bytes and facts.available_bytes is not None:
        share = facts.available_bytes / facts.memory_bytes
        if share < _SHORT_MEMORY:
            values = {"available_mb": facts.available_bytes // 1_000_000}
            yield Finding(Kind.BOX_MEMORY_SHORT, values=values)
    if facts.temperature_c is not None and facts.temperature_c >= _HOT_C:
        yield Finding(Kind.BOX_HOT, values={"celsius": round(facts.temperature_c)})


def _judge_unit(unit: UnitFacts) -> Iterator[Finding]:
    if not unit.is_enabled:
        yield Finding(Kind.BOX_NOT_AT_BOOT)
    if unit.restarts > _MANY_RESTARTS:
        values: Values = {"restarts": unit.restarts, "result": unit.result}
        yield Finding(Kind.BOX_RESTARTS, values=values)


def _judge_parts(parts: Iterable[PartFacts], version: str) -> Iterator[Finding]:
    wrong = 0
    for part in parts:
        if part.condition == "ok":
            continue
        wrong += 1
        kind = Kind.BOX_PART_DOWN if part.condition == "down" else Kind.BOX_PART_DEGRADED
        yield Finding(kind, part.name, {"detail": part.detail})
    if not wrong:
        yield Finding(Kind.BOX_FINE, values={"version": version})
