"""Texts in logs as the values they stand for: arguments, results, errors, message contents."""

from __future__ import annotations

import re
import textwrap
from decimal import Decimal

from toolguild.sandbox import Json, JsonObject
from toolguild.synth.traces.errors import BrokenJsonError
from toolguild.synth.traces.json_text import parse_json

__all__ = [
    "RAW_ARGUMENTS",
    "arguments_of",
    "clean_code",
    "decode_text",
    "error_in",
    "result_of",
    "text_of",
    "traceback_error",
    "without_ansi",
]

RAW_ARGUMENTS = "_raw"
"""Name of the one argument that holds an argument text which is not a JSON object."""

_JSON_START = re.compile(r"\s*[\[{\-0-9tfn]")
_LONGEST_NUMBER = 40
_ERROR_START = re.compile(r"\s*error\b", re.IGNORECASE)
# Keys that say nothing of what a call returned, so `error` may stand behind them.
_STATUS_KEYS = frozenset({"code", "is_error", "isError", "ok", "status", "success", "type"})
_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_TRACEBACK_MARK = re.compile(r'Traceback \(most recent call last\)|^\s*(?:Cell In\[|File ")', re.M)
_TRACEBACK_HEAD = re.compile(
    r"^(?:([A-Za-z_][\w.]*)[ \t]+)?Traceback \(most recent call last\)", re.M
)
_EXCEPTION_LINE = re.compile(
    r"^(?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*"
    r"(?:Error|Exception|Exit|Interrupt|Iteration|Warning|Timeout|Group)(?::.*)?$"
)


def decode_text(text: str) -> Json:
    """Decode a text that is a JSON object, array, number, boolean or null; else return the text.

    A number that a float would not keep digit for digit (an identifier, say) stays text.
    """
    if not _JSON_START.match(text):
        return text
    try:
        value = parse_json(text)
    except BrokenJsonError:
        return text
    if isinstance(value, float):
        digits = text.strip()
        if len(digits) > _LONGEST_NUMBER or Decimal(digits) != Decimal(repr(value)):
            return text
    return value


def arguments_of(raw: Json) -> JsonObject:
    """Return the arguments of a call, which logs hold as an object or as its JSON text.

    What is not an object is kept as it stands under `RAW_ARGUMENTS`; nothing at all is no
    arguments.
    """
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        return {}
    decoded = decode_text(raw) if isinstance(raw, str) else raw
    return decoded if isinstance(decoded, dict) else {RAW_ARGUMENTS: raw}


def text_of(content: Json) -> str:
    """Return the text of a message content: a string, or a list of parts of which some are text."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    texts = (part if isinstance(part, str) else _part_text(part) for part in content)
    return "\n".join(text for text in texts if text)


def _part_text(part: Json) -> str:
    text = part.get("text") if isinstance(part, dict) else None
    return text if isinstance(text, str) else ""


def result_of(content: Json) -> Json:
    """Return the value of a tool's result: decoded text, the text of parts, or JSON as it is."""
    if isinstance(content, str):
        return decode_text(content)
    if isinstance(content, list) and content and all(_part_text(part) for part in content):
        return decode_text(text_of(content))
    return content


def error_in(result: Json) -> str | None:
    """Return the error that a result reports, in formats that do not mark errors.

    A result is taken for an error if it is a text that begins with "error", or an object that
    has nothing to tell before a non-empty `error`.
    """
    if isinstance(result, str):
        return result.strip() if _ERROR_START.match(result) else None
    if not isinstance(result, dict):
        return None
    telling = (key for key, value in result.items() if value is not None)
    if next((key for key in telling if key not in _STATUS_KEYS), None) != "error":
        return None
    error = result["error"]
    if isinstance(error, dict):
        error = error.get("message")
    return error.strip() or None if isinstance(error, str) else None


def without_ansi(text: str) -> str:
    """Return a text without terminal escape sequences."""
    return _ANSI.sub("", text)


def traceback_error(shown: str) -> str | None:
    """Return the last line of the Python traceback in an interpreter's output, if it has one.

    Of a traceback that is cut off, the type in the head that IPython writes has to do.
    """
    if not _TRACEBACK_MARK.search(shown):
        return None
    lines = (line.strip() for line in reversed(shown.splitlines()))
    last = next((line for line in lines if _EXCEPTION_LINE.match(line)), None)
    head = _TRACEBACK_HEAD.search(shown)
    return last or (head and (head[1] or "traceback cut off")) or None


def clean_code(code: str) -> str:
    """Return code without common indentation, blank edges and carriage returns."""
    lines = textwrap.dedent(code.replace("\r\n", "\n")).strip("\n").rstrip()
    # Code that starts on the line of its opening tag has a blank before its first line only.
    return lines.lstrip() if lines[:1].isspace() else lines
