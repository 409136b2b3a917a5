"""The signed envelope of a bundle: DSSE, in JSON (https://github.com/secure-systems-lab/dsse).

Reading is stricter than DSSE asks for: keys stand once in an object, base64 is canonical, nothing
may stand there that has no meaning, and a signature counts only under the id of its key. That is
why `cryptography` is enough: what a library for DSSE would add is a reader that is more lenient,
and one line of encoding (`signing`). The tests have `securesystemslib` check what is signed here.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from toolguild.registry.bundles.errors import BundleError, UntrustedBundleError
from toolguild.registry.canonical import decode_strict_json
from toolguild.registry.errors import NotJsonError
from toolguild.registry.signing import PrivateKey, PublicKey

__all__ = ["MAX_ENVELOPE_BYTES", "PAYLOAD_TYPE", "Opened", "open_envelope", "seal"]

PAYLOAD_TYPE = "application/vnd.in-toto+json"
MAX_ENVELOPE_BYTES = 64 * 1024 * 1024
_MAX_SIGNATURES = 16
_MAX_DEPTH = 4
_MAX_PARTS = 2 * _MAX_SIGNATURES + 2
"""Objects and arrays. Base64 has no brackets, so that they can be counted before all is decoded."""
_MAX_FIELD = 200
"""Characters of a key id or a signature; those of Ed25519 have 71 and 88."""


class _Signature(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    keyid: str = Field(max_length=_MAX_FIELD)
    sig: str = Field(max_length=_MAX_FIELD)


class _Envelope(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    payload_type: str = Field(alias="payloadType", max_length=_MAX_FIELD)
    payload: str
    signatures: list[_Signature] = Field(max_length=_MAX_SIGNATURES)


@dataclass(frozen=True, slots=True)
class Opened:
    """What an envelope holds."""

    payload: bytes
    signed_by: tuple[str, ...]
    """Ids of the trusted keys that signed it; empty where nobody did, and that was allowed."""


def seal(payload: bytes, key: PrivateKey | None) -> bytes:
    """Return a payload in its envelope, signed unless there is no key.

    Raises:
        BundleError: it is larger than any importer would read.
    """
    signatures = []
    if key is not None:
        signature = key.sign(PAYLOAD_TYPE, payload)
        signatures = [{"keyid": key.public.id, "sig": _to_base64(signature)}]
    envelope = {
        "payload": _to_base64(payload),
        "payloadType": PAYLOAD_TYPE,
        "signatures": signatures,
    }
    data = f"{json.dumps(envelope)}\n".encode()
    if len(data) > MAX_ENVELOPE_BYTES:
        msg = (
            f"the bundle would have {len(data):,} bytes, more than the {MAX_ENVELOPE_BYTES:,} that "
            "an import reads; export fewer tools at once"
        )
        raise BundleError(msg)
    return data


def open_envelope(data: bytes, trusted: Sequence[PublicKey], *, unsigned: bool = False) -> Opened:
    """Return what an envelope holds, if one of the trusted keys has signed it.

    Args:
        data: The bytes of a bundle, from anywhere.
        trusted: The keys that count.
        unsigned: Whether to take what nobody signed. What somebody signed is never taken for
            unsigned.

    Raises:
        BundleError: it is no envelope of a bundle.
        UntrustedBundleError: nobody who is trusted signed it, or it was changed since.
    """
    envelope = _read(data)
    payload = _from_base64(envelope.payload, "payload")
    if envelope.payload_type != PAYLOAD_TYPE:
        msg = f"no bundle: its payloadType is not {PAYLOAD_TYPE}"
        raise BundleError(msg)
    ids = [signature.keyid for signature in envelope.signatures]
    if len(set(ids)) < len(ids):
        msg = "no bundle: the same key is named twice as having signed it"
        raise BundleError(msg)
    if not ids:
        return Opened(payload, _nobody(unsigned=unsigned))
    return Opened(payload, _signers(envelope, payload, trusted))


def _read(data: bytes) -> _Envelope:
    if len(data) > MAX_ENVELOPE_BYTES:
        msg = f"larger than {MAX_ENVELOPE_BYTES:,} bytes, which no bundle may be"
        raise BundleError(msg)
    if data.count(b"{") + data.count(b"[") > _MAX_PARTS:
        msg = "no bundle: too many parts for an envelope"
        raise BundleError(msg)
    try:
        document = decode_strict_json(data.decode("utf-8"), max_depth=_MAX_DEPTH)
        return _Envelope.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(map(str, first["loc"]))[:100] or "the document"
        msg = f"no bundle: {where}: {first['msg']}"
        raise BundleError(msg) from error
    except (UnicodeDecodeError, NotJsonError) as error:
        msg = f"no bundle: {error}"
        raise BundleError(msg) from error


def _nobody(*, unsigned: bool) -> tuple[str, ...]:
    if not unsigned:
        msg = (
            "nobody signed this bundle: anybody could have written it. Ask for a signed one, or "
            "give --unsigned to take it nevertheless"
        )
        raise UntrustedBundleError(msg)
    return ()


def _signers(envelope: _Envelope, payload: bytes, trusted: Sequence[PublicKey]) -> tuple[str, ...]:
    keys = {key.id: key for key in trusted}
    signers = []
    for signature in envelope.signatures:
        key = keys.get(signature.keyid)
        if key is None:
            continue
        signed = _from_base64(signature.sig, "signatures.sig")
        if not key.verifies(signed, envelope.payload_type, payload):
            msg = (
                f"the signature of {key.id} does not fit the contents: the bundle was changed "
                "after it was signed. Fetch it again from where it comes from"
            )
            raise UntrustedBundleError(msg)
        signers.append(key.id)
    if not signers:
        named = ", ".join(signature.keyid for signature in envelope.signatures[:3])
        known = f"which is none of the {len(keys)} keys" if keys else "and no key is"
        msg = (
            f"signed by {named!a}, {known} trusted here; give the public key of somebody you trust "
            "with --key, or in [trust] of toolguild.toml"
        )
        raise UntrustedBundleError(msg)
    return tuple(signers)


def _to_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _from_base64(text: str, field: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    # Bits that no byte has room for would let one signature be written in several ways.
    if not data or _to_base64(data) != text:
        msg = f"no bundle: {field}: not base64"
        raise BundleError(msg)
    return data
