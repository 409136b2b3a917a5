"""Two registries, two people with keys, and what goes between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from toolguild.policies import Tier
from toolguild.registry import CallStatus, Registry, ToolSpec, Use
from toolguild.registry.bundles import (
    Imported,
    ImportSettings,
    export_tools,
    import_bundle,
    payload_of,
    receive,
    seal,
)
from toolguild.registry.signing import PrivateKey, PublicKey, new_key, read_private_key

REPORT = {"tool": {"name": "double"}, "cases": [{"place": "/home/alice/logs/runs.jsonl:3#1"}]}
PROVENANCE = {
    "kind": "code",
    "places": ["/home/alice/logs/runs.jsonl:3#1", "logs/b.json:1"],
    "note": "mined in /home/alice/logs/runs.jsonl yesterday",
    "model": "openai/gpt-7",
}
EVIDENCE = {
    "checks": [
        {
            "name": "generated inputs",
            "passed": True,
            "detail": "failed for 'alice@example.org'",
            "counterexamples": [{"arguments": {"mail": "alice@example.org"}}],
        }
    ],
    "adequacy": {"mutants": 4, "killed": 3, "survived": ["- alice@example.org"]},
    "thin": ["alice@example.org"],
    "inputs": 100,
    "cases": 3,
}

QUAD = '''
def quad(number: int) -> int:
    """Return four times the number."""
    return call_tool("double", {"number": call_tool("double", {"number": number})})
'''


@pytest.fixture(scope="session")
def alice(tmp_path_factory: pytest.TempPathFactory) -> PrivateKey:
    path = tmp_path_factory.mktemp("keys") / "alice.key"
    new_key(path)
    return read_private_key(path)


@pytest.fixture(scope="session")
def mallory(tmp_path_factory: pytest.TempPathFactory) -> PrivateKey:
    path = tmp_path_factory.mktemp("keys") / "mallory.key"
    new_key(path)
    return read_private_key(path)


@pytest.fixture
def theirs(tmp_path: Path, make_spec: Callable[..., ToolSpec]) -> Iterator[Registry]:
    """Alice's registry: a tool at the tier `full` that worked twice, and a composite of it."""
    with Registry.open(tmp_path / "alice.db", actor="alice") as registry:
        double = registry.register(
            make_spec(), provenance=PROVENANCE, evidence=EVIDENCE, report=REPORT
        ).version
        registry.set_tier("double", Tier.FULL, why="earned")
        for number in range(2):
            now = datetime.now(UTC)
            registry.record(Use(double.digest, f"sha256:{number}", CallStatus.OK, 0.1, now))
        registry.register(make_spec("quad", source=QUAD, calls=("double",)))
        yield registry


@pytest.fixture
def share(theirs: Registry, alice: PrivateKey) -> Callable[..., bytes]:
    """Export tools of Alice's registry, signed by her."""

    def export(*refs: str, with_reports: bool = False) -> bytes:
        exported = export_tools(theirs, refs or ("quad",), with_reports=with_reports)
        return seal(payload_of(exported.bundle), alice)

    return export


@pytest.fixture
def take(registry: Registry, alice: PrivateKey) -> Callable[..., Imported]:
    """Import a bundle into one's own registry, in which Alice is trusted."""

    def take_in(
        data: bytes,
        trusted: Sequence[PublicKey] = (alice.public,),
        *,
        unsigned: bool = False,
        **settings: object,
    ) -> Imported:
        received = receive(data, trusted, unsigned=unsigned)
        return import_bundle(registry, received, ImportSettings(**settings))

    return take_in
