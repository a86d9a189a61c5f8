"""The note in a recorded file's head that says where it is from (recording I7)."""

import json
from dataclasses import dataclass
from datetime import datetime

from edge.db.instant import from_us, to_us
from edge.errors import MediaError
from edge.media.sample import Run
from protocol.relay import StreamName


@dataclass(frozen=True, slots=True)
class Origin:
    """What the index can't learn from the video itself, kept in the file for after a crash."""

    camera_id: str
    stream: StreamName
    run_id: str
    run_started: datetime

    @classmethod
    def of(cls, run: Run) -> "Origin":
        """Return a run's origin."""
        return cls(run.camera_id, run.stream, run.run_id, run.started_utc)

    def encode(self) -> bytes:
        """Return the note's bytes."""
        return json.dumps(
            {
                "camera_id": self.camera_id,
                "stream": self.stream.value,
                "run_id": self.run_id,
                "run_started_us": to_us(self.run_started),
            }
        ).encode()

    @classmethod
    def decode(cls, note: bytes) -> "Origin":
        """Return what a note says. Raises MediaError."""
        try:
            fields = json.loads(note)
            camera_id, run_id = fields["camera_id"], fields["run_id"]
            stream, started = StreamName(fields["stream"]), from_us(fields["run_started_us"])
            f"{camera_id}{run_id}".encode()  # half of a surrogate pair is no text
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            raise MediaError("the file's note does not say where it is from") from error
        if not (isinstance(camera_id, str) and isinstance(run_id, str)):
            raise MediaError("the file's note does not say where it is from")
        return cls(camera_id, stream, run_id, started)
