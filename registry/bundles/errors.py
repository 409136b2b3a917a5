"""What can go wrong with a bundle; each message says what to do next."""

from toolguild.policies import ToolguildError

__all__ = ["BundleError", "ImportRefusedError", "UntrustedBundleError"]


class BundleError(ToolguildError, ValueError):
    """A bundle cannot be made, written or read, or is not as bundles are."""


class UntrustedBundleError(BundleError):
    """Nobody who is trusted here has signed the bundle, or it was changed since."""


class ImportRefusedError(BundleError):
    """The registry cannot take in what the bundle holds as it stands."""
