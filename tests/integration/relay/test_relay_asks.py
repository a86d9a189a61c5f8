"""What changes something on a box: through the relay, once, in a person's name."""

import asyncio
import json

import httpx
import pytest
from fastapi import Request
from fastapi.responses import JSONResponse, Response
from websockets.asyncio.client import connect

from central.relay.link import RelayLimits
from edge.web.actor import ActorDep
from protocol.relay import MAX_ASK_BYTES
from tests.support.box import Box, running_box
from tests.support.centre import (
    ACTOR,
    BOX_ID,
    PERSON,
    TOKEN,
    Centre,
    dialled_in,
    running_centre,
)
from tests.support.eventually import eventually

pytestmark = pytest.mark.anyio


class Echo:
    """A route of a box that says what it was asked, and counts."""

    def __init__(self, box: Box) -> None:
        self.asked = 0
        self.let_go = asyncio.Event()
        self.let_go.set()
        box.app.add_api_route("/v1/echo/{name}", self.answer, methods=["POST", "PATCH", "DELETE"])

    async def answer(self, request: Request, name: str, actor: ActorDep) -> Response:
        self.asked += 1
        await self.let_go.wait()
        body = (await request.body()).decode()
        answer = {
            "method": request.method,
            "name": name,
            "query": str(request.url.query),
            "body": json.loads(body) if body else None,
            "actor": actor,
        }
        return JSONResponse(answer, status_code=201)


@pytest.fixture
async def box(tmp_path):
    async with running_box(tmp_path) as box:
        yield box


@pytest.fixture
def echo(box):
    return Echo(box)


@pytest.fixture
async def centre():
    async with running_centre(limits=RelayLimits(ask_s=5.0)) as centre:
        yield centre


@pytest.fixture
async def http(centre):
    async with httpx.AsyncClient(
        base_url=f"{centre.url}/api/v1/boxes/{BOX_ID}/edge",
        headers=PERSON,
        trust_env=False,
        verify=False,
    ) as client:
        yield client


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
async def test_a_box_is_told_what_to_do_and_who_says_so(box, echo, centre, http, method):
    async with dialled_in(box, centre):
        answer = await http.request(method, "/v1/echo/a%20b?c=1", json={"reason": "“村口”\n"})
        bare = await http.request(method, "/v1/echo/x")
    assert answer.status_code == 201
    assert answer.json() == {
        "method": method,
        "name": "a b",
        "query": "c=1",
        "body": {"reason": "“村口”\n"},
        "actor": ACTOR,
    }
    assert bare.json()["body"] is None


async def test_the_longest_body_of_quotes_passes_and_a_longer_one_is_refused(
    box, echo, centre, http
):
    body = json.dumps({"a": '"' * ((MAX_ASK_BYTES - 9) // 2)})
    async with dialled_in(box, centre):
        whole = await http.post("/v1/echo/x", content=body)
        longer = await http.post("/v1/echo/x", content=body + " " * 16)
    assert (whole.status_code, longer.status_code, echo.asked) == (201, 422, 1)
    assert whole.json()["body"] == json.loads(body)


@pytest.mark.parametrize("body", [b"[]", b"{", b'"x"', b'{"a": "\xff"}', b"[" * 9000])
async def test_a_body_that_is_no_json_object_goes_nowhere(box, echo, centre, http, body):
    async with dialled_in(box, centre):
        assert (await http.post("/v1/echo/x", content=body)).status_code == 422
    assert echo.asked == 0


async def test_a_name_that_the_browser_brings_along_is_not_the_one_that_acts(
    box, echo, centre, http
):
    async with dialled_in(box, centre):
        answer = await http.post("/v1/echo/x", headers={"x-tanshao-actor": "somebody"}, json={})
    assert answer.json()["actor"] == ACTOR


async def test_who_may_not_is_refused_and_a_box_that_is_not_there_is_a_503(box, echo, centre, http):
    missing = await http.post("/v1/echo/x", json={})
    async with dialled_in(box, centre):
        stranger = await http.post("/v1/echo/x", headers={"authorization": "nobody"}, json={})
        nowhere = await http.post("/v1/no-such-route", json={})
        unknown_method = await http.put("/v1/echo/x", json={})
    assert (missing.status_code, stranger.status_code) == (503, 401)
    assert (nowhere.status_code, nowhere.json()["error"]) == (404, "not_found")
    assert (unknown_method.status_code, echo.asked) == (405, 0)


async def test_a_connection_that_breaks_meanwhile_ends_it_and_nobody_asks_again(
    box, echo, centre, http
):
    echo.let_go.clear()
    async with dialled_in(box, centre):
        asking = asyncio.create_task(http.post("/v1/echo/x", json={}))
        await eventually(lambda: echo.asked == 1)
    answer = await asking
    assert answer.status_code == 504
    assert "not known" in answer.json()["error"]
    echo.let_go.set()
    async with dialled_in(box, centre):
        assert (await http.get("/v1/health")).status_code == 200
    assert echo.asked == 1


async def test_a_box_of_an_older_version_is_not_asked_and_keeps_its_connection(
    centre: Centre, http
):
    headers = {"X-Box-Id": BOX_ID, "Authorization": f"Bearer {TOKEN}"}
    url = f"{centre.ws_url}/api/v1/relay"
    async with connect(url, proxy=None, additional_headers=headers):
        await eventually(lambda: centre.hub.connected(BOX_ID))
        answer = await http.post("/v1/echo/x", json={})
        assert centre.hub.connected(BOX_ID)
    assert answer.status_code == 502


async def test_who_asks_at_the_box_itself_is_local_and_a_broken_name_is_refused(box, echo):
    async with httpx.AsyncClient(base_url=box.server.url, trust_env=False, verify=False) as http:
        local = await http.post("/v1/echo/x", json={})
        named = await http.post(
            "/v1/echo/x", json={}, headers={"x-tanshao-actor": "%E6%9D%A8%20(y)"}
        )
        broken = [
            await http.post("/v1/echo/x", json={}, headers={"x-tanshao-actor": value})
            for value in ("", "%0a", "%FF", "a" * 121)
        ]
    assert local.json()["actor"] == "local"
    assert named.json()["actor"] == "杨 (y)"
    assert [answer.status_code for answer in broken] == [422] * 4


async def test_no_page_of_others_can_make_a_browser_on_the_box_change_anything(box, echo):
    form = {"content-type": "text/plain"}
    async with httpx.AsyncClient(base_url=box.server.url, trust_env=False, verify=False) as http:
        foreign = [
            await http.request(method, "/v1/echo/x", json={}, headers={"origin": "http://evil.cn"})
            for method in ("POST", "PATCH", "DELETE")
        ]
        as_form = [
            await http.post("/v1/echo/x", content=b"{}", headers=form),
            await http.post("/v1/echo/x", data={"a": "b"}),
            await http.post("/v1/echo/x"),
        ]
        own = await http.post("/v1/echo/x", json={}, headers={"origin": box.server.url})
    assert [answer.status_code for answer in foreign] == [403] * 3
    assert [answer.status_code for answer in as_form] == [415] * 3
    assert as_form[0].json()["message_zh"] == "请求格式不正确"
    assert (own.status_code, echo.asked) == (201, 1)
