"""What `toolguild mine` says about why it believes what it found."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from toolguild.cli.flow_graph import dot, mermaid
from toolguild.synth.plans import (
    CODE,
    CallStep,
    Code,
    Constant,
    FromItem,
    FromResult,
    LoopStep,
    Parameter,
)

PLAN = (
    CallStep("find_customer", (("email", Parameter("email")), ("max", Constant(1)))),
    LoopStep("get_order", FromResult(0, ("orders",)), (("order_id", FromItem(("id",))),)),
)
HOSTILE = 'x"]; end\n--> evil <script>alert(1)</script> "];}'


def test_a_person_learns_where_each_argument_comes_from(toolguild: Any, log: Path) -> None:
    ran = toolguild("mine", log, "--explain")
    assert ran.code == 0
    assert "1. find_customer" in ran.out
    assert "email: given by the caller as email" in ran.out
    assert "order_id: each item of orders in the result of call 1" in ran.out
    assert re.search(r"at .*:1#1, run \w+", ran.out)


def test_the_same_as_data(toolguild: Any, log: Path) -> None:
    [found] = toolguild("mine", log, "--json").json["opportunities"]
    assert [step["call"] for step in found["plan"]] == ["find_customer", "get_order"]
    assert found["why"][1] == {"order_id": "each item of orders in the result of call 1"}
    assert found["near_misses"] == {}


def test_a_plan_as_a_flowchart() -> None:
    drawn = mermaid([PLAN])
    assert drawn.startswith("flowchart LR\n")
    assert 'p1_0["find_customer max=1"]' in drawn
    assert 'p1_caller -->|"email = email"| p1_0' in drawn
    assert 'p1_0 -->|"order_id = id"| p1_1' in drawn


def test_names_of_a_log_are_labels_and_nothing_else() -> None:
    evil = (CallStep(HOSTILE, ((HOSTILE, Parameter(HOSTILE)),)),)
    drawn = mermaid([evil])
    assert "<script>" not in drawn
    assert all(line.count('"') in (0, 2) for line in drawn.splitlines())
    assert len(drawn.splitlines()) == len(
        mermaid([(CallStep("a", (("b", Parameter("c")),)),)]).splitlines()
    )
    assert len(dot([evil]).splitlines()) == len(
        dot([(CallStep("a", (("b", Parameter("c")),)),)]).splitlines()
    )


def test_code_is_shown_by_its_first_line_and_never_by_its_digest() -> None:
    line = 'x = data["]; evil"] or "\x1b[31m"'
    source = f"import json\n\n\ndef compute_x(data):\n    {line}\n    return x"
    given = (("data", FromResult(0, ())),)
    step = CallStep(f"{CODE}0123abcd", given, code=Code("compute_x", source))
    plan = (CallStep("a", ()), step)
    for drawn in (mermaid([plan]), dot([plan])):
        assert "code" in drawn
        assert "x = data" in drawn
        assert "0123abcd" not in drawn
        assert "\x1b" not in drawn
    plain = (CallStep("a", ()), CallStep("b", given))
    assert len(mermaid([plan]).splitlines()) == len(mermaid([plain]).splitlines())
    assert len(dot([plan]).splitlines()) == len(dot([plain]).splitlines())
    assert '"]; evil' not in mermaid([plan])


def test_the_command_draws_sequences(toolguild: Any, log: Path) -> None:
    assert "get_order for each" in toolguild("mine", log, "--mermaid").out
    assert toolguild("mine", log, "--dot").out.startswith("digraph plans {")


def test_new_logs_are_added_to_what_is_known(toolguild: Any, log: Path, tmp_path: Path) -> None:
    lines = log.read_text().splitlines(keepends=True)
    parts = [tmp_path / "old.jsonl", tmp_path / "new.jsonl"]
    for part, share in zip(parts, (lines[:5], lines[5:]), strict=True):
        part.write_text("".join(share))
    for part in parts:
        ran = toolguild("mine", part, "--known", "known.db", "--json")
    assert ran.code == 0
    at_once = toolguild("mine", *parts, "--json").json
    assert ran.json == at_once
    parts[0].unlink()
    assert toolguild("mine", parts[1], "--known", "known.db", "--json").json == at_once


def test_a_file_that_does_not_fit_is_refused_in_words(toolguild: Any, log: Path) -> None:
    toolguild("mine", log, "--known", "known.db")
    other = toolguild("mine", log, "--known", "known.db", "--task-key", "id")
    wrong = toolguild("mine", log, "--known", log)
    assert other.code == wrong.code == 2
    assert "with other settings (task_key)" in " ".join(other.err.split())
    assert "cannot be used to keep what is known" in " ".join(wrong.err.split())


def test_spellings_are_put_together_where_running_is_asked_for(
    toolguild: Any, tmp_path: Path
) -> None:
    spellings = [
        "def f(n):\n    return sum(i for i in range(1, n) if n % i == 0)",
        "def g(k):\n    t = 0\n    for d in range(1, k):\n        if k % d == 0:\n"
        "            t += d\n    return t",
        "def h(m):\n    return m if m < 2 else sum(i for i in range(1, m) if m % i == 0)",
    ]
    runs = []
    for spelling in spellings:
        name = spelling[4]
        code = f"{spelling}\nprint({name}(6), {name}(8), {name}(9))"
        messages = [
            {"role": "user", "content": f"Do {name}"},
            {"role": "assistant", "content": f"<execute>\n{code}\n</execute>"},
            {"role": "user", "content": "Observation:\n6 7 4"},
        ]
        runs.append(json.dumps({"messages": messages}))
    (tmp_path / "code.jsonl").write_text("\n".join(runs))
    assert toolguild("mine", tmp_path / "code.jsonl").code == 1
    ran = toolguild("mine", tmp_path / "code.jsonl", "--behaviour", "--explain")
    assert ran.code == 0
    assert "spelling: f (" in ran.out
    assert "spelling: g (" in ran.out
    assert "not the same: h (" in ran.out
    assert "which gives for [1]: 1, not 0" in ran.out


def test_what_is_expected_on_unseen_tasks_is_told(toolguild: Any, log: Path) -> None:
    ran = toolguild("mine", log)
    assert "expected" in ran.out
    assert "Expected: in 100 runs on unseen tasks" in ran.err
    [found] = toolguild("mine", log, "--json").json["opportunities"]
    estimate = found["expected_per_run"]
    # Eight tasks, of which two were held out and explained, and 15 calls saved in eight runs.
    assert estimate["share_of_seen"] == round(7 / 8 * 3 / 4, 4)
    assert estimate["calls"] == round(7 / 8 * 3 / 4 * found["saving"]["calls"] / 8, 4)
    tokens = estimate["tokens"]
    saved = tokens["not_written"] + tokens["not_read_again"]
    assert round(saved - tokens["definition_in_prompts"], 1) == round(tokens["net"], 1)
    told = toolguild("mine", log, "--explain").out
    assert f"{100 * estimate['calls']:,.0f} calls" in told
    assert f"net {100 * tokens['net']:,.0f}" in told


def test_what_costs_more_than_it_saves_is_told_and_long_prompts_change_that(
    toolguild: Any, log: Path
) -> None:
    assert "ranked behind" in toolguild("mine", log).err
    assert "ranked behind" in toolguild("mine", log, "--explain").out
    assert "ranked behind" not in toolguild("mine", log, "--prompt-tokens", "9000").err
    cached, plain = (
        toolguild("mine", log, "--json", *more).json["opportunities"][0]["expected_per_run"]
        for more in (("--cached-price", "0.1"), ())
    )
    assert cached["calls"] == plain["calls"]
    for part in ("not_read_again", "definition_in_prompts"):
        assert cached["tokens"][part] < plain["tokens"][part]
