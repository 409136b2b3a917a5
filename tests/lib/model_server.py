"""A server on the loopback interface that speaks OpenAI's protocol, and answers as it is told."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from threading import Event, Lock, Thread
from typing import Any

from toolguild.synth.models import Prompt

PROMPTS = [
    Prompt.load(one.name.removesuffix(".md"))
    for one in (files("toolguild.synth.models") / "prompts").iterdir()
]
"""All that are shipped."""


@dataclass
class Script:
    """What one request is answered with."""

    text: str = "{}"
    status: int = 200
    body: bytes | None = None
    """All of the body, in the place of a reply."""
    headers: dict[str, str] = field(default_factory=dict)
    calls: Sequence[tuple[str, dict[str, Any]]] = ()
    """Tools to be called, with their arguments."""
    finish: str = "stop"
    refusal: str | None = None
    usage: dict[str, int] | None = field(
        default_factory=lambda: {"prompt_tokens": 30, "completion_tokens": 9}
    )
    wait_s: float = 0.0
    drip_s: float = 0.0
    """Seconds between any two bytes of the body."""


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that went away."""


class Server:
    """The server; the last answer in the script is given again and again."""

    def __init__(self) -> None:
        self.script: list[Script] = [Script()]
        """Answers to the requests of roles that have no script of their own."""
        self.by_role: dict[str, list[Script]] = {"group": [Script('{"groups": []}')]}
        """Scripts of their own, by the names of prompts."""
        self.by_text: dict[str, list[Script]] = {}
        """Scripts of their own, for requests in which one of these texts stands."""
        self.answer: Callable[[dict[str, Any]], Script] | None = None
        """Answers by what is asked, in the place of all scripts."""
        self.models = Script(body=b'{"object": "list", "data": []}')
        """What whoever asks for the list of models is given."""
        self.probes: list[str] = []
        self.requests: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.stopped = Event()
        self.lock = Lock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                server.probes.append(self.path)
                self._answer(server.models)

            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                with server.lock:
                    server.requests.append(json.loads(self.rfile.read(length)))
                    server.paths.append(self.path)
                    server.headers.append(dict(self.headers))
                    script = server.next_script()
                self._answer(script)

            def _answer(self, script: Script) -> None:
                server.stopped.wait(script.wait_s)
                try:
                    self._send(script)
                except OSError:
                    self.close_connection = True

            def _send(self, script: Script) -> None:
                body = script.body
                if body is None:
                    body = json.dumps(reply(script, self.path)).encode()
                self.send_response(script.status)
                for name, value in {"content-type": "application/json", **script.headers}.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.send_header("x-request-id", f"req-{len(server.requests)}")
                self.end_headers()
                if not script.drip_s:
                    self.wfile.write(body)
                    return
                for byte in body:
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                    time.sleep(script.drip_s)

            def log_message(self, *args: object) -> None:
                pass

        self._http = _QuietServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def asked(self, role: str) -> list[dict[str, Any]]:
        """Return the requests of a role."""
        return [one for one in self.requests if role_of(one) == role]

    def with_text(self, text: str) -> list[dict[str, Any]]:
        """Return the requests that go by the scripts for a text."""
        return [one for one in self.requests if self._script_for(one) is self.by_text[text]]

    def next_script(self) -> Script:
        """Return what the last request is answered with."""
        if self.answer is not None:
            return self.answer(self.requests[-1])
        script = self._script_for(self.requests[-1])
        number = sum(self._script_for(one) is script for one in self.requests)
        return script[min(number, len(script)) - 1]

    def _script_for(self, request: dict[str, Any]) -> list[Script]:
        role, whole = role_of(request), json.dumps(request)
        if role in self.by_role:
            return self.by_role[role]
        return next((one for text, one in self.by_text.items() if text in whole), self.script)

    def close(self) -> None:
        self.stopped.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


def role_of(request: dict[str, Any]) -> str:
    """Return the name of the prompt that a request begins with; "" for one that is not shipped."""
    conversation = request.get("messages") or request.get("input") or [{}]
    told = str(conversation[0].get("content", ""))
    return next((prompt.name for prompt in PROMPTS if told.startswith(prompt.text)), "")


def data_of(request: dict[str, Any]) -> Any:
    """Return the data that a request of a role holds."""
    return json.loads(request["messages"][1]["content"][len("<data>") : -len("</data>")])


def reply(script: Script, path: str) -> dict[str, Any]:
    calls = [(name, json.dumps(arguments)) for name, arguments in script.calls]
    if path.endswith("/responses"):
        part = {"type": "output_text", "text": script.text, "annotations": []}
        if script.refusal:
            part = {"type": "refusal", "refusal": script.refusal}
        usage = script.usage and {
            "input_tokens": script.usage["prompt_tokens"],
            "output_tokens": script.usage["completion_tokens"],
        }
        return {
            "id": "resp-1",
            "object": "response",
            "status": "incomplete" if script.finish == "length" else "completed",
            "output": [
                {"type": "message", "role": "assistant", "content": [part]},
                *(
                    {
                        "type": "function_call",
                        "call_id": f"c-{place}",
                        "name": name,
                        "arguments": arguments,
                    }
                    for place, (name, arguments) in enumerate(calls)
                ),
            ],
            "usage": usage,
        }
    message: dict[str, Any] = {
        "role": "assistant",
        "content": script.text,
        "refusal": script.refusal,
    }
    if calls:
        message["tool_calls"] = [
            {
                "id": f"c-{place}",
                "type": "function",
                "function": {"name": name, "arguments": arguments},
            }
            for place, (name, arguments) in enumerate(calls)
        ]
    choice = {"index": 0, "message": message, "finish_reason": script.finish}
    return {"id": "chat-1", "object": "chat.completion", "choices": [choice], "usage": script.usage}
