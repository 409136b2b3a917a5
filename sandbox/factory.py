"""Opening a sandbox by the name of its kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias, TypedDict, Unpack

from toolguild.policies import Profile
from toolguild.sandbox.base import Sandbox
from toolguild.sandbox.pool import RECYCLE_AFTER
from toolguild.sandbox.scripted import Answers, ScriptedSandbox

__all__ = ["SandboxKind", "SandboxOptions", "open_sandbox"]

SandboxKind: TypeAlias = Literal["auto", "docker", "local", "scripted"]


class SandboxOptions(TypedDict, total=False):
    """Options of the backends; each takes its own only."""

    size: int
    """Workers at most (docker, local)."""
    recycle_after: int
    """Runs that a worker serves at most (docker, local)."""
    weakest: bool
    """Accept whatever isolation the machine has (local)."""
    image: str
    """Image with a Python of 3.11 or later, instead of one found or built (docker)."""
    pull: bool
    """Fetch the image if the engine does not have it (docker)."""
    requirements: Sequence[str]
    """Packages that programs can import, each as on a line of a requirements file: they are baked
    into an image derived from the other. `read_requirements` reads such a file (docker)."""
    runtime: str
    """OCI runtime, for example `runsc` (docker)."""
    profile: Profile | None
    """What the wall of the tier `sandbox` goes by, for all workers alike; by default the shipped
    one. Whoever validates has to go by the same (docker, local, scripted)."""
    answers: Answers
    """The script (scripted)."""


_POOL = {"size", "recycle_after", "profile"}
_TAKEN = {
    "docker": _POOL | {"image", "pull", "requirements", "runtime"},
    "local": _POOL | {"weakest"},
    "scripted": {"answers", "profile"},
}
_TAKEN["auto"] = _TAKEN["docker"] | _TAKEN["local"]


def open_sandbox(kind: SandboxKind = "auto", **options: Unpack[SandboxOptions]) -> Sandbox:
    """Open a sandbox; its workers start when they are needed.

    Args:
        kind: `docker`, `local` or `scripted`; `auto` takes Docker where an engine answers, and
            otherwise local.
        **options: See `SandboxOptions`. With `auto`, those of the kind not taken have no effect;
            but with `requirements` only Docker will do.

    Raises:
        SandboxUnavailableError: this machine does not offer that kind; the message says what to do.
        TypeError: an option that this kind does not have.
        ValueError: no such kind, or an option out of range; `RequirementsError` for a requirement
            that is none.
    """
    if kind not in _TAKEN:
        msg = f"there is no sandbox of kind {kind!r}, only {', '.join(_TAKEN)}"
        raise ValueError(msg)
    unknown = options.keys() - _TAKEN[kind]
    if unknown:
        msg = f"a sandbox of kind {kind} takes no {', '.join(sorted(unknown))}"
        if "requirements" in unknown:
            msg += ": packages are baked into an image, which only the kind docker has"
        raise TypeError(msg)
    if kind == "auto" and options.get("requirements"):
        kind = "docker"
    elif kind == "auto":
        from toolguild.sandbox.diagnosis import choose

        kind = choose(own_image=bool(options.get("image") or options.get("pull"))).kind
    # Each import only where it is needed: Docker's client alone takes longer than a local sandbox.
    if kind == "scripted":
        return ScriptedSandbox(options.get("answers"), options.get("profile"))
    size, recycle_after = options.get("size"), options.get("recycle_after", RECYCLE_AFTER)
    profile = options.get("profile")
    if kind == "local":
        from toolguild.sandbox.local import LocalSandbox

        return LocalSandbox(
            size=size,
            recycle_after=recycle_after,
            profile=profile,
            weakest=options.get("weakest", False),
        )
    from toolguild.sandbox.docker import DockerSandbox

    return DockerSandbox(
        size=size,
        recycle_after=recycle_after,
        profile=profile,
        image=options.get("image"),
        pull=options.get("pull", False),
        requirements=options.get("requirements", ()),
        runtime=options.get("runtime"),
    )
