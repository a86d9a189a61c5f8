"""ultralytics as it is used here: it sends nothing, and installs nothing by itself.

AGPL-3.0: code that imports this, and weights that it makes, are to be treated as AGPL
(docs/adr/0003-licences.md).
"""

import os
from typing import Any

from models.errors import ModelError
from models.store import user_dir

NOTICE = (
    "ultralytics 是 AGPL-3.0 许可的软件,用它训练或导出的权重按 AGPL-3.0 对待:"
    "自己使用可以,随设备交给别人时要一并提供源代码,或向其作者购买商业许可。\n"
    "ultralytics is AGPL-3.0, and weights that it trained or exported are to be treated as such: "
    "yours to use; who hands them on with a box hands on the sources too, or buys its makers' "
    "licence."
)


def open_network(weights: str) -> Any:  # noqa: ANN401 - ultralytics has no types
    """Return ultralytics' YOLO of a file of weights, or of the name of an architecture (.yaml).

    Raises ModelError where the package is missing or there is no such network.
    """
    # Settings of its own: what the user has set for other work stays as it is.
    settings = user_dir(os.environ).parent / "ultralytics"
    settings.mkdir(parents=True, exist_ok=True)
    os.environ["YOLO_CONFIG_DIR"] = str(settings)
    os.environ["YOLO_AUTOINSTALL"] = "false"
    try:
        from ultralytics.utils import SETTINGS  # noqa: PLC0415 - optional

        SETTINGS.update({"sync": False})  # before the rest is loaded: it looks at it once
        from ultralytics import YOLO  # noqa: PLC0415 - see above
    except ImportError as error:
        raise ModelError(
            f"ultralytics must be installed (pip install 'tanshao[train-yolo]'): {error}"
        ) from error
    try:
        network = YOLO(weights)
    except Exception as error:
        raise ModelError(f"{weights}: is no network of ultralytics: {error}") from error
    if network.task != "detect":
        raise ModelError(f"{weights}: 'task' must be detect, not {network.task}")
    return network
