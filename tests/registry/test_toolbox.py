import json

import pytest
from sqlalchemy import update

from toolguild.policies import Capability, Tier
from toolguild.registry import (
    CallStatus,
    Record,
    RegistryError,
    State,
    TamperedError,
    Toolbox,
    digest,
    schema,
)
from toolguild.sandbox import Limits, Outcome, SandboxUnavailableError, Status


@pytest.fixture
def version(registry, make_spec):
    return registry.register(make_spec()).version


@pytest.fixture
def toolbox(registry, sandbox, version):
    return Toolbox(registry, sandbox, task="task-1", trace="trace-9")


def only_use(registry, version):
    (use,) = registry.uses(version.digest)
    return use


def test_call_runs_in_the_sandbox_and_is_recorded(registry, sandbox, version, toolbox):
    result = toolbox.call("double", {"number": 21})
    assert result.ok
    assert (result.status, result.value, result.error) == (CallStatus.OK, 42, "")
    assert (result.version, result.duration_s, result.ran) == (version.digest, 0.25, True)
    ((entry, tier, _),) = sandbox.runs
    assert (entry, tier) == ("double", Tier.SANDBOX)
    use = only_use(registry, version)
    assert use.input_digest == digest({"number": 21})
    assert (use.status, use.ran, use.duration_s) == (CallStatus.OK, True, 0.25)
    assert (use.task, use.trace) == ("task-1", "trace-9")
    assert registry.track_record(version.digest).successes == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"number": "21"}, "arguments.number: '21' is not of type 'integer'"),
        ({}, "arguments: 'number' is a required property"),
        ({"number": 1, "more": 2}, "'more' was unexpected"),
        ({"number": None}, "arguments.number: None is not of type 'integer'"),
    ],
)
def test_wrong_arguments_never_reach_the_sandbox(
    registry, sandbox, version, toolbox, arguments, message
):
    result = toolbox.call("double", arguments)
    assert result.status is CallStatus.REFUSED
    assert message in result.error
    assert not result.ran
    assert sandbox.runs == []
    assert registry.track_record(version.digest) == Record(
        turned_away=1, last_used_at=only_use(registry, version).at
    )


def test_undeclared_arguments_are_refused_where_the_schema_is_silent(registry, sandbox, make_spec):
    schema = {"type": "object", "properties": {"number": {"type": "integer"}}}
    registry.register(make_spec("half", parameters=schema))
    result = Toolbox(registry, sandbox).call("half", {"number": 1, "x": 2})
    assert "'x' was unexpected" in result.error


@pytest.mark.parametrize("arguments", [{"number": float("nan")}, {"number": {1}}, [1], 7, "abc"])
def test_arguments_that_are_no_json_object_are_refused(sandbox, toolbox, arguments):
    result = toolbox.call("double", arguments)
    assert result.status is CallStatus.REFUSED
    assert result.error.startswith("arguments: ")
    assert sandbox.runs == []


def test_arguments_may_come_as_the_text_of_a_model(toolbox):
    assert toolbox.call_json("double", '{"number": 4}').value == 8


@pytest.mark.parametrize("text", ["{", "[1]", "7", '{"number": NaN}', "[" * 100_000, '"\\ud800"'])
def test_text_that_is_no_json_object_is_refused(sandbox, toolbox, text):
    result = toolbox.call_json("double", text)
    assert result.status is CallStatus.REFUSED
    assert result.error.startswith("arguments: not ")
    assert sandbox.runs == []


def test_lone_surrogates_in_arguments_are_refused(registry, sandbox, make_spec):
    registry.register(
        make_spec("say", parameters={"type": "object", "properties": {"x": {"type": "string"}}})
    )
    result = Toolbox(registry, sandbox).call_json("say", r'{"x": "\ud800"}')
    assert result.status is CallStatus.REFUSED
    assert sandbox.runs == []


def test_no_text_at_all_means_no_arguments(registry, sandbox, make_spec):
    registry.register(
        make_spec(
            "answer",
            source="def answer():\n    return 42\n",
            parameters={"type": "object", "properties": {}},
        )
    )
    assert Toolbox(registry, sandbox).call_json("answer", "").value == 42


def test_unknown_tool_is_refused_with_similar_names(toolbox):
    result = toolbox.call("duble", {})
    assert result.status is CallStatus.REFUSED
    assert result.error == "no tool named 'duble'; did you mean double?"
    assert result.version is None


@pytest.mark.parametrize(
    "name",
    ["\ud800", "a\0b", "d\N{CYRILLIC SMALL LETTER O}uble", "", "double ", "x" * 10**6, None, 7],
)
def test_names_of_any_kind_are_refused(registry, sandbox, version, toolbox, name):
    result = toolbox.call(name, {"number": 1})
    assert (result.status, result.version) == (CallStatus.REFUSED, None)
    assert len(result.error) < 300
    assert sandbox.runs == []
    assert registry.uses(version.digest) == []


def test_agents_cannot_pick_a_version(registry, sandbox, toolbox, make_spec):
    registry.set_tier("double", Tier.FULL, why="trusted")
    registry.register(make_spec(description="Newer."))
    result = toolbox.call("double@1", {"number": 1})
    assert result.status is CallStatus.REFUSED
    assert "without a version" in result.error
    assert sandbox.runs == []


@pytest.mark.parametrize("state", [State.PROPOSED, State.QUARANTINED, State.RETIRED])
def test_only_active_tools_are_offered_and_called(registry, sandbox, version, toolbox, state):
    if state is State.PROPOSED:  # to which nothing leads back
        with registry.database.write() as connection:
            connection.execute(update(schema.versions).values(state=state.value))
    else:
        registry.set_state("double", state, why="test")
    result = toolbox.call("double", {"number": 1})
    assert result.status is CallStatus.REFUSED
    assert result.error == f"double@1 is {state.value} and cannot be called"
    assert sandbox.runs == []
    assert toolbox.specs() == []
    registry.set_state("double", State.ACTIVE, why="test")
    assert toolbox.call("double", {"number": 1}).ok
    assert toolbox.specs() == [version.spec]


def test_a_new_version_is_called_at_once(registry, toolbox, make_spec):
    assert toolbox.call("double", {"number": 1}).value == 2
    registry.register(make_spec(source="def double(number):\n    return number + number + 0\n"))
    assert toolbox.call("double", {"number": 1}).version == registry.tool("double@2").digest


def test_null_stands_for_a_property_left_out(registry, sandbox, make_spec):
    registry.register(
        make_spec(
            "power",
            source="def power(base, exponent=2):\n    return base ** exponent\n",
            parameters={
                "type": "object",
                "properties": {"base": {"type": "integer"}, "exponent": {"type": "integer"}},
                "required": ["base"],
            },
        )
    )
    toolbox = Toolbox(registry, sandbox)
    assert toolbox.call("power", {"base": 3, "exponent": None}).value == 9
    assert toolbox.call("power", {"base": 3}).value == 9
    uses = registry.uses(registry.tool("power").digest)
    assert uses[0].input_digest == uses[1].input_digest


def test_result_that_does_not_match_its_schema_is_an_error(registry, sandbox, make_spec):
    version = registry.register(make_spec("wrong", source="def wrong(number):\n    return 'x'\n"))
    result = Toolbox(registry, sandbox).call("wrong", {"number": 1})
    assert result.status is CallStatus.ERROR
    assert result.error == "result: 'x' is not of type 'integer'"
    assert result.value is None
    assert registry.track_record(version.version.digest).failures == 1


def test_exception_of_the_tool_is_an_error(registry, sandbox, make_spec):
    source = "def wrong(number):\n    raise ValueError(f'no {number}')\n"
    version = registry.register(make_spec("wrong", source=source)).version
    result = Toolbox(registry, sandbox).call("wrong", {"number": 1})
    assert (result.status, result.error) == (CallStatus.ERROR, "ValueError: no 1")
    assert only_use(registry, version).error == "ValueError: no 1"


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.OK])
def test_ends_of_the_sandbox_are_results(registry, sandbox, version, toolbox, status):
    effects = frozenset({Capability.NETWORK})
    sandbox.answers.append(Outcome(status, error="why", duration_s=2.0, effects=effects))
    result = toolbox.call("double", {"number": 1})
    assert (result.status.value, result.error) == (status.value, "why")
    use = only_use(registry, version)
    assert (use.status.value, use.effects, use.ran) == (status.value, effects, True)
    record = registry.track_record(version.digest)
    assert (record.failures, record.refused) == ((0, 1) if status is Status.REFUSED else (1, 0))


def test_unavailable_sandbox_is_no_failure_of_the_tool(
    registry, sandbox, version, toolbox, unavailable
):
    sandbox.answers.append(unavailable)
    with pytest.raises(SandboxUnavailableError, match="start dockerd"):
        toolbox.call("double", {"number": 1})
    use = only_use(registry, version)
    assert (use.status, use.ran) == (CallStatus.UNAVAILABLE, False)
    assert registry.track_record(version.digest).runs == 0


def test_long_errors_are_clipped(sandbox, toolbox):
    sandbox.answers.append(Outcome(Status.ERROR, error="x" * 100_000))
    assert len(toolbox.call("double", {"number": 1}).error) < 2100


def test_tools_run_at_their_tier_but_no_higher_than_they_need(registry, sandbox, make_spec):
    everything = frozenset(Capability)
    registry.register(make_spec("greedy", needs=everything))
    registry.register(make_spec("modest", needs=frozenset({Capability.READ})))
    toolbox = Toolbox(registry, sandbox)
    for tier in Tier:
        registry.set_tier("greedy", tier, why="test")
        registry.set_tier("modest", tier, why="test")
        toolbox.call("greedy", {"number": 1})
        toolbox.call("modest", {"number": 1})
    tiers = [tier for _, tier, _ in sandbox.runs]
    assert tiers[::2] == list(Tier)
    assert tiers[1::2] == [Tier.SANDBOX] * 3


def test_limits_are_handed_on(registry, sandbox, version):
    limits = Limits(wall_s=2.0, memory_mb=64, output_bytes=10, processes=1)
    Toolbox(registry, sandbox, limits=limits).call("double", {"number": 1})
    assert sandbox.runs == [("double", Tier.SANDBOX, limits)]


def test_models_read_json_or_a_sentence(registry, toolbox, sandbox):
    assert toolbox.call("double", {"number": 2}).for_model() == "4"
    sandbox.answers.append(Outcome(Status.TIMEOUT, error="ran longer than 5 s"))
    assert toolbox.call("double", {"number": 2}).for_model() == (
        "The call did not succeed (timeout): ran longer than 5 s"
    )
    assert "did you mean double?" in toolbox.call("duble", {}).for_model()


def test_json_for_models_keeps_every_value(registry, sandbox, make_spec):
    registry.register(make_spec("any", returns={}))
    value = {"a": ["\N{SNOWMAN}", 1.5, None, True]}
    sandbox.answers.append(Outcome(Status.OK, value))
    text = Toolbox(registry, sandbox).call("any", {"number": 1}).for_model()
    assert json.loads(text) == value
    assert "\N{SNOWMAN}" in text


def test_openai_tools_are_the_active_ones_by_name(registry, sandbox, toolbox, make_spec):
    registry.register(make_spec("add"))
    registry.register(make_spec("gone"))
    registry.set_state("gone", State.RETIRED, why="test")
    assert [tool["function"]["name"] for tool in toolbox.openai_tools()] == ["add", "double"]
    assert [tool["name"] for tool in toolbox.openai_tools("responses")] == ["add", "double"]


def test_tampered_tool_is_never_run(registry, sandbox, toolbox, unguarded):
    with unguarded(registry) as connection:
        connection.exec_driver_sql("UPDATE versions SET spec = replace(spec, '2 *', '3 *')")
    with pytest.raises(TamperedError):
        toolbox.call("double", {"number": 1})
    assert sandbox.runs == []


def test_a_use_that_cannot_be_recorded_is_an_error(registry, sandbox, toolbox, monkeypatch):
    def full(use, refusals):
        msg = "disk full"
        raise RegistryError(msg)

    monkeypatch.setattr(registry, "record", full)
    with pytest.raises(RegistryError, match="disk full"):
        toolbox.call("double", {"number": 1})


QUAD = """
def quad(number: int) -> int:
    return call_tool("twice", {"number": call_tool("twice", {"number": number})})
"""


def test_a_version_that_is_left_out_is_not_there_and_the_one_before_it_is(
    registry, sandbox, make_spec
):
    first = registry.register(make_spec()).version
    second = registry.register(make_spec(description="Double it.")).version
    alone = registry.register(make_spec("twice")).version
    registry.register(make_spec("quad", source=QUAD, calls=("twice",)))
    without = Toolbox(registry, sandbox, without=[second.digest, alone.digest])
    assert [one.version.digest for one in without.usable()] == [first.digest]
    assert without.call("double", {"number": 2}).version == first.digest
    assert without.call("twice", {"number": 2}).status is CallStatus.REFUSED
    assert without.call("quad", {"number": 2}).status is not CallStatus.OK
    assert Toolbox(registry, sandbox).call("double", {"number": 2}).version == second.digest
    registry.governance.retire(first.ref, why="a test")
    assert [spec.name for spec in without.specs()] == ["quad"]
