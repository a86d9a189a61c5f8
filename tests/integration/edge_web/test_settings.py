"""What may be changed from afar, as the box itself says it."""

import tomllib

import httpx
import pytest

from edge.settings.store import SettingsStore
from edge.settings.trial import Terms
from protocol.commands import Configure
from tests.support.box import running_box

pytestmark = pytest.mark.anyio
