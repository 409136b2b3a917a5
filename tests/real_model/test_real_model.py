"""A real model over a real endpoint: what it says is worth nothing before it is proven."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import small_model
from code_runs import messy, sound
from pydantic import BaseModel
from stage_runs import OWN

from toolguild.agent.stages import Ended, Event, Limits, run_task
from toolguild.cli.main import run
from toolguild.registry import Registry, Toolbox, verify
from toolguild.registry.improvement import ScoredRun
from toolguild.sandbox import open_sandbox
from toolguild.synth.models import (
    Answer,
    BadReplyError,
    Model,
    ModelSettings,
    OverBudgetError,
    Prompt,
    Request,
)
from toolguild.synth.models.bodies import body_of
from toolguild.synth.models.endpoint import OpenAIEndpoint
from toolguild.synth.models.request import Message

pytestmark = pytest.mark.model
BOTH_APIS = pytest.mark.parametrize("api", ["chat", "responses"])
FEW_TOKENS = 16
"""As few as any server takes."""
LONG_ANSWER = "Count from one to one thousand, in words."


class Verdict(BaseModel):
    name: str
    score: int


def request(number: int) -> Request[Verdict]:
    prompt = Prompt.parse("judge", "version: 1\n\nGive the data a name and a score. Reply in JSON.")
    return Request(prompt, {"number": number}, Verdict)


def sent(settings: ModelSettings, *texts: str) -> list[Answer]:
    """Return the answers to some requests."""

    async def answers() -> list[Answer]:
        endpoint = OpenAIEndpoint(settings)
        try:
            assert await endpoint.probe()
            bodies = [body_of(settings, [Message("user", text)], None, "") for text in texts]
            return [await endpoint.send(body) for body in bodies]
        finally:
            await endpoint.close()

    return asyncio.run(answers())


@BOTH_APIS
def test_a_reply_tells_what_it_took(real_model: ModelSettings, api: Any) -> None:
    settings = real_model.model_copy(update={"api": api, "most_output_tokens": 400})
    [short, long] = sent(settings, "Say hi.", "Say hi. " + "Be kind. " * 50)
    assert short.text.strip()
    assert short.request_id
    assert short.output_tokens
    assert short.input_tokens
    assert long.input_tokens
    assert 50 <= long.input_tokens - short.input_tokens <= 400


@BOTH_APIS
def test_a_reply_is_no_longer_than_allowed(real_model: ModelSettings, api: Any) -> None:
    settings = real_model.model_copy(update={"api": api, "most_output_tokens": FEW_TOKENS})
    [answer] = sent(settings, LONG_ANSWER)
    assert answer.ended == "cut off"
    assert answer.output_tokens == FEW_TOKENS


@BOTH_APIS
def test_what_it_takes_counts_until_nothing_is_left(real_model: ModelSettings, api: Any) -> None:
    most = 800
    few = {"api": api, "most_tokens": most, "most_output_tokens": FEW_TOKENS, "tries": 2}
    requests: list[Any] = []
    with Model(real_model.model_copy(update=few), on_request=requests.append) as model:
        with pytest.raises(OverBudgetError, match="800 tokens"):
            for number in range(50):
                try:
                    model.ask(request(number))
                except BadReplyError:
                    continue
        spent = model.budget.spent
    assert 1 < spent.requests == len(requests)
    assert spent.output_tokens <= spent.requests * FEW_TOKENS
    assert most / 2 < spent.tokens <= most


def test_tools_are_as_good_as_without(
    real_model: ModelSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    log = tmp_path / "runs.jsonl"
    log.write_text("\n".join(map(json.dumps, [*map(sound, range(8)), *map(messy, range(8))])))
    monkeypatch.setenv("OPENAI_API_KEY", real_model.api_key.get_secret_value())
    if real_model.base_url:
        monkeypatch.setenv("OPENAI_BASE_URL", real_model.base_url)
    arguments = ["synthesize", str(log), "--sandbox", "local", "--json"]
    # The small one says nothing of use, whatever it may write.
    most = ["--model-tokens", "40000"]
    if real_model.name == small_model.NAME:
        most = ["--model-tokens", "8000", "--model-reply-tokens", "160"]
    code = run([*arguments, "--model", real_model.name, *most])
    told = capsys.readouterr()
    fates = {tool["name"]: tool["fate"] for tool in json.loads(told.out)["tools"]}
    assert code == 0
    assert f"Model {real_model.name}: " in told.err
    assert fates.pop("weight_of") == "registered"
    assert fates in ({"order_number": "rejected"}, {"order_number": "registered"})
    if fates["order_number"] == "registered":
        assert run(["call", "order_number", "--args", '{"label": "ABC-4"}']) == 0
        assert capsys.readouterr().out.strip() == "43"


@BOTH_APIS
def test_it_drives_the_stage_loop_whatever_it_answers(real_model, api, tmp_path) -> None:
    events: list[Event] = []
    few = {"api": api, "most_output_tokens": 32, "tries": 1}
    settings = real_model.model_copy(update=few)
    with (
        Registry.open(tmp_path / "tools.db") as registry,
        open_sandbox("local", size=1) as sandbox,
    ):
        result = run_task(
            "What is the weather where Ada lives?",
            settings,
            Toolbox(registry, sandbox, OWN),
            limits=Limits(stages=2, steps=3),
            on_event=events.append,
        )
    assert result.stages >= 1
    assert isinstance(events[-1], Ended)
    assert result.tokens.requests >= 3
    assert result.tokens.input > 0


@BOTH_APIS
def test_it_drives_the_improvement_loop_whatever_it_answers(
    real_model, api, tmp_path, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    (tmp_path / "tasks.toml").write_text(
        '[[tasks]]\nid = "one"\ntask = "Where does Ada live?"\nexact = "Paris"\n\n'
        '[[tasks]]\nid = "two"\ntask = "Where does Bob live?"\nexact = "Rome"\nheld_out = true\n'
    )
    (tmp_path / "instructions.md").write_text("Answer with the name of a city.\n")
    asked = ["--model", real_model.name, "--model-url", str(real_model.base_url)]
    asked += ["--model-api", api, "--model-reply-tokens", "32", "--model-tokens", "12000"]
    asked += ["--registry", "tools.db", "--sandbox", "local"]
    seed = ["improve", "seed", "desk", "--instructions", "instructions.md"]
    assert run([*seed, "--registry", "tools.db"]) == 0
    assert run(["improve", "warm-up", "desk", "--tasks", "tasks.toml", *asked]) == 0
    with Registry.open("tools.db") as registry:
        first = registry.improvements.standing("desk").instructions
        # A reviewer's words: there is something to learn from then, whatever the model did.
        registry.improvements.record(
            ScoredRun(
                "desk",
                "a-review",
                "Where does Eve live?",
                0.1,
                registry.now(),
                why="Look people up before you name their city.",
            )
        )
    assert run(["improve", "run", "desk", "--tasks", "tasks.toml", *asked]) == 0
    with Registry.open("tools.db") as registry:
        standing = registry.improvements.standing("desk")
        assert len(registry.improvements.runs("desk")) == 2
        assert verify(registry).ok
    # Whatever it suggested has passed the gates, or is not there.
    assert standing.original == first
    assert "Traceback" not in capsys.readouterr().err
