"""One profile for all that judges a tool: the gate that reads it, and the wall around its runs."""

from __future__ import annotations

from toolguild.policies import Profile, ToolguildError
from toolguild.sandbox import Sandbox

__all__ = ["ProfileMismatchError", "require_same_profile"]

_SHORT = 12  # characters of a digest that tell two profiles apart


class ProfileMismatchError(ToolguildError, ValueError):
    """A sandbox stands for another profile than the one that a tool is checked by."""


def require_same_profile(sandbox: Sandbox, profile: Profile) -> None:
    """Make sure that a sandbox goes by a profile, compared by what the two decide.

    Behind a stricter wall, a tool would be rejected for what its profile allows; behind a looser
    one, the evidence would not be of what is going to run.

    Raises:
        ProfileMismatchError: it goes by another.
    """
    if sandbox.profile != profile:
        msg = (
            f"the sandbox goes by the profile {_named(sandbox.profile)} and validation by "
            f"{_named(profile)}; open the sandbox with the same one: open_sandbox(..., "
            "profile=settings.profile)"
        )
        raise ProfileMismatchError(msg)


def _named(profile: Profile) -> str:
    return f"{profile.name} ({profile.digest[:_SHORT]})"
