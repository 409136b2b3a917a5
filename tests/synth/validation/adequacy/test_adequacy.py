"""Adequacy: which faults the inputs of a validation tell from the tool."""

from __future__ import annotations

import json
from collections.abc import Sequence
from textwrap import dedent

import pytest

from toolguild.sandbox import (
    Json,
    JsonObject,
    Limits,
    Outcome,
    Sandbox,
    Status,
    ToolCallError,
    ToolGateway,
)
from toolguild.synth.validation.adequacy import (
    Adequacy,
    AdequacySettings,
    Baseline,
    Mutant,
    Trial,
    adequacy,
    adequacy_together,
    in_sandbox,
    mutants,
    observe,
)
from toolguild.synth.validation.observation import Observation

SETTINGS = AdequacySettings()

MIDDLE = dedent(
    """
    def middle(a: int, b: int, c: int) -> int:
        if a <= b:
            if b <= c:
                return b
            return c if a <= c else a
        return a if a <= c else max(b, c)
    """
)


def judged(
    local: Sandbox,
    source: str,
    entry: str,
    arguments: Sequence[JsonObject],
    settings: AdequacySettings = SETTINGS,
) -> Adequacy:
    run = in_sandbox(local, entry)
    baselines = observe(source, [Trial(one) for one in arguments], run, 2.0)
    made = mutants(source, entry, limit=200, seed=1)
    return adequacy(source, baselines, made, run, settings)


def triples(*texts: str) -> list[JsonObject]:
    return [dict(zip("abc", map(int, text), strict=True)) for text in texts]


def test_few_inputs_let_faults_pass_that_many_find(local: Sandbox) -> None:
    weak = judged(local, MIDDLE, "middle", triples("123"))
    strong = judged(
        local, MIDDLE, "middle", triples("123", "132", "213", "231", "312", "321", "112", "211")
    )
    assert weak.total == strong.total > 15
    assert weak.share is not None
    assert strong.share is not None
    assert weak.share < 0.5 < 0.75 < strong.share
    assert {one.id for one in strong.survivors} < {one.id for one in weak.survivors}
    assert "line 7: `return a if a <= c else max(b, c)` -> `return a if a <= c else min(b, c)`" in (
        str(weak.differences())
    )


def test_the_evidence_names_the_faults_that_passed(local: Sandbox) -> None:
    found = judged(local, MIDDLE, "middle", triples("123", "321"))
    evidence = found.evidence()
    assert evidence["mutants"] == found.total
    assert evidence["killed"] == len(found.kills)
    assert evidence["survived"] == found.differences()
    assert json.loads(json.dumps(evidence)) == evidence
    assert judged(local, MIDDLE, "middle", triples("123", "321")).evidence() == evidence


def test_another_type_of_exception_is_a_difference_and_its_words_are_none(local: Sandbox) -> None:
    source = dedent(
        """
        def half(n: int) -> int:
            if n % 2:
                raise ValueError(str(n) + " is odd")
            return n // 2
        """
    )
    found = judged(local, source, "half", [{"n": 3}, {"n": 8}, {"n": -4}, {"n": 0}])
    assert "exception" in {kill.mutant.operator for kill in found.kills}
    assert not found.survivors


def test_a_fault_that_never_ends_is_found_by_the_deadline(local: Sandbox) -> None:
    source = dedent(
        """
        def countdown(n: int) -> int:
            rounds = 0
            while n > 0:
                n -= 1
                rounds += 1
            return rounds
        """
    )
    found = judged(local, source, "countdown", [{"n": 5}], AdequacySettings(shortest_s=0.1))
    endless = [kill.mutant.source for kill in found.kills if kill.timed_out]
    assert any("n += 1" in text for text in endless)
    assert found.timed_out == len(endless) < found.total


def test_a_tool_without_anything_to_change_has_no_share(local: Sandbox) -> None:
    found = judged(local, "def f(a: int) -> int:\n    return a\n", "f", [{"a": 0}])
    assert found.share == 0.0, "an empty value is what it returns anyway"
    found = judged(local, "def f(a: int) -> int:\n    pass\n", "f", [{"a": 0}])
    assert found.share is None
    assert found.evidence()["mutants"] == 0


# -- tools that call tools


class Desk:
    """Tools that all succeed."""

    def __call__(self, name: str, arguments: JsonObject) -> Json:
        if name == "get_fare" and "to" not in arguments:
            message = "to is missing"
            raise ToolCallError(message)
        return {"id": 7, "name": name}


TRIP = dedent(
    """
    def book_trip(origin: str, target: str) -> dict[str, object]:
        fare = call_tool("get_fare", {"from": origin, "to": target})
        call_tool("book_flight", {"id": fare["id"]})
        call_tool("send_receipt", {"id": fare["id"]})
        return {"fare": fare}
    """
)


def test_calls_of_tools_count_as_behaviour(local: Sandbox) -> None:
    run = in_sandbox(local, "book_trip")
    trial = Trial({"origin": "a", "target": "b"}, Desk)
    (baseline,) = observe(TRIP, [trial], run, 2.0)
    assert [name for name, _ in baseline.observed.calls] == [
        "get_fare",
        "book_flight",
        "send_receipt",
    ]
    made = mutants(TRIP, "book_trip", limit=200, seed=1)
    found = adequacy(TRIP, [baseline], made, run)
    assert found.survivors == ()
    kinds = {kill.mutant.operator for kill in found.kills}
    assert {"tool call", "call order", "key", "statement"} <= kinds


def observation(*calls: str) -> Observation:
    return Observation(Outcome(Status.OK, 1), tuple((name, "{}") for name in calls))


def test_reading_calls_may_change_places_between_writing_ones() -> None:
    one = observation("get_a", "find_b", "book_c", "get_d")
    assert one.behaviour == observation("find_b", "get_a", "book_c", "get_d").behaviour
    assert one.behaviour != observation("get_a", "book_c", "find_b", "get_d").behaviour
    assert one.behaviour != observation("get_a", "find_b", "get_d", "book_c").behaviour
    assert observation("book_a", "pay_b").behaviour != observation("pay_b", "book_a").behaviour


# -- how the inputs are gone through


class Scripted:
    """Runs nothing: a text gives what is written for it, and every run is noted."""

    def __init__(self, outcomes: dict[tuple[str, int], Json]) -> None:
        self.outcomes = outcomes
        self.runs: list[tuple[str, int]] = []

    def __call__(self, source: str, trial: Trial, deadline_s: float) -> Observation:
        number = trial.arguments["n"]
        assert isinstance(number, int)
        self.runs.append((source, number))
        return Observation(Outcome(Status.OK, self.outcomes.get((source, number), "same")))


def scripted_mutant(text: str) -> Mutant:
    return Mutant(text, "operator", 1, 1, "", text)


def baselines(*values: Json) -> list[Baseline]:
    return [
        Baseline(Trial({"n": number}), Observation(Outcome(Status.OK, value)))
        for number, value in enumerate(values)
    ]


def test_a_mutant_is_dropped_at_the_first_difference_and_its_killer_goes_first() -> None:
    run = Scripted({("m1", 2): "other", ("m2", 2): "other", ("m3", 0): "other"})
    made = [scripted_mutant(name) for name in ("m1", "m2", "m3", "m4")]
    found = adequacy("tool", baselines("same", "same", "same", "same"), made, run)
    assert [kill.mutant.id for kill in found.kills] == ["m1", "m2", "m3"]
    assert [one.id for one in found.survivors] == ["m4"]
    assert run.runs[:3] == [("m1", 0), ("m1", 1), ("m1", 2)]
    assert run.runs[3] == ("m2", 2)
    assert run.runs[4:6] == [("m3", 2), ("m3", 0)]
    assert [number for text, number in run.runs if text == "m4"] == [0, 2, 1, 3]


def test_inputs_that_show_something_new_go_first() -> None:
    run = Scripted({})
    adequacy("tool", baselines("same", "same", "new", "same"), [scripted_mutant("m")], run)
    assert [number for _, number in run.runs] == [0, 2]


def test_inputs_on_which_the_tool_itself_hit_a_limit_tell_nothing() -> None:
    run = Scripted({("m", 1): "other"})
    given = baselines("same", "same")
    slow = Baseline(given[1].trial, Observation(Outcome(Status.TIMEOUT)))
    found = adequacy("tool", [given[0], slow], [scripted_mutant("m")], run)
    assert found.trials == 1
    assert found.share == 0.0


@pytest.mark.parametrize(("took_s", "given_s"), [(0.001, 0.25), (0.05, 0.5), (9.0, 2.0)])
def test_the_deadline_follows_the_tool_between_bounds(took_s: float, given_s: float) -> None:
    settings = AdequacySettings(patience=10, shortest_s=0.25, longest_s=2.0)
    assert settings.deadline_s(Outcome(Status.OK, duration_s=took_s)) == pytest.approx(given_s)


def test_what_answers_calls_is_made_anew_for_each_run(local: Sandbox) -> None:
    made: list[ToolGateway] = []

    def tools() -> ToolGateway:
        made.append(Desk())
        return made[-1]

    run = in_sandbox(local, "book_trip")
    trial = Trial({"origin": "a", "target": "b"}, tools)
    observe(TRIP, [trial, trial], run, 2.0)
    assert len(made) == 2


# -- all inputs in one process


def together(sandbox: Sandbox, source: str, *numbers: int) -> Adequacy:
    made = mutants(source, "f", limit=50, seed=1)
    found = adequacy_together(source, "f", [{"x": number} for number in numbers], made, sandbox)
    assert found is not None
    return found


STEPS = '''
def f(x: int) -> int:
    """Count down.

    Args:
        x: A number.

    Returns:
        How many steps there were.
    """
    steps = 0
    while x > 0:
        x -= 2
        steps += 1
    return steps
'''


def test_in_one_process_the_same_mutants_are_found_as_in_one_for_each(local: Sandbox) -> None:
    numbers = (-3, 0, 1, 2, 7)
    run = in_sandbox(local, "f")
    baselines = observe(STEPS, [Trial({"x": number}) for number in numbers], run, 2.0)
    apart = adequacy(STEPS, baselines, mutants(STEPS, "f", limit=50, seed=1), run)
    at_once = together(local, STEPS, *numbers)
    assert {kill.mutant.id for kill in at_once.kills} == {kill.mutant.id for kill in apart.kills}
    assert at_once.survivors == apart.survivors
    assert at_once.timed_out


def test_the_input_that_told_is_named_unless_there_was_no_end(local: Sandbox) -> None:
    found = together(local, STEPS, -3, 0, 1, 2, 7)
    assert {kill.timed_out for kill in found.kills if kill.arguments is None} == {True}
    named = [kill.arguments for kill in found.kills if kill.arguments is not None]
    assert named
    assert all(set(arguments) == {"x"} for arguments in named)


def test_inputs_that_tell_nothing_let_faults_pass(local: Sandbox) -> None:
    assert len(together(local, STEPS, 0).survivors) > len(together(local, STEPS, 0, 7).survivors)


def test_a_tool_that_cannot_be_run_so_gives_nothing(local: Sandbox) -> None:
    endless = STEPS.replace("x -= 2", "x += 2")
    made = mutants(endless, "f", limit=5, seed=1)
    limits = Limits(wall_s=0.1)
    assert adequacy_together(endless, "f", [{"x": 1}], made, local, limits) is None
