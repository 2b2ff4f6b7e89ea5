"""A script that a browser runs before any of Gradio's own; what goes through `launch(head=…)` comes after them."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders

HEAD = b"<head>"


class FirstScript:
    """ASGI middleware: puts `script` at the beginning of the head of every HTML page that goes by in one piece."""

    def __init__(self, app, script: str):
        self.app, self.tag = app, b"<script>" + script.encode() + b"</script>"

    async def __call__(self, scope, receive, send) -> None:
        start = None

        async def sending(message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                if headers.get("content-type", "").startswith("text/html") and "content-length" in headers:
                    start = message  # until its body is known
                    return
            elif start is not None and message["type"] == "http.response.body":
                body = message.get("body", b"")
                if HEAD in body and not message.get("more_body"):
                    message = {**message, "body": body.replace(HEAD, HEAD + self.tag, 1)}
                    MutableHeaders(raw=start["headers"])["content-length"] = str(len(message["body"]))
                start, began = None, start
                await send(began)
            await send(message)

        await self.app(scope, receive, sending if scope["type"] == "http" else send)
