"""`toolguild tools search` and `tools index`: finding tools, and what they are found by."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from toolguild.cli.console import out, plain, print_json, progress, say
from toolguild.cli.console import table as new_table
from toolguild.cli.errors import ExitCode
from toolguild.cli.settings import as_json, registry_option
from toolguild.policies import Tier
from toolguild.registry import Registry, State
from toolguild.registry.retrieval import (
    Embedder,
    EmbeddingError,
    Found,
    LocalEmbedder,
    OpenAIEmbedder,
    RecentUses,
)
from toolguild.registry.retrieval.indexing import embed_tools, rebuild
from toolguild.registry.retrieval.local_embeddings import PREFIX as LOCAL
from toolguild.sandbox import Json, JsonObject

__all__ = ["index_tools", "search_tools"]

F = TypeVar("F", bound=Callable[..., Any])

_ANY = "any"
_STATES = [*(str(state) for state in State if state is not State.REJECTED), _ANY]
_SECONDS_TO_SEARCH = 5.0
_SECONDS_TO_INDEX = 120.0
"""For a batch, tried anew or not."""
_RETRIES_TO_INDEX = 2

_EMBEDDING_OPTIONS = [
    click.option(
        "--embedding-model",
        envvar="TOOLGUILD_EMBEDDING_MODEL",
        metavar="NAME",
        help="Model that tells what texts mean, by its endpoint's name for it, or local:FOLDER for "
        "one that model2vec reads from there [default: none].",
    ),
    click.option(
        "--model-url",
        envvar="OPENAI_BASE_URL",
        metavar="URL",
        help="Endpoint that speaks OpenAI's protocol [default: OpenAI's own].",
    ),
    # The key is better kept in the environment: a command line is seen by every process.
    click.option("--model-key", envvar="OPENAI_API_KEY", hidden=True),
]


def _embedding_options(seconds: float, retries: int) -> Callable[[F], F]:
    """Add the options that name a model for embeddings, as `embedder`."""

    def decorate(command: F) -> F:
        @functools.wraps(command)
        def with_embedder(
            *args: Any,
            embedding_model: str | None,
            model_url: str | None,
            model_key: str | None,
            **kwargs: Any,
        ) -> Any:
            embedder: Embedder | None = None
            if embedding_model and embedding_model.startswith(LOCAL):
                embedder = LocalEmbedder(Path(embedding_model.removeprefix(LOCAL)).expanduser())
            elif embedding_model:
                embedder = OpenAIEmbedder(
                    embedding_model,
                    base_url=model_url or None,
                    api_key=model_key or "none",
                    seconds=seconds,
                    retries=retries,
                )
            return command(*args, embedder=embedder, **kwargs)

        wrapped: Any = with_embedder
        for option in reversed(_EMBEDDING_OPTIONS):
            wrapped = option(wrapped)
        return wrapped  # type: ignore[no-any-return]

    return decorate


@click.command("search")
@click.argument("text", nargs=-1, required=True)
@click.option("-k", type=click.IntRange(min=1), default=8, show_default=True, help="Tools at most.")
@click.option("--tier", type=click.Choice([str(tier) for tier in Tier]), help="Only this tier.")
@click.option(
    "--state",
    type=click.Choice(_STATES),
    default=str(State.ACTIVE),
    show_default=True,
    help="Only tools in this state.",
)
@_embedding_options(_SECONDS_TO_SEARCH, 0)
@registry_option
@as_json
def search_tools(
    text: tuple[str, ...],
    k: int,
    tier: str | None,
    state: str,
    embedder: Embedder | None,
    registry: str,
    as_json: bool,
) -> int:
    """Find the tools that fit TEXT: a name, the beginning of one, or what is to be done.

    The best come first, by how well they fit, how often they worked and how long they take.
    """
    asked = " ".join(text)
    with Registry.open(registry) as opened, warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        found = opened.search(
            asked,
            k=k,
            tier=Tier(tier) if tier else None,
            state=None if state == _ANY else State(state),
            embedder=embedder,
        )
    for one in warned:
        say(f"Warning: {one.message}", "yellow")
    if as_json:
        rows: list[Json] = [_row(tool) for tool in found]
        print_json({"tools": rows})
    elif found:
        _print_table(found)
    else:
        say("No tool fits; `toolguild tools list` shows them all.")
    return ExitCode.DONE


@click.command("index")
@_embedding_options(_SECONDS_TO_INDEX, _RETRIES_TO_INDEX)
@registry_option
def index_tools(embedder: Embedder | None, registry: str) -> int:
    """Make anew what `tools search` goes by.

    Registering keeps it up to date, so this is for a search index that was damaged. With
    --embedding-model the model is given the names and descriptions of the tools that it made no
    vectors of, over its endpoint or in this process, and its vectors are kept: from then on tools
    are found by meaning, too.
    """
    with Registry.open(registry) as opened:
        say(f"{rebuild(opened.database)} tools can be found by their words.")
        if embedder is None:
            return ExitCode.DONE
        count = 0
        try:
            with progress() as bar:
                task = bar.add_task("embedding", total=None)
                for batch in embed_tools(opened, embedder):
                    count += batch
                    bar.update(task, completed=count)
        except EmbeddingError as error:
            say(f"Error: {error}; {count} new vectors were kept, run again to go on", "red")
            return ExitCode.UNAVAILABLE
    say(f"{count} new vectors of {embedder.model}.")
    return ExitCode.DONE


def _row(found: Found) -> JsonObject:
    version = found.version
    return {
        "name": version.spec.name,
        "ref": version.ref,
        "digest": version.digest,
        "tier": str(version.tier),
        "state": str(version.state),
        "description": version.spec.description,
        "score": found.score,
        "relevance": found.relevance,
        "words": [*found.words],
        "similarity": found.similarity,
        "record": found.record,
        "speed": found.speed,
        "successes": found.uses.successes,
        "runs": found.uses.runs,
        "median_s": found.uses.median_s,
    }


def _print_table(found: Sequence[Found]) -> None:
    table = new_table("tool", "tier", "score", "fits", "worked", "takes", "what it does")
    for tool in found:
        table.add_row(
            plain(tool.version.ref),
            str(tool.version.tier),
            f"{tool.score:.2f}",
            f"{tool.relevance:.2f}",
            _worked(tool.uses),
            _takes(tool.uses.median_s),
            plain(tool.version.spec.description),
        )
    out.print(table)


def _worked(uses: RecentUses) -> str:
    return f"{uses.successes}/{uses.runs}" if uses.runs else "-"


def _takes(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.2g} s"
