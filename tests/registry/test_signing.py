"""Keys in files, and signatures with them."""

from __future__ import annotations

import builtins
import hashlib
import os
import stat
import sys

import pytest

from toolguild.registry.signing import (
    KeyFileError,
    SigningUnavailableError,
    new_key,
    read_private_key,
    read_public_key,
)


@pytest.fixture
def key_file(tmp_path):
    path = tmp_path / "alice.key"
    new_key(path)
    return path


def test_a_new_key_is_two_files_of_which_one_is_private(tmp_path):
    made = new_key(tmp_path / "alice.key")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes["alice.key"] == 0o600
    assert set(modes) == {"alice.key", "alice.key.pub"}
    assert read_public_key(tmp_path / "alice.key.pub") == made
    assert read_private_key(tmp_path / "alice.key").public == made


def test_the_id_is_the_digest_of_the_public_key_in_der(key_file):
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        PublicFormat,
        load_pem_public_key,
    )

    public = load_pem_public_key(key_file.with_name("alice.key.pub").read_bytes())
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert read_private_key(key_file).public.id == f"sha256:{hashlib.sha256(der).hexdigest()}"


@pytest.mark.parametrize("taken", ["alice.key", "alice.key.pub"])
def test_no_file_is_overwritten_and_none_is_left_over(tmp_path, taken):
    (tmp_path / taken).write_text("mine")
    with pytest.raises(KeyFileError, match="exists, and no key is overwritten"):
        new_key(tmp_path / "alice.key")
    assert [path.name for path in tmp_path.iterdir()] == [taken]
    assert (tmp_path / taken).read_text() == "mine"


def test_a_link_is_not_written_through(tmp_path):
    (tmp_path / "alice.key").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(KeyFileError, match="exists"):
        new_key(tmp_path / "alice.key")
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(KeyFileError, match="No such file or directory; name a file in a folder"):
        new_key(tmp_path / "missing" / "alice.key")


def test_a_key_that_could_not_be_written_whole_is_not_left(tmp_path, monkeypatch):
    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(KeyFileError, match="No space left on device; no key was made"):
        new_key(tmp_path / "alice.key")
    assert list(tmp_path.iterdir()) == []


def test_a_signature_holds_for_its_payload_type_and_key_alone(key_file, tmp_path):
    key = read_private_key(key_file)
    signature = key.sign("text/plain", b"payload")
    assert key.public.verifies(signature, "text/plain", b"payload")
    assert not key.public.verifies(signature, "text/plain", b"another")
    assert not key.public.verifies(signature, "text/html", b"payload")
    assert not new_key(tmp_path / "other").verifies(signature, "text/plain", b"payload")


def test_type_and_payload_cannot_be_shifted_into_one_another(key_file):
    key = read_private_key(key_file)
    assert not key.public.verifies(key.sign("a", b"b c"), "a b", b"c")
    assert not key.public.verifies(key.sign("a", b"bc"), "ab", b"c")


def other_keys():
    from cryptography.hazmat.primitives.asymmetric import ed448, rsa
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
    )

    rsa_key, ed448_key = rsa.generate_private_key(65537, 2048), ed448.Ed448PrivateKey.generate()
    spki, pkcs8 = PublicFormat.SubjectPublicKeyInfo, PrivateFormat.PKCS8
    public = [key.public_key().public_bytes(Encoding.PEM, spki) for key in (rsa_key, ed448_key)]
    private = [
        rsa_key.private_bytes(Encoding.PEM, pkcs8, NoEncryption()),
        ed448_key.private_bytes(Encoding.PEM, pkcs8, BestAvailableEncryption(b"secret")),
    ]
    return public, private


def test_what_is_no_such_key_is_refused_with_the_file(key_file, tmp_path):
    public, private = other_keys()
    path = tmp_path / "file"
    for data in (*private, b"", b"nonsense", os.urandom(100_000)):
        path.write_bytes(data)
        with pytest.raises(KeyFileError, match=f"{path}: .*toolguild keys new"):
            read_private_key(path)
    for data in (*public, b"", b"nonsense", key_file.read_bytes()):
        path.write_bytes(data)
        with pytest.raises(KeyFileError, match=f"{path}: no"):
            read_public_key(path)
    for read in (read_private_key, read_public_key):
        with pytest.raises(KeyFileError, match="No such file"):
            read(tmp_path / "missing")
        with pytest.raises(KeyFileError, match="Is a directory"):
            read(tmp_path)


def test_without_the_extra_it_says_what_to_install(key_file, tmp_path, monkeypatch):
    imported = builtins.__import__

    def without(name, *rest):
        if name.startswith("cryptography"):
            raise ImportError(name)
        return imported(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    for call in (read_private_key, read_public_key, new_key):
        with pytest.raises(SigningUnavailableError, match=r'pip install "toolguild\[sign\]"'):
            call(tmp_path / "alice.key")


def test_nothing_of_the_extra_is_imported_before_a_key_is_used():
    import subprocess

    code = "import sys, toolguild.cli.main; print('cryptography' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
