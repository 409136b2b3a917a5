"""Answers in the shapes that OpenAI and servers which resemble it give, more and less than asked.

After the references of the servers: https://platform.openai.com/docs/api-reference,
https://docs.vllm.ai, https://github.com/ggml-org/llama.cpp/tree/master/tools/server,
https://docs.ollama.com/api/openai-compatibility.
"""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest

from toolguild.synth.models import Answer, FunctionCall, ModelDownError, ModelSettings
from toolguild.synth.models.bodies import body_of
from toolguild.synth.models.endpoint import OpenAIEndpoint
from toolguild.synth.models.errors import UnsupportedRequestError
from toolguild.synth.models.request import Message

KEY = "sk-of-a-test"


def exchanged(response: httpx2.Response, api: Any = "chat") -> Answer:
    """Return how an answer is read."""
    settings = ModelSettings(name="m", base_url="http://server/v1", api_key=KEY, api=api)
    transport = httpx2.MockTransport(lambda request: response)

    async def send() -> Answer:
        endpoint = OpenAIEndpoint(settings, transport)
        try:
            return await endpoint.send(body_of(settings, [Message("user", "hello")], None, ""))
        finally:
            await endpoint.close()

    return asyncio.run(send())


def chat(message: dict[str, Any], finish: str | None = "stop", **more: Any) -> httpx2.Response:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    completion = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m"}
    usage = {"prompt_tokens": 19, "completion_tokens": 10, "total_tokens": 29}
    return httpx2.Response(200, json={**completion, "choices": [choice], "usage": usage, **more})


CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
FUNCTION_CALL = FunctionCall("c", "f", "{}")
CHATS = {
    "OpenAI": (
        chat(
            {"content": "Hi", "refusal": None, "annotations": []},
            service_tier="default",
            system_fingerprint="fp",
            usage={
                "prompt_tokens": 19,
                "completion_tokens": 10,
                "total_tokens": 29,
                "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 0},
            },
        ),
        Answer("Hi", "whole", 19, 10, "chatcmpl-1"),
    ),
    "vLLM, with thoughts apart": (
        chat(
            {"content": "Hi", "reasoning_content": "They greet.", "tool_calls": []},
            stop_reason=None,
            prompt_logprobs=None,
            kv_transfer_params=None,
        ),
        Answer("Hi", "whole", 19, 10, "chatcmpl-1"),
    ),
    "llama.cpp, with timings": (
        chat({"content": "Hi"}, timings={"prompt_n": 19, "predicted_per_second": 35.1}),
        Answer("Hi", "whole", 19, 10, "chatcmpl-1"),
    ),
    "thoughts, and no room for more": (
        chat({"content": None, "reasoning": "They greet, so"}, "length"),
        Answer("", "cut off", 19, 10, "chatcmpl-1"),
    ),
    "a call in the place of words": (
        chat({"content": None, "tool_calls": [CALL]}, "tool_calls"),
        Answer("", "whole", 19, 10, "chatcmpl-1", (FUNCTION_CALL,)),
    ),
    "filtered": (
        chat({"content": None}, "content_filter"),
        Answer("", "refused", 19, 10, "chatcmpl-1"),
    ),
    "declined": (
        chat({"content": None, "refusal": "I can't."}),
        Answer("I can't.", "refused", 19, 10, "chatcmpl-1"),
    ),
    "no usage": (
        chat({"content": "Hi"}, usage=None),
        Answer("Hi", "whole", None, None, "chatcmpl-1"),
    ),
    "no reason to finish": (
        chat({"content": "Hi"}, None),
        Answer("Hi", "whole", 19, 10, "chatcmpl-1"),
    ),
}


@pytest.mark.parametrize("way", CHATS)
def test_chat_completions_are_read(way: str) -> None:
    response, answer = CHATS[way]
    assert exchanged(response) == answer


def test_a_request_is_known_by_its_header() -> None:
    response = chat({"content": "Hi"})
    response.headers["x-request-id"] = "req_7"
    assert exchanged(response).request_id == "req_7"


def respond(output: list[Any], status: str = "completed", **more: Any) -> httpx2.Response:
    usage = {"input_tokens": 36, "output_tokens": 87, "total_tokens": 123}
    usage |= {"output_tokens_details": {"reasoning_tokens": 0}}  # type: ignore[dict-item]
    response = {"id": "resp_1", "object": "response", "created_at": 1, "status": status}
    more = {"error": None, "store": False, "tools": [], "usage": usage, **more}
    return httpx2.Response(200, json={**response, "output": output, **more})


def says(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"type": "message", "id": "msg_1", "role": "assistant", "content": [*parts]}


HELLO = {"type": "output_text", "text": "Hi", "annotations": [], "logprobs": []}
THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": None}
CUT_OFF = {"incomplete_details": {"reason": "max_output_tokens"}}
RESPONSES = {
    "a message": (respond([says(HELLO)]), Answer("Hi", "whole", 36, 87, "resp_1")),
    "thoughts before": (respond([THOUGHT, says(HELLO)]), Answer("Hi", "whole", 36, 87, "resp_1")),
    "two parts": (respond([says(HELLO, HELLO)]), Answer("HiHi", "whole", 36, 87, "resp_1")),
    "only thoughts": (
        respond([THOUGHT], "incomplete", **CUT_OFF),
        Answer("", "cut off", 36, 87, "resp_1"),
    ),
    "declined": (
        respond([says({"type": "refusal", "refusal": "I can't."})]),
        Answer("I can't.", "refused", 36, 87, "resp_1"),
    ),
    "a call": (
        respond([{"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}]),
        Answer("", "whole", 36, 87, "resp_1", (FunctionCall("c", "f", "{}"),)),
    ),
    "no usage": (
        respond([says(HELLO)], usage=None),
        Answer("Hi", "whole", None, None, "resp_1"),
    ),
}


@pytest.mark.parametrize("way", RESPONSES)
def test_responses_are_read(way: str) -> None:
    response, answer = RESPONSES[way]
    assert exchanged(response, "responses") == answer


@pytest.mark.parametrize(
    "body",
    [
        {"id": "c", "choices": [], "usage": None},
        {"id": "c", "choices": None},
        {"error": {"message": "upstream went away", "code": 502}},
        {"choices": [{"message": {"content": [{"type": "text", "text": "Hi"}]}}]},
        {"choices": [{"message": {"content": "Hi"}}], "usage": {"prompt_tokens": -1}},
        [],
    ],
)
def test_what_is_no_completion_is_an_error(body: Any) -> None:
    with pytest.raises(ModelDownError, match="is no reply"):
        exchanged(httpx2.Response(200, json=body))


ERRORS = {
    "OpenAI": (
        401,
        {"error": {"message": f"Incorrect API key provided: {KEY}.", "code": "invalid_api_key"}},
        "Incorrect API key",
    ),
    "vLLM, before it had `error`": (
        404,
        {"object": "error", "message": "The model `m` does not exist.", "code": 404},
        "does not exist",
    ),
    "llama.cpp": (
        403,
        {"error": {"code": 403, "message": "Invalid API Key", "type": "authentication_error"}},
        "Invalid API Key",
    ),
    "Ollama": (
        404,
        {"error": {"message": "model 'm' not found", "type": "api_error", "code": None}},
        "model 'm' not found",
    ),
    "Ollama, in its own protocol": (404, {"error": "model 'm' not found"}, "model 'm' not found"),
    "FastAPI": (405, {"detail": "Method Not Allowed"}, "Method Not Allowed"),
}


@pytest.mark.parametrize("way", ERRORS)
def test_what_a_server_says_of_its_error_is_told(way: str) -> None:
    status, body, told = ERRORS[way]
    with pytest.raises(ModelDownError, match=told) as raised:
        exchanged(httpx2.Response(status, json=body))
    assert KEY not in str(raised.value)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"error": {"message": "'response_format' of type 'json_schema' is not supported"}}),
        (400, {"object": "error", "message": "max_tokens is too large", "code": 400}),
        (422, {"detail": [{"loc": ["body", "response_format"], "msg": "extra fields"}]}),
    ],
)
def test_a_request_of_the_wrong_form_is_told_from_a_server_that_is_down(
    status: int, body: Any
) -> None:
    with pytest.raises(UnsupportedRequestError):
        exchanged(httpx2.Response(status, json=body))
