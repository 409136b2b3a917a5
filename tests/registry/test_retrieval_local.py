"""Models on this machine tell what texts mean, by the package that is meant for them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from toolguild.registry import Registry, ToolSpec
from toolguild.registry.retrieval import EmbeddingError, LocalEmbedder
from toolguild.registry.retrieval.indexing import embed_tools

UNKNOWN = "[UNK]"
WORDS = {
    UNKNOWN: (0, 0),
    "currency": (1, 0),
    "money": (0.9, 0.1),
    "flight": (0, 1),
    "trip": (0.1, 0.9),
}
DESCRIPTIONS = {"convert_currency": "Convert an amount.", "cancel_flight": "Cancel a booking."}


def save_model(folder: Path, words: dict[str, tuple[float, float]]) -> Path:
    """Write a model that knows a few words."""
    model2vec = pytest.importorskip("model2vec")
    numpy, tokenizers = pytest.importorskip("numpy"), pytest.importorskip("tokenizers")
    numbers = {word: number for number, word in enumerate(words)}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(numbers, UNKNOWN))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    vectors = numpy.array([*words.values()], dtype=numpy.float32)
    model2vec.StaticModel(vectors, tokenizer).save_pretrained(folder)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return save_model(tmp_path / "small", WORDS)


@pytest.fixture
def filled(registry: Registry, make_spec: Callable[..., ToolSpec]) -> Registry:
    for name, description in DESCRIPTIONS.items():
        registry.register(make_spec(name, description=description))
    return registry


def names(registry: Registry, text: str, embedder: LocalEmbedder) -> list[str]:
    return [found.version.spec.name for found in registry.search(text, embedder=embedder)]


def test_what_shares_no_word_is_found_by_a_model_in_a_folder(
    filled: Registry, folder: Path
) -> None:
    embedder = LocalEmbedder(folder)
    assert filled.search("money") == []
    assert list(embed_tools(filled, embedder)) == [2]
    assert names(filled, "money", embedder)[0] == "convert_currency"
    assert names(filled, "trip", embedder)[0] == "cancel_flight"


def test_a_tool_of_whose_words_it_knows_none_is_found_by_words_alone(
    filled: Registry, folder: Path, make_spec: Callable[..., ToolSpec]
) -> None:
    filled.register(make_spec("zip_files", description="Compress."))
    embedder = LocalEmbedder(folder)
    assert list(embed_tools(filled, embedder)) == [2]
    assert names(filled, "money", embedder)[0] == "convert_currency"
    with pytest.warns(RuntimeWarning, match="searching by text alone"):
        assert names(filled, "compress", embedder) == ["zip_files"]


def test_another_model_in_the_same_folder_has_another_name(filled: Registry, folder: Path) -> None:
    first = LocalEmbedder(folder)
    assert list(embed_tools(filled, first)) == [2]
    save_model(folder, {**WORDS, "money": (0, 1)})
    second = LocalEmbedder(folder)
    assert first.model.startswith("local:small@")
    assert second.model.startswith("local:small@")
    assert first.model != second.model
    assert filled.search("money", embedder=second) == []


def test_any_text_has_a_vector(folder: Path) -> None:
    texts = ["money", "", "\ud800\0", "trip " * 10_000]
    assert [len(vector) for vector in LocalEmbedder(folder).embed(texts)] == [2] * len(texts)


@pytest.mark.parametrize("damage", ["missing", "no_folder", "model.safetensors", "tokenizer.json"])
def test_a_model_that_cannot_be_read_costs_a_warning(
    filled: Registry, folder: Path, damage: str
) -> None:
    embedder = LocalEmbedder(folder)
    if damage == "missing":
        embedder = LocalEmbedder(folder / "missing")
    elif damage == "no_folder":
        embedder = LocalEmbedder(folder / "config.json")
    else:
        (folder / damage).write_text("none", encoding="utf-8")
    with pytest.warns(RuntimeWarning, match=r"text alone: embeddings of local:.*; name a folder"):
        assert names(filled, "currency", embedder) == ["convert_currency"]


def test_the_folder_without_a_model_is_told(filled: Registry, tmp_path: Path) -> None:
    with pytest.raises(EmbeddingError, match=r"cannot read config\.json \(No such file"):
        list(embed_tools(filled, LocalEmbedder(tmp_path)))


def test_without_the_package_the_command_that_installs_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "model2vec", None)
    with pytest.raises(EmbeddingError, match=r'pip install "toolguild\[embeddings\]"'):
        LocalEmbedder(tmp_path).embed(["money"])
