"""What one registry exports, another one takes in: as versions that start again."""

from __future__ import annotations

import base64
import json

import pytest

from toolguild.policies import Tier
from toolguild.registry import (
    Registry,
    State,
    Toolbox,
    ToolSpec,
    UnknownToolError,
    digest,
    head,
    tail,
    verify,
)
from toolguild.registry.bundles import (
    BundleError,
    Fate,
    ImportRefusedError,
    export_all,
    export_tools,
    payload_of,
    seal,
)
from toolguild.registry.bundles.privacy import without_paths


def payload(data: bytes) -> bytes:
    return base64.b64decode(json.loads(data)["payload"])


def statement(data: bytes) -> dict:
    return json.loads(payload(data))


def test_a_tool_arrives_with_the_tools_that_it_calls_and_works(registry, share, take, sandbox):
    imported = take(share("quad"))
    assert [arrival.ref for arrival in imported.arrivals] == ["double@1", "quad@1"]
    assert imported.missing == {}
    assert Toolbox(registry, sandbox).call("quad", {"number": 3}).value == 12


def test_what_arrives_starts_again_whatever_it_was_before(registry, share, take, theirs):
    take(share())
    version = registry.tool("double")
    assert (version.tier, version.state) == (Tier.SANDBOX, State.ACTIVE)
    assert version.spec == theirs.tool("double").spec
    assert version.evidence == {}
    assert registry.track_record(version.digest).successes == 0
    claims = version.provenance["claims"]
    assert (claims["ref"], claims["tier"], claims["record"]["successes"]) == ("double@1", "full", 2)
    assert claims["evidence"]["adequacy"] == {"killed": 3, "mutants": 4}


def test_provenance_and_trail_tell_of_bundle_and_key(registry, share, take, alice):
    imported = take(share())
    digest_of_bundle = imported.received.digest
    for row, arrival in zip(tail(registry), imported.arrivals, strict=True):
        assert (row.action, row.subject) == ("import", arrival.spec.digest)
        assert row.content["why"] == f"bundle {digest_of_bundle}, signed by {alice.public.id}"
        provenance = registry.tool(arrival.spec.name).provenance
        assert provenance["bundle"] == digest_of_bundle
        assert provenance["signed_by"] == [alice.public.id]
    assert verify(registry).ok


def test_a_bundle_that_came_before_changes_nothing(registry, share, take):
    data = share(with_reports=True)
    take(data)
    before = head(registry)
    registry.set_tier("double", Tier.RESTRICTED, why="earned here")
    again = take(data)
    assert not again.changed
    assert {arrival.fate for arrival in again.arrivals} == {Fate.KNOWN}
    assert registry.tool("double").tier is Tier.RESTRICTED
    assert head(registry).seq == before.seq + 1


def test_a_dry_run_says_the_same_and_writes_nothing(registry, share, take):
    data = share(with_reports=True)
    planned = take(data, dry_run=True)
    assert (registry.tools(), head(registry).seq) == ([], 0)
    assert take(data) == planned


def test_all_and_each_by_name_are_the_same_tools(theirs):
    first = export_all(theirs)
    again = export_tools(theirs, ["quad", "double", "double@1"])
    assert first.bundle.tools == again.bundle.tools


def test_recorded_inputs_and_paths_stay_at_home(share):
    said = payload(share()).decode()
    assert "alice@example.org" not in said
    assert "/home/alice" not in said
    [double, _] = statement(share())["predicate"]["tools"]
    assert double["provenance"]["places"] == ["runs.jsonl:3#1", "b.json:1"]
    assert double["provenance"]["note"] == "mined in runs.jsonl yesterday"
    assert double["provenance"]["model"] == "openai/gpt-7"
    assert double["evidence"]["checks"] == [{"name": "generated inputs", "passed": True}]
    assert statement(share())["predicate"]["reports"] == {}


PATHS = {
    "see /home/alice/a.json, and ~/b/c.json:3": "see a.json, and c.json:3",
    r"C:\Users\alice\a.json:3": "a.json:3",
    "file:///home/alice/a.json": "a.json",
    "https://example.org/a/b": "https://example.org/a/b",
    "openai/gpt-7": "openai/gpt-7",
    "1/2 and a / b": "1/2 and a / b",
}


@pytest.mark.parametrize(("text", "expected"), PATHS.items())
def test_absolute_paths_are_cut_to_names_and_nothing_else_is(text, expected):
    assert without_paths({"note": [text]}) == {"note": [expected]}


@pytest.mark.parametrize("place", ["a:3#1", "x/a:3#1", r"x\a:3#1", "/x/y z/a:3#1"])
def test_places_are_cut_to_names_of_files(place):
    assert without_paths({"members": [{"places": [place]}]}) == {"members": [{"places": ["a:3#1"]}]}


def test_reports_come_along_only_where_asked_for_and_without_paths(registry, share, take):
    data = share(with_reports=True)
    assert "/home/alice" not in payload(data).decode()
    take(data)
    named = registry.tool("double").provenance["claims"]["report"]
    report = registry.report(named)
    assert report["cases"] == [{"place": "runs.jsonl:3#1"}]
    assert digest(report) == named
    assert verify(registry).ok


def test_it_is_an_in_toto_statement_about_the_digests_of_the_tools(share, theirs):
    said = statement(share())
    assert said["_type"] == "https://in-toto.io/Statement/v1"
    assert said["subject"] == [
        {
            "name": f"{name}@1",
            "digest": {"sha256": theirs.tool(name).digest.removeprefix("sha256:")},
        }
        for name in ("double", "quad")
    ]


def test_tools_that_cannot_be_called_are_not_exported(theirs):
    theirs.set_state("double", State.QUARANTINED, why="drifts")
    with pytest.raises(BundleError, match="double@1 is quarantined"):
        export_tools(theirs, ["double"])
    exported = export_all(theirs)
    assert [tool.ref for tool in exported.bundle.tools] == ["quad@1"]
    assert exported.left_out == ("double@1 (quarantined)",)
    assert exported.missing == {"double": ("quad@1",)}


def test_export_of_nothing_or_of_an_unknown_tool_is_refused(registry, theirs):
    with pytest.raises(BundleError, match="no active tool"):
        export_all(registry)
    with pytest.raises(UnknownToolError, match="did you mean double"):
        export_tools(theirs, ["duoble"])


def test_what_tools_call_and_nobody_here_has_is_told(theirs, registry, take, alice, make_spec):
    theirs.register(make_spec("fetch_all", calls=("fetch",)))
    exported = export_tools(theirs, ["fetch_all"])
    assert exported.missing == {"fetch": ("fetch_all@1",)}
    data = seal(payload_of(exported.bundle), alice)
    assert take(data, dry_run=True).missing == {"fetch": ("fetch_all@1",)}
    registry.register(make_spec("fetch"))
    assert take(data).missing == {}


def test_a_tool_that_is_quarantined_here_is_missing_to_those_that_call_it(
    registry, share, take, make_spec
):
    registry.register(make_spec())
    registry.set_state("double", State.QUARANTINED, why="drifts")
    assert take(share("quad")).missing == {"double": ("quad@1",)}
    assert registry.tool("double").state is State.QUARANTINED


@pytest.fixture
def own(registry, make_spec) -> ToolSpec:
    """A tool of one's own, called as one of Alice's."""
    return registry.register(make_spec(description="Mine.")).version.spec


def test_a_known_name_goes_on_meaning_what_it_did(registry, share, take, own):
    [arrival] = take(share("double")).arrivals
    assert (arrival.ref, arrival.fate, arrival.instead_of) == ("double@2", Fate.NEXT, "double@1")
    assert registry.tool("double").spec == own
    assert registry.tool("double@2").spec == arrival.spec
    assert verify(registry).ok


def test_a_composite_that_would_call_another_tool_here_is_refused_with_all(
    registry, share, take, own
):
    with pytest.raises(ImportRefusedError, match="quad@1 calls double, which means double@1 here"):
        take(share("quad"))
    assert [version.ref for version in registry.tools()] == ["double@1"]
    assert head(registry).seq == 1


def test_replace_lets_names_mean_what_arrives(registry, share, take, own, sandbox):
    [arrival, _] = take(share("quad"), replace=True).arrivals
    assert arrival.meant
    assert registry.tool("double").ref == "double@2"
    assert Toolbox(registry, sandbox).call("quad", {"number": 3}).value == 12
    assert not take(share("quad"), replace=True).changed
    assert verify(registry).ok


def test_replace_moves_a_name_to_a_version_that_came_before(registry, share, take, own):
    take(share("double"))
    again = take(share("double"), replace=True)
    assert [arrival.fate for arrival in again.arrivals] == [Fate.KNOWN]
    assert registry.tool("double").ref == "double@2"
    assert tail(registry)[-1].action == "point"
    assert verify(registry).ok


def test_replace_does_not_bring_back_what_is_quarantined_here(registry, share, take, make_spec):
    registry.register(make_spec())
    registry.set_state("double", State.QUARANTINED, why="drifts")
    registry.register(make_spec(description="Mine."))
    assert not take(share("double"), replace=True).changed
    assert registry.tool("double").ref == "double@2"


def test_a_tool_that_was_rejected_here_does_not_come_back_by_a_bundle(
    registry, share, take, make_spec
):
    registry.reject(make_spec(), ["wrong for 7"])
    with pytest.raises(ImportRefusedError, match="double: this very tool was rejected here"):
        take(share("quad"))
    assert registry.tools() == []


def test_several_versions_of_a_name_keep_their_order_and_its_meaning(
    theirs, registry, take, alice, make_spec
):
    theirs.register(make_spec(description="Newer."))
    exported = export_tools(theirs, ["double@1", "double@2"])
    take(seal(payload_of(exported.bundle), alice))
    assert [version.spec.description for version in registry.versions("double")] == [
        "Double a number.",
        "Newer.",
    ]
    assert registry.tool("double").ref == "double@2"
    assert verify(registry).ok


def test_what_the_gate_refuses_does_not_come_in(registry, share, take):
    def gate(spec):
        return "TG101 on line 3: no" if spec.name == "quad" else ""

    with pytest.raises(ImportRefusedError, match="quad@1: refused by the static gate: TG101"):
        take(share("quad"), gate=gate)
    assert registry.tools() == []


def test_the_gate_is_asked_once_of_each_new_tool(registry, share, take, make_spec):
    registry.register(make_spec())
    asked = []

    def gate(spec):
        asked.append(spec.name)
        return ""

    take(share("quad"), gate=gate)
    assert asked == ["quad"]


def test_what_others_write_in_the_meantime_counts(registry, where, share, take, make_spec):
    def gate(spec):
        with Registry.open(where) as other:
            other.register(make_spec(description="Mine, and just now."))
        return ""

    with pytest.raises(ImportRefusedError, match="quad@1 calls double, which means double@1 here"):
        take(share("quad"), gate=gate)
    assert [version.ref for version in registry.tools()] == ["double@1"]


def test_an_import_that_breaks_midway_leaves_nothing(registry, share, take, monkeypatch):
    enter = Registry.enter

    def broken(self, connection, action, spec, **fields):
        if spec.name == "quad":
            raise KeyboardInterrupt
        return enter(self, connection, action, spec, **fields)

    monkeypatch.setattr(Registry, "enter", broken)
    with pytest.raises(KeyboardInterrupt):
        take(share("quad", with_reports=True))
    assert (registry.tools(), head(registry).seq) == ([], 0)


def test_what_was_imported_can_be_exported_again(tmp_path, registry, share, take, mallory):
    take(share("quad"))
    exported = export_tools(registry, ["quad"])
    assert [tool.spec for tool in exported.bundle.tools] == [
        registry.tool(name).spec for name in ("double", "quad")
    ]
    assert (
        take(seal(payload_of(exported.bundle), mallory), trusted=[mallory.public]).changed is False
    )
