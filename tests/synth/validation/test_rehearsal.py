"""A composite is held against the original calls by what both do to copies of a small world."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from textwrap import indent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolguild.policies import Tier
from toolguild.sandbox import Json, JsonObject, Limits, Program, Sandbox, ToolCallError
from toolguild.synth.drafting import Case, Draft
from toolguild.synth.drafting.composite import draft_composite
from toolguild.synth.mining import RepeatedSequence, Saving, SequenceOccurrence, canonical
from toolguild.synth.plans import (
    CallStep,
    Constant,
    FromItem,
    FromResult,
    LoopStep,
    Parameter,
    Plan,
)
from toolguild.synth.traces import Place, ToolCall
from toolguild.synth.validation import (
    Check,
    CheckName,
    Counterexample,
    Rehearsal,
    ValidationSettings,
    rehearse_cases,
    rehearse_inputs,
    validate,
)
from toolguild.synth.validation.live import Watched, other_states
from toolguild.synth.validation.plan_run import run_plan
from toolguild.synth.validation.recordings import RecordedTools
from toolguild.synth.validation.rehearsal import NO_COPY, NO_PLAN, UNEQUAL_COPIES, UNSTEADY


@dataclass
class Bank:
    """Accounts with balances; reading a statement costs a fee, whatever its name promises."""

    balances: dict[str, int] = field(default_factory=lambda: {"a": 100, "b": 50, "c": 10})
    owners: dict[str, list[str]] = field(default_factory=lambda: {"ann": ["a", "b"], "cy": ["c"]})
    notes: list[Json] = field(default_factory=list)

    def __call__(self, name: str, arguments: JsonObject) -> Json:
        if name not in ("find_owner", "withdraw", "deposit", "get_statement", "note"):
            raise ToolCallError(f"no tool {name}")
        try:
            return getattr(self, name)(**arguments)
        except (KeyError, TypeError, ValueError) as error:
            raise ToolCallError(str(error)) from error

    def state(self) -> Json:
        return {"balances": {**self.balances}, "notes": [*self.notes]}

    def find_owner(self, name: str) -> Json:
        return {"name": name, "accounts": [{"number": one} for one in self.owners[name]]}

    def withdraw(self, account: str, amount: int) -> None:
        if self.balances[account] < amount:
            raise ValueError("not enough")
        self.balances[account] -= amount

    def deposit(self, account: str, amount: int) -> None:
        self.balances[account] += amount

    def get_statement(self, account: str) -> Json:
        self.balances[account] -= 1
        return {"account": account}

    def note(self, text: str) -> Json:
        self.notes.append(text)
        return {"noted": True}


@dataclass
class Tree:
    """Directories and files as nested objects and texts."""

    root: JsonObject = field(default_factory=lambda: {"old": {"a.txt": "A", "b.txt": "B"}})

    def __call__(self, name: str, arguments: JsonObject) -> Json:
        try:
            match name, arguments:
                case "make", {"folder": str(folder)}:
                    self.root[folder] = {}
                    return {"made": folder}
                case "list", {"folder": str(folder)}:
                    return list(self._folder(folder))
                case "move", {"file": str(file), "source": str(source), "target": str(target)}:
                    self._folder(target)[file] = self._folder(source).pop(file)
                    return {"moved": True}
        except KeyError as error:
            raise ToolCallError(f"there is no {error}") from error
        raise ToolCallError("no such tool")

    def _folder(self, name: str) -> JsonObject:
        folder = self.root[name]
        assert isinstance(folder, dict)
        return folder

    def state(self) -> Json:
        return copy.deepcopy(self.root)


class Copies:
    """Gives out the same world anew."""

    def __init__(self, make: Callable[[], Bank | Tree]) -> None:
        self.scratch = lambda case: make()


BANK, TREE = Copies(Bank), Copies(Tree)

PAY: Plan = (
    CallStep("withdraw", (("account", Parameter("source")), ("amount", Parameter("amount")))),
    CallStep("deposit", (("account", Parameter("target")), ("amount", Parameter("amount")))),
    CallStep("note", (("text", Constant("paid")),)),
)
READ_ALL: Plan = (
    CallStep("find_owner", (("name", Parameter("owner")),)),
    LoopStep("get_statement", FromResult(0, ("accounts",)), (("account", FromItem(("number",))),)),
)
RENEW: Plan = (
    CallStep("list", (("folder", Parameter("source")),)),
    CallStep("make", (("folder", Parameter("target")),)),
    LoopStep(
        "move",
        FromResult(0, ()),
        (("file", FromItem(())), ("source", Parameter("source")), ("target", Parameter("target"))),
    ),
)
PAID: JsonObject = {"source": "a", "target": "b", "amount": 20}


def drafted(plan: Plan, world: Bank | Tree, *bindings: JsonObject) -> Draft:
    """Return the tool of a plan, with a case of each bindings as recorded in a fresh world."""
    occurrences = tuple(_occurrence(plan, one, copy.deepcopy(world)) for one in bindings)
    return draft_composite(RepeatedSequence(plan, occurrences), "tool")


def _occurrence(plan: Plan, bindings: JsonObject, world: Bank | Tree) -> SequenceOccurrence:
    made: list[ToolCall] = []

    def note(tool: str, arguments: JsonObject) -> Json:
        result = world(tool, arguments)
        made.append(ToolCall(tool, arguments, result, None, Place("log", 1, len(made) + 1)))
        return result

    calls = iter(made)
    results = run_plan(plan, bindings, note)
    steps = tuple(
        tuple(itertools.islice(calls, len(result) if isinstance(step, LoopStep) else 1))
        for step, result in zip(plan, results, strict=True)
        if isinstance(result, list) or not isinstance(step, LoopStep)
    )
    return SequenceOccurrence("trace", "task", steps, bindings, Saving())


def written(draft: Draft, body: str) -> Draft:
    """Return a draft with another body."""
    head = draft.source[: draft.source.index(":\n") + 2]
    return replace(draft, source=head + indent(body, "    ") + "\n")


PAY_TOOL = drafted(PAY, Bank(), PAID)
READ_TOOL = drafted(READ_ALL, Bank(), {"owner": "ann"})
RENEW_TOOL = drafted(RENEW, Tree(), {"source": "old", "target": "new"})


@pytest.mark.parametrize(
    ("tool", "live"), [(PAY_TOOL, BANK), (READ_TOOL, BANK), (RENEW_TOOL, TREE)]
)
def test_a_drafted_tool_does_what_the_recorded_calls_do(
    local: Sandbox, tool: Draft, live: Copies
) -> None:
    found = rehearse_cases(tool, live, local)
    assert found == Rehearsal(compared=1, changing=1)
    assert found.holds


def test_inputs_that_were_not_recorded_are_held_against_the_plan(local: Sandbox) -> None:
    inputs: list[JsonObject] = [
        {"source": "b", "target": "c", "amount": 50},
        {"source": "c", "target": "a", "amount": 50},
        {"source": "a", "target": "nobody", "amount": 50},
        {"source": "a", "target": "a", "amount": 0},
    ]
    found = rehearse_inputs(PAY_TOOL, inputs, BANK, local)
    assert found == Rehearsal(compared=4, changing=3, failing=2)


WITHDRAW = 'call_tool("withdraw", {"account": source, "amount": amount})'
DEPOSIT = 'call_tool("deposit", {"account": target, "amount": amount})'
NOTE = 'note = call_tool("note", {"text": "paid"})'
GIVE = 'return {"withdraw": None, "deposit": None, "note": note}'
SAME_RESULT = {
    "a dropped write": [WITHDRAW, NOTE, GIVE],
    "swapped arguments": [
        WITHDRAW.replace("source", "target"),
        DEPOSIT.replace("target", "source"),
        NOTE,
        GIVE,
    ],
    "an extra write whose result is thrown away": [WITHDRAW, DEPOSIT, NOTE, NOTE[7:], GIVE],
    "an extra write of another tool": [
        WITHDRAW,
        DEPOSIT,
        NOTE,
        'call_tool("deposit", {"account": "c", "amount": 1})',
        GIVE,
    ],
    "an extra write that is undone": [
        WITHDRAW,
        DEPOSIT,
        DEPOSIT,
        WITHDRAW.replace("source", "target"),
        NOTE,
        GIVE,
    ],
    "two writes in the wrong order": [DEPOSIT, WITHDRAW, NOTE, GIVE],
    "a write repeated": [WITHDRAW, DEPOSIT, DEPOSIT, NOTE, GIVE],
    "another constant": [
        WITHDRAW,
        DEPOSIT,
        NOTE.replace("paid", "Paid"),
        GIVE,
    ],
    "an amount in parts": [
        WITHDRAW.replace("amount}", "amount // 2}"),
        WITHDRAW.replace("amount}", "amount - amount // 2}"),
        DEPOSIT,
        NOTE,
        GIVE,
    ],
    "an undone write more at the end": [
        WITHDRAW,
        DEPOSIT,
        NOTE,
        'call_tool("withdraw", {"account": "c", "amount": 1})',
        'call_tool("deposit", {"account": "c", "amount": 1})',
        GIVE,
    ],
    "no call at all": ['note = {"noted": True}', GIVE],
}


@pytest.mark.parametrize("lines", SAME_RESULT.values(), ids=SAME_RESULT)
def test_a_wrong_tool_whose_result_is_right_is_refused(local: Sandbox, lines: list[str]) -> None:
    (case,) = PAY_TOOL.cases
    found = rehearse_cases(written(PAY_TOOL, "\n".join(lines)), BANK, local)
    assert not found.holds
    (wrong,) = found.differing
    assert (wrong.arguments, wrong.value, wrong.error_type) == (PAID, case.value, None)
    assert wrong.observed.startswith("leaves ")


def test_what_is_right_for_the_recorded_arguments_only_is_refused_on_others(
    local: Sandbox,
) -> None:
    fixed = [WITHDRAW.replace("amount}", "20}"), DEPOSIT.replace("amount}", "20}"), NOTE, GIVE]
    tool = written(PAY_TOOL, "\n".join(fixed))
    assert rehearse_cases(tool, BANK, local).holds
    found = rehearse_inputs(tool, [PAID, {**PAID, "amount": 30}], BANK, local)
    (wrong,) = found.differing
    assert (found.compared, wrong.arguments["amount"]) == (2, 30)
    assert wrong.observed == (
        "leaves another state: balances.a is 80, not 70; balances.b is 70, not 80"
    )


LOOP = """
user = call_tool("find_owner", {"name": owner})
listed = user["accounts"]
each = [call_tool("get_statement", {"account": one["number"]}) for one in listed]
return {"owner_2": user, "accounts": each}
"""


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("in listed]", "in listed[:1]]", "has 1 items, not 2"),
        ("in listed]", "in listed[::-1]]", 'is "b", not "a"'),
        ("in listed]", "in [*listed, *listed]]", "has 4 items, not 2"),
        ("in listed]", "in listed[:1]] * 2", "leaves another state"),
        (": each", ': user["accounts"]', "returns something else"),
        ("return", "raise KeyError(1)\nreturn", "ends by KeyError"),
        ("return", "while True: pass\nreturn", "ends by timeout"),
    ],
)
def test_a_wrong_loop_and_a_wrong_result_are_refused(
    local: Sandbox, before: str, after: str, told: str
) -> None:
    assert rehearse_cases(written(READ_TOOL, LOOP), BANK, local).holds
    assert before in LOOP
    wrong = written(READ_TOOL, LOOP.replace(before, after))
    found = rehearse_cases(wrong, BANK, local, Limits(wall_s=0.5))
    assert found.compared == 1
    assert told in found.differing[0].observed


def test_a_write_behind_the_name_of_a_reading_tool_is_seen(local: Sandbox) -> None:
    """The replay of recordings takes `get_statement` for harmless, twice as well as once."""
    again = LOOP.replace("return", 'call_tool("get_statement", {"account": "a"})\nreturn')
    tool = written(READ_TOOL, again)
    (case,) = tool.cases
    recorded = RecordedTools(case.calls)
    for call in (*case.calls, case.calls[1]):
        recorded(call.tool, call.arguments)
    assert recorded.unrecorded == []
    assert recorded.writes_agree
    (wrong,) = rehearse_cases(tool, BANK, local).differing
    assert wrong.observed == "leaves another state: balances.a is 98, not 99"


def test_more_reading_is_no_fault(local: Sandbox) -> None:
    more = LOOP.replace("return", 'call_tool("find_owner", {"name": "cy"})\nreturn')
    assert rehearse_cases(written(READ_TOOL, more), BANK, local).holds


def test_a_write_that_changes_nothing_is_left_to_the_replay_of_recordings(local: Sandbox) -> None:
    nothing = DEPOSIT.replace("amount}", "0}")
    tool = written(PAY_TOOL, "\n".join([WITHDRAW, DEPOSIT, NOTE, nothing, GIVE]))
    assert rehearse_cases(tool, BANK, local).holds
    recorded = RecordedTools(tool.cases[0].calls)
    local.run(Program(tool.source, tool.name), PAID, tier=Tier.SANDBOX, tools=recorded)
    assert recorded.unrecorded == ['deposit({"account": "b", "amount": 0})']


def test_files_that_are_left_behind_are_shown(local: Sandbox) -> None:
    one_only = RENEW_TOOL.source.replace("\n    ]", "[:1]\n    ]")
    (wrong,) = rehearse_cases(replace(RENEW_TOOL, source=one_only), TREE, local).differing
    assert "new.b.txt is missing; old.b.txt is there" in wrong.observed


# -- what says nothing


def test_recorded_results_that_the_tools_do_not_give_prove_nothing(local: Sandbox) -> None:
    poorer = Copies(lambda: Bank(owners={"ann": ["a"]}))
    found = rehearse_cases(READ_TOOL, poorer, local)
    assert found.inconclusive == {"the live find_owner does not answer as it was recorded": 1}
    assert (found.compared, found.holds) == (0, False)


@pytest.mark.parametrize(("error", "compared"), [("gone", 1), (None, 0)])
def test_a_recorded_failure_has_to_fail_again(
    local: Sandbox, error: str | None, compared: int
) -> None:
    failed = ToolCall("withdraw", {"account": "z", "amount": 1}, None, error, Place("log", 1))
    case = Case(PAID, None, "ToolCallError", (failed,), "task", Place("log", 1))
    body = 'call_tool("withdraw", {"account": "z", "amount": 1})'
    tool = replace(written(PAY_TOOL, body), cases=(case,))
    found = rehearse_cases(tool, BANK, local)
    assert (found.compared, found.failing, len(found.differing)) == (compared, compared, 0)


def test_without_a_copy_nothing_is_said(local: Sandbox) -> None:
    nowhere = Copies(lambda: None)
    assert rehearse_cases(PAY_TOOL, nowhere, local) == Rehearsal(inconclusive={NO_COPY: 1})
    found = rehearse_inputs(PAY_TOOL, [PAID, PAID], nowhere, local)
    assert found == Rehearsal(inconclusive={NO_COPY: 2})


def test_copies_that_are_not_alike_say_nothing(local: Sandbox) -> None:
    numbers = itertools.count()
    odd = Copies(lambda: Bank(notes=[next(numbers)]))
    assert rehearse_cases(PAY_TOOL, odd, local) == Rehearsal(inconclusive={UNEQUAL_COPIES: 1})


def test_a_copy_that_lets_through_what_happens_to_another_says_nothing(local: Sandbox) -> None:
    shared = Bank()
    assert rehearse_cases(PAY_TOOL, Copies(lambda: shared), local) == Rehearsal(
        inconclusive={UNEQUAL_COPIES: 1}
    )


def test_no_more_states_are_kept_than_it_takes_to_tell() -> None:
    bank = Bank()
    watched = Watched(bank, most=3)
    states = [watched.states[0]]
    for _ in range(5):
        watched("deposit", {"account": "a", "amount": 1})
        states.append(canonical(bank.state()))
    assert watched.states == [*states[:2], states[-1]]


@pytest.mark.parametrize(
    ("observed", "told"),
    [
        ("012", ""),
        ("013", "leaves another state: it is 3, not 2"),
        ("0", "leaves another state: it is 0, not 2"),
        ("032", "leaves the same state by another way: after change 1 it is 3, not 1"),
        ("02", "leaves the same state by another way: after change 1 it is 2, not 1"),
        ("01212", "leaves the same state by another way: by more changes"),
    ],
)
def test_another_way_is_told_by_the_first_state_that_differs(observed: str, told: str) -> None:
    assert other_states([*"012"], [*observed]) == told


def test_fewer_changes_to_the_same_state_are_another_way() -> None:
    told = "leaves the same state by another way: by fewer changes"
    assert other_states([*"010"], ["0"]) == told


def test_tools_that_do_not_do_the_same_twice_are_not_blamed_on_the_composite(
    local: Sandbox,
) -> None:
    numbers = itertools.count()

    class Unsteady(Bank):
        def note(self, text: str) -> Json:
            super().note(f"{text} {next(numbers)}")
            return {"noted": True}

    found = rehearse_cases(PAY_TOOL, Copies(Unsteady), local)
    assert found == Rehearsal(inconclusive={UNSTEADY: 1})


@pytest.mark.parametrize(
    "tool",
    [
        replace(PAY_TOOL, original=None),
        replace(PAY_TOOL, cases=()),
        replace(PAY_TOOL, parameters={"type": "object", "properties": {"other": {}}}),
    ],
)
def test_without_a_plan_for_its_parameters_inputs_say_nothing(local: Sandbox, tool: Draft) -> None:
    assert rehearse_inputs(tool, [PAID], BANK, local) == Rehearsal(inconclusive={NO_PLAN: 1})
    assert rehearse_inputs(tool, [], BANK, local) == Rehearsal()


def test_inputs_take_turns_with_the_states_in_which_cases_began(local: Sandbox) -> None:
    began: list[str] = []

    class Noting:
        def scratch(self, case: Case) -> Bank:
            began.append(str(case.arguments["source"]))
            return Bank()

    tool = drafted(PAY, Bank(), PAID, {**PAID, "source": "c", "amount": 1})
    rehearse_inputs(tool, [PAID] * 3, Noting(), local)
    assert began == ["a", "a", "c", "c", "a", "a"]


def test_rehearsals_add_up() -> None:
    wrong = Counterexample({}, "returns 1", "returns 2")
    one = Rehearsal(2, 1, 0, {"x": 1}, (wrong,))
    both = one + Rehearsal(1, 1, 1, {"x": 2, "y": 1})
    assert both == Rehearsal(3, 2, 1, {"x": 3, "y": 1}, (wrong,))
    assert not Rehearsal().holds


# -- the law: the drafted tool of a plan always holds, and one that leaves out a write never does


accounts = st.sampled_from(["a", "b", "c"])


@settings(max_examples=40)
@given(
    st.lists(
        st.fixed_dictionaries(
            {"source": accounts, "target": accounts, "amount": st.integers(1, 60)}
        ),
        min_size=1,
        max_size=4,
    )
)
def test_a_tool_holds_on_any_input_and_one_without_its_last_write_only_where_it_fails_before(
    local: Sandbox, inputs: Sequence[JsonObject]
) -> None:
    right = rehearse_inputs(PAY_TOOL, inputs, BANK, local)
    assert right.compared == len(inputs)
    assert not right.differing
    body = "\n".join([WITHDRAW, DEPOSIT, 'note = {"noted": True}', GIVE])
    wrong = rehearse_inputs(written(PAY_TOOL, body), inputs, BANK, local)
    assert len(wrong.differing) == right.compared - right.failing


def live_check(tool: Draft, live: Copies | None, local: Sandbox) -> Check:
    settings = ValidationSettings(inputs=10, repeats=2, mutants=0, crowd=20)
    report = validate(tool, local, settings, live=live)
    [check] = [check for check in report.checks if check.name is CheckName.LIVE]
    return check


def test_validation_asks_the_live_tools_where_there_are_any(local: Sandbox) -> None:
    check = live_check(PAY_TOOL, BANK, local)
    assert check.passed
    assert "changed things" in check.detail
    assert live_check(PAY_TOOL, None, local).passed is None


def test_validation_refuses_what_leaves_another_state(local: Sandbox) -> None:
    # Reading twice is no fault for recordings; here it writes, whatever its name says.
    again = '    call_tool("get_statement", {"account": "a"})\n    return {'
    twice = READ_TOOL.source.replace("    return {", again)
    wrong = replace(READ_TOOL, source=twice, original=None)
    check = live_check(wrong, BANK, local)
    assert check.passed is False, check.detail
