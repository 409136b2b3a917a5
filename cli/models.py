"""`--model` and what belongs to it: which model is asked, and how much of it may be used."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar, cast

import click
from pydantic import SecretStr, ValidationError

from toolguild.cli.console import out, say
from toolguild.policies import Profile
from toolguild.sandbox import JsonObject
from toolguild.synth.authoring import Author
from toolguild.synth.models import Answer, Model, ModelSettings, RefusedError, ReplyCache, Usage

__all__ = ["ModelChoice", "endpoint_options", "model_options"]

F = TypeVar("F", bound=Callable[..., Any])

_ENDPOINT_OPTIONS = [
    click.option(
        "--model",
        envvar="TOOLGUILD_MODEL",
        metavar="NAME",
        help="Model, by its endpoint's name for it [default: none].",
    ),
    click.option(
        "--model-url",
        envvar="OPENAI_BASE_URL",
        metavar="URL",
        help="Endpoint that speaks OpenAI's protocol [default: OpenAI's own].",
    ),
    click.option(
        "--model-api",
        type=click.Choice(["chat", "responses"]),
        default="chat",
        show_default=True,
        help="Chat completions, which all endpoints speak, or OpenAI's Responses.",
    ),
    # The key is better kept in the environment: a command line is seen by every process.
    click.option("--model-key", envvar="OPENAI_API_KEY", hidden=True),
    click.option(
        "--model-tokens",
        type=click.IntRange(min=0),
        metavar="N",
        help="Tokens that the model may read and write in this run [default: no bound].",
    ),
    click.option(
        "--model-reply-tokens",
        type=click.IntRange(min=1),
        default=4096,
        show_default=True,
        metavar="N",
        help="Tokens that the model may write in one reply.",
    ),
    click.option(
        "--model-timeout",
        type=click.FloatRange(min=0, min_open=True),
        default=120.0,
        show_default=True,
        metavar="SECONDS",
        help="Time that a reply may take, from a model that shows life.",
    ),
    click.option(
        "--model-cost",
        type=click.FloatRange(min=0),
        metavar="DOLLARS",
        help="What the model may cost in this run, by list prices [default: no bound].",
    ),
]

_AUTHOR_OPTIONS = [
    click.option(
        "--model-cache",
        type=click.Path(dir_okay=False, path_type=Path),
        default=Path(".toolguild/replies.db"),
        show_default=True,
        help="File that keeps the model's replies: what was asked before is not paid for again.",
    ),
    click.option("--no-llm", is_flag=True, help="Ask no model, whatever the settings say."),
    click.option(
        "--dry-run",
        is_flag=True,
        help="Print the requests to the model, one a line, send none of them, register nothing.",
    ),
]


@dataclass(slots=True)
class ModelChoice:
    """What the options say about a model."""

    settings: ModelSettings | None
    cache: Path
    dry_run: bool
    spent: Usage | None = None
    """What the model took, once it was asked."""
    _troubles: list[str] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    @property
    def at_once(self) -> int:
        """How many may wait for the model at a time."""
        return self.settings.at_once if self.settings else 0

    @contextmanager
    def open(self, profile: Profile) -> Iterator[Author | None]:
        """Open the model for a block, None where there is none; say afterwards what it took."""
        if self.settings is None:
            yield None
            return
        if self.dry_run:
            with Model(self.settings, endpoint=_Printed()) as model:
                yield Author(model, profile)
            return
        with (
            closing(ReplyCache(self.cache)) as cache,
            Model(self.settings, cache=cache) as model,
        ):
            yield Author(model, profile)
        self.spent = model.budget.spent
        if self.spent.requests:
            say(_in_words(self.settings, self.spent))

    def to_json(self) -> JsonObject | None:
        """Return which model was asked, and what it took; None where there is none."""
        if self.settings is None or self.spent is None:
            return None
        return {
            "name": self.settings.name,
            "requests": self.spent.requests,
            "input_tokens": self.spent.input_tokens,
            "output_tokens": self.spent.output_tokens,
            "usd": self.spent.usd,
        }

    def tell(self, trouble: str) -> None:
        """Say once that the model gave nothing that can be used."""
        with self._lock:
            if self.dry_run or trouble in self._troubles:
                return
            self._troubles.append(trouble)
        say(f"Going on without the model: {trouble}", "yellow")


class _Printed:
    """An endpoint that shows requests and answers none."""

    async def probe(self) -> bool:
        return True

    async def send(self, body: JsonObject) -> Answer:
        out.file.write(f"{json.dumps(body)}\n")
        message = "a dry run"
        raise RefusedError(message)

    async def close(self) -> None:
        pass


def _in_words(settings: ModelSettings, spent: Usage) -> str:
    cost = "its price is not known" if spent.usd is None else f"{spent.usd:.4f} dollars"
    requests = "1 request" if spent.requests == 1 else f"{spent.requests} requests"
    return f"Model {settings.name}: {requests}, {spent.tokens:,} tokens, {cost}."


def _settings(given: dict[str, Any]) -> ModelSettings:
    try:
        return ModelSettings.model_validate(given)
    except ValidationError as error:
        # Only the address can be anything; it is not shown, as it may hold a password.
        message = f"--model-url: {error.errors()[0]['msg'].removeprefix('Value error, ')}"
        raise click.UsageError(message) from error


def endpoint_options(command: F) -> F:
    """Add the options that say where a model is, as `settings`: None where none is named."""

    @functools.wraps(command)
    def with_settings(
        *args: Any,
        model: str | None,
        model_url: str | None,
        model_api: Any,
        model_key: str | None,
        model_tokens: int | None,
        model_reply_tokens: int,
        model_timeout: float,
        model_cost: float | None,
        **kwargs: Any,
    ) -> Any:
        given = {
            "name": model,
            "base_url": model_url or None,
            "api": model_api,
            "api_key": SecretStr(model_key or "none"),
            "reply_s": model_timeout,
            "most_output_tokens": model_reply_tokens,
            "most_tokens": model_tokens,
            "most_usd": model_cost,
        }
        return command(*args, settings=_settings(given) if model else None, **kwargs)

    return cast("F", _with_options(with_settings, _ENDPOINT_OPTIONS))


def model_options(command: F) -> F:
    """Add the options of a model that writes tools, as `model`."""

    @functools.wraps(command)
    def with_model(
        *args: Any,
        settings: ModelSettings | None,
        model_cache: Path,
        no_llm: bool,
        dry_run: bool,
        **kwargs: Any,
    ) -> Any:
        if dry_run and settings is None:
            message = "--dry-run shows what a model would be sent; name one with --model"
            raise click.UsageError(message)
        choice = ModelChoice(None if no_llm else settings, model_cache, dry_run)
        return command(*args, model=choice, **kwargs)

    return cast("F", endpoint_options(_with_options(with_model, _AUTHOR_OPTIONS)))


def _with_options(command: Any, options: Sequence[Callable[[Any], Any]]) -> Any:
    for option in reversed(options):
        command = option(command)
    return command
