"""Taking out the parentheses that `ast.unparse` puts in and no person would write."""

from __future__ import annotations

import libcst
from libcst import matchers

__all__ = ["tidy"]


def tidy(code: str) -> str:
    """Return code that `ast.unparse` wrote without its superfluous parentheses.

    `a, b = (b, a % b)` becomes `a, b = b, a % b`, and `sum((x for x in y))` loses one pair.
    libcst's parser ends the whole process on some hostile texts, so nothing else may come here.
    """
    return libcst.parse_module(code).visit(_Tidier()).code


class _Tidier(libcst.CSTTransformer):
    def leave_Assign(
        self, original_node: libcst.Assign, updated_node: libcst.Assign
    ) -> libcst.Assign:
        return updated_node.with_changes(value=_bare_tuple(updated_node.value))

    def leave_Return(
        self, original_node: libcst.Return, updated_node: libcst.Return
    ) -> libcst.Return:
        if updated_node.value is None:
            return updated_node
        return updated_node.with_changes(value=_bare_tuple(updated_node.value))

    def leave_For(self, original_node: libcst.For, updated_node: libcst.For) -> libcst.For:
        return updated_node.with_changes(target=_bare_tuple(updated_node.target))

    def leave_CompFor(
        self, original_node: libcst.CompFor, updated_node: libcst.CompFor
    ) -> libcst.CompFor:
        return updated_node.with_changes(target=_bare_tuple(updated_node.target))

    def leave_Call(self, original_node: libcst.Call, updated_node: libcst.Call) -> libcst.Call:
        if not matchers.matches(updated_node, _CALL_OF_ONE_GENERATOR):
            return updated_node
        [argument] = updated_node.args
        bare = argument.value.with_changes(lpar=[], rpar=[])
        return updated_node.with_changes(args=[argument.with_changes(value=bare)])


_CALL_OF_ONE_GENERATOR = matchers.Call(
    args=[
        matchers.Arg(
            value=matchers.GeneratorExp(lpar=[matchers.LeftParen(), matchers.AtLeastN(n=0)]),
            keyword=None,
            star="",
        )
    ]
)


def _bare_tuple(node: libcst.BaseExpression) -> libcst.BaseExpression:
    """Return a tuple without parentheses where it can stand without them."""
    # One element needs its comma, and a star its parentheses in some places: both are left.
    if not isinstance(node, libcst.Tuple) or len(node.elements) < 2 or not node.lpar:
        return node
    if any(isinstance(element, libcst.StarredElement) for element in node.elements):
        return node
    return node.with_changes(lpar=node.lpar[1:], rpar=node.rpar[:-1])
