"""Python modules that users name by a path or a dotted name."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from toolguild.agent.own_tools.errors import ToolSourceError

__all__ = ["imported_module"]


def imported_module(where: str) -> ModuleType:
    """Run a module, as by an `import`, and return it.

    Args:
        where: A file that ends with `.py`, or the name of a module.

    Raises:
        ToolSourceError: there is no such module, or it fails.
    """
    try:
        if not where.endswith(".py"):
            # As with `python -m`, what stands in the folder that one works in is found.
            if str(Path.cwd()) not in sys.path:
                sys.path.append(str(Path.cwd()))
            return importlib.import_module(where)
        path = Path(where)
        spec = importlib.util.spec_from_file_location(path.stem, path)
        if spec is None or spec.loader is None or not path.is_file():
            msg = f"{where}: there is no such file"
            raise ToolSourceError(msg)
        module = importlib.util.module_from_spec(spec)
        # Where dataclasses and pydantic look for the names in annotations.
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
    except ToolSourceError:
        raise
    # A script that ends by itself is no reason for its reader to end.
    except (Exception, SystemExit) as error:
        msg = f"{where}: it cannot be imported: {type(error).__name__}: {error}"
        raise ToolSourceError(msg) from error
    return module
