"""A profile is one value with a digest; what a house changes of it is checked field by field."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from toolguild.policies import (
    Evidence,
    PolicyFileError,
    Profile,
    Tier,
    house_profile,
    load_profile,
    shipped_profiles,
)
from toolguild.policies.code_rules import RuleLevel, load_code_profile

BALANCED = load_profile()


def house(tmp_path: Path, changes: str) -> Profile:
    """Read changes as `toolguild.toml` has them."""
    return house_profile(written(tmp_path / "toolguild.toml", changes))


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def shipped_text() -> str:
    folder = Path(sys.modules["toolguild.policies"].__file__ or "").parent
    return (folder / "profiles" / "balanced.toml").read_text(encoding="utf-8")


# --- the value


def test_shipped_profiles_load_by_name_and_are_one_value() -> None:
    assert shipped_profiles() == ("balanced", "simple", "strict")
    assert load_profile("balanced") is load_profile()
    assert load_code_profile() is BALANCED.code


def test_a_profile_is_frozen_and_compares_by_its_content() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        BALANCED.text = ""  # type: ignore[misc]  # what is tested
    tables = BALANCED.tables()
    tables["code"]["limits"]["max_bytes"] = 1
    assert BALANCED.code.limits.max_bytes == 64_000
    same = Profile.of_tables("another name", BALANCED.tables())
    assert same == BALANCED
    assert hash(same) == hash(BALANCED)


def test_the_digest_is_of_what_the_profile_decides(tmp_path: Path) -> None:
    whole = written(tmp_path / "whole.toml", f"# a remark\n{shipped_text()}")
    assert load_profile(whole).digest == BALANCED.digest
    reordered = shipped_text().replace(
        'exports = ["escape", "unescape"]', 'exports = ["unescape", "escape"]'
    )
    assert load_profile(written(whole, reordered)).digest == BALANCED.digest
    other = shipped_text().replace("max_depth = 200", "max_depth = 199")
    assert load_profile(written(whole, other)).digest != BALANCED.digest


def test_tables_of_other_readers_are_kept_and_left_alone(tmp_path: Path) -> None:
    path = written(tmp_path / "more.toml", f"{shipped_text()}\n[promotion]\nbar = 0.9\n")
    profile = load_profile(path)
    assert profile.code == BALANCED.code
    assert profile.tables()["promotion"] == {"bar": 0.9}


def test_the_default_profile_is_to_be_had_without_pydantic() -> None:
    program = (
        "import sys; from toolguild.policies import load_profile;"
        " load_profile().digest; print('pydantic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("False", "")


def test_strict_takes_away_and_adds_nothing() -> None:
    strict, balanced = load_profile("strict").code, BALANCED.code
    assert strict.modules.keys() < balanced.modules.keys()
    for name, module in strict.modules.items():
        assert module.exports <= balanced.modules[name].exports
    assert strict.builtins.free < balanced.builtins.free
    assert strict.limits.max_bytes < balanced.limits.max_bytes
    assert strict.level("TG405") is RuleLevel.ERROR
    assert load_profile("strict").evidence.mutants_found > BALANCED.evidence.mutants_found
    # Readers of the plain tables look for the module that a method belongs to.
    assert all(
        any(f"{giver}.".startswith(f"{module}.") for module in strict.modules)
        for giver in strict.methods
    )


def test_evidence_is_a_frozen_value_within_its_ranges() -> None:
    assert BALANCED.evidence == Evidence(mutants_found=0.8, inputs=100)
    with pytest.raises(dataclasses.FrozenInstanceError):
        BALANCED.evidence.inputs = 1  # type: ignore[misc]  # what is tested
    for wrong in ({"mutants_found": -0.1}, {"mutants_found": 1.1}, {"inputs": 0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            Evidence(**{"mutants_found": 0.8, "inputs": 100, **wrong})


def test_a_whole_profile_without_evidence_has_the_default_ones(tmp_path: Path) -> None:
    tables = BALANCED.tables()
    del tables["evidence"]
    assert Profile.of_tables("older", tables).evidence == BALANCED.evidence
    text = shipped_text().replace("inputs = 100", "")
    assert load_profile(written(tmp_path / "whole.toml", text)).evidence == BALANCED.evidence
    house = "[profile]\nextends = 'whole.toml'\nevidence.inputs = 5\n"
    changed = house_profile(written(tmp_path / "toolguild.toml", house))
    assert changed.evidence == Evidence(mutants_found=0.8, inputs=5)


def test_trust_is_a_frozen_value_within_its_ranges() -> None:
    trust = BALANCED.trust
    with pytest.raises(dataclasses.FrozenInstanceError):
        trust.alpha = 1.0  # type: ignore[misc]  # what is tested
    for wrong in (
        {"alpha": 0.0},
        {"uses_between_false_alarms": 0},
        {"uses_between_false_alarms": 10**10},
        {"cooldown_h": -1.0},
    ):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            dataclasses.replace(trust, **wrong)
    for wrong in ({"keep": 1.0}, {"rate": -0.1}, {"bound": 1.0}, {"uses": -1}, {"age_h": -1.0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            dataclasses.replace(trust.full, **wrong)
    with pytest.raises(ValueError, match="promotions_a_day"):
        dataclasses.replace(trust.budget, promotions_a_day=-1)


def test_each_shipped_profile_is_stricter_than_the_one_before() -> None:
    simple, balanced, strict = (load_profile(n).trust for n in ("simple", "balanced", "strict"))
    for tier in (Tier.RESTRICTED, Tier.FULL):
        asked = [trust.asked(tier) for trust in (simple, balanced, strict)]
        assert asked[0].bound == 0 < asked[1].bound < asked[2].bound
        assert [(one.uses, one.rate) for one in asked] == [(10, asked[0].rate)] * 3
    assert [one.full.approval for one in (simple, balanced, strict)] == [False, True, True]


def test_a_house_changes_single_numbers_of_trust(tmp_path: Path) -> None:
    profile = house(tmp_path, "[profile]\ntrust.full.bound = 0.97\ntrust.cooldown_h = 1\n")
    shipped = BALANCED.trust
    full = dataclasses.replace(shipped.full, bound=0.97)
    assert profile.trust == dataclasses.replace(shipped, full=full, cooldown_h=1)
    assert profile.digest != BALANCED.digest
    tables = BALANCED.tables()
    del tables["trust"]
    assert Profile.of_tables("older", tables).trust == shipped


# --- what a house changes


def test_without_a_table_the_default_holds(tmp_path: Path) -> None:
    assert house_profile(tmp_path / "absent.toml") is BALANCED
    assert house(tmp_path, "[check]\ntier = 'full'\n") is BALANCED
    assert house(tmp_path, "[profile]\n") == BALANCED


def test_a_house_chooses_adds_and_takes_away(tmp_path: Path) -> None:
    profile = house(
        tmp_path,
        """
        [profile]
        name = "acme"
        extends = "balanced"
        [profile.rules]
        TG405 = "error"
        TG406 = "off"
        [profile.limits]
        max_bytes = 50_000
        [profile.work]
        max_range = 1_000
        [profile.modules.numpy]
        exports = ["array", "load"]
        read = ["load"]
        methods = { write = ["tofile"], forbidden = ["ctypes"] }
        [profile.modules.requests]
        exports = ["get"]
        needs = "network"
        [profile.without]
        modules = ["random"]
        names = ["os.remove", "builtins.print"]
        methods.datetime = ["now"]
        [profile.evidence]
        mutants_found = 0.95
        [profile.paths]
        absolute = ["/data"]
        [profile.instead]
        random = "Take the numbers as a parameter."
        """,
    )
    code = profile.code
    assert (profile.name, profile.digest != BALANCED.digest) == ("acme", True)
    assert (code.level("TG405"), code.level("TG406")) == (RuleLevel.ERROR, RuleLevel.OFF)
    assert (code.limits.max_bytes, code.limits.max_nodes) == (50_000, 15_000)
    assert code.work.max_range == 1_000
    assert code.modules["numpy"].from_tier is Tier.RESTRICTED
    assert code.capability("numpy.load") == "read"
    assert code.methods["numpy"].write == {"tofile"}
    assert code.modules["requests"].open_to(Tier.FULL)
    assert not code.modules["requests"].open_to(Tier.RESTRICTED)
    assert "random" not in code.modules
    assert not {"remove"} & (code.modules["os"].exports | code.modules["os"].write)
    assert "print" not in code.builtins.free
    assert "now" in code.methods["datetime"].forbidden
    assert "/data" in code.paths.absolute
    assert profile.evidence == Evidence(mutants_found=0.95, inputs=100)
    assert code.instead["random"].startswith("Take")


def test_files_extend_files_beside_them(tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    folder.mkdir()
    written(folder / "company.toml", "extends = 'strict'\n[limits]\nmax_bytes = 9_000\n")
    profile = house(tmp_path, "[profile]\nextends = 'policies/company.toml'\nlimits.max_nodes = 9")
    assert (profile.code.limits.max_bytes, profile.code.limits.max_nodes) == (9_000, 9)
    assert "random" not in profile.code.modules


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ("rules.TG102 = 'off'", "profile.rules.TG102", "other rules rely on it"),
        ("rules.TG213 = 'warning'", "profile.rules.TG213", "every tier"),
        ("rules.TG407 = 'warning'", "profile.rules.TG407", "every tier"),
        ("rules.TG999 = 'error'", "profile.rules.TG999", "no such rule"),
        ("rules.TG405 = 'no'", "profile.rules.TG405", "'error', 'warning' or 'off'"),
        ("modules.subprocess.exports = ['run']", "profile.modules.subprocess", "processes"),
        ("modules.ctypes.exports = ['cast']", "profile.modules.ctypes", "interpreter"),
        ("modules.'importlib.util'.exports = ['x']", "importlib.util", "importlib gives"),
        ("modules.os.exports = ['environ']", "profile.modules.os", "at whatever tier"),
        ("modules.json.exports = ['codecs']", "profile.modules.json", "in the profile already"),
        ("modules._thread.exports = ['x']", "profile.modules._thread", "public module"),
        ("modules.numpy.exports = ['os']", "modules.numpy", "leads to modules"),
        ("modules.numpy.exports = ['_core']", "modules.numpy", "not a public name"),
        ("modules.numpy.exports = []", "modules.numpy", "names what tools may take"),
        ("modules.numpy = {exports = ['a'], read = ['b']}", "modules.numpy", "not exports"),
        ("modules.requests.exports = ['get']", "modules.requests", "needs = 'network'"),
        ("modules.numpy = {exports = ['a'], tier = 'full'}", "modules.numpy.tier", "Extra"),
        ("without.modules = ['nmpy']", "profile.without.modules", "no module of the profile"),
        ("without.names = ['os.environ']", "profile.without.names", "no name of the profile"),
        ("without.methods.nmpy = ['x']", "profile.without.methods.nmpy", "no module"),
        ("paths.absolute = ['/']", "profile.paths.absolute", "folder for data"),
        ("paths.absolute = ['/proc/1']", "profile.paths.absolute", "folder for data"),
        ("paths.absolute = ['/data/../etc']", "profile.paths.absolute", "folder for data"),
        ("limits.max_bytes = 10_000_000", "profile.limits.max_bytes", "less than or equal"),
        ("limits.max_depht = 9", "profile.limits.max_depht", "Extra"),
        ("work.max_range = 0", "profile.work.max_range", "greater than 0"),
        ("evidence.mutants_found = 1.5", "profile.evidence.mutants_found", "less than or equal"),
        ("evidence.mutants_found = '80 %'", "profile.evidence.mutants_found", "valid number"),
        ("evidence.inputs = 0", "profile.evidence.inputs", "greater than or equal to 1"),
        ("evidence.inputs = 20_000", "profile.evidence.inputs", "less than or equal to 10000"),
        ("evidence.inputs = true", "profile.evidence.inputs", "valid integer"),
        ("evidence.mutants = 0.9", "profile.evidence.mutants", "Extra"),
        ("trust.restricted.rate = 1.0", "profile.trust.restricted.rate", "less than 1"),
        ("trust.full.uses = -1", "profile.trust.full.uses", "greater than or equal to 0"),
        ("trust.full.approval = 'yes'", "profile.trust.full.approval", "valid boolean"),
        ("trust.alpha = 0", "profile.trust.alpha", "greater than 0"),
        ("trust.cooldown_h = inf", "profile.trust.cooldown_h", "finite"),
        ("trust.budget.new_tools_a_day = -1", "profile.trust.budget.new_tools_a_day", "greater"),
        ("trust.budget.tools = 5", "profile.trust.budget.tools", "Extra"),
        ("limits = 5", "profile.limits", "dictionary"),
        ("extends = 'lax'", "extends", "shipped are: balanced, simple, strict"),
        ("extends = 7", "extends", "shipped are"),
        ("extends = 'absent.toml'", "absent.toml", "cannot be read"),
        ("extends = 'toolguild.toml'", "extends", "extends itself"),
        ("rulez.TG405 = 'off'", "profile.rulez", "Extra"),
    ],
)
def test_a_mistake_is_named_by_file_field_and_reason(
    tmp_path: Path, changes: str, field: str, reason: str
) -> None:
    with pytest.raises(PolicyFileError) as caught:
        house(tmp_path, f"[profile]\n{changes}\n")
    message = str(caught.value)
    assert "toolguild.toml" in message or "absent.toml" in message
    assert field in message
    assert reason in message


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(PolicyFileError) as caught:
        house(tmp_path, "[profile]\nrules.TG101 = 'off'\nwithout.modules = ['nmpy']\n")
    assert "TG101" in str(caught.value)
    assert "nmpy" in str(caught.value)


def test_profile_has_to_be_a_table(tmp_path: Path) -> None:
    with pytest.raises(PolicyFileError, match="has to be a table"):
        house(tmp_path, "profile = 'strict'\n")


# --- whole profiles


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("max_depth = 200", "max_depth = 0", "code.limits.max_depth"),
        ("max_depth = 200", "max_depht = 200", "code.limits.max_depht"),
        ('\nneeds = "network"', '\nneeds = "internet"', "code.modules.http.client.needs"),
        ('exports = ["escape", "unescape"]', 'exports = "all"', "code.modules.html.exports"),
        ('read = ["glob", "iglob"]', 'read = ["walk"]', "code.modules.glob"),
        ('TG101 = "error"', 'TG101 = "off"', "code.rules"),
        ('TG405 = "warning"', 'TG45 = "warning"', "code.rules.TG45"),
        ("mutants_found = 0.8", "mutants_found = 80", "evidence.mutants_found"),
        ("mutants_found = 0.8", "mutants = 0.8", "evidence.mutants"),
    ],
)
def test_a_mistake_in_a_whole_profile_is_named_too(
    tmp_path: Path, old: str, new: str, field: str
) -> None:
    text = shipped_text()
    assert old in text
    path = written(tmp_path / "whole.toml", text.replace(old, new, 1))
    with pytest.raises(PolicyFileError) as caught:
        load_profile(path)
    assert str(path) in str(caught.value)
    assert field in str(caught.value)


def test_a_rule_that_a_whole_profile_leaves_out_is_an_error(tmp_path: Path) -> None:
    text = shipped_text().replace('TG405 = "warning"', "")
    assert load_profile(written(tmp_path / "whole.toml", text)).code.level("TG405") == "error"


def test_missing_file_bad_toml_and_empty_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyFileError, match=r"lax.*balanced, simple, strict"):
        load_profile("lax")
    with pytest.raises(PolicyFileError, match=r"absent\.toml.*cannot be read"):
        load_profile(tmp_path / "absent.toml")
    with pytest.raises(PolicyFileError, match=r"broken\.toml.*TOML"):
        load_profile(written(tmp_path / "broken.toml", "[code"))
    with pytest.raises(PolicyFileError, match=r"empty\.toml: extends: missing"):
        load_profile(written(tmp_path / "empty.toml", ""))
