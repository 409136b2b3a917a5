"""Suites: what a file may say, which tasks are held out, and what is refused in which words."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from judge_marks import marks_of

from toolguild.agent.evaluation import Exact, FitsSchema, Judge, Numeric, WorldState
from toolguild.agent.improvement.suites import Suite, SuiteError, load_suite
from toolguild.agent.improvement.suites.forms import CaseForm
from toolguild.agent.improvement.suites.splitting import Listed, held_out
from toolguild.agent.scripted import scripted_model
from toolguild.synth.models import AsyncModel

TOML = """
[[tasks]]
id = "capital"
task = "What is the capital of France?"
category = "places"
critical = true
held_out = true
exact = "Paris"

[[tasks]]
id = "sum"
task = "What do the orders come to?"
numeric = {expected = 12, absolute = 0.5}

[[tasks]]
id = "row"
task = "Give the row as JSON."
schema = {type = "object", required = ["id"]}

[[tasks]]
id = "code"
task = "What is the code?"
exact = {expected = "aB3", strict = true}
"""


@pytest.fixture
def write(tmp_path) -> Callable[..., Path]:
    def write(text: str, name: str = "suite.jsonl") -> Path:
        path = tmp_path / name
        path.write_text(text, "utf-8")
        return path

    return write


def loaded(path: Path | str) -> Suite:
    return asyncio.run(load_suite(path))


def line(id: str = "a", task: str = "", **fields: Any) -> str:
    return json.dumps({"id": id, "task": task or f"Do {id}."} | (fields or {"exact": "x"}))


def refusal(path: Path | str) -> str:
    with pytest.raises(SuiteError) as caught:
        loaded(path)
    return str(caught.value)


def test_toml_and_json_lines_say_the_same(write) -> None:
    suite = loaded(write(TOML, "suite.toml"))
    [capital] = suite.held_out
    assert (capital.category, capital.critical) == ("places", True)
    assert capital.evaluator == Exact("Paris")
    assert [one.evaluator for one in suite.practice] == [
        Numeric(12, absolute=0.5),
        FitsSchema({"type": "object", "required": ["id"]}),
        Exact("aB3", strict=True),
    ]
    lines = [
        line("capital", "What is the capital of France?", category="places", critical=True)[:-1]
        + ', "held_out": true, "exact": "Paris"}',
        line("sum", "What do the orders come to?", numeric={"expected": 12, "absolute": 0.5}),
        line("row", "Give the row as JSON.", schema={"type": "object", "required": ["id"]}),
        "",
        line("code", "What is the code?", exact={"expected": "aB3", "strict": True}),
    ]
    assert loaded(write("\n".join(lines))) == suite


def test_lines_end_where_a_file_has_them_end(write) -> None:
    text = '\ufeff{"id": "a", "task": "One\u2028Two", "exact": "x"}\r\n' + line("b")
    suite = loaded(write(text))
    assert {one.task for one in (*suite.practice, *suite.held_out)} == {"One\u2028Two", "Do b."}


@given(
    st.dictionaries(
        st.text(st.characters(categories=("Ll", "Nd")), min_size=1, max_size=5),
        st.sampled_from(["", "a", "b", "c"]),
        min_size=1,
        max_size=30,
    ),
    st.randoms(),
)
def test_laws_of_a_split_that_nobody_gave(categories, random) -> None:
    tasks = [
        Listed(f"line {id}", CaseForm(id=id, task=f"Do {id}.", category=category), None)
        for id, category in categories.items()
    ]
    split = dict(zip(categories, held_out(tasks), strict=True))
    assert 2 * sum(split.values()) >= len(split)
    for category in categories.values():
        sides = [split[id] for id, other in categories.items() if other == category]
        assert {*sides} == ({True, False} if len(sides) > 1 else {True})
    random.shuffle(tasks)
    assert held_out(tasks) == [split[one.form.id] for one in tasks]


def test_where_some_are_held_out_the_others_are_for_practice(write) -> None:
    lines = [line("a"), line("b", exact="x", held_out=True), line("c", exact="x", held_out=False)]
    suite = loaded(write("\n".join(lines)))
    assert [one.id for one in suite.held_out] == ["b"]
    assert [one.id for one in suite.practice] == ["a", "c"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("nope", ":1: not JSON"),
        (f"{line()}\n\n[1]", ":3: is no object with fields such as id, task"),
        ('{"id": "a", "id": "b"}', ":1: not JSON: an object names 'id' twice"),
        ('{"id": "a", "exact": "x"}', ":1: task: is missing"),
        (line("a", " ", exact="x"), ":1: task: is empty"),
        (line(" a"), ":1: id: is no line of printable characters"),
        (line("\ud800"), ":1: id: "),
        (line(exact="x", exat="x"), ":1: 'exat': there is no such field; there are id, task"),
        (line(exact={"expected": "x", "odd": 1}), ":1: 'exact.odd': there is no such field"),
        (line(category="a"), ":1: takes one evaluator of exact, numeric, schema, judge; it has 0"),
        (line(exact="x", numeric=1), "it has 2"),
        (line(exact="x", critical=True), ":1: critical: is said of categories"),
        (line(exact="x", category="a", critical="yes"), ":1: critical: "),
        (line(exact=1), ":1: exact.expected: "),
        (line(numeric="1"), ":1: numeric.expected: "),
        (line(numeric={"expected": 1, "relative": -1}), ":1: numeric.relative: "),
        (line(numeric=10**400), ":1: numeric.expected: "),
        (line(schema={"pattern": "a*"}), ":1: schema: keyword 'pattern' is not accepted"),
        (line(schema={"type": "odd"}), ":1: schema: $.type: 'odd' is not valid"),
        (line(judge={"rubric": "r", "labels": "l.jsonl"}), ":1: judge: takes a model"),
        (f"{line()}\n{line(task='Do b.', exact='x')}", ":2: id: 'a' is that of"),
        ("\n", ": has no tasks"),
    ],
)
def test_what_is_no_suite_is_refused_at_its_line_and_field(write, text, told) -> None:
    path = write(text)
    assert refusal(path).startswith(str(path))
    assert told in refusal(path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("tasks = 1", ": tasks: a suite is made of tables [[tasks]]"),
        (f"title = 'x'\n{TOML}", "'title' has no place in it"),
        ("[[tasks]", ": is not TOML: "),
        (f"a = {'[' * 5000}", ": is not TOML: "),
        (f"a = {'9' * 5000}", ": is not TOML: "),
        (f"{TOML}\n[[tasks]]\nid = 'z'\ntask = 'z'\nexact = 1", ":25: exact.expected: "),
        (
            "[[tasks]]\nid = 'a'\ntask = '''\n[[tasks]]\n'''\nexact = 1",
            ": task 1: exact.expected: ",
        ),
        ("[[tasks]]\nid = 'a'\ntask = 'a'\nschema = {const = nan}", ":1: schema: not a JSON value"),
        ("[[tasks]]\nid = 'a'\ntask = 'a'\nschema = {const = 2026-01-01}", ":1: schema.const: "),
    ],
)
def test_what_is_no_toml_suite_is_refused_likewise(write, text, told) -> None:
    assert told in refusal(write(text, "suite.toml"))


def test_what_cannot_be_read_is_refused(tmp_path) -> None:
    assert "cannot be read (No such file" in refusal(tmp_path / "none.toml")
    assert "cannot be read (embedded null byte)" in refusal("a\0.toml")
    (tmp_path / "latin.jsonl").write_bytes(b"\xff")
    assert "is no UTF-8 text (byte 0)" in refusal(tmp_path / "latin.jsonl")
    with (tmp_path / "huge.jsonl").open("wb") as file:
        file.truncate(2**30)
    assert "is larger than" in refusal(tmp_path / "huge.jsonl")
    (tmp_path / "suite.json").write_text("[]")
    assert "a suite is a file .toml, .jsonl or .py" in refusal(tmp_path / "suite.json")


LINES = st.fixed_dictionaries(
    {},
    optional={
        "id": st.sampled_from(["a", "b", "", 1]),
        "task": st.sampled_from(["Do it.", "do  IT.", "", None]),
        "category": st.sampled_from(["a", "", []]),
        "critical": st.sampled_from([True, False, 0]),
        "held_out": st.sampled_from([True, False, None, "no"]),
        "exact": st.sampled_from(["x", {"expected": "x"}, {}, 1]),
        "numeric": st.sampled_from([1, 0.5, {"expected": 1}, True, []]),
        "schema": st.sampled_from([{}, {"type": 1}, True]),
    },
)


@given(
    st.one_of(
        st.binary(),
        st.lists(LINES, max_size=4).map(lambda all: "\n".join(map(json.dumps, all)).encode()),
    )
)
def test_any_file_is_a_suite_or_refused(tmp_path_factory, held) -> None:
    for suffix in ("jsonl", "toml"):
        path = tmp_path_factory.getbasetemp() / f"any.{suffix}"
        path.write_bytes(held)
        try:
            suite = loaded(path)
        except SuiteError as error:
            assert str(path) in str(error)
        else:
            assert suite.practice or suite.held_out


def test_what_is_held_out_cannot_be_practised(write) -> None:
    held = line("a", "Do it.", exact="x", held_out=True)
    path = write(f"{held}\n{line('b', 'do  IT.')}")
    assert f"{path}:2: task: is the one of {path}:1, and only one" in refusal(path)
    both = loaded(write(f"{held}\n{line('b', 'do  IT.', exact='x', held_out=True)}"))
    assert len(both.held_out) == 2


# -- judges


def labels(count: int) -> str:
    both = [("good", 1), ("bad", 0)] * count
    return "\n".join(
        json.dumps({"task": "Do it.", "result": result, "score": score})
        for result, score in both[:count]
    )


@pytest.fixture
def judged(write) -> Path:
    write(labels(20), "labels.jsonl")
    judge = {"rubric": "Whether it is good.", "labels": "labels.jsonl"}
    return write("\n".join(line(id, judge=judge) for id in "abc"))


def asked(path: Path, marks: dict[str, float]) -> tuple[Suite, list[AsyncModel], float]:
    """Load a suite with a judge; return it with the models that were asked for, and a score."""
    made: list[AsyncModel] = []

    def model() -> AsyncModel:
        made.append(scripted_model(marks_of(marks)))
        return made[-1]

    async def load() -> tuple[Suite, list[AsyncModel], float]:
        try:
            suite = await load_suite(path, model)
            score = await suite.held_out[0].evaluator.score("Do it.", "good")
            return suite, made, score.value
        finally:
            for one in made:
                await one.close()

    return asyncio.run(load())


def test_a_judge_is_calibrated_once(judged) -> None:
    suite, made, score = asked(judged, {"good": 0.8, "bad": 0.4})
    [judge] = {one.evaluator for one in (*suite.practice, *suite.held_out)}
    assert isinstance(judge, Judge)
    assert judge.calibration.labels == 20
    assert len(made) == 1
    assert score == 1


def test_a_judge_that_nobody_can_trust_is_refused(judged, write) -> None:
    with pytest.raises(SuiteError, match=r"suite.jsonl:1: judge: .*kappa"):
        asked(judged, {"good": 0.5, "bad": 0.5})
    # No model is asked where it could not be trusted anyhow: this one has no marks to give.
    write(labels(19), "labels.jsonl")
    with pytest.raises(SuiteError, match=r"judge.labels: .*labels.jsonl has 19; 20 at least"):
        asked(judged, {})
    write(labels(20) + '\n{"task": "x", "result": "y", "score": 2}', "labels.jsonl")
    with pytest.raises(SuiteError, match=r"labels.jsonl:21: score: "):
        asked(judged, {})


def test_where_nobody_judges_no_model_is_asked_for(write) -> None:
    def model() -> AsyncModel:
        raise AssertionError

    assert asyncio.run(load_suite(write(line()), model)).held_out


# -- Python

MODULE = """
from toolguild.agent.evaluation import Exact, WorldState
from toolguild.agent.improvement.attempts import TaskCase
from toolguild.agent.improvement.suites import Suite

ORDERS = {"A1": "open"}

def case(id, task="", evaluator=None, **fields):
    return TaskCase(id, task or f"Close {id}.", evaluator or Exact("x"), **fields)

def suite():
"""


@pytest.fixture
def module(write) -> Iterator[Callable[[str], Path]]:
    yield lambda body: write(f"{MODULE}    {body}", "my_suite.py")
    sys.modules.pop("my_suite", None)


def test_python_gives_tasks_that_are_judged_by_the_state_of_the_world(module) -> None:
    body = (
        """return [case(i, evaluator=WorldState(lambda: ORDERS, {"A1": "closed"})) for i in "ab"]"""
    )
    suite = loaded(module(body))
    assert len(suite.held_out) == len(suite.practice) == 1
    assert isinstance(suite.held_out[0].evaluator, WorldState)


def test_python_may_split_by_itself(module) -> None:
    suite = loaded(module("return Suite((case('a'), case('b')), (case('c'),))"))
    assert [one.id for one in suite.practice] == ["a", "b"]
    assert [one.id for one in suite.held_out] == ["c"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("return [case('a'), case('a', 'Other.')]", "case 2: id: 'a' is that of"),
        ("return Suite((case('a', 'It.'),), (case('b', 'IT.'),))", "case 2: task: is the one of"),
        ("return [case('')]", "case 1: id: "),
        ("return [case('a', critical=True)]", "case 1: critical: is said of categories"),
        ("return ['a']", "case 1: is a str, not a TaskCase"),
        ("return [case('a', evaluator=1)]", "case 1: evaluator: is a int, not an Evaluator"),
        ("return []", "returned no tasks"),
        ("return None", "suite() failed: TypeError"),
        ("raise SystemExit(3)", "suite() failed: SystemExit: 3"),
        ("pass\nsuite = 3", "has no function suite()"),
        ("pass\nraise SystemExit(3)", "cannot be imported: SystemExit: 3"),
        ("return 1 +", "cannot be imported: SyntaxError"),
    ],
)
def test_what_is_no_suite_in_python_is_refused(module, body, told) -> None:
    path = module(body)
    assert str(path) in refusal(path)
    assert told in refusal(path)


def test_modules_are_found_by_their_names(module, monkeypatch) -> None:
    monkeypatch.chdir(module("return [case('a')]").parent)
    monkeypatch.setattr(sys, "path", [*sys.path])
    assert loaded("my_suite").held_out
    assert "No module named" in refusal("no_such_suite.anywhere")
    assert "there is no such file" in refusal("none.py")
