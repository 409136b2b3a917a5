from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from toolguild.policies import Capability, Tier
from toolguild.registry import (
    AlreadyRegisteredError,
    AmbiguousRefError,
    CallStatus,
    InvalidSpecError,
    NotJsonError,
    Record,
    Registry,
    RegistryError,
    State,
    ToolVersion,
    UnknownToolError,
    Use,
    head,
    schema,
    tail,
)

FIRST_TIME = datetime(2026, 11, 21, 0, 0, 1, tzinfo=UTC)


def contents(registry):
    """Every row of every table."""
    with registry.database.read() as connection:
        return {
            name: sorted(map(tuple, connection.execute(select(table)).all()), key=repr)
            for name, table in schema.metadata.tables.items()
        }


def use(version, status=CallStatus.OK, **fields):
    values = {"input_digest": "sha256:00", "duration_s": 0.5, "at": FIRST_TIME}
    return Use(version.digest, status=status, **(values | fields))


def test_first_version_is_active_in_the_sandbox_tier(registry, make_spec):
    spec = make_spec()
    registration = registry.register(spec, provenance={"origin": "test"}, evidence={"cases": 3})
    assert registration.created
    assert registration.version == ToolVersion(
        spec, 1, Tier.SANDBOX, State.ACTIVE, FIRST_TIME, {"origin": "test"}, {"cases": 3}
    )
    assert registry.tool("double") == registration.version


def test_every_field_of_a_specification_is_kept(where, make_spec):
    spec = make_spec(
        description="Zwei mal drei \N{SNOWMAN}",
        calls=("fetch", "add"),
        needs=frozenset({Capability.READ, Capability.NETWORK}),
        returns={"anyOf": [{"type": "integer"}, {"enum": [None, 2.5, "x"]}]},
    )
    with Registry.open(where) as registry:
        registry.register(spec)
    with Registry.open(where) as registry:
        assert registry.tool("double").spec == spec
        assert registry.tool("double").digest == spec.digest


def test_registering_the_same_specification_again_writes_nothing(registry, make_spec):
    first = registry.register(make_spec(), provenance={"origin": "first"})
    before = contents(registry)
    again = registry.register(make_spec(), provenance={"origin": "second"}, why="again")
    assert not again.created
    assert again.version == first.version
    assert contents(registry) == before


def test_changed_tool_becomes_the_next_version_and_inherits_no_tier(registry, make_spec):
    registry.register(make_spec())
    registry.set_tier("double", Tier.FULL, why="trusted")
    second = registry.register(make_spec(description="Other words.")).version
    assert (second.number, second.tier) == (2, Tier.SANDBOX)
    assert registry.tool("double") == second
    assert registry.tool("double@1").tier is Tier.FULL


def test_registering_an_older_version_again_leaves_the_pointer_alone(registry, make_spec):
    old, new = make_spec(), make_spec(description="Newer.")
    registry.register(old)
    registry.register(new)
    before = contents(registry)
    assert registry.register(old).version.number == 1
    assert registry.tool("double").spec == new
    assert contents(registry) == before


def test_numbers_count_within_a_name(registry, make_spec):
    assert registry.register(make_spec("one")).version.ref == "one@1"
    assert registry.register(make_spec("two")).version.ref == "two@1"


def test_references_name_versions(registry, make_spec):
    first = registry.register(make_spec()).version
    second = registry.register(make_spec(description="Newer.")).version
    assert registry.tool("double") == second
    assert registry.tool("double@1") == first
    assert registry.tool("double@2") == second
    assert registry.tool(f"double@{first.digest}") == first
    assert registry.tool(f"double@{first.digest[:15]}") == first
    assert registry.versions("double") == [first, second]


@pytest.mark.parametrize("ref", ["double@0", "double@", "double@_x", "double@sha256:ab", "a@%"])
def test_malformed_references_say_how_to_write_one(registry, make_spec, ref):
    registry.register(make_spec())
    with pytest.raises(UnknownToolError, match=r"write name, name@3, .* or name@alias"):
        registry.tool(ref)


def test_ambiguous_digest_prefix_is_refused(registry, make_spec):
    by_prefix = {}
    for number in range(5000):  # four digits: two of 300 share them as likely as not
        spec = make_spec(description=str(number))
        prefix = spec.digest[:11]
        if prefix in by_prefix:
            break
        by_prefix[prefix] = spec
    registry.register(by_prefix[prefix])
    registry.register(spec)
    with pytest.raises(AmbiguousRefError, match="write more digits"):
        registry.tool(f"double@{prefix}")
    assert registry.tool(f"double@{spec.digest[:30]}").spec == spec


def test_unknown_names_suggest_similar_ones(registry, make_spec):
    registry.register(make_spec("fetch_user"))
    with pytest.raises(UnknownToolError, match="did you mean fetch_user"):
        registry.tool("fetch_usr")
    with pytest.raises(UnknownToolError, match="did you mean fetch_user"):
        registry.versions("fetch_usr")
    with pytest.raises(LookupError, match="1 tools are registered"):
        registry.tool("quite_different")


def test_unknown_versions_say_which_there_are(registry, make_spec):
    registry.register(make_spec())
    for ref in ("double@7", "double@sha256:ffff0000"):
        with pytest.raises(UnknownToolError, match="double has the versions 1 to 1"):
            registry.tool(ref)


def test_tools_are_listed_by_name_and_filtered(registry, make_spec):
    for name in ("zeta", "alpha", "middle"):
        registry.register(make_spec(name))
    registry.set_tier("alpha", Tier.RESTRICTED, why="earned")
    registry.set_state("zeta", State.QUARANTINED, why="drifts")

    def names(**which):
        return [version.spec.name for version in registry.tools(**which)]

    assert names() == ["alpha", "middle", "zeta"]
    assert names(tier=Tier.SANDBOX) == ["middle", "zeta"]
    assert names(state=State.ACTIVE) == ["alpha", "middle"]
    assert names(tier=Tier.SANDBOX, state=State.QUARANTINED) == ["zeta"]


def test_changes_of_tier_and_state_touch_one_version_and_are_audited(registry, make_spec):
    registry.register(make_spec())
    second = registry.register(make_spec(description="Newer.")).version
    assert registry.set_tier("double@2", Tier.RESTRICTED, why="60 of 60").tier is Tier.RESTRICTED
    assert registry.set_state("double", State.QUARANTINED, why="drifts").state is State.QUARANTINED
    assert registry.tool("double@1").tier is Tier.SANDBOX
    assert registry.tool("double@1").state is State.ACTIVE
    tier, state = tail(registry, 2)
    assert (tier.actor, tier.action, tier.subject) == ("tester", "set_tier", second.digest)
    assert tier.content == {
        "before": {"tier": "sandbox", "state": "active"},
        "after": {"tier": "restricted", "state": "active"},
        "why": "60 of 60",
    }
    assert state.content["after"] == {"tier": "sandbox", "state": "quarantined"}


def test_changing_nothing_writes_nothing(registry, make_spec):
    registry.register(make_spec())
    before = contents(registry)
    registry.set_tier("double", Tier.SANDBOX, why="again")
    registry.set_state("double", State.ACTIVE, why="again")
    assert contents(registry) == before


def test_a_version_cannot_become_a_rejected_draft(registry, make_spec):
    registry.register(make_spec())
    with pytest.raises(RegistryError, match="may become quarantined, retired, not rejected"):
        registry.set_state("double", State.REJECTED, why="bad")
    with pytest.raises(AlreadyRegisteredError, match=r"double@1 is registered .* quarantine"):
        registry.reject(make_spec(), ["bad"])
    assert registry.rejections() == []


def test_rejected_drafts_are_kept_with_their_reasons(registry, make_spec):
    spec = make_spec(source="def double(number): eval(number)")
    rejection = registry.reject(spec, ["calls eval"], {"line": 1})
    assert rejection.created
    assert registry.rejections() == [rejection.draft]
    assert rejection.draft.reasons == ("calls eval",)
    assert registry.tools() == []


def test_rejecting_again_writes_nothing(registry, make_spec):
    registry.reject(make_spec(), ["first"])
    before = contents(registry)
    again = registry.reject(make_spec(), ["second"])
    assert not again.created
    assert again.draft.reasons == ("first",)
    assert contents(registry) == before


def test_rejected_draft_that_passes_later_may_be_registered(registry, make_spec):
    registry.reject(make_spec(), ["sandbox was misconfigured"])
    assert registry.register(make_spec()).created
    assert registry.rejections() == []
    assert [row.action for row in tail(registry)] == ["reject", "register"]


def test_drafts_too_broken_to_register_can_be_rejected(registry, make_spec):
    spec = make_spec("not a name", parameters={"type": 7})
    with pytest.raises(InvalidSpecError):
        registry.register(spec)
    registry.reject(spec, ["hostile text \ud800\0"])
    assert registry.rejections()[0].reasons == ("hostile text \\ud800\\x00",)


def test_rejected_drafts_are_ordered_by_time(registry, make_spec):
    for name in ("c", "a", "b"):
        registry.reject(make_spec(name), ["no"])
    assert [draft.spec.name for draft in registry.rejections()] == ["c", "a", "b"]


def test_uses_read_back_as_they_were_recorded(registry, make_spec):
    version = registry.register(make_spec()).version
    uses = [
        use(version),
        use(
            version,
            CallStatus.ERROR,
            task="t1",
            trace="r9",
            error="ValueError: no",
            effects=frozenset({Capability.WRITE, Capability.READ}),
            undeclared=frozenset({Capability.WRITE}),
            caller=version.digest,
        ),
        use(version, CallStatus.REFUSED, ran=False),
    ]
    for one in uses:
        registry.record(one)
    assert registry.uses(version.digest) == uses


def test_record_counts_every_use_once(registry, make_spec):
    version = registry.register(make_spec()).version
    assert registry.track_record(version.digest) == Record()
    for status in CallStatus:
        registry.record(use(version, status, ran=status is not CallStatus.UNAVAILABLE))
    registry.record(use(version, CallStatus.REFUSED, ran=False))
    registry.record(use(version, CallStatus.OK, at=FIRST_TIME.replace(year=2027)))
    record = registry.track_record(version.digest)
    assert record == Record(
        successes=2,
        failures=5,
        refused=1,
        turned_away=1,
        cut_off=1,
        unavailable=1,
        last_used_at=FIRST_TIME.replace(year=2027),
    )
    assert record.runs == 7


def test_record_belongs_to_one_version(registry, make_spec):
    first = registry.register(make_spec()).version
    registry.record(use(first))
    second = registry.register(make_spec(description="Newer.")).version
    assert registry.track_record(second.digest) == Record()


def test_use_of_an_unknown_version_is_refused(registry, make_spec):
    with pytest.raises(UnknownToolError, match="register the tool first"):
        registry.record(Use(make_spec().digest, "sha256:00", CallStatus.OK, 0.5, FIRST_TIME))


def test_hostile_texts_in_uses_are_stored_as_escapes(registry, make_spec):
    version = registry.register(make_spec()).version
    registry.record(use(version, CallStatus.ERROR, error="\ud800\0", task="\udfff"))
    assert registry.uses(version.digest)[0].error == "\\ud800\\x00"


@pytest.mark.parametrize("broken", [{"provenance": {"x": float("nan")}}, {"evidence": {"x": {1}}}])
def test_what_is_not_json_is_refused_whole(registry, make_spec, broken):
    with pytest.raises(NotJsonError):
        registry.register(make_spec(), **broken)
    assert registry.tools() == []
    assert head(registry).seq == 0


INVALID = [
    ({"name": "two words"}, "name"),
    ({"name": "_hidden"}, "name"),
    ({"name": "class"}, "name"),
    ({"name": "a" * 65}, "name"),
    ({"name": "n\N{LATIN SMALL LETTER A WITH DIAERESIS}me"}, "name"),
    ({"name": "call_tool"}, "call_tool"),
    ({"source": " \n"}, "source: empty"),
    ({"source": "\ud800"}, "not a JSON value"),
    ({"source": "#" * 1_000_001}, "more than 1000000"),
    (
        {"calls": tuple(f"tool_{number}" for number in range(101))},
        "calls: 101 tools, more than 100",
    ),
    ({"parameters": {"type": "array"}}, "parameters: not the schema of an object"),
    ({"parameters": {"type": "object", "required": 3}}, r"parameters: \$.required: 3 is not"),
    ({"returns": {"type": "integre"}}, r"returns: \$.type"),
    ({"returns": {"$ref": "https://example.org/schema"}}, r"returns: keyword '\$ref'"),
    ({"returns": {"items": {"pattern": "(a+)+$"}}}, "returns: keyword 'pattern'"),
]


@pytest.mark.parametrize(("fields", "message"), INVALID, ids=range(len(INVALID)))
def test_specifications_that_no_toolbox_could_offer_are_refused(
    registry, make_spec, fields, message
):
    with pytest.raises(InvalidSpecError, match=message):
        registry.register(make_spec(**fields))
    assert registry.tools() == []
