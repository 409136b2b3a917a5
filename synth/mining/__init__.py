"""From traces to opportunities: what recurs, and what it would save."""

from toolguild.synth.mining.code import CodeMiner, Merge
from toolguild.synth.mining.collecting import nothing_collected
from toolguild.synth.mining.dataflow import canonical
from toolguild.synth.mining.episode_miner import EpisodeMiner
from toolguild.synth.mining.episodes import Episode, EpisodeKind, RepeatedEpisode
from toolguild.synth.mining.extent import Extent, Saving, Weight
from toolguild.synth.mining.gaps import Attempt, CapabilityGap, GapKind, GapMiner
from toolguild.synth.mining.instrument import ENTRY
from toolguild.synth.mining.opportunity import (
    CodeOccurrence,
    Occurrence,
    Opportunity,
    Pattern,
    RepeatedCode,
    RepeatedSequence,
    SequenceOccurrence,
    Spelling,
    extent_of,
    saving_of,
    support_of,
)
from toolguild.synth.mining.recorder import BLOCK_MARK
from toolguild.synth.mining.sample import Kept, Lot, Sample, Sampled
from toolguild.synth.mining.sequences import SequenceMiner
from toolguild.synth.mining.settings import MiningSettings
from toolguild.synth.mining.utility import Utility
from toolguild.synth.mining.verbs import believed_read_only

__all__ = [
    "BLOCK_MARK",
    "ENTRY",
    "Attempt",
    "CapabilityGap",
    "CodeMiner",
    "CodeOccurrence",
    "Episode",
    "EpisodeKind",
    "EpisodeMiner",
    "Extent",
    "GapKind",
    "GapMiner",
    "Kept",
    "Lot",
    "Merge",
    "MiningSettings",
    "Occurrence",
    "Opportunity",
    "Pattern",
    "RepeatedCode",
    "RepeatedEpisode",
    "RepeatedSequence",
    "Sample",
    "Sampled",
    "Saving",
    "SequenceMiner",
    "SequenceOccurrence",
    "Spelling",
    "Utility",
    "Weight",
    "believed_read_only",
    "canonical",
    "extent_of",
    "nothing_collected",
    "saving_of",
    "support_of",
]
