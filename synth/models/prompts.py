"""Prompts: files that are versioned, and told from each other by their digests.

A file begins with a line `version: N`, and an empty one; the rest is the text.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from importlib.resources import files

__all__ = ["Prompt"]

_HEAD = re.compile(r"version: (\d+)\n\n")


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is told to do with the data that it is given."""

    name: str
    version: int
    text: str

    @classmethod
    def load(cls, name: str, package: str = "toolguild.synth.models") -> Prompt:
        """Read a prompt that is shipped with a package, in its folder `prompts`.

        Raises:
            ValueError: its file has no version.
        """
        resource = files(package) / "prompts" / f"{name}.md"
        return cls.parse(name, resource.read_text("utf-8"))

    @classmethod
    def parse(cls, name: str, document: str) -> Prompt:
        """Read a prompt from its file's text.

        Raises:
            ValueError: it has no version.
        """
        head = _HEAD.match(document)
        if head is None:
            message = f"prompt {name}: does not begin with `version: N` and an empty line"
            raise ValueError(message)
        return cls(name, int(head[1]), document[head.end() :].strip())

    @property
    def digest(self) -> str:
        """The digest of name, version and text; it stands with whatever the prompt brought."""
        named = f"{self.name}\0{self.version}\0{self.text}"
        return "sha256:" + hashlib.sha256(named.encode()).hexdigest()
