"""Tools that a model writes: drafts like any other, which have to prove what any other has to."""

from toolguild.synth.authoring.adopting import UnsuitableTextError, adopted
from toolguild.synth.authoring.author import Author
from toolguild.synth.authoring.commission import Commission
from toolguild.synth.authoring.describing import described
from toolguild.synth.authoring.repairing import Judge, NothingWrittenError, repaired, written

__all__ = [
    "Author",
    "Commission",
    "Judge",
    "NothingWrittenError",
    "UnsuitableTextError",
    "adopted",
    "described",
    "repaired",
    "written",
]
