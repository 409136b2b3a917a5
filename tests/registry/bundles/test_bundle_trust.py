"""Whose bundles are taken, and that a bundle which was changed is not."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolguild.registry.bundles import BundleError, UntrustedBundleError, seal
from toolguild.registry.bundles.envelope import PAYLOAD_TYPE, open_envelope
from toolguild.registry.signing import read_public_key


def changed(data: bytes, **fields: object) -> bytes:
    return json.dumps(json.loads(data) | fields).encode()


def resigned(data: bytes, **fields: str) -> bytes:
    [signature] = json.loads(data)["signatures"]
    return changed(data, signatures=[signature | fields])


def test_a_bundle_is_taken_from_whoever_is_trusted(share, take, alice, mallory):
    assert take(share(), trusted=[mallory.public, alice.public]).received.signed_by == (
        alice.public.id,
    )


@pytest.mark.parametrize("trusted", ["nobody", "somebody else"])
def test_a_bundle_of_somebody_else_is_refused_by_the_name_of_the_key(
    registry, share, take, alice, mallory, trusted
):
    keys = [mallory.public] if trusted == "somebody else" else []
    with pytest.raises(UntrustedBundleError, match=f"signed by '{alice.public.id}'.*--key"):
        take(share(), trusted=keys)
    assert registry.tools() == []


def test_a_bundle_that_nobody_signed_is_taken_only_where_asked_for(registry, share, take):
    bare = changed(share(), signatures=[])
    with pytest.raises(UntrustedBundleError, match=r"nobody signed this bundle.*--unsigned"):
        take(bare)
    assert take(bare, unsigned=True).received.signed_by == ()
    assert registry.tool("double").provenance["signed_by"] == []


def test_unsigned_is_no_way_around_a_signature(share, take, mallory):
    with pytest.raises(UntrustedBundleError, match="none of the 1 keys trusted here"):
        take(share(), trusted=[mallory.public], unsigned=True)


def test_another_payload_does_not_fit_the_signature(share, take):
    data = share()
    payload = base64.b64decode(json.loads(data)["payload"])
    other = payload.replace(b"2 * number", b"3 * number")
    assert other != payload
    with pytest.raises(UntrustedBundleError, match="does not fit the contents"):
        take(changed(data, payload=base64.b64encode(other).decode()))


def test_another_signature_key_id_or_type_is_refused(share, take, alice, mallory):
    data = share()
    foreign = base64.b64encode(mallory.sign(PAYLOAD_TYPE, b"{}")).decode()
    with pytest.raises(UntrustedBundleError, match="does not fit the contents"):
        take(resigned(data, sig=foreign))
    with pytest.raises(UntrustedBundleError, match="does not fit the contents"):
        take(resigned(data, sig=base64.b64encode(b"short").decode()))
    with pytest.raises(UntrustedBundleError, match="signed by"):
        take(resigned(data, keyid=mallory.public.id))
    with pytest.raises(BundleError, match="payloadType"):
        take(changed(data, payloadType="text/plain"))


def test_a_signature_over_the_payload_as_another_type_is_none(share, take, alice):
    data = share()
    payload = base64.b64decode(json.loads(data)["payload"])
    elsewhere = alice.sign("application/vnd.toolguild.audit-head", payload)
    with pytest.raises(UntrustedBundleError, match="does not fit the contents"):
        take(resigned(data, sig=base64.b64encode(elsewhere).decode()))


def test_a_wrong_signature_of_a_trusted_key_is_not_made_up_for_by_another(
    share, take, alice, mallory
):
    data = share()
    [good] = json.loads(data)["signatures"]
    wrong = {"keyid": mallory.public.id, "sig": good["sig"]}
    with pytest.raises(UntrustedBundleError, match="does not fit"):
        take(changed(data, signatures=[good, wrong]), trusted=[alice.public, mallory.public])
    assert take(changed(data, signatures=[wrong, good])).received.signed_by == (alice.public.id,)


SPOILED = {
    "not JSON": lambda data: data[:-10],
    "not UTF-8": lambda data: b"\xff" + data,
    "no object": lambda data: b"[]",
    "field missing": lambda data: changed(data, payload=None),
    "field added": lambda data: changed(data, comment="x"),
    "key twice": lambda data: data.replace(b'"payload":', b'"payload": "", "payload":'),
    "signatures no list": lambda data: changed(data, signatures={}),
    "signature twice": lambda data: changed(data, signatures=2 * json.loads(data)["signatures"]),
    "too many signatures": lambda data: changed(
        data, signatures=[{"keyid": str(number), "sig": "AAAA"} for number in range(17)]
    ),
    "very many parts": lambda data: changed(data, signatures=[{}] * 100),
    "deeply nested": lambda data: b'{"payload":' + b"[" * 100_000,
    "nested": lambda data: changed(data, signatures=[[[[[[]]]]]]),
    "base64 with spaces": lambda data: changed(data, payload=f" {json.loads(data)['payload']}"),
    "other base64 of the same bytes": lambda data: resigned(data, sig=_respelled(data)),
    "no base64": lambda data: changed(data, payload="%%%"),
    "surrogate": lambda data: changed(data, payload="\ud800"),
}  # fmt: skip


def _respelled(data: bytes) -> str:
    """Return the signature with other unused bits, which decodes to the same bytes."""
    signature = json.loads(data)["signatures"][0]["sig"]
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = letters[letters.index(signature[-3]) ^ 1]
    respelled = f"{signature[:-3]}{last}=="
    assert base64.b64decode(respelled) == base64.b64decode(signature)
    return respelled


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED)
def test_what_is_no_envelope_is_refused_with_a_reason(registry, share, take, spoil):
    with pytest.raises(BundleError, match="no bundle: "):
        take(spoil(share()))
    assert registry.tools() == []


def test_no_byte_of_a_bundle_can_be_changed(share, alice):
    """Every byte, and every bit of some: what opens at all says what was signed."""
    data = share()
    signed = open_envelope(data, [alice.public])

    @given(st.integers(0, len(data) - 1), st.integers(1, 255))
    def each(place: int, mask: int) -> None:
        other = bytearray(data)
        other[place] ^= mask
        try:
            opened = open_envelope(bytes(other), [alice.public])
        except BundleError:
            return
        # White space between the fields may be another one.
        assert opened == signed

    each()


def test_a_bundle_larger_than_any_may_be_is_neither_written_nor_read(monkeypatch, share, take):
    data = share()
    monkeypatch.setattr("toolguild.registry.bundles.envelope.MAX_ENVELOPE_BYTES", len(data) - 1)
    with pytest.raises(BundleError, match="larger than"):
        take(data)
    with pytest.raises(BundleError, match="export fewer tools"):
        seal(b"x" * len(data), None)


def test_another_reader_of_dsse_verifies_what_is_signed_here(share, tmp_path, alice):
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import SSlibKey

    from toolguild.registry.signing import new_key, read_private_key

    path = tmp_path / "key"
    made = new_key(path)
    public = load_pem_public_key((tmp_path / "key.pub").read_bytes())
    data = seal(b'{"some": "payload"}', read_private_key(path))
    envelope = Envelope.from_dict(json.loads(data))
    key = SSlibKey.from_crypto(public, keyid=made.id)
    assert envelope.verify([key], 1) == {made.id: key}
    assert open_envelope(data, [read_public_key(tmp_path / "key.pub")]).payload == envelope.payload
