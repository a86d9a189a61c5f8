"""``python -m bench.onvif_cost``: many cameras in one process, beside bare onvif-zeep.

Each of the two is a process of its own that asks the same double of ours the same four questions
for every camera, and keeps what it built: memory and processor time are that process's.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence

from bench import process, report
from bench.onvif_device import Device
from protocol.clock import SystemClock

_MIB = 1 << 20
_MOST_S = 300


def ours(port: int, count: int) -> list[object]:
    """Ask ``count`` cameras by the box's own wrapper; return what is kept of them."""
    from edge.cameras.camera import Camera  # noqa: PLC0415
    from edge.cameras.door import Door  # noqa: PLC0415
    from edge.rtsp.challenge import Credentials  # noqa: PLC0415

    kept: list[object] = []
    for _ in range(count):
        camera = Camera(Door.parse(f"127.0.0.1:{port}"), Credentials("a", "b"), SystemClock())
        camera.information()
        main = camera.media.profiles()[0]
        camera.presets(main)
        camera.picture.imaging(main.source)
        kept.append(camera)
    return kept


def bare(port: int, count: int) -> list[object]:
    """Ask them as onvif-zeep's own page says it is done."""
    import onvif  # noqa: PLC0415

    kept: list[object] = []
    for _ in range(count):
        camera = onvif.ONVIFCamera("127.0.0.1", port, "a", "b")
        camera.devicemgmt.GetDeviceInformation()
        main = camera.create_media_service().GetProfiles()[0]
        camera.create_ptz_service().GetPresets({"ProfileToken": main.token})
        source = main.VideoSourceConfiguration.SourceToken
        camera.create_imaging_service().GetImagingSettings({"VideoSourceToken": source})
        kept.append(camera)
    return kept


_WAYS: dict[str, Callable[[int, int], list[object]]] = {"ours": ours, "bare": bare}


def measure_here(way: str, port: int, count: int) -> None:
    """Do it in this process and print what it took, as JSON."""
    clock = SystemClock()
    began_ns = clock.monotonic_ns()
    kept = _WAYS[way](port, count)
    used = resource.getrusage(resource.RUSAGE_SELF)
    figures = {
        "cameras": len(kept),
        "seconds": (clock.monotonic_ns() - began_ns) / 1e9,
        "cpu_s": used.ru_utime + used.ru_stime,
        "rss_mb": process.rss_bytes(os.getpid()) / _MIB,
    }
    print(json.dumps(figures))


def measure(way: str, port: int, count: int) -> dict[str, float]:
    """Do it in a process of its own; return its figures."""
    command = [sys.executable, "-m", "bench.onvif_cost", "--way", way, "--port", str(port)]
    done = subprocess.run(
        [*command, "--cameras", str(count)],
        capture_output=True,
        text=True,
        timeout=_MOST_S,
        check=True,
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure both and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.onvif_cost", description=__doc__)
    parser.add_argument("--cameras", type=int, default=30, help="in one process (30)")
    parser.add_argument("--way", choices=list(_WAYS), help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    told = parser.parse_args(arguments)
    if told.way is not None:
        measure_here(told.way, told.port, told.cameras)
        return 0
    with Device() as device:
        costs = {way: measure(way, device.port, told.cameras) for way in _WAYS}
    head = ["", "cameras", "s", "CPU s", "RSS MB"]
    names = ("cameras", "seconds", "cpu_s", "rss_mb")
    rows = [[way, *(round(cost[name], 2) for name in names)] for way, cost in costs.items()]
    print(report.table(head, rows))
    figures: dict[str, object] = {"cameras": told.cameras}
    for way, cost in costs.items():
        figures |= {f"{way}_{name}": report.rounded(cost[name], 2) for name in names[1:]}
    report.emit(sys.stdout, figures)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
