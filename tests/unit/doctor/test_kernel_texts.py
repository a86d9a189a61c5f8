"""What the kernel and systemd say, in their own words."""

import fcntl
import os

from edge.doctor.probes.box import holder_of, lock_holder, unit_of
from edge.doctor.probes.network import default_interface
from edge.recording.claim import Claim
from tests.support.desk_box import box_config

ROUTES = """\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
wwan0\t00000000\t0100000A\t0003\t0\t0\t700\t00000000\t0\t0\t0
eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0
"""
NOWHERE = ROUTES.splitlines()[0] + "\n"
ANY_6 = "0" * 32
ROUTES_6 = f"""\
{ANY_6} 00 {ANY_6} 00 fe80{"0" * 28} 00000400 00000001 00000000 00000003     eth1
{ANY_6} 00 {ANY_6} 00 {ANY_6} ffffffff 00000001 00000000 00200200       lo
"""
LOCKS = """\
1: POSIX  ADVISORY  WRITE 7 fd:01:4711 0 EOF
2: FLOCK  ADVISORY  WRITE 1234 fd:01:4711 0 EOF
2: -> FLOCK  ADVISORY  WRITE 99 fd:01:4711 0 EOF
"""
UNIT = """\
LoadState=loaded
ActiveState=activating
UnitFileState=disabled
NRestarts=12
Result=exit-code
ExecMainStatus=1
"""


def test_the_way_out_is_the_route_of_the_least_metric():
    assert default_interface(ROUTES, ROUTES_6) == "eth0"
    assert default_interface(ROUTES.replace("\t100\t", "\t900\t"), "") == "wwan0"


def test_where_there_is_no_way_of_the_older_kind_the_newer_counts():
    assert default_interface(NOWHERE, ROUTES_6) == "eth1"
    assert default_interface(NOWHERE, ROUTES_6.splitlines()[1]) is None
    assert default_interface("", "") is None


def test_who_holds_a_folder_is_who_has_its_lock_and_not_who_waits_for_it():
    assert holder_of(4711, LOCKS) == 1234
    assert holder_of(471, LOCKS) is None
    assert holder_of(4711, "") is None


def test_a_claim_is_seen_and_neither_taken_nor_waited_for(tmp_path):
    config = box_config(tmp_path)
    assert lock_holder(config) is None
    claim = Claim(tmp_path)
    claim.take()
    assert lock_holder(config) == os.getpid()
    claim.close()
    assert lock_holder(config) is None
    with (tmp_path / "box.lock").open("rb") as file:  # nobody else has it now
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_service_is_told_by_its_state_its_restarts_and_its_last_end():
    unit = unit_of(UNIT)
    assert unit is not None
    assert (unit.state, unit.is_enabled, unit.restarts) == ("activating", False, 12)
    assert (unit.result, unit.exit_status) == ("exit-code", "1")
    assert unit_of("LoadState=not-found\n") is None
    assert unit_of("") is None
