"""The base of every error that toolguild raises on purpose."""

__all__ = ["PolicyFileError", "ToolguildError"]


class ToolguildError(Exception):
    """Something that the caller can act on: the message says what happened and what to do next."""


class PolicyFileError(ToolguildError, ValueError):
    """A policy profile cannot be read; the message names the file and the field."""
