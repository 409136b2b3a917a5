"""What the registry raises on purpose; each message says what to do next."""

from collections.abc import Sequence

from toolguild.policies import ToolguildError

__all__ = [
    "AlreadyRegisteredError",
    "AmbiguousRefError",
    "ChangeRefusedError",
    "InvalidSpecError",
    "NotJsonError",
    "PromotionRefusedError",
    "RegistryError",
    "RegistryFileError",
    "TamperedError",
    "UnknownToolError",
]


class RegistryError(ToolguildError):
    """Something is wrong with the registry or with what it was asked to do."""


class RegistryFileError(RegistryError, OSError):
    """The registry's database cannot be opened, read or written."""


class UnknownToolError(RegistryError, LookupError):
    """No tool or version answers to that name, number or digest."""


class AmbiguousRefError(RegistryError, LookupError):
    """A digest prefix fits more than one version of the tool."""


class InvalidSpecError(RegistryError, ValueError):
    """A tool's specification cannot be registered as it stands."""


class AlreadyRegisteredError(RegistryError, ValueError):
    """A draft to be rejected is a registered version."""


class ChangeRefusedError(RegistryError):
    """What was asked for does not follow on what stands in the registry."""


class PromotionRefusedError(ChangeRefusedError):
    """A version has not earned the tier.

    Attributes:
        missing: What would open the gates that are closed, in words.
    """

    def __init__(self, ref: str, target: str, missing: Sequence[str]) -> None:
        """Say what is missing."""
        super().__init__(f"{ref} has not earned {target}: {'; '.join(missing)}")
        self.missing = tuple(missing)


class NotJsonError(RegistryError, ValueError):
    """A value that has to be JSON is not."""


class TamperedError(RegistryError, ValueError):
    """What the database holds is not what was written to it."""
