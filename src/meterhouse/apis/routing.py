"""From a path to an operation. Literal segments win over parameters; the method decides among the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from meterhouse.apis.contract import Operation


@dataclass
class _Node:
    literals: dict[str, _Node] = field(default_factory=dict)
    parameter: _Node | None = None
    operations: dict[str, Operation] = field(default_factory=dict)


@dataclass(frozen=True)
class Match:
    """An operation and the values of its path parameters, decoded."""

    operation: Operation
    path: dict[str, str]


@dataclass(frozen=True)
class Router:
    """The paths of one contract as a tree of segments."""

    root: _Node

    @classmethod
    def of(cls, operations: Sequence[Operation]) -> Router:
        root = _Node()
        for operation in operations:
            node = root
            for segment in _segments(operation.path):
                if segment.startswith("{"):
                    node.parameter = node.parameter or _Node()
                    node = node.parameter
                else:
                    node = node.literals.setdefault(segment, _Node())
            node.operations[operation.method] = operation
        return cls(root)

    def match(self, method: str, raw_path: str) -> Match | tuple[str, ...]:
        """Return the operation at a path (still percent-encoded), or the methods that exist there.

        An empty tuple means that nothing lives at the path. A slash within a parameter is written `%2F`.
        """
        segments = [unquote(segment) for segment in _segments(raw_path)]
        allowed: list[str] = []
        for node, values in _walk(self.root, segments, 0, ()):
            if operation := node.operations.get(method):
                names = [part[1:-1] for part in _segments(operation.path) if part.startswith("{")]
                return Match(operation, dict(zip(names, values, strict=True)))
            allowed += [name for name in node.operations if name not in allowed]
        return tuple(sorted(allowed))


def _segments(path: str) -> list[str]:
    return path.split("/")[1:]


def _walk(
    node: _Node, segments: list[str], at: int, values: tuple[str, ...]
) -> Iterator[tuple[_Node, tuple[str, ...]]]:
    if at == len(segments):
        if node.operations:
            yield node, values
        return
    segment = segments[at]
    if (literal := node.literals.get(segment)) is not None:
        yield from _walk(literal, segments, at + 1, values)
    if node.parameter is not None and segment:
        yield from _walk(node.parameter, segments, at + 1, (*values, segment))
