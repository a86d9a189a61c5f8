"""Commands on the real centre, given in a browser; the box's words come as a box sends them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import select

from central.commands.dispatch import CommandDispatch
from central.db.models import BoxCommand
from protocol.clock import SystemClock
from protocol.commands import parse
from protocol.messages import CommandMessage, Outcome, ResultData, ResultMessage, source_of_box
from tests.integration.central.test_evidence_http import whole
from tests.support.page import STEP_MS, opened
from tests.support.web_centre import WebCentre, centre_with_pages
from tests.support.xiacun import (
    BOOT,
    BOX,
    OUTBOX,
    alert_data,
    alert_message,
    camera_state,
    heartbeat,
    received,
)

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

expect.set_options(timeout=STEP_MS)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def centre(tmp_path) -> Iterator[WebCentre]:
    with centre_with_pages(tmp_path, camera_state()) as running:
        yield running


def given(centre: WebCentre) -> CommandMessage:
    """Return the one command that its box is given now."""
    now = datetime.now(UTC)
    centre.take(received(heartbeat(camera_state(), at=now), now))
    (one,) = CommandDispatch(centre.centre.database, SystemClock()).due()
    return one.message


def say(
    centre: WebCentre,
    command_id: UUID,
    sequence: int,
    outcome: Outcome,
    reason: str = "",
    detail: str = "",
):
    """Let the box say what became of a command."""
    now = datetime.now(UTC)
    message = ResultMessage(
        id=uuid4(),
        source=source_of_box(BOX),
        time=now,
        subject="box",
        sequence=sequence,
        bootid=BOOT,
        outboxid=OUTBOX,
        data=ResultData(
            command_id=command_id,
            kind="any",
            outcome=outcome,
            reason=reason,
            detail=detail,
            at=now,
        ),
    )
    centre.take(received(message, now))


def newest(page: Page):
    return page.get_by_test_id("command").first


async def test_from_an_alert_the_full_recording_is_fetched_with_the_keyboard_alone(centre):
    now = datetime.now(UTC)
    alert = alert_data(started_at=now, at=now)
    centre.take(received(alert_message(alert, 1), now))
    async with opened(centre, "duty", f"/alerts/{alert.alert_id}") as page:
        link = page.get_by_test_id("fetch-main")
        await expect(link).to_have_text("调取主码流录像")
        await link.focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_test_id("command-kind")).to_have_value("clip")
        await expect(page.get_by_test_id("command-camera")).to_have_value("cam1")
        reason = page.get_by_test_id("command-reason")
        await expect(page.get_by_test_id("command-give")).to_be_disabled()
        await reason.focus()
        await page.keyboard.type("核实广场烟火")
        await page.keyboard.press("Enter")
        await expect(newest(page).get_by_test_id("command-state")).to_contain_text("等主机在线")
        await expect(reason).to_have_value("")

        message = given(centre)
        start, end = (
            datetime.fromisoformat(str(message.data.arguments[key])) for key in ("start", "end")
        )
        assert abs((start - now).total_seconds() + 60) <= 1
        assert (end - start).total_seconds() == 120
        await expect(newest(page).get_by_test_id("command-state")).to_contain_text("已发出")
        say(centre, message.id, 2, Outcome.ACCEPTED)
        await expect(newest(page).get_by_test_id("command-state")).to_contain_text("主机正在办")
        assert whole(centre, message.id).status_code == 201
        say(centre, message.id, 3, Outcome.DONE)
        await expect(newest(page).get_by_test_id("command-state")).to_contain_text("办完了")
        fetched = newest(page).get_by_test_id("fetched")
        await expect(fetched).to_have_text("打开录像")
        href = await fetched.get_attribute("href")
        answer = await page.request.get(f"{centre.url}{href}")
        assert (answer.status, answer.headers["content-type"]) == (200, "video/mp4")


async def test_the_administrator_disarms_a_camera_and_sees_it_until_it_is_armed(centre):
    async with opened(centre, "admin", "/boxes") as page:
        await page.get_by_test_id("box-commands").click()
        await page.get_by_test_id("command-kind").select_option("disarm")
        await page.get_by_test_id("command-minutes").fill("0")
        await page.get_by_test_id("command-reason").fill("广场放电影")
        await expect(page.get_by_test_id("command-give")).to_be_disabled()
        await page.get_by_test_id("command-minutes").fill("45")
        await page.get_by_test_id("command-give").click()
        await expect(newest(page)).to_contain_text("45 分钟")
        message = given(centre)
        assert message.data.arguments == {"camera_id": "cam1", "for_s": 2700}
        say(centre, message.id, 1, Outcome.DONE)
        await expect(page.get_by_test_id("disarmed")).to_contain_text("已撤防：文化广场")
        async with opened(centre, "wall", "/wall") as wall:
            await expect(wall.get_by_test_id("tile-disarmed")).to_contain_text("撤防 至")

        await page.get_by_test_id("command-kind").select_option("arm")
        await page.get_by_test_id("command-rule").fill("smoke")
        await page.get_by_test_id("command-reason").fill("散场了")
        await page.get_by_test_id("command-give").click()
        await expect(page.get_by_test_id("command")).to_have_count(2)
        say(centre, given(centre).id, 2, Outcome.REFUSED, "no_such_rule")
        await expect(newest(page).get_by_test_id("command-why")).to_contain_text("没有这条规则")
        await expect(page.get_by_test_id("disarmed")).to_be_visible()
        await page.get_by_test_id("command-rule").fill("")
        await page.get_by_test_id("command-reason").fill("散场了")
        await page.get_by_test_id("command-give").click()
        await expect(page.get_by_test_id("command")).to_have_count(3)
        say(centre, given(centre).id, 3, Outcome.DONE)
        await expect(page.get_by_test_id("disarmed")).to_have_count(0)
        with centre.centre.database.read() as session:
            states = session.scalars(select(BoxCommand.state).order_by(BoxCommand.id)).all()
        assert [str(state) for state in states] == ["done", "refused", "done"]


async def test_the_administrator_draws_a_mask_sees_it_and_undoes_it(centre):
    async with opened(centre, "admin", f"/boxes/{BOX}/commands") as page:
        await page.get_by_test_id("command-kind").select_option("mask")
        await page.get_by_test_id("command-reason").fill("灶台天天冒烟")
        await expect(page.get_by_test_id("command-give")).to_be_disabled()
        await page.get_by_test_id("command-rule").fill("fire")
        frame = await page.get_by_test_id("mask-picture").bounding_box()
        assert frame is not None
        for x, y in ((0.1, 0.2), (0.3, 0.2)):
            await page.get_by_test_id("mask-picture").click(
                position={"x": x * frame["width"], "y": y * frame["height"]}
            )
        await expect(page.get_by_test_id("command-give")).to_be_disabled()
        areas = page.get_by_test_id("mask-areas")
        await areas.press("End")
        await areas.press_sequentially(" 0.3,0.5")
        await page.get_by_test_id("command-give").click()
        await expect(newest(page)).to_contain_text("屏蔽 1 块")
        message = given(centre)
        (area,) = parse(message.data.kind, message.data.arguments).exclude
        assert len(area) == 3
        assert all(abs(one - other) < 0.02 for one, other in zip(area[0], (0.1, 0.2), strict=True))
        say(centre, message.id, 1, Outcome.DONE)
        mask = page.get_by_test_id("mask")
        await expect(mask).to_contain_text("文化广场，规则 fire，1 块")
        await expect(mask).to_contain_text("灶台天天冒烟")
        async with opened(centre, "duty", f"/boxes/{BOX}/commands") as seen:
            await expect(seen.get_by_test_id("mask")).to_contain_text("灶台天天冒烟")
            await expect(seen.get_by_test_id("mask-change")).to_have_count(0)

        await page.get_by_test_id("command-rule").fill("")
        await areas.fill("")
        await mask.get_by_test_id("mask-change").click()
        await expect(page.get_by_test_id("command-rule")).to_have_value("fire")
        await expect(areas).not_to_have_value("")
        await page.get_by_test_id("mask-undo").check()
        await page.get_by_test_id("command-reason").fill("灶台拆了")
        await page.get_by_test_id("command-give").click()
        await expect(page.get_by_test_id("command")).to_have_count(2)
        say(centre, given(centre).id, 2, Outcome.DONE)
        await expect(mask).to_have_count(0)


async def box_says_its_settings(page: Page, version: int, toml: str) -> None:
    """Answer for the box, which this centre has no connection to."""
    answer = {"version": version, "running": version, "on_trial": False, "toml": toml}
    await page.route("**/edge/v1/settings", lambda route: route.fulfill(json=answer))


async def clicked(page: Page, centre: WebCentre, button: str, count: int) -> CommandMessage:
    """Click what gives a command, the page's ``count``-th, and return what its box is given."""
    await page.get_by_test_id(button).click()
    await expect(page.get_by_test_id("command")).to_have_count(count)
    return given(centre)


async def test_settings_are_fetched_edited_looked_at_and_then_tried(centre):
    async with opened(centre, "admin", f"/boxes/{BOX}/commands") as page:
        await box_says_its_settings(page, 3, "[detect]\nfps = 2.0\n")
        await page.get_by_test_id("command-kind").select_option("configure")
        await page.get_by_test_id("command-reason").fill("白天多看几眼")
        give, found = page.get_by_test_id("command-give"), page.get_by_test_id("configure-check")
        await expect(page.get_by_test_id("command-check")).to_be_disabled()
        await page.get_by_test_id("configure-fetch").click()
        await expect(page.get_by_test_id("configure-base")).to_contain_text("第 3 版")
        patch = page.get_by_test_id("configure-patch")
        await expect(patch).to_have_value("[detect]\nfps = 2.0\n")
        await patch.fill("[detect]\nfps = 99\n")
        await expect(give).to_be_disabled()
        message = await clicked(page, centre, "command-check", 1)
        assert message.data.arguments["check_only"] is True
        wrong = "'detect.fps': Input should be less than or equal to 25, not 99"
        say(centre, message.id, 1, Outcome.REFUSED, "settings", wrong)
        await expect(found).to_contain_text("not 99")
        await expect(give).to_be_disabled()

        await patch.fill("[detect]\nfps = 4\n")
        await expect(found).to_have_count(0)
        message = await clicked(page, centre, "command-check", 2)
        say(centre, message.id, 2, Outcome.DONE, "checked", "detect.fps: 2.0 → 4.0")
        await expect(found).to_contain_text("detect.fps: 2.0 → 4.0")
        message = await clicked(page, centre, "command-give", 3)
        assert parse(message.data.kind, message.data.arguments) == parse(
            "configure", {"patch": "[detect]\nfps = 4\n", "base_version": 3}
        )
        state = newest(page).get_by_test_id("command-state")
        say(centre, message.id, 3, Outcome.ACCEPTED, "on_trial", "detect.fps: 2.0 → 4.0")
        await expect(state).to_contain_text("试运行")
        why = "within 180 s gate/main did not come back"
        say(centre, message.id, 4, Outcome.FAILED, "rolled_back", why)
        await expect(state).to_contain_text("已回退")
        await expect(newest(page).get_by_test_id("command-detail")).to_have_text(why)
        await expect(give).to_be_disabled()


async def test_the_last_change_of_settings_is_undone(centre):
    async with opened(centre, "admin", f"/boxes/{BOX}/commands") as page:
        await box_says_its_settings(page, 5, "[detect]\nfps = 2.0\n")
        await page.get_by_test_id("command-kind").select_option("configure")
        await page.get_by_test_id("configure-fetch").click()
        await page.get_by_test_id("configure-undo").check()
        await expect(page.get_by_test_id("configure-patch")).to_have_count(0)
        await page.get_by_test_id("command-reason").fill("改回去")
        message = await clicked(page, centre, "command-check", 1)
        say(centre, message.id, 1, Outcome.DONE, "checked", "detect.fps: 2.0 → 1.0")
        message = await clicked(page, centre, "command-give", 2)
        assert (message.data.arguments["undo"], message.data.arguments["base_version"]) == (True, 5)
        say(centre, message.id, 2, Outcome.ACCEPTED, "on_trial", "detect.fps: 2.0 → 1.0")
        say(centre, message.id, 3, Outcome.DONE, "kept", "version 6\ndetect.fps: 2.0 → 1.0")
        state = newest(page).get_by_test_id("command-state")
        await expect(state).to_contain_text("已生效")


async def test_the_clock_is_asked_for_without_a_camera_and_a_refusal_says_what_to_do(centre):
    async with opened(centre, "admin", f"/boxes/{BOX}/commands") as page:
        await page.get_by_test_id("command-kind").select_option("sync_clock")
        await expect(page.get_by_test_id("command-camera")).to_have_count(0)
        await page.get_by_test_id("command-reason").fill("告警时间不对")
        await page.get_by_test_id("command-give").click()
        await expect(page.get_by_test_id("command")).to_have_count(1)
        message = given(centre)
        assert message.data.arguments == {}
        say(centre, message.id, 1, Outcome.REFUSED, "may_not_set_clock")
        await expect(newest(page).get_by_test_id("command-why")).to_contain_text("请到现场对时")


async def test_who_is_on_duty_fetches_and_disarms_nothing(centre):
    async with opened(centre, "duty", f"/boxes/{BOX}/commands?lang=en") as page:
        kinds = page.get_by_test_id("command-kind").get_by_role("option")
        await expect(kinds).to_have_text(["Take a picture", "Fetch the full recording"])
