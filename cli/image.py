"""`toolguild image`: the image that the docker sandbox runs programs from."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from toolguild.cli.console import out, plain, print_json, say
from toolguild.cli.console import table as new_table
from toolguild.cli.errors import ExitCode
from toolguild.cli.sandboxes import image_option, requirements_in, requirements_option
from toolguild.cli.settings import as_json

__all__ = ["image"]


@click.command()
@requirements_option
@image_option
@click.option("--pull", is_flag=True, help="Fetch that image if the engine does not have it.")
@click.option("--rebuild", is_flag=True, help="Bake the packages anew, in their newest versions.")
@as_json
def image(
    requirements: tuple[Path, ...], image: str | None, pull: bool, rebuild: bool, as_json: bool
) -> int:
    """Find or make the image that the docker sandbox runs programs from.

    Without --image that is python:3.12-slim if the engine has it, or --pull can fetch it; otherwise
    one is made of the Python that runs toolguild. Packages are baked into an image of its own, from
    wheels only; the same requirements find it again.
    """
    from toolguild.sandbox.engine import connect
    from toolguild.sandbox.images.image import find_image
    from toolguild.sandbox.images.packages import python_version

    packages = requirements_in(requirements)
    with closing(connect()) as client:
        found = find_image(
            client, image, pull=pull, requirements=packages, rebuild=rebuild, say=say
        )
        python = python_version(client, found.id)
    if as_json:
        print_json(
            {
                "name": found.name,
                "id": found.id,
                "python": python,
                "size_bytes": found.size_bytes,
                "packages": {**found.packages},
            }
        )
        return ExitCode.DONE
    table = new_table("", "", header=False)
    table.add_row("image", plain(found.name))
    table.add_row("digest", plain(found.id))
    table.add_row("Python", plain(python))
    table.add_row("size", f"{found.size_bytes / 1e6:.0f} MB")
    baked = [f"{name} {version}" for name, version in sorted(found.packages.items())]
    table.add_row("packages", plain(", ".join(baked) or "none"))
    out.print(table)
    return ExitCode.DONE
