"""Functions that a tool can be told to use by their names.

What stands here only computes: nothing prints, reads a file or a clock, changes what it is given,
or never ends, so that code which is calm with one of them is calm with another. Names that other
code may have given to something else are not taken for functions.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from toolguild.synth.mining.purity import CALM_BUILTINS

__all__ = ["FunctionName", "KnownFunctions", "function_named", "module_of"]

FunctionName: TypeAlias = str
"""`max` for a builtin, `math.sin` for a function of a module."""

_BUILTINS = CALM_BUILTINS - {"hash", "slice", "type"}
"""The hash of a text differs from process to process; a class is nothing that JSON has."""

_MODULES = {
    "bisect": "bisect bisect_left bisect_right",
    "heapq": "nlargest nsmallest",
    "html": "escape unescape",
    "itertools": """
        accumulate chain combinations combinations_with_replacement compress dropwhile filterfalse
        groupby islice pairwise permutations product starmap takewhile zip_longest
        """,
    "json": "dumps loads",
    "math": """
        acos acosh asin asinh atan atan2 atanh cbrt ceil comb copysign cos cosh degrees dist erf
        erfc exp exp2 expm1 fabs factorial floor fmod frexp fsum gamma gcd hypot isclose isfinite
        isinf isnan isqrt lcm ldexp lgamma log log10 log1p log2 modf nextafter perm pow prod radians
        remainder sin sinh sqrt tan tanh trunc ulp
        """,
    "operator": """
        abs add and_ concat contains countOf eq floordiv ge getitem gt index indexOf inv invert is_
        is_not le lshift lt matmul mod mul ne neg not_ or_ pos pow rshift sub truediv truth xor
        """,
    "re": "findall finditer fullmatch match search split",
    "statistics": """
        correlation covariance fmean geometric_mean harmonic_mean mean median median_grouped
        median_high median_low mode multimode pstdev pvariance quantiles stdev variance
        """,
    "textwrap": "dedent fill indent shorten wrap",
}
_OF_MODULES = frozenset(
    f"{module}.{name}" for module, names in _MODULES.items() for name in names.split()
)


@dataclass(frozen=True, slots=True)
class KnownFunctions:
    """Which functions the names of some code stand for."""

    names: Mapping[str, FunctionName]
    modules: Mapping[str, str]
    """For names that stand for modules, which ones."""

    @classmethod
    def of(cls, imports: Mapping[str, ast.stmt], own: Collection[str] = ()) -> KnownFunctions:
        """Read names as they are imported.

        Args:
            imports: For each imported name, the statement that imports it alone.
            own: Names that the code gives to something of its own as well.
        """
        names = {name: name for name in _BUILTINS - imports.keys()}
        modules: dict[str, str] = {}
        for name, statement in imports.items():
            match statement:
                case ast.Import(names=[ast.alias(name=module)]) if module in _MODULES:
                    modules[name] = module
                case ast.ImportFrom(module=str() as module, names=[alias], level=0):
                    if (function := f"{module}.{alias.name}") in _OF_MODULES:
                        names[name] = function
        for name in own:
            names.pop(name, None)
            modules.pop(name, None)
        return cls(names, modules)

    def name_of(self, node: ast.AST) -> FunctionName | None:
        """Return the function that an expression is the name of, None where it is of none."""
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                return self.names.get(name)
            case ast.Attribute(value=ast.Name(id=module), attr=name, ctx=ast.Load()):
                function = f"{self.modules.get(module)}.{name}"
                return function if function in _OF_MODULES else None
        return None

    def used_in(self, node: ast.AST) -> dict[int, FunctionName]:
        """Return the functions that code calls or hands to a call, by the nodes' identities."""
        return {
            id(part): function
            for call in ast.walk(node)
            if isinstance(call, ast.Call)
            for part in _parts(call)
            if (function := self.name_of(part)) is not None
        }


def _parts(call: ast.Call) -> Iterator[ast.expr]:
    yield call.func
    yield from call.args
    yield from (keyword.value for keyword in call.keywords)


def function_named(name: FunctionName) -> ast.expr:
    """Return the expression for a function, where its module is imported by its own name."""
    module, _, own = name.rpartition(".")
    if not module:
        return ast.Name(name, ast.Load())
    return ast.Attribute(ast.Name(module, ast.Load()), own, ast.Load())


def module_of(name: FunctionName) -> str:
    """Return the module of a function, "" for a builtin."""
    return name.rpartition(".")[0]
