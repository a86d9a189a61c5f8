"""``python -m village status``: what runs, how often it was started again, how the box is."""

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

from village.home import Home

_TIMEOUT_S = 3.0


def show(home: Home) -> int:
    """Print the state of the village of this data folder; return 0 where it runs well."""
    if not home.is_running():
        print(f"未运行 not running: {home.folder}")
        return 3
    state = home.state()
    print(f"运行中 running · pid {state.get('pid')} · {state.get('web_url')}")
    well = True
    for program in state.get("programs", []):
        alive = program["pid"] is not None
        well = well and alive
        word = f"pid {program['pid']}" if alive else "未运行 down"
        print(f"  {program['name']:<10} {word:<14} 启动次数 starts {program['starts']}")
    advice = f" · {state['broker_advice']}" if state.get("broker_advice") else ""
    print(f"  broker     {state.get('broker')}{advice}")
    health = _ask(str(state.get("edge_url", "")) + "/v1/health")
    if health is None:
        print("  盒子没有应答 · the box does not answer")
        return 1
    for name, component in sorted(health.get("components", {}).items()):
        detail = f" · {component['detail']}" if component.get("detail") else ""
        print(f"  {name:<22} {component.get('condition')}{detail}")
    return 0 if well else 1


def _ask(url: str) -> dict[str, Any] | None:
    parts = urlsplit(url)
    if parts.hostname is None:
        return None
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", parts.path)
        value = json.loads(connection.getresponse().read())
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return value if isinstance(value, dict) else None
