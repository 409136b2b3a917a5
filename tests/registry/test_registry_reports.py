"""Whole reports in the registry: kept once each, under their digest, as written."""

import pytest

from toolguild.registry import (
    RegistryFileError,
    TamperedError,
    ToolSpec,
    UnknownToolError,
    digest,
    verify,
)

REPORT = {"checks": [{"name": "static gate", "passed": True}], "seed": 7}


def spec(name: str) -> ToolSpec:
    schema = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    source = f'def {name}() -> int:\n    """Give one."""\n    return 1\n'
    return ToolSpec(name, "Give one.", source, schema, {"type": "integer"}, (), frozenset())


def test_a_report_is_found_by_the_digest_that_the_evidence_names(registry):
    version = registry.register(spec("a"), evidence={"seed": 7}, report=REPORT).version
    assert version.evidence == {"seed": 7, "report": digest(REPORT)}
    assert registry.report(digest(REPORT)) == REPORT
    assert registry.tool("a").evidence == version.evidence
    assert verify(registry).ok


def test_rejected_drafts_have_theirs_and_the_same_one_is_kept_once(registry):
    registry.register(spec("a"), report=REPORT)
    draft = registry.reject(spec("b"), ["wrong"], {"seed": 7}, REPORT).draft
    assert draft.evidence["report"] == digest(REPORT)
    with registry.database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM reports").scalar() == 1


def test_without_a_report_evidence_names_none(registry):
    assert registry.register(spec("a"), evidence={"seed": 7}).version.evidence == {"seed": 7}
    with pytest.raises(UnknownToolError, match="no report sha256:ab"):
        registry.report("sha256:ab")


def test_a_report_cannot_be_changed_and_one_that_was_is_not_believed(registry, unguarded):
    registry.register(spec("a"), report=REPORT)
    with (
        pytest.raises(RegistryFileError, match="kept as written"),
        registry.database.write() as connection,
    ):
        connection.exec_driver_sql("UPDATE reports SET text = '{}'")
    with unguarded(registry) as connection:
        connection.exec_driver_sql("UPDATE reports SET text = '{}'")
    with pytest.raises(TamperedError, match="not what was written"):
        registry.report(digest(REPORT))
    assert "was changed after it was written" in verify(registry).problem


def test_the_audit_misses_a_report_that_is_gone(registry, unguarded):
    registry.register(spec("a"), report=REPORT)
    with unguarded(registry) as connection:
        connection.exec_driver_sql("DELETE FROM reports")
    assert "is missing" in verify(registry).problem
