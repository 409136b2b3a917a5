"""Lessons: what runs that failed teach, kept few, and dropped where they do not help."""

from toolguild.agent.improvement.lessons.consolidating import consolidated
from toolguild.agent.improvement.lessons.learning import new_lessons
from toolguild.agent.improvement.lessons.plain_text import UnfitTextError, plain_sentence
from toolguild.agent.improvement.lessons.usefulness import expired, usefulness_of

__all__ = [
    "UnfitTextError",
    "consolidated",
    "expired",
    "new_lessons",
    "plain_sentence",
    "usefulness_of",
]
