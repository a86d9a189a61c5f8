"""ONVIF's WSDL documents as onvif-zeep brings them, parsed once a process (cameras I7)."""

import inspect
import logging
import threading
from functools import cache
from importlib.metadata import files
from pathlib import Path
from typing import Final

from zeep import Client, Settings
from zeep.proxy import ServiceProxy
from zeep.wsdl import Document

from edge.errors import CameraBlocked

_root = logging.getLogger()
_kept = (_root.level, list(_root.handlers), logging.getLogger("zeep.client").level)
# onvif-zeep sets logging up for the whole process when it is imported: that is undone below.
import onvif  # noqa: E402

_root.setLevel(_kept[0])
_root.handlers[:] = _kept[1]
logging.getLogger("zeep.client").setLevel(_kept[2])
# Each value of a camera that fits no schema would be a line of log with a trace.
logging.getLogger("zeep.xsd.types.simple").setLevel(logging.CRITICAL)

# Two more packages install themselves as onvif, without a word when both are asked for.
if inspect.iscoroutinefunction(onvif.ONVIFCamera.update_xaddrs):
    raise ImportError("the package onvif is not onvif-zeep's: remove onvif-zeep-async")

#: Names of onvif-zeep: what it calls a service, its namespace, document and binding.
SERVICES: Final[dict[str, dict[str, str]]] = onvif.SERVICES

_SETTINGS: Final = Settings(
    strict=False,  # a missing element is None; what is not well-formed never gets here
    xml_huge_tree=False,
    forbid_dtd=True,
    forbid_entities=True,
    forbid_external=True,
)

_documents: dict[str, Document] = {}
_lock = threading.Lock()


def service(name: str, url: str, transport: object) -> ServiceProxy:
    """Return a service at ``url`` that sends by ``transport`` alone, its questions unsigned.

    It is zeep's own object: onvif-zeep's, around it, hides what went wrong, and on a TypeError it
    asks the camera a second time.
    """
    client = Client(_document(name), transport=transport, settings=_SETTINGS)
    binding = f"{{{SERVICES[name]['ns']}}}{SERVICES[name]['binding']}"
    made = onvif.ONVIFService(
        url, "", "", str(_path(name)), zeep_client=client, binding_name=binding
    )
    proxy: ServiceProxy = made.ws_client
    return proxy


@cache
def _path(name: str) -> Path:
    """Return where the WSDL document of a name of SERVICES is.

    It is found by the package's own list of files: they are not always where onvif-zeep looks.
    """
    wanted = SERVICES[name]["wsdl"]
    for file in files("onvif-zeep") or ():
        if file.name == wanted:
            return Path(str(file.locate())).resolve()
    raise FileNotFoundError(f"onvif-zeep's {wanted} is not installed")


def _document(name: str) -> Document:
    """Return the parsed document of a service; the first time that takes tenths of a second."""
    with _lock:
        path = str(_path(name))
        if path not in _documents:
            _documents[path] = Document(
                path,
                _Files(),  # type: ignore[arg-type] # zeep says it wants a class, and calls load
                settings=_SETTINGS,
            )
        return _documents[path]


class _Files:
    """Where zeep loads documents from: the disk, never a network."""

    def load(self, url: str) -> bytes:
        if "://" in url:
            raise CameraBlocked(f"a schema is not fetched: {url[:80]}")
        return Path(url).read_bytes()
