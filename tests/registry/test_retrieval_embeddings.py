"""Tools are found by meaning where vectors are kept, and as before where there are none."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator, Sequence
from math import hypot, inf, nan
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from model_server import Script, Server

from toolguild.registry import Registry, State, ToolSpec
from toolguild.registry.retrieval import EmbeddingError, Meaning, OpenAIEmbedder, Vector
from toolguild.registry.retrieval.indexing import embed_tools
from toolguild.registry.retrieval.vectors import nearest

MakeSpec = Callable[..., ToolSpec]

KEY = "sk-of-this-test-and-of-no-other"
TOPICS = {
    "money": ("currency", "money", "dollars"),
    "travel": ("flight", "trip"),
    "text": ("email", "letter"),
}
TOOLS = {
    "convert_currency": "Convert an amount.",
    "cancel_flight": "Cancel a booking.",
    "send_email": "Send a message.",
}


class TopicEmbedder:
    """Tells topics by words that the tests know."""

    def __init__(self, model: str = "topics") -> None:
        self.model = model
        self.asked: list[list[str]] = []
        self.down = False

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        if self.down:
            raise EmbeddingError("it is down")
        self.asked.append([*texts])
        return [
            [0.1 + sum(word in text for word in words) for words in TOPICS.values()]
            for text in texts
        ]


@pytest.fixture
def embedder() -> TopicEmbedder:
    return TopicEmbedder()


@pytest.fixture
def filled(registry: Registry, make_spec: MakeSpec, embedder: TopicEmbedder) -> Registry:
    for name, description in TOOLS.items():
        registry.register(make_spec(name, description=description))
    assert sum(embed_tools(registry, embedder)) == len(TOOLS)
    return registry


def names(registry: Registry, text: str, embedder: Any) -> list[str]:
    return [found.version.spec.name for found in registry.search(text, embedder=embedder)]


@pytest.mark.parametrize(
    ("text", "first"),
    [("dollars", "convert_currency"), ("a trip", "cancel_flight"), ("letter", "send_email")],
)
def test_what_shares_no_word_is_found_by_meaning(
    filled: Registry, embedder: TopicEmbedder, text: str, first: str
) -> None:
    assert filled.search(text) == []
    found = filled.search(text, embedder=embedder)
    assert found[0].version.spec.name == first
    assert found[0].similarity == pytest.approx(max(one.similarity for one in found))


def test_what_both_find_is_before_what_one_finds(
    filled: Registry, make_spec: MakeSpec, embedder: TopicEmbedder
) -> None:
    filled.register(make_spec("count_trip", description="Count."))
    assert names(filled, "cancel trip", embedder)[0] == "cancel_flight"
    assert "count_trip" in names(filled, "cancel trip", embedder)


def test_a_name_that_was_typed_stays_first(filled: Registry, embedder: TopicEmbedder) -> None:
    assert names(filled, "send_email", embedder)[0] == "send_email"
    assert filled.search("send_email", embedder=embedder)[0].relevance == 1


def test_vectors_are_made_once_for_each_version_and_model(
    filled: Registry, make_spec: MakeSpec, embedder: TopicEmbedder
) -> None:
    assert list(embed_tools(filled, embedder)) == []
    filled.register(make_spec("send_email", description="Send a letter."))
    embedder.asked.clear()
    assert list(embed_tools(filled, embedder)) == [1]
    assert embedder.asked == [["send email\nSend a letter.\nnumber"]]
    assert sum(embed_tools(filled, TopicEmbedder("another"))) == len(TOOLS)


def test_a_version_without_a_vector_is_found_by_its_words_alone(
    filled: Registry, make_spec: MakeSpec, embedder: TopicEmbedder
) -> None:
    filled.register(make_spec("convert_currency", description="Count sheep."))
    assert "convert_currency" not in names(filled, "dollars", embedder)
    assert "convert_currency" in names(filled, "sheep", embedder)[:2]


def test_what_may_not_be_shown_is_not_found_by_meaning(
    filled: Registry, embedder: TopicEmbedder
) -> None:
    filled.set_state("convert_currency", State.QUARANTINED, why="wrong rates")
    assert "convert_currency" not in names(filled, "dollars", embedder)
    [found] = filled.search("dollars", state=State.QUARANTINED, embedder=embedder)
    assert found.version.spec.name == "convert_currency"


def test_batches_that_were_made_are_kept_when_the_endpoint_goes_down(
    registry: Registry, make_spec: MakeSpec, embedder: TopicEmbedder, monkeypatch
) -> None:
    monkeypatch.setattr("toolguild.registry.retrieval.indexing._BATCH", 2)
    for number in range(5):
        registry.register(make_spec(f"tool_{number}"))
    batches = embed_tools(registry, embedder)
    assert next(batches) == 2
    embedder.down = True
    with pytest.raises(EmbeddingError):
        next(batches)
    embedder.down = False
    assert list(embed_tools(registry, embedder)) == [2, 1]


def test_an_endpoint_that_is_down_costs_a_warning(
    filled: Registry, embedder: TopicEmbedder
) -> None:
    embedder.down = True
    with pytest.warns(RuntimeWarning, match="searching by text alone: it is down"):
        assert names(filled, "email", embedder) == ["send_email"]


@pytest.mark.parametrize("vector", [[0.0, 0.0, 0.0], [inf, 1.0, 1.0], [nan, 1.0, 1.0]])
def test_a_vector_without_a_direction_costs_a_warning(
    filled: Registry, embedder: TopicEmbedder, vector: list[float]
) -> None:
    embedder.embed = lambda texts: [vector]  # type: ignore[method-assign]
    with pytest.warns(RuntimeWarning, match="without a direction"):
        assert names(filled, "email", embedder) == ["send_email"]


def test_nothing_is_asked_of_the_endpoint_for_an_empty_text(
    filled: Registry, embedder: TopicEmbedder
) -> None:
    embedder.asked.clear()
    assert names(filled, " \n", embedder) == []
    assert embedder.asked == []


def test_vectors_of_other_models_and_lengths_are_never_compared(
    filled: Registry, embedder: TopicEmbedder
) -> None:
    assert filled.search("dollars", embedder=TopicEmbedder("another")) == []
    embedder.embed = lambda texts: [[1.0, 0.0]]  # type: ignore[method-assign]
    assert filled.search("dollars", embedder=embedder) == []


def test_a_damaged_vector_is_left_out(filled: Registry, embedder: TopicEmbedder) -> None:
    with filled.database.write() as connection:
        connection.exec_driver_sql("UPDATE search_vectors SET vector = signature")
    assert filled.search("dollars", embedder=embedder) == []


vectors = st.lists(st.floats(-1, 1), min_size=8, max_size=8).filter(lambda one: hypot(*one) > 0.1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(st.lists(vectors, min_size=3, max_size=3), vectors)
def test_the_nearest_are_those_with_the_greatest_cosines(
    filled: Registry, kept: list[list[float]], asked: list[float]
) -> None:
    digests = [version.digest for version in filled.tools()]
    unit = [component / hypot(*asked) for component in asked]
    filled.keep_vectors("any", dict(zip(digests, kept, strict=True)))
    with filled.database.read() as connection:
        meaning = Meaning("any", unit)
        found = nearest(connection, meaning, tier=None, state=None, wanted=2)
    cosines = [
        sum(a * b for a, b in zip(unit, vector, strict=True)) / hypot(*vector) for vector in kept
    ]
    assert [cosine for _, cosine in found] == pytest.approx(
        sorted(cosines, reverse=True)[:2], abs=1e-6
    )


# -- the endpoint


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


def replying(data: Any, status: int = 200) -> Callable[[dict[str, Any]], Script]:
    return lambda request: Script(status=status, body=json.dumps(data).encode())


def test_an_endpoint_is_asked_as_openai_is_and_its_order_does_not_matter(server: Server) -> None:
    server.answer = replying(
        {"data": [{"index": 1, "embedding": [0, 1]}, {"index": 0, "embedding": [1, 0]}]}
    )
    embedder = OpenAIEmbedder("small", base_url=server.url, api_key=KEY)
    assert embedder.embed(["a", "b\ud800\0"]) == [[1, 0], [0, 1]]
    [request] = server.requests
    assert request == {
        "model": "small",
        "input": ["a", "b\\ud800\\x00"],
        "encoding_format": "float",
    }
    assert server.paths == ["/v1/embeddings"]
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    "data",
    [
        {"data": []},
        {"data": [{"index": 0, "embedding": []}]},
        {"data": [{"index": 0, "embedding": [1, 2]}, {"index": 1, "embedding": [1]}]},
        {"data": [{"index": 0, "embedding": [1]}] * 3},
        {"data": [{"index": 0, "embedding": "AAAA"}, {"index": 1, "embedding": "AAAA"}]},
        {"data": [{"index": 0, "embedding": [nan]}, {"index": 1, "embedding": [1]}]},
        {"object": "list"},
        ["no", "object"],
    ],
)
def test_what_is_not_a_vector_for_each_text_is_refused(server: Server, data: Any) -> None:
    server.answer = replying(data)
    with pytest.raises(EmbeddingError, match="what came"):
        OpenAIEmbedder("small", base_url=server.url).embed(["a", "b"])


def test_the_key_and_a_password_in_the_address_are_not_told(server: Server) -> None:
    server.answer = replying({"error": {"message": f"no such key: {KEY}"}}, status=401)
    url = server.url.replace("//", "//user:hunter2@")
    with pytest.raises(EmbeddingError) as refusal:
        OpenAIEmbedder("small", base_url=url, api_key=KEY).embed(["a"])
    told = str(refusal.value)
    assert "embeddings of small" in told
    assert "no such key: [key]" in told
    assert KEY not in told
    assert "hunter2" not in told


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/v1", "nowhere", "http://[::", "ftp://a/b"])
def test_an_address_that_leads_nowhere_is_told(url: str) -> None:
    with pytest.raises(EmbeddingError, match="embeddings of small"):
        OpenAIEmbedder("small", base_url=url).embed(["a"])


def test_a_server_that_is_silent_is_given_up_on(server: Server) -> None:
    server.answer = lambda request: Script(wait_s=60)
    with pytest.raises(EmbeddingError, match="embeddings of small"):
        OpenAIEmbedder("small", base_url=server.url, seconds=0.3).embed(["a"])


def test_a_server_that_drips_is_given_up_on(server: Server) -> None:
    server.answer = lambda request: Script(body=b" " * 1000, drip_s=0.1)
    with pytest.raises(EmbeddingError, match="no vectors within"):
        OpenAIEmbedder("small", base_url=server.url, seconds=0.5).embed(["a"])


def test_nothing_warns_where_all_is_well(filled: Registry, embedder: TopicEmbedder) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert names(filled, "dollars", embedder)[0] == "convert_currency"
