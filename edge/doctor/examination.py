"""Many probes side by side, each for so long at most."""

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from edge.doctor.finding import Finding, Kind
from protocol.clock import Clock

log = logging.getLogger(__name__)

_NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Patient:
    """What is looked at: ``examine`` runs in a thread of its own and is awaited ``limit_s``.

    ``late`` is what is found where that is not long enough.
    """

    name: str
    limit_s: float
    examine: Callable[[], Iterable[Finding]]
    late: Kind = Kind.EXAMINATION_LATE


def examine_all(patients: Sequence[Patient], clock: Clock) -> list[Finding]:
    """Examine all side by side; return the findings in the patients' order.

    Returns within the longest limit. One that takes longer is found late, and its thread is left
    behind: the process is about to end. One that fails is found as failed, by the error's name
    alone, for its words may hold what nobody may see.
    """
    began_ns = clock.monotonic_ns()
    running = [_Running(patient) for patient in patients]
    return [
        finding
        for each in running
        for finding in each.findings(
            each.patient.limit_s - (clock.monotonic_ns() - began_ns) / _NS_PER_S
        )
    ]


class _Running:
    """A patient under examination."""

    def __init__(self, patient: Patient) -> None:
        self.patient = patient
        self._findings: list[Finding] | None = None
        self._thread = threading.Thread(
            target=self._run, name=f"doctor-{patient.name}", daemon=True
        )
        self._thread.start()

    def _run(self) -> None:
        try:
            self._findings = list(self.patient.examine())
        except Exception as error:  # noqa: BLE001 - one sick probe must not hide all others
            log.debug("doctor.failed", extra={"patient": self.patient.name})
            values = {"error": type(error).__name__}
            self._findings = [Finding(Kind.EXAMINATION_FAILED, self.patient.name, values)]

    def findings(self, within_s: float) -> list[Finding]:
        self._thread.join(max(0.0, within_s))
        if self._findings is None:
            values = {"limit_s": round(self.patient.limit_s)}
            return [Finding(self.patient.late, self.patient.name, values)]
        return self._findings
