"""From traces to opportunities: what recurs, and what it would save."""

from toolguild.synth.mining.code import CodeMiner, Merge
from toolguild.synth.mining.dataflow import canonical, value_at
from toolguild.synth.mining.instrument import ENTRY
from toolguild.synth.mining.opportunity import (
    CodeOccurrence,
    Occurrence,
    Opportunity,
    RepeatedCode,
    RepeatedSequence,
    Saving,
    SequenceOccurrence,
    Spelling,
    saving_of,
    support_of,
)
from toolguild.synth.mining.plan import (
    MAX_BATCH,
    CallStep,
    Constant,
    FromItem,
    FromResult,
    JsonPath,
    LoopStep,
    Origin,
    Parameter,
    Plan,
    PlanStep,
    render_path,
)
from toolguild.synth.mining.plan_json import plan_from_json, plan_to_json
from toolguild.synth.mining.recorder import BLOCK_MARK
from toolguild.synth.mining.sequences import SequenceMiner
from toolguild.synth.mining.settings import MiningSettings
from toolguild.synth.mining.windows import believed_read_only

__all__ = [
    "BLOCK_MARK",
    "ENTRY",
    "MAX_BATCH",
    "CallStep",
    "CodeMiner",
    "CodeOccurrence",
    "Constant",
    "FromItem",
    "FromResult",
    "JsonPath",
    "LoopStep",
    "Merge",
    "MiningSettings",
    "Occurrence",
    "Opportunity",
    "Origin",
    "Parameter",
    "Plan",
    "PlanStep",
    "RepeatedCode",
    "RepeatedSequence",
    "Saving",
    "SequenceMiner",
    "SequenceOccurrence",
    "Spelling",
    "believed_read_only",
    "canonical",
    "plan_from_json",
    "plan_to_json",
    "render_path",
    "saving_of",
    "support_of",
    "value_at",
]
