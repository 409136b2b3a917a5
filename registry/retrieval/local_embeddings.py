"""Vectors of texts without an endpoint: a static model in a folder, run by model2vec.

Such a model has a vector for each piece of a word, and takes their mean for a text. That needs
neither a graphics card nor a network.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from toolguild.registry.canonical import storable_text
from toolguild.registry.retrieval.embeddings import EmbeddingError, Vector

if TYPE_CHECKING:
    from model2vec import StaticModel

__all__ = ["PREFIX", "LocalEmbedder"]

PREFIX = "local:"
"""What the names of such models begin with."""
_FILES = ("config.json", "model.safetensors", "tokenizer.json")
_ADVICE = f"name a folder that holds {', '.join(_FILES)}"
_INSTALL = 'python -m pip install "toolguild[embeddings]"'
_SHOWN_DIGITS = 12
"""Of a digest."""


@dataclass(frozen=True)
class LocalEmbedder:
    """A model in a folder, as `StaticModel.save_pretrained` of model2vec writes it.

    It is read when it is first needed. Nothing is ever downloaded.
    """

    folder: Path

    @cached_property
    def model(self) -> str:
        """The folder's name and a digest of its files: another model there has another name.

        Raises:
            EmbeddingError: the files cannot be read.
        """
        digest = hashlib.sha256()
        for name in _FILES:
            try:
                with (self.folder / name).open("rb") as file:
                    digest.update(hashlib.file_digest(file, "sha256").digest())
            except OSError as error:
                msg = f"{self._where}: cannot read {name} ({error.strerror}); {_ADVICE}"
                raise EmbeddingError(msg) from error
        return f"{PREFIX}{self.folder.resolve().name}@{digest.hexdigest()[:_SHOWN_DIGITS]}"

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        """Return a vector for each text; see `Embedder`."""
        vectors: list[Vector] = self._loaded.encode([*map(storable_text, texts)]).tolist()
        return vectors

    @cached_property
    def _loaded(self) -> StaticModel:
        if not self.folder.is_dir():  # The library would ask the network for a model of that name.
            msg = f"{self._where}: there is no such folder; {_ADVICE}"
            raise EmbeddingError(msg)
        try:
            # Loading the library takes longer than searching does.
            from model2vec import StaticModel
        except ImportError as error:
            msg = f"{self._where}: local models need model2vec ({error}); run: {_INSTALL}"
            raise EmbeddingError(msg) from error
        try:
            return StaticModel.from_pretrained(self.folder)
        except Exception as error:  # Its parts in Rust raise what has no other class in common.
            msg = f"{self._where}: model2vec cannot read the model ({error}); {_ADVICE}"
            raise EmbeddingError(msg) from error

    @property
    def _where(self) -> str:
        return f"embeddings of {PREFIX}{self.folder}"
