"""False alarms kept as examples, on the real centre: seen, deleted and taken away on their page."""

import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from playwright.async_api import expect

from protocol.messages import AlertKind
from tests.support.bringing import bring, evidence_headers
from tests.support.jpeg import jpeg
from tests.support.page import STEP_MS, opened
from tests.support.web_centre import WebCentre, centre_with_pages
from tests.support.xiacun import BOX, BOX_TOKEN, alert_data, alert_message, camera_state, received

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

expect.set_options(timeout=STEP_MS)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def keeping(tmp_path) -> Iterator[WebCentre]:
    with centre_with_pages(tmp_path, camera_state(), {"keep": True}) as running:
        yield running


@pytest.fixture
def not_keeping(tmp_path) -> Iterator[WebCentre]:
    with centre_with_pages(tmp_path, camera_state()) as running:
        yield running


def false_alarm(centre: WebCentre, sequence: int, kind: AlertKind, reason: str) -> None:
    """Let an alert come with its picture, and a duty officer call it false."""
    alert_id, now = uuid4(), datetime.now(UTC)
    data = alert_data(alert_id, kind=kind, started_at=now, at=now, model="fire 1.0")
    centre.take(received(alert_message(data, sequence), now))
    body = jpeg(sequence, 640, 360)
    url = f"{centre.url}/api/v1/boxes/{BOX}/evidence/{alert_id}/snapshot"
    said = evidence_headers(body, now.isoformat(), now.isoformat(), BOX_TOKEN)
    assert bring(url, body, said).status_code == 201
    with centre.client("duty") as duty:
        duty.post(f"/alerts/{alert_id}/ack", json={"device": "pc"})
        said = {"reason": reason, "note": ""}
        assert duty.post(f"/alerts/{alert_id}/false", json=said).status_code == 200


async def test_the_administrator_looks_deletes_one_and_takes_the_others_away(keeping, tmp_path):
    false_alarm(keeping, 1, AlertKind.FLAME, "sunset")
    false_alarm(keeping, 2, AlertKind.SMOKE, "cooking_smoke")
    false_alarm(keeping, 3, AlertKind.FLAME, "headlights")
    keeping.centre.keeper.look()
    async with opened(keeping, "admin", "/") as page:
        await page.get_by_test_id("nav-examples").click()
        await expect(page.get_by_test_id("examples-state")).to_contain_text("正在保留")
        await expect(page.get_by_test_id("examples-figures")).to_contain_text("3 张")
        counts = page.get_by_test_id("examples-counts")
        smoke = counts.get_by_role("row").filter(has_text="炊烟")
        await expect(smoke).to_contain_text("待人工标注")
        cards = page.get_by_test_id("example")
        await expect(cards).to_have_count(3)
        shown = "img => img.decode().then(() => img.naturalWidth)"
        assert await cards.first.locator("img").evaluate(shown) == 640

        await cards.filter(has_text="夕阳").get_by_test_id("example-delete").press("Enter")
        await cards.filter(has_text="夕阳").get_by_test_id("example-delete-sure").press("Enter")
        await expect(cards).to_have_count(2)

        await expect(page.get_by_test_id("examples-take")).to_be_disabled()  # what for?
        await page.get_by_test_id("examples-reason").fill("交市里训练")
        async with page.expect_download() as taking:
            await page.get_by_test_id("examples-take").click()
        taken = tmp_path / "taken.zip"
        await (await taking.value).save_as(taken)
        record = page.get_by_test_id("examples-record")
        await expect(record).to_contain_text("交市里训练")
        await expect(record).to_contain_text("李秀英")
    with zipfile.ZipFile(taken) as made:
        said = json.loads(made.read("examples.json"))["pictures"]
    assert {(each["kind"], each["reason"]) for each in said} == {
        ("smoke", "cooking_smoke"),
        ("flame", "headlights"),
    }


async def test_where_nothing_is_kept_the_page_says_so_and_how_to_choose_it(not_keeping):
    false_alarm(not_keeping, 1, AlertKind.FLAME, "sunset")
    not_keeping.centre.keeper.look()
    async with opened(not_keeping, "admin", "/examples") as page:
        await expect(page.get_by_test_id("examples-state")).to_contain_text("没有保留")
        await expect(page.get_by_test_id("examples-state")).to_contain_text("keep = true")
        await expect(page.get_by_test_id("example")).to_have_count(0)


async def test_duty_staff_are_not_shown_the_page(keeping):
    async with opened(keeping, "duty", "/examples") as page:
        await expect(page.get_by_test_id("nav-alerts")).to_be_visible()
        await expect(page.get_by_test_id("examples")).to_have_count(0)
        await expect(page.get_by_test_id("nav-examples")).to_have_count(0)
