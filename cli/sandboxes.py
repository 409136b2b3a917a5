"""`--sandbox`, `--image` and `--requirements`: what programs run in, and what they can import."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from toolguild.policies import Profile
from toolguild.sandbox import Sandbox, SandboxKind, open_sandbox, read_requirements

__all__ = [
    "SandboxChoice",
    "image_option",
    "requirements_in",
    "requirements_option",
    "sandbox_options",
]

F = TypeVar("F", bound=Callable[..., Any])

requirements_option = click.option(
    "--requirements",
    "-r",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Packages that programs in the docker sandbox can import, one a line as pip reads them. "
    "May be given several times.",
)

image_option = click.option(
    "--image",
    metavar="NAME",
    help="Image with a Python of 3.11 or later for the docker sandbox to start from.",
)

_kind_option = click.option(
    "--sandbox",
    envvar="TOOLGUILD_SANDBOX",
    type=click.Choice(["auto", "docker", "local"]),
    default="auto",
    show_default=True,
    help="What programs run in; `toolguild doctor` says what there is.",
)


@dataclass(frozen=True, slots=True)
class SandboxChoice:
    """What the options say about the sandbox."""

    kind: SandboxKind
    image: str | None = None
    requirements: tuple[Path, ...] = ()
    """Files of packages."""

    def open(self, profile: Profile) -> Sandbox:
        """Open the sandbox, with a wall that goes by the profile.

        Raises:
            UsageError: an image or packages, for a kind of sandbox that has none.
            RequirementsError: a file of packages cannot be used.
            SandboxUnavailableError: this machine does not offer that kind.
        """
        if self.image is None and not self.requirements:
            return open_sandbox(self.kind, profile=profile)
        if self.kind == "local":
            message = "--image and --requirements take an image: give --sandbox docker with them"
            raise click.UsageError(message)
        packages = requirements_in(self.requirements)
        if self.image is None:
            return open_sandbox("docker", profile=profile, requirements=packages)
        return open_sandbox("docker", profile=profile, requirements=packages, image=self.image)


def requirements_in(files: Iterable[Path]) -> list[str]:
    """Return the requirements in all of the files, each once, in order.

    Raises:
        RequirementsError: one of them cannot be used.
    """
    return sorted({line for path in files for line in read_requirements(path)})


def sandbox_options(command: F) -> F:
    """Give a command the options, as one parameter `sandbox`: a `SandboxChoice`."""

    @functools.wraps(command)
    def with_choice(
        *arguments: Any,
        sandbox: SandboxKind,
        image: str | None,
        requirements: tuple[Path, ...],
        **options: Any,
    ) -> Any:
        choice = SandboxChoice(sandbox, image, requirements)
        return command(*arguments, sandbox=choice, **options)

    return cast("F", _kind_option(image_option(requirements_option(with_choice))))
