"""`keys`, `tools export`, `tools import`: from one registry to another, as users do it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from toolguild.registry import Registry, ToolSpec, tail
from toolguild.sandbox import JsonObject

DOUBLE = '''
def double(n: int) -> int:
    """Double a number.

    Args:
        n: The number.

    Returns:
        Twice the number.
    """
    return 2 * n
'''

TRIPLE = DOUBLE.replace("Double", "Triple").replace("2 * n", "3 * n").replace("Twice", "Thrice")
FORBIDDEN = DOUBLE.replace("return 2 * n", "return eval(str(2 * n))")

SCHEMA: JsonObject = {
    "type": "object",
    "properties": {"n": {"type": "integer"}},
    "required": ["n"],
    "additionalProperties": False,
}


def register(path: Path, source: str, *calls: str, name: str = "double") -> None:
    with Registry.open(path) as registry:
        registry.register(
            ToolSpec(
                name, "Double it.", source.replace("double", name), SCHEMA, {}, calls, frozenset()
            )
        )


@pytest.fixture
def alice(tmp_path: Path, toolguild: Any) -> Path:
    """Give Alice a registry with a tool, and a key."""
    register(tmp_path / "alice.db", DOUBLE)
    assert toolguild("keys", "new", "alice.key").code == 0
    return tmp_path / "alice.db"


@pytest.fixture
def bundle(toolguild: Any, alice: Path) -> str:
    ran = toolguild(
        "tools", "export", "double", "--registry", alice, "-o", "b.json", "--key", "alice.key"
    )
    assert ran.code == 0, ran.err
    return "b.json"


def test_keys_are_made_shown_and_not_overwritten(toolguild: Any) -> None:
    made = toolguild("keys", "new", "k", "--json").json
    assert toolguild("keys", "show", "k.pub").out.strip() == made["id"]
    assert toolguild("keys", "show", "k.pub", "--json").json["id"] == made["id"]
    again = toolguild("keys", "new", "k")
    assert (again.code, "overwritten" in again.err) == (2, True)
    assert toolguild("keys", "show", "k").code == 2


def test_a_tool_goes_from_one_registry_to_another_and_can_be_called(
    toolguild: Any, bundle: str
) -> None:
    ran = toolguild("tools", "import", bundle, "--registry", "bob.db", "--key", "alice.key.pub")
    assert (ran.code, "double@1" in ran.out) == (0, True)
    assert "1 tool arrived in tier sandbox." in ran.err
    called = toolguild("call", "double", "--args", '{"n": 21}', "--registry", "bob.db")
    assert called.out.strip() == "42"
    shown = toolguild("tools", "show", "double", "--registry", "bob.db")
    assert "nothing of it counts here" in shown.out


def test_json_says_what_tables_say(toolguild: Any, alice: Path, tmp_path: Path) -> None:
    export = ["tools", "export", "--all", "--registry", alice, "--json", "--key", "alice.key"]
    exported = toolguild(*export, "-o", "b.json").json
    assert [tool["ref"] for tool in exported["tools"]] == ["double@1"]
    key = toolguild("keys", "show", "alice.key.pub").out.strip()
    assert exported["key"] == key
    taken = ["tools", "import", "b.json", "--registry", "bob.db", "--key", "alice.key.pub"]
    planned = toolguild(*taken, "--dry-run", "--json").json
    assert not (tmp_path / "bob.db").exists()
    imported = toolguild(*taken, "--json").json
    assert planned == imported | {"dry_run": True}
    assert (imported["bundle"], imported["signed_by"]) == (exported["bundle"], [key])
    assert (imported["changed"], imported["tools"][0]["fate"]) == (True, "new")
    again = toolguild(*taken, "--json").json
    assert (again["changed"], again["tools"][0]["fate"]) == (False, "known")
    with Registry.open(tmp_path / "bob.db") as registry:
        assert [row.action for row in tail(registry)] == ["import"]


def test_keys_can_be_trusted_in_the_settings_file(
    toolguild: Any, bundle: str, tmp_path: Path
) -> None:
    take = ["tools", "import", bundle, "--registry", "bob.db"]
    untrusted = toolguild(*take)
    assert (untrusted.code, "no key is trusted here" in untrusted.err) == (1, True)
    (tmp_path / "toolguild.toml").write_text('[trust]\nkeys = ["alice.key.pub"]\n')
    assert toolguild(*take).code == 0
    toolguild("keys", "new", "other")
    other = toolguild(*take, "--key", "other.pub")
    assert (other.code, "none of the 1 keys" in other.err) == (1, True)


@pytest.mark.parametrize(
    "text", ["trust = 1", "[trust]\nkeys = 'a'", "[trust]\nkeys = [1]", "[trust]\nkey = ['a']"]
)
def test_a_mistake_in_what_is_trusted_is_named(
    toolguild: Any, bundle: str, tmp_path: Path, text: str
) -> None:
    (tmp_path / "toolguild.toml").write_text(text)
    ran = toolguild("tools", "import", bundle, "--registry", "bob.db")
    assert (ran.code, "toolguild.toml" in ran.err, "trust" in ran.err) == (2, True, True)


def test_unsigned_has_to_be_asked_for_on_both_sides(toolguild: Any, alice: Path) -> None:
    export = ["tools", "export", "double", "--registry", alice, "-o", "b.json"]
    assert toolguild(*export).code == 2
    assert toolguild(*export, "--unsigned", "--key", "alice.key").code == 2
    ran = toolguild(*export, "--unsigned")
    assert (ran.code, "unsigned" in ran.err) == (0, True)
    take = ["tools", "import", "b.json", "--registry", "bob.db"]
    refused = toolguild(*take, "--key", "alice.key.pub")
    assert (refused.code, "--unsigned" in refused.err) == (1, True)
    taken = toolguild(*take, "--unsigned")
    assert (taken.code, "Nobody signed this bundle" in taken.err) == (0, True)


def test_export_wants_names_or_all_and_a_free_place(toolguild: Any, alice: Path) -> None:
    export = ["tools", "export", "--registry", alice, "--key", "alice.key", "-o"]
    assert toolguild(*export, "b.json").code == 2
    assert toolguild(*export, "b.json", "double", "--all").code == 2
    assert toolguild(*export, "b.json", "duoble").code == 2
    assert toolguild(*export, "missing/b.json", "double").code == 2
    over_the_key = toolguild(*export, "alice.key", "double")
    assert (over_the_key.code, "exists" in over_the_key.err) == (2, True)
    assert Path("alice.key").read_text().startswith("-----BEGIN PRIVATE KEY")
    assert not Path("b.json").exists()


def test_a_registry_that_is_not_there_is_not_made_for_an_export(
    toolguild: Any, alice: Path
) -> None:
    ran = toolguild("tools", "export", "--all", "--registry", "no.db", "-o", "b", "--unsigned")
    assert (ran.code, "no.db: there is no registry" in ran.err) == (2, True)
    assert not Path("no.db").exists()


def test_a_known_name_keeps_its_meaning_or_gives_it_up_or_stands_beside(
    toolguild: Any, bundle: str, tmp_path: Path
) -> None:
    def told(*options: str) -> tuple[str, str]:
        path = tmp_path / f"bob{len(options)}{''.join(options)}.db"
        register(path, TRIPLE)
        take = ["tools", "import", bundle, "--registry", path, "--key", "alice.key.pub"]
        ran = toolguild(*take, *options)
        called = toolguild("call", "double", "--args", '{"n": 2}', "--registry", path)
        return " ".join(ran.out.split()), called.out.strip()

    kept, value = told()
    assert ("double still means double@1" in kept, value) == (True, "6")
    replaced, value = told("--replace")
    assert ("double means it, not double@1 any more" in replaced, value) == (True, "4")
    beside, value = told("--rename", "alices_")
    assert ("alices_double@1 double@1 new" in beside, value) == (True, "6")
    take = ["tools", "import", bundle, "--registry", "x.db", "--key", "alice.key.pub"]
    assert toolguild(*take, "--replace", "--rename", "x_").code == 2


def test_the_static_gate_of_the_house_holds_for_what_arrives(
    toolguild: Any, alice: Path, tmp_path: Path
) -> None:
    register(alice, FORBIDDEN, name="forbidden")
    export = ["tools", "export", "--all", "--registry", alice, "-o", "b.json", "--unsigned"]
    assert toolguild(*export).code == 0
    ran = toolguild("tools", "import", "b.json", "--registry", "bob.db", "--unsigned")
    assert ran.code == 1
    assert "forbidden@1: refused by the static gate: TG" in ran.err
    assert toolguild("tools", "list", "--registry", "bob.db", "--json").json == {"tools": []}


def test_what_looks_like_a_secret_is_pointed_out(toolguild: Any, alice: Path) -> None:
    secret = DOUBLE.replace("return", 'password = "hunter2-Zk81x"\n    return')
    register(alice, secret, name="leaky")
    export = ["tools", "export", "leaky", "--registry", alice, "--unsigned"]
    ran = toolguild(*export, "-o", "b.json")
    assert (ran.code, "leaky@1 may hold a secret (password)" in ran.err) == (0, True)
    told = toolguild(*export, "-o", "c.json", "--json").json
    assert told["possible_secrets"] == {"leaky@1": "password"}


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b"[" * 100_000])
def test_a_file_that_is_no_bundle_is_wrong_input(
    toolguild: Any, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "b.json").write_bytes(content)
    for path in ("b.json", "missing.json", "."):
        ran = toolguild("tools", "import", path, "--registry", "bob.db", "--unsigned")
        assert ran.code == 2
        assert "Traceback" not in ran.err
        assert path in ran.err
    assert not (tmp_path / "bob.db").exists()


def test_a_file_changed_on_its_way_is_refused(toolguild: Any, bundle: str) -> None:
    document = json.loads(Path(bundle).read_text())
    document["payload"] = document["payload"][:-8] + "fX19fX19"
    Path(bundle).write_text(json.dumps(document))
    ran = toolguild("tools", "import", bundle, "--registry", "bob.db", "--key", "alice.key.pub")
    assert (ran.code, "was changed after it was signed" in " ".join(ran.err.split())) == (1, True)


def test_without_the_extra_the_command_says_what_to_install(
    toolguild: Any, bundle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "cryptography", None)
    take = ["tools", "import", bundle, "--registry", "bob.db", "--key", "alice.key.pub"]
    for command in (take, ["keys", "new", "k"]):
        ran = toolguild(*command)
        assert ran.code == 3
        assert 'pip install "toolguild[sign]"' in ran.err


def test_what_was_imported_is_proven_here_by_ones_own_logs(toolguild: Any, log: Path) -> None:
    [made] = toolguild("synthesize", log, "--registry", "alice.db", "--json").json["tools"]
    bundle = ["bundle.json", "--unsigned", "--registry"]
    exported = toolguild("tools", "export", "--all", "-o", *bundle, "alice.db")
    assert exported.code == 0, exported.err
    assert toolguild("tools", "import", *bundle, "bob.db").code == 0

    def evidence() -> Any:
        shown = toolguild("tools", "show", made["name"], "--registry", "bob.db", "--json").json
        assert shown["provenance"]["claims"]["evidence"]["cases"] > 0
        return shown["evidence"]

    assert evidence() == {}
    synthesize = ["synthesize", log, "--registry", "bob.db", "--json"]
    first = toolguild(*synthesize)
    [tool] = first.json["tools"]
    assert (first.code, tool["fate"], tool["ref"]) == (0, "proven here", f"{made['name']}@1")
    assert first.json["changed"]
    assert evidence()["cases"] > 0
    [tool] = toolguild(*synthesize).json["tools"]
    assert tool["fate"] == "unchanged"
    with Registry.open("bob.db") as registry, registry.database.write() as connection:
        digest = registry.tool(made["name"]).digest
        registry._journal.tell(connection, "reopen", digest, None, {}, "results drift")
    fates = [toolguild(*synthesize).json["tools"][0]["fate"] for _ in range(2)]
    assert fates == ["proven here", "unchanged"]
    assert toolguild("audit", "verify", "--registry", "bob.db").code == 0
