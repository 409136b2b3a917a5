"""A text that a model wrote may do no more than the draft in whose place it stands."""

from __future__ import annotations

import pytest

from toolguild.synth.authoring import UnsuitableTextError, adopted
from toolguild.synth.drafting import Authorship, Draft, DraftOrigin
from toolguild.synth.tool_text import draft_from_text

AUTHORSHIP = Authorship("some-model", ("sha256:1",), ("req-1",), 30, 9, None)

SOURCE = '''
def total(prices: list[float], rate: int) -> float:
    """Return the sum of prices with a rate on top."""
    return sum(prices) * (100 + rate) / 100
'''


@pytest.fixture
def draft() -> Draft:
    return draft_from_text(SOURCE)


def text(head: str, body: str = "return 1.0", imports: str = "") -> str:
    return f'{imports}\n\ndef {head}:\n    """Return what prices come to."""\n    {body}\n'


FETCHING = "from urllib.request import urlopen"
HEAD = "total(prices: list[float], rate: int) -> float"


def test_it_is_a_model_s_and_keeps_its_recordings(draft: Draft) -> None:
    taken = adopted(draft, text(HEAD), AUTHORSHIP, None)
    assert (taken.origin, taken.authorship) == (DraftOrigin.MODEL, AUTHORSHIP)
    assert taken.description == "Return what prices come to."
    assert (taken.name, taken.parameters) == (draft.name, draft.parameters)
    assert (taken.cases, taken.held_out, taken.original) == (
        draft.cases,
        draft.held_out,
        draft.original,
    )


def test_an_annotation_that_says_more_is_taken_up(draft: Draft) -> None:
    head = "total(prices: list[float], rate: Literal[7, 19]) -> float"
    taken = adopted(draft, text(head, imports="from typing import Literal"), AUTHORSHIP, None)
    properties = taken.parameters["properties"]
    assert isinstance(properties, dict)
    assert properties["rate"] == {"enum": [7, 19]}
    assert properties["prices"] == {"type": "array", "items": {"type": "number"}}


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("", "exactly one public function"),
        ("def total(", "the text is no tool"),
        ("x" * 2_000_000, "the text is no tool"),
        (text("sum_up(prices: list[float], rate: int) -> float"), "called sum_up, not total"),
        (text("total(prices: list[float]) -> float"), "the parameters are prices"),
        (text("total(rate: int, prices: list[float]) -> float"), "the parameters are rate"),
        (text("total(prices: list[float], rate: int = 7) -> float"), "have to be prices, rate"),
        (text("total(prices: list[float], *, rate: int, tip: int) -> float"), "rate, tip"),
        (
            text(HEAD, 'return call_tool("delete_all", {})'),
            "calls delete_all; what it may",
        ),
        (text(HEAD, 'return float(open("/etc/passwd").read())'), "needs read"),
        (
            text(HEAD, "return urlopen('http://x').read()", "from urllib.request import urlopen"),
            "needs",
        ),
    ],
)
def test_what_is_something_else_or_may_do_more_is_refused(
    draft: Draft, source: str, why: str
) -> None:
    with pytest.raises(UnsuitableTextError, match=why):
        adopted(draft, source, AUTHORSHIP, None)


def test_rounds_add_up() -> None:
    later = Authorship("some-model", ("sha256:1",), ("req-2", "req-3"), 10, 1, 0.5)
    both = later.after(AUTHORSHIP)
    assert both.to_json() == {
        "model": "some-model",
        "prompts": ["sha256:1"],
        "request_ids": ["req-1", "req-2", "req-3"],
        "input_tokens": 40,
        "output_tokens": 10,
        "usd": None,
        "rounds": 2,
    }
    assert later.after(later).usd == 1.0
