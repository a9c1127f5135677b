"""What the reference tells of a facade: its groups, their operations, and the schemas they mention."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from meterhouse.apis.contract import Operation
from meterhouse.apis.dialect import Direction
from meterhouse.apis.facade import Facade
from meterhouse.console.reference.curl import curl_line, pretty
from meterhouse.console.reference.examples import Sampler
from meterhouse.console.reference.notes import notes_of
from meterhouse.console.reference.schemas import Row, SchemaBook

REQUEST_DEPTH = 3
RESPONSE_DEPTH = 2
SCHEMA_DEPTH = 1
_WORDS = re.compile(r"OAuth2?|[A-Z]+(?=[A-Z][a-z]|\b)|[A-Z]?[a-z0-9]+")


@dataclass(frozen=True)
class ParameterView:
    """One parameter as a table row."""

    name: str
    location: str
    type: str
    notes: tuple[str, ...]
    is_required: bool
    is_deprecated: bool


@dataclass(frozen=True)
class BodyView:
    """A body in one content type, of a request or of an answer."""

    content_type: str
    type: str
    schema: str | None
    rows: tuple[Row, ...] = ()
    example: str = ""
    conditions: tuple[str, ...] = ()


@dataclass(frozen=True)
class ResponseView:
    """One declared answer. Errors name their schema only: it is the same for most operations."""

    status: str
    is_error: bool
    bodies: tuple[BodyView, ...]


@dataclass(frozen=True)
class OperationView:
    """One operation, ready to be shown."""

    id: str
    anchor: str
    method: str
    path: str
    summary: str
    is_served: bool
    is_public: bool
    is_deprecated: bool
    scopes: tuple[str, ...]
    parameters: tuple[ParameterView, ...]
    requests: tuple[BodyView, ...]
    body_required: bool
    responses: tuple[ResponseView, ...]
    curl: str
    clients: tuple[str, ...]

    @property
    def search_text(self) -> str:
        return " ".join((self.method, self.path, self.id, self.summary, *self.scopes)).lower()


@dataclass(frozen=True)
class Group:
    """Operations that belong together."""

    title: str
    anchor: str
    operations: tuple[OperationView, ...]

    @property
    def served_count(self) -> int:
        return sum(operation.is_served for operation in self.operations)


@dataclass(frozen=True)
class SchemaView:
    """A named schema, described once and linked from everywhere."""

    name: str
    type: str
    notes: tuple[str, ...]
    rows: tuple[Row, ...]


class Describer:
    """Turns one facade's contract into views. Costs some hundred milliseconds for the largest one."""

    def __init__(self, facade: Facade) -> None:
        self._facade = facade
        self._document: Mapping[str, Any] = facade.contract.document
        self._book = SchemaBook(self._document)
        self._sampler = Sampler(self._book)
        self._bodies: dict[tuple[str, str, Direction, bool], BodyView] = {}

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """All operations by their first tag, or by the first part of the path that tells anything."""
        found: dict[str, list[OperationView]] = {}
        for operation in self._facade.contract.operations.values():
            found.setdefault(_group_title(operation), []).append(self._operation(operation))
        return tuple(Group(title, f"group-{_slug(title)}", tuple(found[title])) for title in sorted(found))

    @cached_property
    def schemas(self) -> tuple[SchemaView, ...]:
        """Every named schema of the document, in alphabetical order."""
        return tuple(self._schema(name) for name in self._book.names)

    def _schema(self, name: str) -> SchemaView:
        reference = {"$ref": f"#/components/schemas/{name}"}
        form = self._book.form(reference)
        label = self._book.label(reference)
        return SchemaView(
            name=name,
            type="object" if label == name else label,
            notes=notes_of(form.schema),
            rows=self._book.rows(reference, SCHEMA_DEPTH),
        )

    def _operation(self, operation: Operation) -> OperationView:
        source = self._document["paths"][operation.path][operation.method.lower()]
        scopes = self._facade.scopes_of(operation.id)
        requests = tuple(
            self._body(kind, schema, "request") for kind, schema in operation.request_bodies.items()
        )
        return OperationView(
            id=operation.id,
            anchor=f"op-{_slug(operation.id)}",
            method=operation.method,
            path=operation.path,
            summary=source.get("summary") or humanise(operation.id),
            is_served=operation.id in self._facade.served,
            is_public=operation.is_public,
            is_deprecated=source.get("deprecated") is True,
            scopes=scopes,
            parameters=tuple(self._parameter(raw) for raw in self._raw_parameters(operation)),
            requests=requests,
            body_required=operation.body_required,
            responses=tuple(self._response(status, kinds) for status, kinds in operation.responses.items()),
            curl=self._curl(operation, requests),
            clients=tuple(source.get("x-sdk-methods") or ()),
        )

    def _raw_parameters(self, operation: Operation) -> list[Mapping[str, Any]]:
        item = self._document["paths"][operation.path]
        source = item[operation.method.lower()]
        listed = (*item.get("parameters", ()), *source.get("parameters", ()))
        return [self._dereference(raw) for raw in listed]

    def _dereference(self, node: Any) -> Mapping[str, Any]:
        while "$ref" in node:
            target: Any = self._document
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            node = target
        found: Mapping[str, Any] = node
        return found

    def _parameter(self, raw: Mapping[str, Any]) -> ParameterView:
        schema = _parameter_schema(raw)
        return ParameterView(
            name=raw["name"],
            location=raw["in"],
            type=self._book.label(schema),
            notes=notes_of(self._book.form(schema).schema),
            is_required=bool(raw.get("required")),
            is_deprecated=raw.get("deprecated") is True,
        )

    def _body(self, kind: str, schema: Any, direction: Direction, *, is_error: bool = False) -> BodyView:
        """Describe a body; one schema stands in many operations, errors in almost all."""
        key = (kind, json.dumps(schema), direction, is_error)
        if key not in self._bodies:
            describe = self._outline if is_error else self._full_body
            self._bodies[key] = describe(kind, schema, direction)
        return self._bodies[key]

    def _outline(self, kind: str, schema: Any, _direction: Direction) -> BodyView:
        return BodyView(kind, self._book.label(schema), self._book.form(schema).name)

    def _full_body(self, kind: str, schema: Any, direction: Direction) -> BodyView:
        sample = self._sampler.sample(schema, direction)
        depth = REQUEST_DEPTH if direction == "request" else RESPONSE_DEPTH
        return BodyView(
            content_type=kind,
            type=self._book.label(schema),
            schema=self._book.form(schema).name,
            rows=self._book.rows(schema, depth),
            example=pretty(sample) if kind.endswith("json") else str(sample),
            conditions=self._book.conditions(schema),
        )

    def _response(self, status: str, kinds: Mapping[str, Any]) -> ResponseView:
        is_error = not status.startswith("2")
        bodies = (self._body(kind, schema, "response", is_error=is_error) for kind, schema in kinds.items())
        return ResponseView(status=status, is_error=is_error, bodies=tuple(bodies))

    def _curl(self, operation: Operation, requests: tuple[BodyView, ...]) -> str:
        raws = self._raw_parameters(operation)
        values = {
            location: [
                (raw["name"], self._sampler.sample(_parameter_schema(raw), "request", name=raw["name"]))
                for raw in raws
                if raw["in"] == location and raw.get("required")
            ]
            for location in ("path", "query")
        }
        body = requests[0] if requests else None
        return curl_line(
            operation.method,
            operation.path,
            path_values=dict(values["path"]),
            query=values["query"],
            body=body.example if body else None,
            content_type=body.content_type if body else None,
            needs_key=not operation.is_public,
        )


def humanise(operation_id: str) -> str:
    """Spell an operation id as words: "List meters" for `listMeters`, "Meters: get external" for
    `meters:get_external`."""
    group, colon, verb = operation_id.partition(":")
    if colon:
        return f"{_sentence(group)}: {' '.join(_split(verb))}"
    return _sentence(operation_id)


def _sentence(name: str) -> str:
    words = _split(name)
    return " ".join([words[0].capitalize(), *words[1:]]) if words else name


def _split(name: str) -> list[str]:
    """Words in lower case, abbreviations (more than one capital) left as they are."""
    return [word if sum(map(str.isupper, word)) > 1 else word.lower() for word in _WORDS.findall(name)]


def _group_title(operation: Operation) -> str:
    if operation.tags:
        tag = operation.tags[0]
        return _sentence(tag) if tag.islower() else tag
    parts = [part for part in operation.path.split("/") if part and part != "api"]
    return _sentence(parts[0]) if parts else "Other"


def _parameter_schema(raw: Mapping[str, Any]) -> Any:
    if content := raw.get("content"):
        return next(iter(content.values())).get("schema", {})
    return raw.get("schema", {})


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.]+", "-", text).strip("-")
