"""Laying out the text of a tool: imports and helpers, then one documented function."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

__all__ = ["bracketed", "docstring", "quoted", "sentence", "tool_text"]

WIDTH = 96


def tool_text(
    *,
    name: str,
    parameters: Mapping[str, str],
    returns: str,
    docs: str,
    body: Sequence[str],
    before: str = "",
) -> str:
    """Return the module text of a tool.

    Args:
        name: Name of the tool's function.
        parameters: Annotation of each parameter.
        returns: Annotation of the result.
        docs: The docstring's text (see `docstring`).
        body: Lines of the function's body, not indented.
        before: Imports and helpers that stand before the function.
    """
    declared = [f"{parameter}: {annotation}" for parameter, annotation in parameters.items()]
    head = bracketed(f"def {name}(", declared, f") -> {returns}:")
    inner = "\n".join([*quoted(docs), *body])
    function = "\n".join([*head, textwrap.indent(inner, "    ", lambda line: bool(line.strip()))])
    return f"{before.rstrip()}\n\n\n{function}\n" if before else f"{function}\n"


def quoted(docs: str) -> list[str]:
    """Return the lines of a docstring, quotes included, from its text (see `docstring`)."""
    text = f'"""{docs}\n"""' if "\n" in docs else f'"""{docs}"""'
    return text.splitlines()


def docstring(summary: str, arguments: Mapping[str, str], result: str) -> str:
    """Return a Google-style docstring text, without the quotes."""
    parts = [_filled(sentence(summary), "")]
    if arguments:
        described = [
            _filled(f"{name}: {sentence(text)}", "    ", "        ")
            for name, text in arguments.items()
        ]
        parts.append("\n".join(["Args:", *described]))
    parts.append(f"Returns:\n{_filled(sentence(result), '    ')}")
    return "\n\n".join(parts).replace("\\", "\\\\").replace('"""', "'''")


def sentence(text: str) -> str:
    """Return a text as a sentence: with a capital letter, and a full stop."""
    text = text[:1].upper() + text[1:]
    return text if text.endswith(".") else f"{text}."


def _filled(text: str, indent: str, hanging: str | None = None) -> str:
    return textwrap.fill(
        text,
        WIDTH - 4,
        initial_indent=indent,
        subsequent_indent=indent if hanging is None else hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )


def bracketed(opening: str, items: Sequence[str], closing: str) -> list[str]:
    """Return the items between brackets, on one line where they fit, else one a line."""
    line = f"{opening}{', '.join(items)}{closing}"
    if len(line) <= WIDTH - 4:
        return [line]
    return [opening, *(f"    {item}," for item in items), closing]
