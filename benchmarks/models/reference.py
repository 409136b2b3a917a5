"""A server that knows good answers to what the wanted tools are, and declines all else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from benchmarks.models.wanted import WANTED

__all__ = ["reference_server"]

_ANSWERS = {one.name: one.answer for one in WANTED}


@contextmanager
def reference_server() -> Iterator[dict[str, str]]:
    """Run it for a block; yields the environment that names it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield {"OPENAI_BASE_URL": f"http://127.0.0.1:{server.server_address[1]}/v1"}
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """List no models, which is a sign of life."""
        self._send({"object": "list", "data": []})

    def do_POST(self) -> None:
        """Answer one request; tokens are taken to be four characters long."""
        told = self.rfile.read(int(self.headers["content-length"]))
        text = _answer(json.loads(told))
        message = {"role": "assistant", "content": text, "refusal": None if text else "declined"}
        usage = {"prompt_tokens": len(told) // 4, "completion_tokens": len(text) // 4}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        self._send({"object": "chat.completion", "choices": [choice], "usage": usage})

    def _send(self, reply: dict[str, Any]) -> None:
        body = json.dumps(reply).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


def _answer(request: dict[str, Any]) -> str:
    data = request["messages"][1]["content"].removeprefix("<data>").removesuffix("</data>")
    source = _ANSWERS.get(json.loads(data).get("name", ""))
    return json.dumps({"source": source}) if source else ""
