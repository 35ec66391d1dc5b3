"""Sandbox: Jinja templates of others, without a way to Python, memory or time without end.

A template is a program. Jinja's own sandbox keeps it from Python. Here its source is also rewritten
before it is compiled, so that each loop, operator and value counts; what one operation would make
is estimated before it runs.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from typing import Any

from jinja2 import Template, nodes, pass_context
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace
from jinja2.visitor import NodeTransformer

from ethogram.spec.sandbox_sizes import (
    MOST_TEXT,
    Spent,
    TooMuchError,
    check,
    check_braces,
    check_filter,
    check_operation,
    check_text_method,
)

_spent: ContextVar[Spent | None] = ContextVar("spent", default=None)
#: Characters of a template's source, which take seconds to compile. Long ones have some 30 000.
MOST_SOURCE = 200_000
#: Filters that make a value of each character of a text.
_ITERATING = {"batch", "groupby", "join", "list", "map", "reject", "select", "slice", "sort"}


def _now() -> Spent:
    """What the rendering in progress has used."""
    return _spent.get() or Spent()


class _CountingTemplate(Template):
    """A template whose renderings each have their own limits."""

    def render(self, *args: Any, **kwargs: Any) -> str:
        """The rendered text; see `Template.render`."""
        token = _spent.set(Spent())
        try:
            return super().render(*args, **kwargs)
        finally:
            _spent.reset(token)

    def generate(self, *args: Any, **kwargs: Any) -> Iterator[str]:
        """The rendered text in pieces; see `Template.generate`."""
        # Not reset at the end: a generator may be left unfinished, and each rendering sets its own.
        _spent.set(Spent())
        yield from _counted_text(super().generate(*args, **kwargs))


def _counted_text(pieces: Iterable[str]) -> Iterator[str]:
    total, spent = 0, _now()
    for piece in pieces:
        spent.step()
        total += len(piece)
        check(total)
        yield piece


def _concat(pieces: Iterable[str]) -> str:
    text = "".join(_counted_text(pieces))
    _now().made(text)
    return text


@pass_context
def _made(context: Context, value: Any) -> Any:
    """A value that the template's source makes."""
    return _now().made(value)


@pass_context
def _joined(context: Context, values: list[Any]) -> Any:
    """The values of a chain of `~`."""
    spent = _now()
    check(sum(spent.size(each)[0] for each in values))
    return spent.made("".join(map(str, values)))


@pass_context
def _kept(context: Context, value: Any) -> Any:
    """A value that a namespace gets."""
    _now().size(value, outermost=False)
    return value


@pass_context
def _each(context: Context, values: Any) -> Any:
    """What a loop runs over."""
    return _steps(values)


def _steps(values: Any) -> Iterator[Any]:
    spent = _now()
    for value in values:
        spent.step()
        yield value


class _Guard(NodeTransformer):
    """Rewrites a template's source so that what it makes goes through the filters above."""

    def _wrap(self, node: nodes.Node, name: str) -> nodes.Filter:
        return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)

    def _wrapped(self, node: nodes.Node) -> nodes.Node:
        return self._wrap(self.generic_visit(node), "_made")

    visit_List = visit_Dict = _wrapped  # noqa: N815

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:  # noqa: N802
        """A tuple that is read; a loop's targets are tuples too."""
        node = self.generic_visit(node)  # type: ignore[assignment]
        return self._wrap(node, "_made") if node.ctx == "load" else node

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802
        """A slice copies."""
        sliced = isinstance(node.arg, nodes.Slice)
        visited = self.generic_visit(node)
        return self._wrap(visited, "_made") if sliced else visited

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        """`a ~ b` joins texts without a call of the environment."""
        visited: nodes.Concat = self.generic_visit(node)  # type: ignore[assignment]
        return self._wrap(nodes.List(visited.nodes, lineno=node.lineno), "_joined")

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:  # noqa: N802
        """Comparisons of long values take time."""
        visited: nodes.Compare = self.generic_visit(node)  # type: ignore[assignment]
        visited.expr = self._wrap(visited.expr, "_step")
        return visited

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802
        """Each pass of a loop counts."""
        visited: nodes.For = self.generic_visit(node)  # type: ignore[assignment]
        visited.iter = self._wrap(visited.iter, "_each")
        return visited

    def visit_Assign(self, node: nodes.Assign) -> nodes.Node:  # noqa: N802
        """A namespace never holds another one."""
        visited: nodes.Assign = self.generic_visit(node)  # type: ignore[assignment]
        target = visited.target
        if isinstance(target, nodes.NSRef) or list(target.find_all(nodes.NSRef)):
            visited.node = self._wrap(visited.node, "_kept")
        return visited

    def visit_Output(self, node: nodes.Output) -> nodes.Node:  # noqa: N802
        """A value becomes a text where it is written."""
        visited: nodes.Output = self.generic_visit(node)  # type: ignore[assignment]
        visited.nodes = [
            each if isinstance(each, nodes.TemplateData) else self._wrap(each, "_made")
            for each in visited.nodes
        ]
        return visited


class _Counted(dict[str, Any]):
    """Filters or tests by name, each of which counts; also those that are added later."""

    def __setitem__(self, name: str, function: Callable[..., Any]) -> None:
        super().__setitem__(name, self._counted(name, function))

    def _counted(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        place = 1 if hasattr(function, "jinja_pass_arg") else 0

        @functools.wraps(function)
        def counted(*args: Any, **kwargs: Any) -> Any:
            _now().step()
            return function(*args, **kwargs)

        @functools.wraps(function)
        def filtered(*args: Any, **kwargs: Any) -> Any:
            spent, given = _now(), list(args)
            spent.step()
            if len(given) > place:
                given[place] = _readable(name, given[place])
                rest = [*given[place + 1 :], *kwargs.values()]
                check_filter(name, given[place], rest, spent)
            made = function(*given, **kwargs)
            return _steps(made) if isinstance(made, Iterator) else spent.made(made)

        return filtered if self.makes_values else counted

    def __init__(self, functions: dict[str, Any], *, makes_values: bool) -> None:
        super().__init__()
        self.makes_values = makes_values
        for name, function in functions.items():
            self[name] = function


def _listed(value: Any) -> Any:
    """A value whose size is known."""
    return list(_steps(value)) if isinstance(value, Iterator) else value


def _readable(name: str, value: Any) -> Any:
    """A filter's value in a form whose size is known."""
    if isinstance(value, Namespace):
        _now().size(value)
    if name in _ITERATING and isinstance(value, str) and len(value) > MOST_TEXT // 10:
        raise TooMuchError(f"{name} gets a text of more than {MOST_TEXT // 10:,} characters")
    return _listed(value) if name == "join" else value


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja for templates of others; it has the interface of Jinja's own sandbox."""

    template_class = _CountingTemplate
    concat = staticmethod(_concat)
    intercepted_binops = frozenset(["+", "*", "**", "%", "-", "/", "//"])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Without its optimizer, Jinja computes nothing while it compiles.
        super().__init__(*args, **{**kwargs, "optimized": False})
        self.globals.pop("lipsum", None)
        filters: Any = _Counted({**self.filters}, makes_values=True)
        tests: Any = _Counted({**self.tests}, makes_values=False)
        self.filters, self.tests = filters, tests
        own = {"_made": _made, "_joined": _joined, "_kept": _kept, "_each": _each}
        for name, function in own.items():
            dict.__setitem__(self.filters, name, function)
        dict.__setitem__(self.filters, "_step", _step)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        if len(source) > MOST_SOURCE:
            raise TooMuchError(f"it has more than {MOST_SOURCE:,} characters")
        return super()._parse(source, name, filename)

    def _generate(self, source: nodes.Template, *args: Any, **kwargs: Any) -> str:
        guarded = _Guard().visit(source)
        guarded.set_environment(self)
        return super()._generate(guarded, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """The value of an operator."""
        spent = _now()
        check_operation(operator, left, right, spent)
        return spent.made(super().call_binop(context, operator, left, right))

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805
        """The value of a call."""
        spent = _now()
        spent.step()
        owner = getattr(__obj, "__self__", None)
        if isinstance(owner, str | bytes):
            args = tuple(_listed(each) for each in args)
        given = [*args, *kwargs.values()]
        if isinstance(owner, str | bytes):
            check_text_method(owner, __obj.__name__, given, spent)
        elif isinstance(owner, int):
            check(max((each for each in given if isinstance(each, int)), default=0))
        if isinstance(__obj, LoopContext) and args:
            args = (_steps(args[0]), *args[1:])
        elif isinstance(__obj, type) and issubclass(__obj, Namespace):
            spent.size(given, outermost=False)
        made = super().call(__context, __obj, *args, **kwargs)
        return made if isinstance(made, Namespace | Iterator) else spent.made(made)

    def wrap_str_format(self, value: Any) -> Any:
        """`format` of a text, with its fields bounded."""
        wrapped = super().wrap_str_format(value)
        if wrapped is None:
            return None

        @functools.wraps(wrapped)
        def bounded(*args: Any, **kwargs: Any) -> str:
            spent = _now()
            check_braces(value.__self__, [*args, *kwargs.values()], spent)
            return str(spent.made(wrapped(*args, **kwargs)))

        return bounded


@pass_context
def _step(context: Context, value: Any) -> Any:
    """A value that is compared."""
    _now().step()
    return value
