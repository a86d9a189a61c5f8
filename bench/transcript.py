"""What was said to one peer, printed as it comes."""

from edge.cameras.camera import Camera
from edge.cameras.examination import Examination, examine


class Transcript:
    """What was said to one peer; printed as it comes, its failures kept."""

    def __init__(self, name: str) -> None:
        self.failures: list[str] = []
        print(f"== {name}")

    def say(self, what: str, told: object) -> None:
        """Tell one thing."""
        print(f"   {what}: {told}")

    def expect(self, what: str, *, holds: bool) -> None:
        """Tell whether something is as it must be."""
        if not holds:
            self.failures.append(what)
        print(f"   {'ok  ' if holds else 'FAIL'} {what}")

    def examined(self, camera: Camera) -> Examination:
        """Ask a camera for everything, and tell it."""
        examined = examine(camera)
        self.say("information", examined.information)
        self.say("clock", examined.clock)
        for uri in examined.rewritten:
            self.say("rewritten", uri)
        for stream in examined.streams:
            told = f"{stream.profile.encoding} {stream.profile.width_px}×{stream.profile.height_px}"
            self.say(f"stream {stream.profile.name}", f"{told} {stream.video} {stream.picture}")
        for problem in examined.problems:
            self.say("problem", f"{problem.asked} {problem.kind.value}: {problem.said}")
        return examined
