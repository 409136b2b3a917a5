"""Asking a language model over an OpenAI-compatible endpoint, within bounds of cost and trust."""

from toolguild.synth.models.answers import Answer, Endpoint, FunctionCall
from toolguild.synth.models.cache import CacheError, ReplyCache
from toolguild.synth.models.errors import (
    BadReplyError,
    ModelDownError,
    ModelError,
    OverBudgetError,
    RefusedError,
)
from toolguild.synth.models.model import AsyncModel, Model, Reply
from toolguild.synth.models.prompts import Prompt
from toolguild.synth.models.replies import UnfitReplyError
from toolguild.synth.models.request import Request
from toolguild.synth.models.settings import ModelSettings
from toolguild.synth.models.spending import Budget, Usage

__all__ = [
    "Answer",
    "AsyncModel",
    "BadReplyError",
    "Budget",
    "CacheError",
    "Endpoint",
    "FunctionCall",
    "Model",
    "ModelDownError",
    "ModelError",
    "ModelSettings",
    "OverBudgetError",
    "Prompt",
    "RefusedError",
    "Reply",
    "ReplyCache",
    "Request",
    "UnfitReplyError",
    "Usage",
]
