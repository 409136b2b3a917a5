"""Tools that a model writes: drafts like any other, which have to prove what any other has to."""

from toolguild.synth.authoring.adopting import UnsuitableTextError, adopted
from toolguild.synth.authoring.author import Author
from toolguild.synth.authoring.generalising import generalised, grouped
from toolguild.synth.authoring.repairing import repaired

__all__ = ["Author", "UnsuitableTextError", "adopted", "generalised", "grouped", "repaired"]
