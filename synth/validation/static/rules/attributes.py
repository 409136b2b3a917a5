"""TG203, TG204, TG206 to TG208: which attributes, in code and in data?"""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator

from toolguild.synth.validation.static.findings import Finding
from toolguild.synth.validation.static.guards import possible_texts
from toolguild.synth.validation.static.named_attributes import MAX_NAME, naming_arguments
from toolguild.synth.validation.static.rules.base import Question, TreeRule, shown
from toolguild.synth.validation.static.source import ToolSource, is_dunder

__all__ = [
    "AttributeByName",
    "ForbiddenAttribute",
    "FormatTemplate",
    "PrivateAttribute",
    "SpecialAttribute",
    "objection",
]


def objection(name: str, source: ToolSource) -> str | None:
    """Return why an attribute of some value may not be read by name, or None where it may."""
    if name in source.profile.attributes.templates:
        return f"{shown(name)} reads whatever attributes its template names"
    if name == "__class__":
        return f"{shown(name)} is the class of a value, which is not handed around"
    return _special(name, source) or _private(name, source) or _forbidden(name, source)


def _special(name: str, source: ToolSource) -> str | None:
    rules = source.profile.attributes
    if not is_dunder(name) or name in rules.dunder_reads | rules.dunder_methods:
        return None
    return f"{shown(name)} leads into the workings of the interpreter"


def _private(name: str, source: ToolSource) -> str | None:
    if not name.startswith("_") or is_dunder(name):
        return None
    if name in source.profile.attributes.private | source.own_attributes:
        return None
    return f"{shown(name)} is private to something that the tool did not define"


def _forbidden(name: str, source: ToolSource) -> str | None:
    if name not in source.forbidden_attributes:
        return None
    return f"{shown(name)} is out of reach: it leads to frames, code, modules or what others hold"


class SpecialAttribute(TreeRule[ast.Attribute]):
    """An attribute with two underscores around it."""

    code = "TG204"
    title = "special attribute"
    why = (
        "From any value `__class__`, `__base__`, `__subclasses__` and `__globals__` lead to every"
        " module that is loaded. What ordinary code needs of such names is listed."
    )
    remedy = "Use the function or operator that stands for it, such as `len` or `==`."
    good = (
        "x = (1).__class__.__name__",
        "class A(Exception):\n    def __init__(self): super().__init__('x')",
        "class A:\n    def __init_subclass__(cls, **k): super().__init_subclass__(**k)",
        "class A:\n    def __post_init__(self): object.__setattr__(self, 'x', 1)",
    )
    bad = (
        "x = ().__class__.__base__",
        "x = print.__self__",
        "def f(): return f.__globals__",
        "def f(): return f'{().__class__.__subclasses__()=}'",
        "class A: pass\ndef f(): A.__match_args__ = ('x',)",
        "def f():\n    try: pass\n    except ValueError as e: e.__traceback__",
        "x = object.__getattribute__",
        "x = len.__init_subclass__",
        "x = (1).__dict__",
        "def f(o, n): object.__setattr__(o, n, 1)",
        "def f(o): object.__setattr__(o, '__class__', 1)",
        "def f(o): object.__setattr__(*o)",
    )
    visits = (ast.Attribute,)

    def check(
        self, node: ast.Attribute, source: ToolSource, question: Question
    ) -> Iterator[Finding]:
        """Look at the name, and at what it is read from."""
        rules = question.profile.attributes
        if node.attr in rules.dunder_hooks and _is_super(node.value, source):
            return
        if node.attr == "__setattr__" and self._sets_plain_attribute(node, source):
            return
        written = is_dunder(node.attr) and not isinstance(node.ctx, ast.Load)
        if written:
            message = f"{shown(node.attr)} is assigned, which changes how the interpreter works"
            yield self.at(node, source, message, "Define it in the body of the class.")
        elif (message_ := _special(node.attr, source)) and not source.modules(node.value):
            yield self.at(node, source, message_)

    def _sets_plain_attribute(self, node: ast.Attribute, source: ToolSource) -> bool:
        """Whether it is `object.__setattr__(self, "x", v)`, as frozen dataclasses need it."""
        call = source.called_as(node)
        is_super = _is_super(node.value, source)
        if call is None or not (is_super or source.certain_origin(node.value) == "builtins.object"):
            return False
        names = call.args[0:1] if is_super else call.args[1:2]
        name = source.constant_text(names[0]) if names else None
        return name is not None and not is_dunder(name) and objection(name, source) is None


def _is_super(node: ast.AST, source: ToolSource) -> bool:
    return isinstance(node, ast.Call) and "builtins.super" in source.origins(node.func)


class PrivateAttribute(TreeRule[ast.Attribute]):
    """An attribute with a leading underscore of something that is not the tool's own."""

    code = "TG206"
    title = "private attribute of others"
    why = (
        "Classes of the standard library keep modules in private attributes"
        " (`warnings.catch_warnings()._module`) and evaluate text in private methods."
    )
    remedy = "Use what the class documents, or define the attribute in a class of the tool."
    good = (
        "class A:\n    def __init__(self): self._x = 1\n    def f(self, o): return o._x",
        "class A:\n    __slots__ = ('_y',)\n    def f(self, o): return o._y",
        "from collections import namedtuple\nP = namedtuple('P', 'a')\nx = P(1)._asdict()",
    )
    bad = (
        "x = (1)._private",
        "def f(o): o._x = 1",
        "import random\ndef f(): return random.Random()._randbelow(3)",
    )
    visits = (ast.Attribute,)

    def check(
        self, node: ast.Attribute, source: ToolSource, question: Question
    ) -> Iterator[Finding]:
        """Look whether the text defines the name for a class of its own."""
        if (message := _private(node.attr, source)) and not source.modules(node.value):
            yield self.at(node, source, message)


class ForbiddenAttribute(TreeRule[ast.Attribute]):
    """An attribute of frames, code objects, modules and the like, or one the profile takes away."""

    code = "TG207"
    title = "attribute that leads out"
    why = (
        "Frames give the variables of whoever called the tool, and modules and their namespaces"
        " give everything. No ordinary value has these attributes."
    )
    remedy = "Choose another name for an attribute of the tool's own."
    good = ("def f(row): return row.author, row.name, row.parser",)
    bad = (
        "def f(tb): return tb.tb_frame",
        "x = (i for i in []).gi_frame",
        "def f():\n    try: pass\n    except AttributeError as e: e.obj",
        "def f(m): return m.sys.modules",
        "class A:\n    def _evaluate(self): pass\n    def f(self): self._evaluate()",
        "from pathlib import Path\nx = Path('a').parser",
        "class A: pass\ndef f(): A.x.attrname = 'y'",
    )
    visits = (ast.Attribute,)

    def check(
        self, node: ast.Attribute, source: ToolSource, question: Question
    ) -> Iterator[Finding]:
        """Look the name up; on modules the list of exports decides."""
        if (message := _forbidden(node.attr, source)) and not source.modules(node.value):
            yield self.at(node, source, message)


class AttributeByName(TreeRule[ast.Call]):
    """`getattr` and its like with a name that is no literal, or that code could not use."""

    code = "TG203"
    title = "attribute named by data"
    why = "A name that is put together when the tool runs can be any name, `__globals__` included."
    remedy = "Use a dict from names to functions or values, or write the attribute out."
    good = (
        "def f(x): return getattr(x, 'name', None)",
        "import operator\nKEY = operator.attrgetter('a.b', 'c')",
        "from operator import methodcaller\nf = methodcaller('lower')",
        "NAME = 'real'\ndef f(x): return hasattr(x, NAME)",
        "def f(x, n):\n    if n not in ('real', 'imag'): raise ValueError(n)\n"
        "    return getattr(x, n)",
        "def f(x, n):\n    if n in ['real']:\n        return getattr(x, n)",
    )
    bad = (
        "def f(x, n): return getattr(x, n)",
        "def f(): getattr(1, '__cla' + 'ss__').x",
        "def f(): getattr(1, '__base__')",
        "def f(x, n): return hasattr(x, n)",
        "import operator\nf = operator.attrgetter('sys.modules')",
        "import operator\ndef f(n): return operator.attrgetter('a', n)",
        "from operator import methodcaller as m\nf = m('format', 1)",
        "def f(x):\n    n = 'a'\n    n += 'b'\n    return getattr(x, n)",
        "def f(x, n):\n    if n not in ('real', '__self__'): raise ValueError(n)\n"
        "    return getattr(x, n)",
        "def f(x, n):\n    if n not in ('real',): print(n)\n    return getattr(x, n)",
        "def f(x, n):\n    if n not in ('real',): return n\n    n = x[0]\n    return getattr(x, n)",
        "N = ['real']\ndef f(x, n):\n    if n not in N: return n\n    return getattr(x, n)",
        "class S(str):\n    def __eq__(self, o): return True\n"
        "def f(x, n):\n    if n not in ('real',): return n\n    return getattr(x, n)",
        "def f(x, n):\n    if n not in ('real',): return n\n    def g(n): return getattr(x, n)",
    )
    visits = (ast.Call,)

    def check(self, node: ast.Call, source: ToolSource, question: Question) -> Iterator[Finding]:
        """Look at the arguments that name attributes."""
        for function in sorted(source.origins(node.func)):
            bare = function.removeprefix("builtins.")
            for argument in naming_arguments(function, node):
                names = possible_texts(argument, source)
                if names is None or any(len(name) > MAX_NAME for name in names):
                    message = f"the attribute that {bare} reads is decided when the tool runs"
                    yield self.at(argument, source, message)
                    continue
                for part in (part for name in sorted(names) for part in name.split(".")):
                    if message_ := objection(part, source):
                        yield self.at(argument, source, message_)


class FormatTemplate(TreeRule[ast.Module]):
    """`str.format` with a template that nobody can read beforehand."""

    code = "TG208"
    title = "format template"
    why = (
        "A template reads attributes: `'{0.__globals__}'.format(f)`. So it has to be a literal, and"
        " its fields may name what code may name."
    )
    remedy = "Use an f-string, or `string.Template` for a template that comes as data."
    good = (
        "x = '{} {name:>{width}}|{0[key]}'.format(1, name=2, width=3)",
        "T = 'a {0.real}'\ndef f(x): return T.format(x)",
        "x = '%s' % 1",
        "def f(x): return x.format()",
        "x = ('{} ' 'b' + '{}').format(1, 2)",
        "def f(x): return format(x, '.2f')",
    )
    bad = (
        "def f(t, x): return t.format(x)",
        "x = '{0.__class__}'.format(1)",
        "x = '{0:{1.__class__}}'.format(1, 2)",
        "x = '{0[a].gi_frame}'.format(1)",
        "def f(): return str.format('{0.x}', 1)",
        "f = '{0}'.format",
        "x = list(map('{0.sys}'.format, []))",
        "def f(): return '{a._x}'.format_map({})",
        "def f():\n    t = '{}'\n    t += '{0.sys}'\n    return t.format(1)",
        "def f(x): return ('{' + x + '}').format(1)",
    )
    visits = (ast.Module,)

    def check(self, node: ast.Module, source: ToolSource, question: Question) -> Iterator[Finding]:
        """Look at what each such method belongs to and how it is used."""
        judged: dict[str, str | None] = {}
        for method in source.index.of_kind(ast.Attribute):
            if method.attr not in question.profile.attributes.templates:
                continue
            if source.modules(method.value):
                continue
            call = source.called_as(method)
            if call is not None and not call.args and not call.keywords:
                continue  # nothing is passed whose attributes could be read
            template = source.constant_text(method.value) if call is not None else None
            if template is None:
                yield self.at(method, source, f"the template of {method.attr} is not a literal")
                continue
            if template not in judged:  # once: a long one may be used thousands of times
                judged[template] = _template_problem(template, source)
            if problem := judged[template]:
                yield self.at(method, source, problem)


def _template_problem(template: str, source: ToolSource) -> str | None:
    try:
        attributes = set(_template_attributes(template))
    except ValueError as error:
        return f"the template is malformed: {error}"
    for name in sorted(attributes):
        if name.startswith("_"):
            return f"the template reads the attribute {shown(name)}"
        if problem := objection(name, source):
            return problem
    return None


_ACCESS = re.compile(r"\.([^.\[]*)|\[[^\]]*\]")


def _template_attributes(template: str, depth: int = 2) -> Iterator[str]:
    """Yield the attributes that a template reads, those in its format specifications included.

    Raises:
        ValueError: the template is malformed.
    """
    for _, field, specification, _ in string.Formatter().parse(template):
        if field:
            yield from (access[1] for access in _ACCESS.finditer(field) if access[1] is not None)
        if specification and depth:
            yield from _template_attributes(specification, depth - 1)
