"""A script gets to the beginning of a page, and nothing else is touched."""

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, JSONResponse, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from vlm_core.app.first_script import FirstScript

PAGE = "<html><head><script>first = 0</script></head><body>红色 &lt;head></body></html>"


async def page(request):
    return HTMLResponse(PAGE)


async def numbers(request):
    return JSONResponse({"text": "<head>"})


async def stream(request):
    return StreamingResponse(iter(["<head>", "</head>"]), media_type="text/html")


async def known_length(request):
    return StreamingResponse(iter([PAGE[:40], PAGE[40:]]), headers={"content-length": str(len(PAGE.encode()))},
                             media_type="text/html")  # fmt: skip


@pytest.fixture(scope="module")
def client():
    routes = [Route("/", page), Route("/numbers", numbers), Route("/stream", stream), Route("/known", known_length)]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(FirstScript, script="let 一 = 1;")]))


def test_it_comes_before_every_other_script_and_the_length_is_told_right(client):
    answer = client.get("/")
    assert answer.text == PAGE.replace("<head>", "<head><script>let 一 = 1;</script>", 1)
    assert int(answer.headers["content-length"]) == len(answer.content)


@pytest.mark.parametrize(
    ("path", "text"), [("/numbers", '{"text":"<head>"}'), ("/stream", "<head></head>"), ("/known", PAGE)]
)
def test_what_is_no_page_or_comes_in_pieces_stays_as_it_is(client, path, text):
    assert client.get(path).text == text
