"""Tools that a model writes: drafts like any other, which have to prove what any other has to."""

from toolguild.synth.authoring.adopting import UnsuitableTextError, adopted
from toolguild.synth.authoring.author import Author
from toolguild.synth.authoring.commission import Commission
from toolguild.synth.authoring.describing import described
from toolguild.synth.authoring.generalising import generalised, grouped
from toolguild.synth.authoring.repairing import repaired
from toolguild.synth.authoring.rounds import Judge
from toolguild.synth.authoring.writing import NothingWrittenError, written

__all__ = [
    "Author",
    "Commission",
    "Judge",
    "NothingWrittenError",
    "UnsuitableTextError",
    "adopted",
    "described",
    "generalised",
    "grouped",
    "repaired",
    "written",
]
