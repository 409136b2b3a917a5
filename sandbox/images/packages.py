"""Packages for programs: unpacked wheels, in a layer on top of an image.

Nothing of a package runs while the layer is made. Its modules are compiled to bytecode, inside a
container of the image, so that a fresh process need not do that at each import.

The packages lie in a folder of their own that comes last on `sys.path`: none of them stands before
the standard library, and no `.pth` file or `sitecustomize` of theirs is looked at.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import distributions
from pathlib import Path
from typing import IO

import docker
from docker.types import LogConfig

from toolguild.sandbox.engine import engine_errors
from toolguild.sandbox.errors import SandboxUnavailableError
from toolguild.sandbox.images.own_image import owned_by_root
from toolguild.sandbox.images.wheels import Target, unpack_wheels
from toolguild.sandbox.owner import LABEL, Owner

__all__ = [
    "PACKAGES_FOLDER",
    "build_packages_image",
    "packages_image_name",
    "packages_in",
    "python_version",
]

PACKAGES_FOLDER = "/opt/toolguild/packages"
"""Where the packages lie in the image."""

_PACKAGES_LABEL = "toolguild.sandbox.images.packages"
"""Label of the image; its value is JSON of the packages' versions by name."""

_REPOSITORY = "toolguild-packages"
_FORMAT = 1  # to be raised when the same packages come to be laid out differently
_CONTAINER_S = 300
_MEMORY = 1 << 30


def packages_image_name(base: str, requirements: Sequence[str]) -> str:
    """Return the name of the image with some packages.

    Args:
        base: Digest of the image that it derives from.
        requirements: Normalised.
    """
    made_of = json.dumps([_FORMAT, base, *requirements])
    return f"{_REPOSITORY}:{hashlib.sha256(made_of.encode()).hexdigest()[:16]}"


def packages_in(labels: Mapping[str, str]) -> dict[str, str]:
    """Return the versions of the packages that an image holds, by name, as its labels tell."""
    with contextlib.suppress(ValueError):
        match json.loads(labels.get(_PACKAGES_LABEL, "")):
            case dict(packages):
                return {str(name): str(version) for name, version in packages.items()}
    return {}


def python_version(client: docker.APIClient, image: str) -> str:
    """Return the version of the Python in an image.

    Raises:
        SandboxUnavailableError: it holds none of 3.11 or later.
    """
    return _look_inside(client, image).markers["python_full_version"]


def build_packages_image(
    client: docker.APIClient,
    base: str,
    requirements: Sequence[str],
    name: str,
    say: Callable[[str], None],
) -> None:
    """Make an image that holds packages besides what another holds.

    Args:
        client: The engine.
        base: Digest of the other.
        requirements: What to install, normalised.
        name: What to call it.
        say: Told of each step.

    Raises:
        SandboxUnavailableError: the packages cannot be had as wheels for that image, or the engine
            fails; the message says what to do.
    """
    target = _look_inside(client, base)
    with tempfile.TemporaryDirectory(prefix="toolguild-packages-") as folder:
        packages = Path(folder, "packages")
        say(f"Fetching wheels of {', '.join(requirements)} for {target}.")
        unpack_wheels(requirements, target, packages)
        versions = {found.name: found.version for found in distributions(path=[str(packages)])}
        say(f"Compiling {len(versions)} packages.")
        with tempfile.TemporaryFile() as archive:
            _pack(packages, archive)
            _add_layer(client, base, archive, name, versions)


# Runs in the image.
_LOOK = """\
import json, os, platform, sys
try:
    libc = os.confstr("CS_GNU_LIBC_VERSION").split()
except (ValueError, OSError, AttributeError):
    libc = ["", ""]
version = sys.implementation.version
full = ".".join(map(str, version[:3]))
if version.releaselevel != "final":
    full += version.releaselevel[0] + str(version.serial)
print(json.dumps({
    "markers": {
        "implementation_name": sys.implementation.name,
        "implementation_version": full,
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_full_version": platform.python_version(),
        "python_version": "%d.%d" % sys.version_info[:2],
        "sys_platform": sys.platform,
    },
    "abi": "cp%d%d%s" % (*sys.version_info[:2], sys.abiflags),
    "glibc": libc[1] if libc[0] == "glibc" else "",
}))
"""

# Runs in a container of the image, on the unpacked packages. What does not compile stays text.
_COMPILE = f"""\
import compileall, py_compile
mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
compileall.compile_dir({PACKAGES_FOLDER!r}, maxlevels=50, quiet=2, invalidation_mode=mode)
"""


def _look_inside(client: docker.APIClient, image: str) -> Target:
    with _container(client, image, _LOOK) as container:
        found = _run(client, container, f"run python3 in the image {image}")
    try:
        read = json.loads(found)
        target = Target(read["markers"], read["abi"], read["glibc"])
        version = tuple(map(int, target.markers["python_version"].split(".")))
    except (ValueError, KeyError, TypeError) as error:
        msg = f"The docker sandbox's image {image} has no python3 that works: {found.strip()}"
        raise SandboxUnavailableError(msg) from error
    if version < (3, 11):
        msg = f"The docker sandbox needs Python 3.11 or later; the image {image} has {target}."
        raise SandboxUnavailableError(msg)
    return target


def _pack(packages: Path, archive: IO[bytes]) -> None:
    """Write the layer: the folders down to the packages', and what is in it."""
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for folder in (*reversed(Path(PACKAGES_FOLDER).parents[:-1]), Path(PACKAGES_FOLDER)):
            member = tarfile.TarInfo(str(folder).lstrip("/"))
            member.type, member.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(member)
        for path in sorted(packages.rglob("*")):
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                continue
            inside = Path(PACKAGES_FOLDER, path.relative_to(packages))
            tar.add(path, str(inside).lstrip("/"), recursive=False, filter=owned_by_root)
    archive.seek(0)


def _add_layer(
    client: docker.APIClient, base: str, archive: IO[bytes], name: str, versions: dict[str, str]
) -> None:
    repository, _, tag = name.partition(":")
    with _container(client, base, _COMPILE) as container:
        with engine_errors("lay packages over the image"):
            client.put_archive(container, "/", archive)
        _run(client, container, "compile the packages")
        # The container's label would make what runs from the image look like ours to remove.
        labels = {_PACKAGES_LABEL: json.dumps(versions, sort_keys=True), LABEL: ""}
        with engine_errors(f"make the image {name}"):
            client.commit(
                container,
                repository,
                tag,
                conf={"Labels": labels, "User": "65534:65534", "Cmd": ["-I"]},
            )


@contextlib.contextmanager
def _container(client: docker.APIClient, image: str, script: str) -> Iterator[str]:
    """Give a container that is to run a script of ours, and remove it afterwards."""
    host = client.create_host_config(
        network_mode="none",
        cap_drop=["ALL"],
        security_opt=["no-new-privileges:true"],
        pids_limit=64,
        mem_limit=_MEMORY,
        memswap_limit=_MEMORY,
        ipc_mode="none",
        log_config=LogConfig(type="json-file"),
    )
    with engine_errors(f"create a container of the image {image}"):
        container = client.create_container(
            image=image,
            entrypoint=["python3"],
            command=["-I", "-S", "-c", script],
            user="0:0",  # without capabilities: so that what it writes is not the programs' own
            working_dir="/",
            network_disabled=True,
            labels={LABEL: str(Owner.current())},
            host_config=host,
        )["Id"]
    try:
        yield container
    finally:
        with engine_errors("remove a container"):
            client.remove_container(container, force=True, v=True)


def _run(client: docker.APIClient, container: str, doing: str) -> str:
    """Run a container to its end and return what it wrote."""
    with engine_errors(doing):
        client.start(container)
        end = client.wait(container, timeout=_CONTAINER_S)
        said = client.logs(container, stdout=True, stderr=True).decode("utf-8", "replace")
    if end["StatusCode"]:
        msg = f"The docker sandbox cannot {doing}: {said.strip() or end}"
        raise SandboxUnavailableError(msg)
    return said
