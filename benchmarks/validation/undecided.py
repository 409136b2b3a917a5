"""Which changes no search tells from the tool: `python -m benchmarks.validation.undecided`.

For whoever writes `equivalent.toml`: each of these is to be read, and is either entered there with
a reason or stays a fault. What the file holds already is left out.
"""

from __future__ import annotations

import gc
import sys
from concurrent.futures import ThreadPoolExecutor

from benchmarks.validation.faults import Fault, equivalents, seeded
from benchmarks.validation.side_by_side import Difference, inputs_of, search
from benchmarks.validation.tools import proven_tools
from toolguild.sandbox import Sandbox, open_sandbox

_FEW, _MANY = 400, 5_000
_SEED = 7


def differs(fault: Fault, sandbox: Sandbox) -> Difference | None:
    """Search a few inputs, then many."""
    draft = fault.tool.draft
    for count in (_FEW, _MANY):
        found = search(draft, fault.mutant.source, inputs_of(draft, count, _SEED), sandbox)
        if found is not None:
            return found
    return None


def main() -> None:
    """Print what is undecided, and what only a time limit, a crash or calls told apart."""
    gc.disable()  # as in `__main__`
    known = equivalents()
    with open_sandbox("local") as sandbox, ThreadPoolExecutor(4) as executor:
        tools, _ = proven_tools(sandbox, executor)
        faults = [fault for fault in seeded(tools) if fault.id not in known]
        for fault, found in zip(
            faults, executor.map(lambda one: differs(one, sandbox), faults), strict=True
        ):
            # What is late may only be slower, and calls that only read may come in any order.
            if found is None or not found.observed.startswith(('["ok"', '["error"')):
                what = "no difference" if found is None else f"{found.observed} {found.arguments}"
                print(f"{fault.id} {fault.tool.name} ({fault.mutant.operator}) {what}")
                print(f"    {fault.difference}")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
