"""Wheels for a Python other than the one that we run in, fetched and unpacked by pip.

Nothing is built here and nothing of a package runs: pip takes wheels only, and may start no
process.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from toolguild.sandbox.errors import SandboxUnavailableError

__all__ = ["Target", "unpack_wheels"]

_PIP_S = 900
_SHOWN_LINES = 6


@dataclass(frozen=True, slots=True)
class Target:
    """The Python that packages are for."""

    markers: Mapping[str, str]
    """Its environment as PEP 508 names it."""
    abi: str
    """For example `cp312`, or `cp313t` for one without the global lock."""
    glibc: str
    """Version of the GNU C library, empty for another library."""

    def __str__(self) -> str:
        libc = f"glibc {self.glibc}" if self.glibc else "another C library than glibc"
        system = f"{self.markers['platform_machine']} with {libc}"
        return f"Python {self.markers['python_full_version']} on {system}"

    @property
    def platforms(self) -> list[str]:
        """Platform tags of the wheels that run there, the best first (PEP 600).

        Wheels for other C libraries have tags of their own; there, only those in pure Python serve.
        """
        machine = self.markers["platform_machine"]
        if not self.glibc:
            return ["any"]
        major, minor = (int(part) for part in self.glibc.split(".")[:2])
        newest = minor if major == 2 else -1
        oldest = 5 if machine == "x86_64" else 17
        tags = []
        for release in range(newest, oldest - 1, -1):
            tags.append(f"manylinux_2_{release}_{machine}")
            if alias := _ALIASES.get(release):
                tags.append(f"{alias}_{machine}")
        return [*tags, f"linux_{machine}"]


_ALIASES = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}

# Runs pip, on the host. `--only-binary` does not keep pip from building what a requirement or a
# package gives an address for; that every build is a process of its own does. And pip takes the
# answers to environment markers from the interpreter that it runs in, whatever it installs for.
_PIP = """\
import json, runpy, sys

FORBIDDEN = (
    "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.startfile", "os.system",
    "subprocess.Popen",
)

def refuse(event, arguments):
    if event in FORBIDDEN:
        raise PermissionError("only wheels are taken: nothing is built here")

markers = json.loads(sys.argv.pop(1))
from pip._vendor.packaging import markers as module
if not callable(getattr(module, "default_environment", None)):
    sys.exit("this pip takes its markers from elsewhere: install another version of it")
module.default_environment = lambda: dict(markers)
sys.addaudithook(refuse)
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""


def unpack_wheels(requirements: Sequence[str], target: Target, folder: Path) -> None:
    """Have pip find, fetch and unpack what meets some requirements.

    Args:
        requirements: Normalised.
        target: What it is for.
        folder: Where to put it; made by this, next to which a file is left.

    Raises:
        SandboxUnavailableError: pip is not there, or finds no such wheels; the message has its last
            lines and says what to do.
    """
    listed = folder.with_name("requirements.txt")
    listed.write_text("".join(f"{line}\n" for line in requirements), "utf-8")
    command = [
        *(sys.executable, "-P", "-c", _PIP, json.dumps(dict(target.markers)), "install"),
        *("--only-binary", ":all:", "--no-compile", "--target", str(folder)),
        *("--implementation", "cp", "--python-version", target.markers["python_version"]),
        *("--abi", target.abi),
        *(word for platform in target.platforms for word in ("--platform", platform)),
        *("--no-input", "--disable-pip-version-check", "--progress-bar", "off", "--retries", "2"),
        *("-r", listed.name),
    ]
    try:
        done = subprocess.run(  # noqa: S603 - pip, which gets no word of the requirements' own
            command,
            cwd=folder.parent,  # where no file has the name of a requirement
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=_PIP_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        msg = f"The docker sandbox cannot fetch packages: pip did not come to an end: {error}."
        raise SandboxUnavailableError(msg) from error
    if done.returncode:
        raise SandboxUnavailableError(_why_not(done.stdout, target))


def _why_not(output: str, target: Target) -> str:
    """Return what went wrong, from what pip wrote."""
    lines = [line for line in output.splitlines() if line.strip()]
    errors = itertools.dropwhile(lambda line: not line.startswith("ERROR:"), lines)
    said = "\n".join([*errors][-_SHOWN_LINES:] or lines[-_SHOWN_LINES:])
    if "No module named 'pip" in said or "No module named pip" in said:
        return (
            "The docker sandbox fetches packages with pip, which this Python does not have: "
            f"{sys.executable} -m ensurepip, or `uv pip install pip`."
        )
    if "nothing is built here" in said:
        remedy = (
            "Something among the packages is given by an address and would have to be built; name "
            "a version that is published as a wheel."
        )
    elif any(sign in output for sign in _SIGNS_OF_NO_NETWORK):
        remedy = (
            "The index is out of reach: mend the network, name another with PIP_INDEX_URL, or a "
            "folder of wheels with PIP_NO_INDEX=1 PIP_FIND_LINKS=FOLDER."
        )
    elif "No matching distribution" in said:
        remedy = (
            f"Is the name right, and does it have a wheel for {target}? Packages are not built "
            "here; a wheel made elsewhere (`pip wheel NAME`) is found with PIP_FIND_LINKS=FOLDER."
        )
    else:
        remedy = "Change the requirements so that pip can meet them."
    return f"The docker sandbox cannot fetch the packages. pip says:\n{said}\n{remedy}"


_SIGNS_OF_NO_NETWORK = ("NewConnectionError", "NameResolutionError", "ConnectTimeoutError")
