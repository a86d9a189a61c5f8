"""Points and filing on the real centre, by keyboard, as the administrator does it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.support.browser import raise_alert
from tests.support.jpeg import jpeg
from tests.support.page import STEP_MS, opened
from tests.support.points import CAMERA, CLEAR, register, take_in_use, terms
from tests.support.web_centre import WebCentre, centre_with_pages
from tests.support.xiacun import birth, camera_state, received

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

expect.set_options(timeout=STEP_MS)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def centre(tmp_path) -> Iterator[WebCentre]:
    with centre_with_pages(tmp_path, camera_state(retention_days=30)) as running:
        yield running


@pytest.fixture
def photo(tmp_path) -> Path:
    path = tmp_path / "sign.jpg"
    path.write_bytes(jpeg(3, 2400, 1600))
    return path


async def reach(page: Page, test_id: str) -> None:
    """Come to something by the Tab key alone."""
    for _ in range(80):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement?.dataset?.testid ?? ''") == test_id:
            return
    raise AssertionError(f"no way by Tab to {test_id}")


async def press(page: Page, test_id: str) -> None:
    await expect(page.get_by_test_id(test_id)).to_be_enabled()
    await reach(page, test_id)
    await page.keyboard.press("Enter")


async def test_a_camera_without_a_file_is_registered_signed_and_taken_in_use_by_keyboard(
    centre, photo
):
    async with opened(centre, "admin", "/") as page:
        due = page.get_by_test_id("points-due")
        await expect(due).to_contain_text("1个探头未建档")
        await due.get_by_role("link").press("Enter")
        row = page.get_by_test_id("point-row")
        await expect(row).to_have_attribute("data-state", "unregistered")
        await expect(row).to_contain_text("未建档")
        await row.press("Enter")

        await expect(page.get_by_test_id("point-legal-basis")).to_have_value("art7_1")
        await reach(page, "point-place-type")
        await page.keyboard.type("广场")
        await reach(page, "point-unit")
        await page.keyboard.type("下村村民委员会")
        await page.keyboard.press("Enter")
        await expect(page.get_by_test_id("point-state")).to_have_text("草稿")
        await expect(page.get_by_test_id("step-in_use")).to_be_disabled()

        await press(page, "checklist-open")
        dialog = page.get_by_test_id("checklist")
        await expect(dialog).to_contain_text("不在卫生间内")
        for item in CLEAR:
            await reach(page, f"item-{item}")
            await page.keyboard.press("Space")
        await reach(page, "checklist-seen")
        await page.keyboard.press("Space")
        await expect(page.get_by_test_id("checklist-sign")).to_have_text("以 李秀英 的名义签名")
        await press(page, "checklist-sign")
        await expect(dialog).to_have_count(0)
        await expect(page.get_by_test_id("checklist-card")).to_contain_text("李秀英")
        await expect(page.get_by_test_id("checklist-card")).to_contain_text("全部符合")

        await page.get_by_test_id("sign-file").set_input_files(photo)
        await expect(page.get_by_test_id("sign-preview")).to_be_visible()
        await press(page, "sign-send")
        shown = page.get_by_test_id("sign-photo")
        await expect(shown).to_have_attribute("width", "1920")  # made smaller before it was sent
        assert await shown.evaluate("it => it.decode().then(() => it.naturalWidth)") == 1920

        await press(page, "step-in_use")
        await page.keyboard.type("验收合格")
        await page.keyboard.press("Enter")
        await expect(page.get_by_test_id("point-state")).to_have_text("已启用")
        ledger = page.get_by_test_id("point-ledger").get_by_role("listitem")
        await expect(ledger).to_have_count(4)
        await expect(ledger.last).to_contain_text("草稿 → 已启用")
        await expect(ledger.last).to_contain_text("验收合格")


async def test_a_forbidden_place_is_signed_as_such_only_with_words_and_goes_no_further(centre):
    with centre.client("admin") as admin:
        register(admin)
    async with opened(centre, "admin", f"/points/{CAMERA}") as page:
        await page.get_by_test_id("checklist-open").press("Enter")
        for item in CLEAR:
            if item != "toilets":
                await page.get_by_test_id(f"item-{item}").press("Space")
        await page.get_by_test_id("checklist-seen").press("Space")
        await expect(page.get_by_test_id("checklist-sign")).to_be_disabled()
        await page.get_by_test_id("checklist-note").fill("对着公厕门口")
        await page.get_by_test_id("checklist-sign").press("Enter")
        card = page.get_by_test_id("checklist-card")
        await expect(card).to_contain_text("不在卫生间内")
        await expect(card).to_contain_text("对着公厕门口")
        await expect(page.get_by_test_id("step-trial")).to_be_disabled()
        await page.get_by_test_id("checklist-open").press("Enter")
        await page.keyboard.press("Escape")
        await expect(page.get_by_test_id("checklist")).to_have_count(0)
        await expect(page.get_by_test_id("checklist-open")).to_be_focused()


async def test_an_alert_of_a_point_in_trial_is_listed_as_one_and_rings_nowhere(centre):
    with centre.client("admin") as admin:
        register(admin)
    async with opened(centre, "admin", f"/points/{CAMERA}") as page:
        await page.get_by_test_id("step-trial").press("Enter")
        await page.keyboard.type("调整人数阈值")
        await page.keyboard.press("Enter")
        await expect(page.get_by_test_id("point-state")).to_have_text("试运行")
        alert_id = raise_alert(centre, 1)
        await page.goto(f"{centre.url}/alerts/{alert_id}")
        await expect(page.get_by_test_id(f"alert-row-{alert_id}")).to_contain_text("试运行")
        await expect(page.get_by_test_id("calling-strip")).to_have_count(0)


async def test_the_filing_is_entered_and_a_change_of_it_is_told_with_what_it_was(centre):
    with centre.client("admin") as admin:
        take_in_use(admin)
    async with opened(centre, "admin", "/filing") as page:
        await expect(page.get_by_test_id("filing-state")).to_have_text("未备案")
        await expect(page.get_by_test_id("filing-standing")).to_contain_text("还有30天")
        await reach(page, "filing-number")
        await page.keyboard.type("楚公视备12号")
        await page.keyboard.press("Enter")
        await expect(page.get_by_test_id("filing-state")).to_have_text("已备案")
        await expect(page.get_by_test_id("filing-last")).to_contain_text("楚公视备12号")
        with centre.client("admin") as admin:
            take_in_use_elsewhere(admin)
        await page.reload()
        await expect(page.get_by_test_id("filing-state")).to_have_text("需变更备案")
        change = page.get_by_test_id("filing-changes").get_by_role("row").last
        await expect(change).to_contain_text("设备类型")
        await expect(change).to_contain_text("固定枪机")
        await expect(change).to_contain_text("云台球机")


def take_in_use_elsewhere(admin: httpx.Client) -> None:
    """Say that the camera is one that turns."""
    told = admin.get(f"/points/{CAMERA}").json()
    keys = ("place_type", "legal_basis", "manager_unit", "installed_on")
    body = {key: told[key] for key in keys} | {"device_type": "ptz"}
    assert admin.put(f"/points/{CAMERA}", json=body).status_code == 200


@pytest.mark.parametrize(("place", "count"), [("村委会门口", 2), ("水库大坝东侧电杆" * 7, 4)])
async def test_the_form_is_printed_on_whole_sheets_however_long_its_words(centre, place, count):
    names = [f"cam{number}" for number in range(1, 12)]
    told = [camera_state(name, name="村口主路大槐树旁" * 3, place=place) for name in names]
    now = datetime.now(UTC)
    centre.take(received(birth(*told, at=now), now))
    with centre.client("admin") as admin:
        for name in names:
            take_in_use(admin, f"xiacun-1.{name}", manager_phone="0878-1234567")
    async with opened(centre, "duty", "/print/filing") as page:
        sheets = page.get_by_test_id("sheet")
        await expect(sheets).to_have_count(count)
        await expect(sheets.first).to_contain_text("共11台")
        await expect(sheets.last).to_contain_text("盖章处")
        numbers = [f"第{number}页 / 共{count}页" for number in range(1, count + 1)]
        await expect(page.get_by_test_id("page-number")).to_have_text(numbers)
        full = "all => all.map(it => it.scrollHeight - it.clientHeight)"
        assert await sheets.evaluate_all(full) == [0] * count
        await page.emulate_media(media="print")
        await expect(page.get_by_test_id("print")).to_be_hidden()
        printed = await page.pdf(prefer_css_page_size=True)
        assert printed.count(b"/Type /Page\n") == count


async def test_the_notice_sign_is_one_sheet_and_says_what_the_law_wants(centre):
    with centre.client("admin") as admin:
        take_in_use(admin)
    async with opened(centre, "duty", f"/print/sign/{CAMERA}") as page:
        await expect(page.get_by_test_id("notice-needs")).to_be_visible()
        with centre.client("admin") as admin:
            admin.put(f"/points/{CAMERA}", json=terms(manager_phone="0878-1234567"))
        await page.reload()
        sign = page.get_by_test_id("sheet")
        for words in ("公共安全视频图像采集区域", "下村村民委员会", "0878-1234567", "30天"):
            await expect(sign).to_contain_text(words)
        printed = await page.pdf(prefer_css_page_size=True)
        assert printed.count(b"/Type /Page\n") == 1


@pytest.mark.parametrize("path", ["/points", f"/points/{CAMERA}", "/filing"])
async def test_everything_fits_a_telephone(centre, path):
    with centre.client("admin") as admin:
        take_in_use(admin)
    async with opened(centre, "admin", path) as page:
        await page.set_viewport_size({"width": 360, "height": 740})
        await expect(page.locator("main h1")).to_be_visible()
        wide = await page.evaluate(
            "[...document.querySelectorAll('main, main .card')]"
            ".filter(it => it.scrollWidth > it.clientWidth + 1).map(it => it.className)"
        )
        assert wide == []


async def test_duty_reads_all_and_looks_after_the_sign_and_changes_nothing(centre):
    with centre.client("admin") as admin:
        take_in_use(admin)
    async with opened(centre, "duty", f"/points/{CAMERA}") as page:
        await expect(page.get_by_test_id("sign-photo")).to_be_visible()
        for test_id in ("point-form", "checklist-open", "sign-file", "step-retired"):
            await expect(page.get_by_test_id(test_id)).to_have_count(0)
        await page.get_by_test_id("sign-damaged").press("Enter")
        await expect(page.get_by_test_id("sign-due")).to_contain_text("损坏或缺失")
        await page.get_by_test_id("sign-whole").press("Enter")
        day = (datetime.now(UTC) + timedelta(days=30, hours=8)).date().isoformat()
        await expect(page.get_by_test_id("sign-due")).to_contain_text(day)
