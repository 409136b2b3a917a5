"""Why a model gave nothing that can be used."""

from __future__ import annotations

from toolguild.policies import ToolguildError

__all__ = [
    "BadReplyError",
    "ModelDownError",
    "ModelError",
    "OverBudgetError",
    "RefusedError",
    "UnsupportedRequestError",
]


class ModelError(ToolguildError, RuntimeError):
    """There is no reply; whoever asked goes on without one."""

    may_have_cost = False
    """Whether the endpoint may have done the work, and count it."""


class ModelDownError(ModelError):
    """The endpoint cannot be reached, does not let us in, or answers with errors."""

    def __init__(self, message: str, *, may_have_cost: bool = True) -> None:
        """Say why.

        Args:
            message: What happened.
            may_have_cost: Whether the endpoint may have done the work, and count it.
        """
        super().__init__(message)
        self.may_have_cost = may_have_cost


class OverBudgetError(ModelError):
    """The request might cost more than what is left to spend, so it was not sent."""


class RefusedError(ModelError):
    """The model declines to answer."""


class BadReplyError(ModelError):
    """None of the replies was of the form that was asked for."""


class UnsupportedRequestError(ModelError):
    """The endpoint does not take a request of this form; another form may do."""
