"""Which composites the BFCL scripts give, and whether they do what the scripts' own calls do."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from benchmarks.bfcl.simulators import BfclTools
from toolguild.sandbox import open_sandbox
from toolguild.synth.drafting import Draft, draft_tool, tool_names
from toolguild.synth.mining import MiningSettings
from toolguild.synth.synthesis import mine
from toolguild.synth.validation import Rehearsal, rehearse_cases, rehearse_inputs
from toolguild.synth.validation.inputs import arguments_strategy, draw

SHARED = Path(__file__).resolve().parents[2].parent / "shared"


def main() -> None:
    """Mine, draft, rehearse, and show a line a composite."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bfcl", description=__doc__)
    parser.add_argument("--support", type=int, default=MiningSettings().sequence_support)
    parser.add_argument("--inputs", type=int, default=100, help="generated inputs a composite")
    parser.add_argument("--sandbox", choices=["local", "docker"], default="local")
    given = parser.parse_args()
    folder = Path(os.environ.get("TOOLGUILD_SHARED", SHARED)) / "traces" / "bfcl-multi-turn"
    path = folder / "trajectories.json"
    mined = mine([path], settings=MiningSettings(sequence_support=given.support))
    live = BfclTools(path)
    names = tool_names(mined.opportunities)
    with open_sandbox(given.sandbox) as sandbox:
        for opportunity, name in zip(mined.opportunities, names, strict=True):
            draft = draft_tool(opportunity, sandbox, name)
            if isinstance(draft, Draft):
                strategy = arguments_strategy(draft.parameters, [c.arguments for c in draft.cases])
                inputs = draw(strategy, given.inputs, seed=0)
                _show(draft.name, "recorded", rehearse_cases(draft, live, sandbox))
                _show(draft.name, "generated", rehearse_inputs(draft, inputs, live, sandbox))


def _show(name: str, kind: str, found: Rehearsal) -> None:
    print(
        f"{name[:52]:52} {kind:9} {found.compared:4} compared, {found.changing:4} changing, "
        f"{found.failing:4} failing, {len(found.differing):4} differing"
    )
    for reason, count in found.inconclusive.items():
        print(f"    {count} inconclusive: {reason}")
    for wrong in found.differing[:2]:
        print(f"    {wrong.arguments}: {wrong.observed}; expected: {wrong.expected}")


if __name__ == "__main__":
    main()
