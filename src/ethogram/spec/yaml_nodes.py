"""YAML texts as ruamel.yaml's nodes: the core schema of YAML 1.2, within bounds."""

from __future__ import annotations

from functools import cache
from typing import Any

#: Most levels of a YAML file. Study files have five; the parser takes seconds for thousands.
DEEPEST = 100
#: Characters that the aliases of a YAML file may stand for, 16 of them for a value.
MOST_EXPANDED = 4_000_000
_VALUE = 16
#: Tags of YAML's core schema by kind of node. Others would make values that are no plain data.
_TAGS = {
    "scalar": {"str", "int", "float", "bool", "null", "timestamp", "merge", "value"},
    "mapping": {"map"},
    "sequence": {"seq"},
}


def nodes(text: str) -> Any:
    """The nodes of a YAML text.

    Raises:
        ruamel.yaml.error.YAMLError: not valid YAML, a tag that is not read, or aliases that stand
            for too much (`too_many_aliases`).
        RecursionError: nested too deep.
    """
    from ruamel.yaml import YAML

    yaml = YAML(typ="rt")
    yaml.Constructor = _constructor()
    yaml.max_depth = DEEPEST
    return yaml.load(text)


@cache
def _constructor() -> Any:
    from ruamel.yaml.constructor import RoundTripConstructor

    class CoreSchema(RoundTripConstructor):
        """YAML 1.2 has no dates; ruamel.yaml reads them as YAML 1.1 does."""

        def construct_document(self, node: Any) -> Any:
            _check(node)
            return super().construct_document(node)

    for name in ("timestamp", "merge", "value"):  # A date, `<<` and `=`, which are texts.
        CoreSchema.add_constructor(
            f"tag:yaml.org,2002:{name}", lambda self, node: self.construct_scalar(node)
        )
    return CoreSchema


@cache
def too_many_aliases() -> type[Exception]:
    """The error of aliases that stand for too much, made where ruamel.yaml is loaded."""
    from ruamel.yaml.error import YAMLError

    return type("TooManyAliasesError", (YAMLError,), {})


def _check(root: Any) -> None:
    """Refuse tags of values that are no plain data, and aliases that memory does not hold.

    Each alias may stand for many others. Sizes are those after every alias is written out, computed
    once for each node.
    """
    sizes: dict[int, int] = {}
    written, pending = 0, [(root, False)]
    while pending:
        node, is_done = pending.pop()
        parts = [part for each in _parts(node) for part in each]
        if is_done:
            sizes[id(node)] = _own_size(node) + sum(sizes[id(part)] for part in parts)
        elif id(node) not in sizes:
            _check_tag(node)
            sizes[id(node)] = 0  # An alias of a node that it is in; the constructor refuses it.
            written += _own_size(node)
            pending += [(node, True), *((part, False) for part in parts)]
    if sizes[id(root)] - written > MOST_EXPANDED:
        raise too_many_aliases()(f"its aliases stand for more than {MOST_EXPANDED:,} characters")


def _check_tag(node: Any) -> None:
    """Refuse a tag that does not fit the node or is not of YAML's core schema."""
    from ruamel.yaml.constructor import ConstructorError, RoundTripConstructor

    name = str(node.tag).removeprefix("tag:yaml.org,2002:")
    if name not in _TAGS[node.id]:
        problem = f"the tag {name!r} is not read here"
    elif name == "bool" and node.value.lower() not in RoundTripConstructor.bool_values:
        problem = f"{node.value!r} is neither true nor false"
    else:
        return
    raise ConstructorError(None, None, problem, node.start_mark)


def _parts(node: Any) -> list[tuple[Any, ...]]:
    """The nodes of a mapping, in pairs, or of a sequence."""
    if not isinstance(node.value, list):
        return []
    return [each if isinstance(each, tuple) else (each,) for each in node.value]


def _own_size(node: Any) -> int:
    return _VALUE + (len(node.value) if isinstance(node.value, str) else 0)
