"""The part of the box's configuration that says what the centre may have it do."""

from typing import Annotated

from pydantic import StringConstraints

from edge.section import Section


class CommandsSection(Section):
    """What people at the centre may have the box do, beyond what every box does for them.

    ``may_set_clock``: have the time service set the clock anew, by starting ``time_service`` again;
    the box's user must be allowed to (systemd/tanshao-edge.service says how).
    """

    may_set_clock: bool = False
    time_service: Annotated[
        str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9@_.-]{0,60}\.service$")
    ] = "systemd-timesyncd.service"
