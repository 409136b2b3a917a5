"""Ed25519 keys in PEM files, and signatures as DSSE defines them.

Needs the extra `sign`, which is imported where a key is made or read and not before. What is
signed is DSSE's pre-authentication encoding (https://github.com/secure-systems-lab/dsse), which
binds a text to its type: a signature over an audit head is none over a bundle.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from toolguild.policies import ToolguildError
from toolguild.registry.errors import RegistryError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

__all__ = [
    "KeyFileError",
    "PrivateKey",
    "PublicKey",
    "SigningUnavailableError",
    "new_key",
    "public_path",
    "read_private_key",
    "read_public_key",
]

_MAX_KEY_BYTES = 64 * 1024
_INSTALL = 'python -m pip install "toolguild[sign]"'


class SigningUnavailableError(RegistryError, ImportError):
    """The package that signs is not installed."""


class KeyFileError(ToolguildError, ValueError):
    """A key cannot be read or written; the message names the file."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """What tells whether a signature is that of its owner."""

    id: str
    """`sha256:<hex>` over the DER form (SubjectPublicKeyInfo) of the key."""
    _key: Ed25519PublicKey = field(repr=False, compare=False)

    def verifies(self, signature: bytes, payload_type: str, payload: bytes) -> bool:
        """Whether a signature is this key's, over just this."""
        from cryptography.exceptions import InvalidSignature

        try:
            self._key.verify(signature, _pre_authentication_encoding(payload_type, payload))
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """What signs."""

    public: PublicKey
    _key: Ed25519PrivateKey = field(repr=False, compare=False)

    def sign(self, payload_type: str, payload: bytes) -> bytes:
        """Return the signature over a payload and its type, 64 bytes."""
        return self._key.sign(_pre_authentication_encoding(payload_type, payload))


def new_key(path: Path) -> PublicKey:
    """Make a key pair: the private key at this path, the public one beside it with `.pub`.

    Raises:
        KeyFileError: one of the files exists, or cannot be written; then neither is left.
        SigningUnavailableError: the extra `sign` is not installed.
    """
    _require_cryptography()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
    )

    key = Ed25519PrivateKey.generate()
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    shared = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    _create(path, secret, 0o600)
    try:
        _create(public_path(path), shared, 0o644)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return _public(key.public_key())


def public_path(path: Path) -> Path:
    """Return where the public key is that belongs to the private one at a path."""
    return path.with_name(f"{path.name}.pub")


def read_private_key(path: Path) -> PrivateKey:
    """Read a private key.

    Raises:
        KeyFileError: the file cannot be read, or holds no Ed25519 private key without a password.
        SigningUnavailableError: the extra `sign` is not installed.
    """
    _require_cryptography()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    data = _read(path)
    try:
        key = load_pem_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        msg = f"{path}: no PEM private key without a password; `toolguild keys new` makes one"
        raise KeyFileError(msg) from error
    if not isinstance(key, Ed25519PrivateKey):
        msg = f"{path}: not an Ed25519 key; `toolguild keys new` makes one"
        raise KeyFileError(msg)
    return PrivateKey(_public(key.public_key()), key)


def read_public_key(path: Path) -> PublicKey:
    """Read a public key.

    Raises:
        KeyFileError: the file cannot be read, or holds no Ed25519 public key.
        SigningUnavailableError: the extra `sign` is not installed.
    """
    _require_cryptography()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    data = _read(path)
    try:
        key = load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm) as error:
        msg = f"{path}: no PEM public key; it stands beside the private one, as NAME.pub"
        raise KeyFileError(msg) from error
    if not isinstance(key, Ed25519PublicKey):
        msg = f"{path}: not an Ed25519 key; ask for one that `toolguild keys new` made"
        raise KeyFileError(msg)
    return _public(key)


def _require_cryptography() -> None:
    try:
        import cryptography  # noqa: F401 - only whether it is there
    except ImportError as error:
        msg = f"keys and signatures need the package `cryptography`; run: {_INSTALL}"
        raise SigningUnavailableError(msg) from error


def _public(key: Ed25519PublicKey) -> PublicKey:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return PublicKey(f"sha256:{hashlib.sha256(der).hexdigest()}", key)


def _pre_authentication_encoding(payload_type: str, payload: bytes) -> bytes:
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_KEY_BYTES)
    except OSError as error:
        msg = f"{path}: {error.strerror or error}; give the file of a key"
        raise KeyFileError(msg) from error


def _create(path: Path, data: bytes, mode: int) -> None:
    """Write a file that did not exist, and no other; all of it, or nothing."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError as error:
        msg = f"{path} exists, and no key is overwritten; name another file"
        raise KeyFileError(msg) from error
    except OSError as error:
        msg = f"{path}: {error.strerror or error}; name a file in a folder that you can write to"
        raise KeyFileError(msg) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException as error:
        with contextlib.suppress(OSError):
            path.unlink()
        if isinstance(error, OSError):
            msg = f"{path}: {error.strerror or error}; no key was made"
            raise KeyFileError(msg) from error
        raise
