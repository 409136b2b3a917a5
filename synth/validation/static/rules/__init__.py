"""The rules of the static gate, one small class each."""

from toolguild.synth.validation.static.rules.attributes import (
    AttributeByName,
    ForbiddenAttribute,
    FormatTemplate,
    PrivateAttribute,
    SpecialAttribute,
)
from toolguild.synth.validation.static.rules.base import Family, Question, Rule, TextRule, TreeRule
from toolguild.synth.validation.static.rules.class_of_value import ClassOfValue
from toolguild.synth.validation.static.rules.class_pattern import ClassPattern
from toolguild.synth.validation.static.rules.classes import (
    ClassHeader,
    DecoratorOnly,
    FieldHeld,
    HeaderOnly,
)
from toolguild.synth.validation.static.rules.contract import (
    CallToolForm,
    EntryDocstring,
    EntryForm,
    EntryMissing,
    EntrySignature,
    EntryTypes,
    HarnessNameTaken,
    VagueType,
)
from toolguild.synth.validation.static.rules.definitions import (
    CallAtDefinition,
    DefaultNotConstant,
    ForeignDecorator,
    RegisteredByAnnotation,
    StatementAtDefinition,
)
from toolguild.synth.validation.static.rules.imports import (
    ImportInClass,
    ModuleAsValue,
    ModuleChanged,
    ModuleNotListed,
    NotExported,
    RelativeImport,
    StarImport,
)
from toolguild.synth.validation.static.rules.iteration import EndlessIteration, EndlessLoop
from toolguild.synth.validation.static.rules.names import (
    GuardedFunction,
    ReservedName,
    SpecialDefinition,
    UnknownName,
)
from toolguild.synth.validation.static.rules.patterns import ExponentialPattern
from toolguild.synth.validation.static.rules.reach import (
    BareExcept,
    CapabilityOutOfReach,
    LiteralPath,
    UnreadableAnnotation,
)
from toolguild.synth.validation.static.rules.recursion import EndlessRecursion
from toolguild.synth.validation.static.rules.sizes import HugeConstantWork
from toolguild.synth.validation.static.rules.text import (
    CodingCookie,
    HiddenCharacters,
    LookAlike,
    NotPython,
    TooBig,
    UnstableIdentifier,
)

__all__ = ["RULES", "Family", "Question", "Rule", "TextRule", "TreeRule"]

RULES: tuple[Rule, ...] = (
    NotPython(),
    TooBig(),
    CodingCookie(),
    HiddenCharacters(),
    UnstableIdentifier(),
    LookAlike(),
    ModuleNotListed(),
    NotExported(),
    StarImport(),
    RelativeImport(),
    ModuleAsValue(),
    ModuleChanged(),
    ImportInClass(),
    UnknownName(),
    GuardedFunction(),
    AttributeByName(),
    SpecialAttribute(),
    SpecialDefinition(),
    PrivateAttribute(),
    ForbiddenAttribute(),
    FormatTemplate(),
    ClassPattern(),
    ReservedName(),
    ClassHeader(),
    BareExcept(),
    CapabilityOutOfReach(),
    LiteralPath(),
    UnreadableAnnotation(),
    ClassOfValue(),
    HeaderOnly(),
    FieldHeld(),
    StatementAtDefinition(),
    CallAtDefinition(),
    ForeignDecorator(),
    DefaultNotConstant(),
    RegisteredByAnnotation(),
    DecoratorOnly(),
    EntryMissing(),
    EntryForm(),
    EntrySignature(),
    EntryTypes(),
    VagueType(),
    EntryDocstring(),
    CallToolForm(),
    HarnessNameTaken(),
    EndlessLoop(),
    HugeConstantWork(),
    EndlessIteration(),
    EndlessRecursion(),
    ExponentialPattern(),
)
"""Every rule, in the order of their codes."""
