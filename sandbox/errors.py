"""What can go wrong with a sandbox itself, as opposed to the program inside it."""

from toolguild.policies import ToolguildError

__all__ = ["SandboxUnavailableError", "ToolCallError"]


class SandboxUnavailableError(ToolguildError, RuntimeError):
    """The sandbox cannot run anything; never the fault of the program that was to run."""


class ToolCallError(ToolguildError, RuntimeError):
    """A tool that a program called through `call_tool` failed or was refused.

    Raised by a `ToolGateway` on the host; the program sees an exception of the same name.
    """
