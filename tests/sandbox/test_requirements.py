"""Requirements: what is one, how it is written, and for which Python its wheels are taken."""

from __future__ import annotations

import sys
import tarfile
import venv
import zipfile
from collections.abc import Mapping, Sequence
from importlib.metadata import distributions
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolguild.sandbox import RequirementsError, SandboxUnavailableError, read_requirements
from toolguild.sandbox.images.requirements import normalise_requirements
from toolguild.sandbox.images.wheels import Target, unpack_wheels

HASH = "sha256:" + "a" * 64


class TestWriting:
    @pytest.mark.parametrize(
        ("written", "normal"),
        [
            ("NumPy", "numpy"),
            ("python_dateutil >= 2.8 , <4", "python-dateutil<4,>=2.8"),
            ("zope.interface==6.*", "zope-interface==6.*"),
            ("requests[ socks ,security ]", "requests[security,socks]"),
            ('x>=1;python_version  < "3.13"', 'x>=1 ; python_version < "3.13"'),
            (f"x==1 --hash={HASH.upper().replace('SHA', 'sha')}", f"x==1 --hash={HASH}"),
            ("x===1!2.0+local", "x===1!2.0+local"),
        ],
    )
    def test_there_is_one_way(self, written, normal) -> None:
        assert normalise_requirements([written]) == (normal,)

    def test_order_and_repetition_do_not_count(self) -> None:
        assert normalise_requirements(["b", "a>=1", "B", "a >=1"]) == ("a>=1", "b")

    @pytest.mark.parametrize(
        "written",
        [
            "",
            "-e .",
            "--index-url https://example.org/simple",
            "--no-binary=:all:",
            "-r more.txt",
            "./package",
            "/package",
            "package/",
            "x @ https://example.org/x.whl",
            "git+https://example.org/x",
            "https://example.org/x.tar.gz",
            "x==1 --no-binary=:all:",
            "x==1 --config-settings=a=b",
            "x\n--no-binary=:all:",
            "x; python_version > '3' \\",
            "x==1 \N{RIGHT-TO-LEFT OVERRIDE}",
            "größe",
            "x-1-py3-none-any.whl",
            "x-1.tar.gz",
        ],
    )
    def test_whatever_could_be_built_or_bend_pip_is_refused(self, written) -> None:
        with pytest.raises(RequirementsError, match="is no requirement that can be baked in"):
            normalise_requirements([written])

    @given(st.text(max_size=40))
    def test_no_text_becomes_a_line_that_pip_reads_as_anything_else(self, text) -> None:
        try:
            (line,) = normalise_requirements([text])
        except RequirementsError:
            return
        name = line.split(" ")[0]
        assert line.isprintable()
        assert line[0].isalnum()
        assert not any(sign in name for sign in ("/", "\\", "@", ":"))
        assert normalise_requirements([line]) == (line,)


class TestFiles:
    def test_comments_and_continued_lines_are_those_of_pip(self, tmp_path) -> None:
        path = tmp_path / "requirements.txt"
        path.write_text(
            "# what the tools need\n"
            "numpy>=2  # arrays\n"
            "\n"
            "python-dateutil==2.9.0 \\\n"
            f"    --hash={HASH} \\\n"
            f"    --hash=sha256:{'b' * 64}\n"
            "    # via somebody\n"
            "six"
        )
        assert read_requirements(path) == (
            "numpy>=2",
            f"python-dateutil==2.9.0 --hash={HASH} --hash=sha256:{'b' * 64}",
            "six",
        )

    def test_the_line_of_an_error_is_named(self, tmp_path) -> None:
        path = tmp_path / "requirements.txt"
        path.write_text("numpy\nsix==1 \\\n  --pre\n")
        with pytest.raises(RequirementsError, match=r"requirements\.txt:2: 'six==1 --pre' is no"):
            read_requirements(path)

    def test_a_file_that_cannot_be_read_is_named(self, tmp_path) -> None:
        with pytest.raises(RequirementsError, match=r"gone\.txt: No such file"):
            read_requirements(tmp_path / "gone.txt")
        (tmp_path / "latin.txt").write_bytes(b"\xe4")
        with pytest.raises(RequirementsError, match=r"latin\.txt: not UTF-8 text \(byte 0\)"):
            read_requirements(tmp_path / "latin.txt")
        (tmp_path / "huge.txt").write_text("# " + "x" * 1_000_000)
        with pytest.raises(RequirementsError, match="larger than"):
            read_requirements(tmp_path / "huge.txt")


def target(version: str = "3.12", abi: str = "cp312", glibc: str = "2.36") -> Target:
    """Return a Python other than ours, on a machine of another name."""
    markers = {
        "implementation_name": "cpython",
        "implementation_version": f"{version}.1",
        "os_name": "posix",
        "platform_machine": "x86_64",
        "platform_python_implementation": "CPython",
        "platform_release": "6.1",
        "platform_system": "Linux",
        "platform_version": "#1",
        "python_full_version": f"{version}.1",
        "python_version": version,
        "sys_platform": "linux",
    }
    return Target(markers, abi, glibc)


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes everything from, and nothing from elsewhere."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def put_wheel(
    shelf: Path,
    name: str,
    version: str = "1",
    *,
    files: Mapping[str, str] | None = None,
    requires: Sequence[str] = (),
    tag: str = "py3-none-any",
) -> None:
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    metadata += "".join(f"Requires-Dist: {one}\n" for one in requires)
    with zipfile.ZipFile(shelf / f"{name}-{version}-{tag}.whl", "w") as wheel:
        for path, text in (files or {f"{name}.py": ""}).items():
            wheel.writestr(path, text)
        wheel.writestr(f"{info}/METADATA", metadata)
        wheel.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nTag: {tag}\n")
        wheel.writestr(f"{info}/RECORD", "")


def unpacked(folder: Path) -> dict[str, str]:
    return {found.name: found.version for found in distributions(path=[str(folder)])}


class TestWheels:
    def test_they_are_those_of_the_other_python(self, shelf, tmp_path) -> None:
        put_wheel(shelf, "native", "1", tag="cp312-cp312-manylinux_2_36_x86_64")
        put_wheel(shelf, "native", "2", tag="cp312-cp312-manylinux_2_37_x86_64")
        put_wheel(shelf, "native", "3", tag="cp311-cp311-manylinux_2_5_x86_64")
        put_wheel(shelf, "native", "4", tag="cp312-cp312-manylinux_2_17_aarch64")
        put_wheel(shelf, "native", "5", tag="cp312-cp312-macosx_11_0_arm64")
        unpack_wheels(["native"], target(), tmp_path / "to")
        assert unpacked(tmp_path / "to") == {"native": "1"}

    @pytest.mark.parametrize(
        ("abi", "glibc", "tag"),
        [
            ("cp312", "2.17", "cp312-cp312-manylinux2014_x86_64"),
            ("cp312", "2.36", "cp39-abi3-manylinux_2_12_x86_64"),
            ("cp312", "2.36", "cp312-cp312-linux_x86_64"),
            ("cp313t", "2.36", "cp313-cp313t-manylinux_2_17_x86_64"),
            ("cp312", "", "py3-none-any"),
        ],
    )
    def test_tags_of_several_kinds_fit(self, shelf, tmp_path, abi, glibc, tag) -> None:
        put_wheel(shelf, "native", tag=tag)
        version = "3.13" if abi == "cp313t" else "3.12"
        unpack_wheels(["native"], target(version, abi, glibc), tmp_path / "to")
        assert unpacked(tmp_path / "to") == {"native": "1"}

    def test_without_glibc_only_pure_python_does(self, shelf, tmp_path) -> None:
        put_wheel(shelf, "native", tag="cp312-cp312-manylinux_2_17_x86_64")
        with pytest.raises(SandboxUnavailableError, match="another C library than glibc"):
            unpack_wheels(["native"], target(glibc=""), tmp_path / "to")

    def test_markers_are_judged_by_the_other_python(self, shelf, tmp_path) -> None:
        ours = f"{sys.version_info.major}.{sys.version_info.minor}"
        put_wheel(
            shelf,
            "wants",
            requires=[
                'theirs; python_version == "3.99"',
                f'ours; python_version == "{ours}"',
                'strange; platform_release == "6.1"',
            ],
        )
        for name in ("theirs", "ours", "strange"):
            put_wheel(shelf, name)
        unpack_wheels(["wants"], target("3.99", "cp399"), tmp_path / "to")
        assert unpacked(tmp_path / "to").keys() == {"wants", "theirs", "strange"}

    def test_a_package_with_sources_only_is_not_built(self, shelf, tmp_path) -> None:
        self.put_sources(shelf, tmp_path / "ran")
        with pytest.raises(
            SandboxUnavailableError,
            match=r"(?s)No matching distribution found for evil\n.*wheel for Python 3\.12\.1.*"
            r"pip wheel NAME.*PIP_FIND_LINKS",
        ):
            unpack_wheels(["evil"], target(), tmp_path / "to")
        assert not (tmp_path / "ran").exists()

    def test_nor_is_one_that_another_gives_the_address_of(self, shelf, tmp_path) -> None:
        sources = self.put_sources(shelf, tmp_path / "ran")
        put_wheel(shelf, "wants", requires=[f"evil @ {sources.as_uri()}"])
        with pytest.raises(SandboxUnavailableError, match="nothing is built here"):
            unpack_wheels(["wants"], target(), tmp_path / "to")
        assert not (tmp_path / "ran").exists()

    @staticmethod
    def put_sources(shelf: Path, witness: Path) -> Path:
        folder = shelf.with_name("sources")
        folder.mkdir()
        (folder / "setup.py").write_text(f"open({str(witness)!r}, 'w')\nimport setuptools\n")
        (folder / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: evil\nVersion: 1\n")
        with tarfile.open(shelf / "evil-1.tar.gz", "w:gz") as archive:
            archive.add(folder, "evil-1")
        return shelf / "evil-1.tar.gz"

    def test_what_lies_in_the_working_directory_is_not_run(
        self, shelf, tmp_path, monkeypatch
    ) -> None:
        put_wheel(shelf, "pure")
        monkeypatch.chdir(tmp_path)
        for name in ("pip", "json", "runpy", "sitecustomize"):
            (tmp_path / f"{name}.py").write_text("raise SystemExit('not pip')")
        unpack_wheels(["pure"], target(), tmp_path / "to")
        assert unpacked(tmp_path / "to") == {"pure": "1"}

    def test_hashes_are_held_to(self, shelf, tmp_path) -> None:
        put_wheel(shelf, "pinned")
        with pytest.raises(SandboxUnavailableError, match="DO NOT MATCH THE HASHES"):
            unpack_wheels([f"pinned==1 --hash={HASH}"], target(), tmp_path / "to")

    def test_an_index_out_of_reach_is_told_from_a_package_that_is_not_there(
        self, shelf, tmp_path, monkeypatch
    ) -> None:
        monkeypatch.delenv("PIP_NO_INDEX")
        monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
        with pytest.raises(SandboxUnavailableError, match=r"index is out of reach.*PIP_INDEX_URL"):
            unpack_wheels(["anything"], target(), tmp_path / "to")

    def test_an_interpreter_without_pip_is_told_how_to_get_it(self, tmp_path, monkeypatch) -> None:
        venv.create(tmp_path / "bare", with_pip=False)
        python = str(tmp_path / "bare" / "bin" / "python")
        monkeypatch.setattr(sys, "executable", python)
        with pytest.raises(SandboxUnavailableError, match=f"{python} -m ensurepip"):
            unpack_wheels(["anything"], target(), tmp_path / "to")
