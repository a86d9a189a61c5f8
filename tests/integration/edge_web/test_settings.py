"""What may be changed from afar, as the box itself says it."""

import httpx
import pytest

from tests.support.box import running_box

pytestmark = pytest.mark.anyio


async def asked(box):
    async with httpx.AsyncClient(base_url=box.server.url) as client:
        return (await client.get("/v1/settings")).json()


async def test_it_is_said_with_its_version_and_without_what_is_the_village_s_own(tmp_path):
    async with running_box(tmp_path) as box:
        said = await asked(box)
    assert (said["version"], said["running"], said["on_trial"]) == (0, 0, False)
    assert "fps = 2.0\n" in said["toml"]
    assert 'id = "cam-01"\n' in said["toml"]
    own = ("192.0.2", "青石岭", "村口", "example.org", "/etc/", "viewer", "token", "password")
    assert [word for word in own if word in said["toml"]] == []
