"""What goes wrong with an agent's own tools before any is called."""

from toolguild.policies import ToolguildError

__all__ = ["ToolSourceError"]


class ToolSourceError(ToolguildError, ValueError):
    """There are no tools to be had where they were said to be; the message says why."""
