"""`/audience`: the page for phones and what it asks for. Anybody may come; what comes in is small and checked.

    GET  /audience                                the page, in the language of the phone
    GET  /audience/rooms/CODE                     what is asked; whoever has the last answer (If-None-Match) waits for
                                                  the next, or for 304; 404 once the room is closed
    GET  /audience/rooms/CODE/pictures/NUMBER     the picture
    POST /audience/rooms/CODE/taps                {"voter": "…", "question": 1, "patch": 0 to 195}
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import socket
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from vlm_core.app.audience import NotAsked, RoomGone, Rooms, TooBusy
from vlm_core.app.texts import table
from vlm_core.scenes.world import LANGUAGES

FILES = Path(__file__).parent / "static" / "audience"
MOST_BYTES = 200
"""Of a tap."""
WAIT_SECONDS = 20.0
"""How long a phone's question may stay unanswered while nothing is new; a proxy gives up after 60 or so. A phone that
waits costs far less than one that asks again and again, and training shares these cores."""
LOOK_SECONDS = 0.5
PHONE_WORDS = (
    "phone_title", "phone_code", "phone_enter", "phone_hint", "phone_keys", "phone_gap", "phone_picture", "phone_here",
    "phone_sent", "phone_revealed", "phone_closed", "phone_unknown", "phone_offline", "phone_busy", "phone_private",
)  # fmt: skip
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'",
    "Cache-Control": "no-cache",
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept-Language",
}


def routes(rooms: Rooms, wait_seconds: float = WAIT_SECONDS) -> list[Route]:
    """For the server that carries the page."""

    async def page(request: Request) -> Response:
        return HTMLResponse(phone_page(preferred(request.headers.get("accept-language", ""))), headers=HEADERS)

    async def state(request: Request) -> Response:
        code, seen = request.path_params["code"], request.headers.get("if-none-match")
        patience = time.monotonic() + wait_seconds
        try:
            while seen == (tag := f'"{rooms.version(code)}"'):
                if time.monotonic() >= patience:
                    return Response(status_code=304, headers={"ETag": tag})
                await asyncio.sleep(LOOK_SECONDS)
            shown = rooms.state(code)
        except RoomGone:
            return Response(status_code=404)
        return JSONResponse(shown, headers={"ETag": f'"{shown["version"]}"', "Cache-Control": "no-store"})

    async def picture(request: Request) -> Response:
        try:
            png = rooms.picture(request.path_params["code"], request.path_params["number"])
        except RoomGone:
            return Response(status_code=404)
        return Response(png, media_type="image/png", headers={"Cache-Control": "private, max-age=3600, immutable"})

    async def tap(request: Request) -> Response:
        try:
            told = json.loads(await _few_bytes(request))
            rooms.tap(request.path_params["code"], told["voter"], told["question"], told["patch"])
        except RoomGone:
            return Response(status_code=404)
        except NotAsked:
            return Response(status_code=409)
        except TooBusy:
            return Response(status_code=429)
        except (ValueError, TypeError, KeyError, RecursionError):  # no JSON, or not this one
            return Response(status_code=400)
        return Response(status_code=204)

    room = "/audience/rooms/{code}"
    return [
        Route("/audience", page),
        Route("/audience/", page),
        Route(room, state),
        Route(room + "/pictures/{number:int}", picture),
        Route(room + "/taps", tap, methods=["POST"]),
    ]


async def _few_bytes(request: Request) -> bytes:
    """The body. Raises ValueError as soon as it is longer than any tap."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise ValueError("too long")
    return body


@cache
def phone_page(language: str) -> str:
    """The page with its style, script and words in it, so that a phone asks once."""
    style, script, html = (
        (FILES / name).read_text(encoding="utf-8") for name in ("audience.css", "audience.js", "audience.html")
    )
    words = {spoken: {key: table(spoken)[key] for key in PHONE_WORDS} for spoken in LANGUAGES}
    safe = json.dumps(words, ensure_ascii=False).replace("<", "\\u003c")
    filled = html.replace("/* style */", style).replace("/* script */", script).replace("{/* words */}", safe)
    return filled.replace('<html lang="en">', f'<html lang="{language}">')


def preferred(accept_language: str) -> str:
    """The page's language that an Accept-Language header likes best: "zh-CN,zh;q=0.9,en;q=0.8" → "zh"."""
    likes = []
    for place, wish in enumerate(accept_language.split(",")[:20]):
        name, _, quality = wish.strip().partition(";q=")
        try:
            likes.append((-float(quality or 1), place, name[:2].lower()))
        except ValueError:
            continue
    return next((name for _, _, name in sorted(likes) if name in LANGUAGES), "en")


# Where phones find it


class Reach(NamedTuple):
    base: str
    """Address of the page as phones have to write it, without a slash at its end."""
    open: bool
    """Whether other machines can be expected to reach it."""
    lan: str | None
    """Address of the page in the local network, if it were served there; None if this machine is in none."""


def base_address(headers: Mapping[str, str], scheme: str, root_path: str) -> str:
    """Address of the page as the browser that sent `headers` (names in lower case) wrote it, proxies seen through."""
    if root_path.startswith(("http://", "https://")):
        return root_path.rstrip("/")

    def first(name: str) -> str:
        return headers.get(name, "").split(",")[0].strip()

    host = first("x-forwarded-host") or headers.get("host", "localhost")
    scheme = first("x-forwarded-proto") or scheme
    return f"{scheme}://{host}/{root_path.strip('/')}".rstrip("/")


def reach(base: str, server_name: str | None) -> Reach:
    """How phones get to the page that a browser has open at `base`, from a server that listens on `server_name`."""
    parts = urlsplit(base)
    if not _is_this_machine(parts.hostname or ""):
        return Reach(base, True, None)
    own = own_address()
    if own is None:
        return Reach(base, False, None)
    lan = parts._replace(netloc=f"{own}:{parts.port}" if parts.port else own).geturl()
    return Reach(lan, True, lan) if server_name in ("0.0.0.0", "::") else Reach(base, False, lan)


def _is_this_machine(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    return address.is_loopback or address.is_unspecified


def own_address() -> str | None:
    """This machine's address in its network. Nothing is sent: connecting a datagram socket only looks up a route."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address for documentation, nobody's
        except OSError:
            return None
        address = probe.getsockname()[0]
    return None if _is_this_machine(address) else address
