"""Tools, versions, tiers, record and audit trail, and the toolbox that agents call through."""

from toolguild.registry.approvals import Answer, Approval, Escalation
from toolguild.registry.audit import AuditHead, AuditReport, AuditRow, head, tail, verify
from toolguild.registry.canonical import canonical_json, decode_json, digest
from toolguild.registry.effects import ExternalTool
from toolguild.registry.errors import (
    AlreadyRegisteredError,
    AmbiguousRefError,
    ChangeRefusedError,
    InvalidSpecError,
    NotJsonError,
    PromotionRefusedError,
    RegistryError,
    RegistryFileError,
    TamperedError,
    UnknownToolError,
)
from toolguild.registry.external import call_external
from toolguild.registry.gates import ChangedFile, ToolResult
from toolguild.registry.json_schema import mismatch
from toolguild.registry.model import (
    TRANSITIONS,
    CallStatus,
    Record,
    Registration,
    RejectedDraft,
    Rejection,
    State,
    ToolSpec,
    ToolVersion,
    Use,
)
from toolguild.registry.promotion import Promotion
from toolguild.registry.proposals import Intake, Waiting
from toolguild.registry.retrieval import Embedder, EmbeddingError, Found, OpenAIEmbedder
from toolguild.registry.store import Registry
from toolguild.registry.strict import OpenAIApi, openai_function, openai_tool
from toolguild.registry.toolbox import Toolbox, UsableTool

__all__ = [
    "TRANSITIONS",
    "AlreadyRegisteredError",
    "AmbiguousRefError",
    "Answer",
    "Approval",
    "AuditHead",
    "AuditReport",
    "AuditRow",
    "CallStatus",
    "ChangeRefusedError",
    "ChangedFile",
    "Embedder",
    "EmbeddingError",
    "Escalation",
    "ExternalTool",
    "Found",
    "Intake",
    "InvalidSpecError",
    "NotJsonError",
    "OpenAIApi",
    "OpenAIEmbedder",
    "Promotion",
    "PromotionRefusedError",
    "Record",
    "Registration",
    "Registry",
    "RegistryError",
    "RegistryFileError",
    "RejectedDraft",
    "Rejection",
    "State",
    "TamperedError",
    "ToolResult",
    "ToolSpec",
    "ToolVersion",
    "Toolbox",
    "UnknownToolError",
    "UsableTool",
    "Use",
    "Waiting",
    "call_external",
    "canonical_json",
    "decode_json",
    "digest",
    "head",
    "mismatch",
    "openai_function",
    "openai_tool",
    "tail",
    "verify",
]
