"""What a person gives an agent to begin with; what is wrong with it is named by its place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from toolguild.agent.improvement.artefacts import Example, Instructions
from toolguild.agent.improvement.bootstrapping import (
    SeedFileError,
    first_instructions,
    seed_demonstrations,
)
from toolguild.policies import load_profile
from toolguild.registry import Registry
from toolguild.registry.improvement import Standing

RULES = load_profile().improvement
GOOD = {"task": "Where is order 7?", "steps": ['get_order {"id": 7} -> sent'], "result": "Sent."}
AS_TOML = """
# by hand
[[demonstrations]]
task = "Where is order 7?"
steps = ['get_order {"id": 7} -> sent']
result = "Sent."
"""


def lines(path: Path, *records: object) -> Path:
    path.write_text("".join(f"{json.dumps(one)}\n" for one in records))
    return path


@pytest.mark.parametrize("form", ["seeds.jsonl", "seeds.toml"])
def test_demonstrations_become_examples_that_stay(tmp_path, form):
    path = lines(tmp_path / form, GOOD)
    if form.endswith("toml"):
        path.write_text(AS_TOML)
    with Registry.open(tmp_path / "tools.db") as registry:
        standing = registry.improvements.standing("clerk")
        registry.improvements.apply(seed_demonstrations(path, "clerk", standing, RULES))
        standing = registry.improvements.standing("clerk")
        assert [Example.of(one) for one in standing.examples] == [
            Example(**GOOD, score=1.0, is_seed=True)
        ]
        assert seed_demonstrations(path, "clerk", standing, RULES) is None


def test_the_same_demonstration_twice_is_one(tmp_path):
    change = seed_demonstrations(
        lines(tmp_path / "s.jsonl", GOOD, GOOD), "clerk", Standing(), RULES
    )
    assert len(change.adds) == 1


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ({"task": "x", "steps": ["y"]}, "result: Field required"),
        (GOOD | {"score": 1}, "score: Extra inputs"),
        (GOOD | {"steps": []}, "steps: List should have at least 1"),
        (GOOD | {"steps": ["a", 3]}, "steps.1: Input should be a valid string"),
        (GOOD | {"task": "x" * 3000}, "task: String should have at most 2000"),
        (GOOD | {"steps": ["a", "b\u200b\u200bc"]}, "steps.1: holds characters that are not seen"),
        (GOOD | {"result": "<|im_start|>system"}, "result: holds the marks of another speaker"),
        (GOOD | {"result": "key: sk-proj-abcdefghijklmnopqrstuvwxyz012345"}, "result: holds what"),
        ([GOOD], "the record: "),
    ],
)
def test_what_is_wrong_is_named_by_file_line_and_field(tmp_path, record, told):
    path = lines(tmp_path / "seeds.jsonl", GOOD, record)
    with pytest.raises(SeedFileError) as raised:
        seed_demonstrations(path, "clerk", Standing(), RULES)
    assert str(raised.value).startswith(f"{path}:2: {told}")


def test_lines_that_are_no_json_and_tables_of_toml_are_named_by_their_lines(tmp_path):
    path = tmp_path / "seeds.jsonl"
    path.write_text(f'{json.dumps(GOOD)}\n\n{{"task": 1, "task": 2}}\n')
    with pytest.raises(SeedFileError, match=r"seeds.jsonl:3: "):
        seed_demonstrations(path, "clerk", Standing(), RULES)
    path = tmp_path / "seeds.toml"
    path.write_text(AS_TOML + "[[demonstrations]]\ntask = 3\n")
    with pytest.raises(SeedFileError, match=r"seeds.toml:7: task: "):
        seed_demonstrations(path, "clerk", Standing(), RULES)
    path.write_text("demonstrations = 3")
    with pytest.raises(SeedFileError, match=r"holds something else than tables"):
        seed_demonstrations(path, "clerk", Standing(), RULES)
    path.write_text("[[demonstrations]\n")
    with pytest.raises(SeedFileError, match=r"line 1"):
        seed_demonstrations(path, "clerk", Standing(), RULES)


def test_more_than_are_kept_are_refused(tmp_path):
    many = [GOOD | {"result": str(number)} for number in range(RULES.examples + 1)]
    with pytest.raises(SeedFileError, match=f"there is room for {RULES.examples}"):
        seed_demonstrations(lines(tmp_path / "s.jsonl", *many), "clerk", Standing(), RULES)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    for path in (tmp_path / "none.jsonl", tmp_path):
        with pytest.raises(SeedFileError, match="there is no such file"):
            seed_demonstrations(path, "clerk", Standing(), RULES)
    path = tmp_path / "latin.jsonl"
    path.write_bytes(b"\n\xe4")
    with pytest.raises(SeedFileError, match=r"latin.jsonl:2: not UTF-8"):
        seed_demonstrations(path, "clerk", Standing(), RULES)


def test_the_first_instructions_are_the_original_and_come_once(tmp_path):
    path = tmp_path / "instructions.txt"
    path.write_text(
        "\n# Instructions\n\nYou work at a desk.\n\nAlways look the customer up first.\n"
    )
    with Registry.open(tmp_path / "tools.db") as registry:
        change = first_instructions(path, "clerk", registry.improvements.standing("clerk"))
        registry.improvements.apply(change)
        standing = registry.improvements.standing("clerk")
        assert Instructions.of(standing.original).text == path.read_text().strip()
        with pytest.raises(SeedFileError, match="clerk has instructions already"):
            first_instructions(path, "clerk", standing)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "1: it is empty"),
        ("x" * 20_001, "1: 20,001 characters, more than 20,000"),
        ("one\ntwo\u202ethree", "2: holds characters that are not seen"),
        ("one\ntwo\nsk-proj-abcdefghijklmnopqrstuvwxyz012345", "3: holds what looks like a secret"),
    ],
)
def test_instructions_that_are_not_plain_are_refused_by_their_line(tmp_path, text, told):
    path = tmp_path / "instructions.txt"
    path.write_text(text)
    with pytest.raises(SeedFileError) as raised:
        first_instructions(path, "clerk", Standing())
    assert str(raised.value).startswith(f"{path}:{told}")
