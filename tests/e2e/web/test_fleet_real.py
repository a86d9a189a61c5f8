"""Boxes, delivery ledger and quarantine on the real centre, as the administrator sees them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from playwright.async_api import expect

from central.auth.tokens import hash_token
from central.db.models import Box
from central.delivery.pursuit import GapPursuit
from protocol.clock import FakeClock
from protocol.messages import ClockQuality, ClockState, UplinkFigures
from tests.support.page import STEP_MS, opened
from tests.support.web_centre import WebCentre, centre_with_pages
from tests.support.xiacun import (
    OUTBOX,
    REGION,
    alert_data,
    alert_message,
    camera_state,
    heartbeat,
    received,
)

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

expect.set_options(timeout=STEP_MS)

NEW = "xiacun-2"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def centre(tmp_path) -> Iterator[WebCentre]:
    with centre_with_pages(tmp_path, camera_state()) as running:
        yield running


def with_a_gap(centre: WebCentre) -> None:
    """Let seven events come without the third to fifth, and its box be asked for them."""
    now = datetime.now(UTC)
    events, prevhash = [], None
    for sequence in range(1, 8):
        data = alert_data(started_at=now, at=now)
        message = alert_message(data, sequence, prevhash=prevhash)
        events.append(received(message, now))
        prevhash = sha256(events[-1].payload).hexdigest()
    told = heartbeat(outbox_id=OUTBOX, last_sequence=7, first_sequence=1, head=prevhash, at=now)
    centre.take(*events[:2], *events[5:], received(told, now))
    clock = FakeClock(now - timedelta(minutes=2))
    pursuit = GapPursuit(centre.centre.database, clock)
    pursuit.due()
    clock.advance(120)
    assert len(pursuit.due()) == 1


async def test_the_administrator_sees_the_gap_exports_it_and_has_the_rest_proved(centre, tmp_path):
    with_a_gap(centre)
    async with opened(centre, "admin", "/") as page:
        await page.get_by_test_id("nav-boxes").click()
        box = page.get_by_test_id("fleet-box")
        await expect(box).to_contain_text("下村主机")
        await box.get_by_test_id("box-ledger").click()
        card = page.get_by_test_id("outbox")
        await expect(card.get_by_test_id("outbox-missing")).to_contain_text("缺 3 条")
        gap = card.get_by_test_id("gaps").get_by_role("row").filter(has_text="3–5")
        await expect(gap).to_contain_text("已请求重发")
        await expect(gap).to_contain_text("1 次")

        async with page.expect_download() as exporting:
            await page.get_by_test_id("export-gaps").click()
        table = tmp_path / "gaps.csv"
        await (await exporting.value).save_as(table)
        assert ",3,5,3," in table.read_text("utf-8-sig")

        await card.get_by_test_id("verify").click()
        proof = card.get_by_test_id("proof")
        await expect(proof).to_contain_text("中间缺 3 条")
        await expect(proof).to_contain_text("最末一条就是主机心跳里报的那一条")
        await expect(proof).to_contain_text("4 条保存的内容与收到时的原文一致")


async def test_two_boxes_of_one_id_are_warned_of(centre):
    now = datetime.now(UTC)
    twice = [received(alert_message(alert_data(), 1), now) for _ in range(2)]
    centre.take(*twice)
    async with opened(centre, "duty", "/boxes") as page:
        await expect(page.get_by_test_id("doubled-advice")).to_contain_text("可能有两台同号主机")
        await expect(page.get_by_test_id("box-warnings")).to_contain_text("可能有两台同号主机")
        await expect(page.get_by_test_id("to-quarantine")).to_have_count(0)


async def test_the_administrator_replays_what_is_understood_by_now_and_discards_the_rest(centre):
    now = datetime.now(UTC)
    of_new = received(alert_message(alert_data(), 1, box=NEW), now, box=NEW)
    newer = received(alert_message(alert_data(), 9), now)
    newer = replace(newer, payload=newer.payload.replace(b"alert.v1", b"alert.v9"))
    centre.take(of_new, newer)
    with centre.centre.database.write() as session:
        token = hash_token("token-of-the-new-box")
        session.add(Box(id=NEW, region_code=REGION, name="新主机", token_sha256=token))
    async with opened(centre, "admin", "/boxes") as page:
        await page.get_by_test_id("to-quarantine").click()
        await expect(page.get_by_test_id("quarantined")).to_have_count(2)
        await page.get_by_test_id("replay-all").click()
        await expect(page.get_by_test_id("outcome")).to_contain_text("1 条已成为告警，1 条仍看不懂")
        left = page.get_by_test_id("quarantined")
        await expect(left).to_have_count(1)
        await left.locator("summary").click()
        await expect(left.locator("pre")).to_contain_text("cn.tanshao.alert.v9")

        await left.get_by_test_id("discard").click()
        await expect(left.get_by_test_id("discard-sure")).to_be_disabled()  # what for?
        await left.get_by_test_id("discard-why").fill("试验时发的")
        await left.get_by_test_id("discard-sure").click()
        await expect(page.get_by_test_id("quarantine-total")).to_contain_text("共 0 条")
        record = page.get_by_test_id("quarantine-record")
        await expect(record).to_contain_text("试验时发的")
        await expect(record).to_contain_text("李秀英")
        await expect(record.get_by_role("listitem")).to_have_count(2)


async def test_duty_staff_are_not_shown_the_quarantine(centre):
    async with opened(centre, "duty", "/quarantine") as page:
        await expect(page.get_by_test_id("nav-alerts")).to_be_visible()
        await expect(page.get_by_test_id("quarantine")).to_have_count(0)


async def test_a_boxs_clock_and_line_are_shown_and_its_alert_is_marked(centre):
    now = datetime.now(UTC)
    quality = ClockQuality(state=ClockState.UNSYNCED, since=now)
    line = UplinkFigures(day_bytes=412_000_000, kbit_s=38, connects_day=3, puback_ms=64)
    ahead = heartbeat(camera_state(), at=now + timedelta(minutes=9), clock=quality, uplink=line)
    data = alert_data(started_at=now, at=now, clock=quality)
    centre.take(received(ahead, now), received(alert_message(data, 1), now))
    async with opened(centre, "duty", "/boxes") as page:
        await expect(page.get_by_test_id("box-warnings")).to_contain_text("时钟不可信")
        await expect(page.get_by_test_id("box-clock")).to_contain_text("未校时")
        await expect(page.get_by_test_id("box-clock")).to_contain_text("快 9 分钟")
        await expect(page.get_by_test_id("box-line")).to_contain_text("38 kbit/s")
        await expect(page.get_by_test_id("box-line")).to_contain_text("24小时 412 MB")
        await expect(page.get_by_test_id("plan-upgrade")).to_have_count(0)
        await page.get_by_test_id("language").click()
        await expect(page.get_by_test_id("box-clock")).to_contain_text("9 min ahead")
        await page.goto(f"{centre.url}/alerts/{data.alert_id}")
        marks = page.get_by_test_id("alert-detail").get_by_test_id("clock-doubtful")
        await expect(marks).to_have_text("Clock in doubt")


async def test_the_administrator_plans_an_upgrade(centre):
    async with opened(centre, "admin", "/boxes") as page:
        version = page.get_by_test_id("box-version")
        await version.get_by_test_id("plan-upgrade").click()
        await version.get_by_test_id("upgrade-ring").select_option("pilot")
        await version.get_by_test_id("target-version").fill("9.0.0")
        await version.get_by_test_id("save-upgrade").click()
        await expect(version).to_contain_text("应升级到 9.0.0")
        await expect(version).to_contain_text("试点")
