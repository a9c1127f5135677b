"""A facade's contract: the published OpenAPI document, read once, from which routes and checks derive."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from meterhouse.apis.dialect import Dialect, Direction
from meterhouse.apis.faults import RequestInvalid, RequestIssue, summary
from meterhouse.apis.parameters import Pairs, Parameter, raw_query, read_query, shape_of
from meterhouse.apis.routing import Router
from meterhouse.apis.validation import Check

_METHODS = ("get", "put", "post", "patch", "delete")


class Schemas:
    """The schemas of one document for one direction of travel, converted when first needed."""

    def __init__(
        self, document: Mapping[str, Any], name: str, direction: Direction, patterns: Mapping[str, str]
    ) -> None:
        self._uri = f"urn:meterhouse:{name}:{direction}"
        self._components = document.get("components", {}).get("schemas", {})
        self._dialect = Dialect(base=self._uri, direction=direction, patterns=patterns)
        self.check = cache(self._check)

    @cached_property
    def _converted(self) -> dict[str, Any]:
        return {name: self._dialect.convert(schema) for name, schema in self._components.items()}

    @cached_property
    def _registry(self) -> Registry[Any]:
        contents = {"components": {"schemas": self._converted}}
        resource: Resource[Any] = Resource.from_contents(contents, default_specification=DRAFT202012)
        empty: Registry[Any] = Registry()
        filled: Registry[Any] = empty.with_resource(self._uri, resource)
        return filled

    def convert(self, schema: Any) -> Any:
        return self._dialect.convert(schema)

    def resolve(self, schema: Any) -> Any:
        """Follow references of a converted schema until something else stands there."""
        while isinstance(schema, Mapping) and "$ref" in schema:
            schema = self._converted[schema["$ref"].rsplit("/", 1)[-1]]
        return schema

    def _check(self, key: str) -> Check:
        return Check(json.loads(key), self._registry)

    def compile(self, schema: Any) -> Check:
        """Return the compiled check of a schema as it stands in the document; one per schema."""
        return self.check(json.dumps(self.convert(schema), sort_keys=True))

    def compile_resolved(self, schema: Any) -> Check:
        """As `compile`, without references at the top: each costs a look-up at every check."""
        return self.check(json.dumps(self.resolve(self.convert(schema)), sort_keys=True))


@dataclass(frozen=True)
class Operation:
    """One operation of a contract. Schemas are as in the document; content types are lower case."""

    id: str
    method: str
    path: str
    parameters: tuple[Parameter, ...]
    request_bodies: Mapping[str, Any]
    body_required: bool
    responses: Mapping[str, Mapping[str, Any]]  # status text -> content type -> schema
    is_public: bool
    scopes: tuple[str, ...]
    tags: tuple[str, ...] = ()
    _requests: Schemas = field(repr=False, compare=False, kw_only=True)
    _answers: Schemas = field(repr=False, compare=False, kw_only=True)

    @property
    def success_status(self) -> int:
        """The status of a plain success: the first 2xx that the contract declares."""
        return min(
            (int(status) for status in self.responses if status.isdigit() and status[0] == "2"), default=200
        )

    @property
    def query_parameters(self) -> tuple[Parameter, ...]:
        return tuple(parameter for parameter in self.parameters if parameter.location == "query")

    def read_query(self, pairs: Pairs) -> dict[str, Any]:
        """Read the query as declared. Raises `RequestInvalid` naming every parameter at fault."""
        values, issues = read_query(self.query_parameters, pairs)
        _refuse(issues)
        return values

    def raw_query(self, pairs: Pairs) -> dict[str, Any]:
        """Collect the declared query parameters as text, unchecked."""
        return raw_query(self.query_parameters, pairs)

    def check_body(self, body: Any, content_type: str) -> Any:
        """Check a decoded body and return it without read-only fields. Raises `RequestInvalid`."""
        schema = self.request_bodies[content_type]
        _refuse(self._requests.compile(schema).issues(body, ("body",)))
        return _without_read_only(body, self._requests.convert(schema), self._requests)

    def check_response(self, status: int, content_type: str, body: Any) -> list[RequestIssue]:
        """Tell how an answer departs from the contract; an empty list when it does not."""
        declared = next(
            (
                self.responses[key]
                for key in (str(status), f"{status // 100}XX", "default")
                if key in self.responses
            ),
            None,
        )
        if declared is None:
            return [RequestIssue(("status",), f"{status} is not declared for {self.id}")]
        if not declared:
            return [RequestIssue(("body",), "must be empty")] if body is not None else []
        if content_type not in declared:
            return [RequestIssue(("content-type",), f"{content_type or 'none'} is not declared for {status}")]
        schema = declared[content_type]
        return self._answers.compile(schema).issues(body, ("body",)) if is_json(content_type) else []


def is_json(content_type: str) -> bool:
    """Whether a content type (lower case, without parameters) is that of one JSON document."""
    return content_type == "application/json" or content_type.endswith("+json")


def _refuse(issues: Sequence[RequestIssue]) -> None:
    if issues:
        raise RequestInvalid(summary(issues), issues=issues)


@dataclass(frozen=True)
class Contract:
    """A facade's document. Nothing is read before it is needed."""

    file: Path
    patterns: Mapping[str, str] = field(default_factory=dict)
    extensions: Path | None = None

    @classmethod
    def load(
        cls, path: Path, *, patterns: Mapping[str, str] | None = None, extensions: Path | None = None
    ) -> Contract:
        """Name the document at `path`; `patterns` widens text patterns of requests (old to new).

        `extensions` names a document of operations and schemas of ours that the published one lacks.
        """
        return cls(path, patterns or {}, extensions)

    @cached_property
    def document(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads(self.file.read_bytes())
        if self.extensions is not None:
            ours = json.loads(self.extensions.read_bytes())
            for path, item in ours["paths"].items():
                loaded["paths"][path] = {**loaded["paths"].get(path, {}), **item}
            loaded["components"]["schemas"] |= ours["components"]["schemas"]
        return loaded

    def read(self) -> bytes:
        """The document as it is published: the file itself, or the file and our extensions joined."""
        return self.file.read_bytes() if self.extensions is None else json.dumps(self.document).encode()

    @cached_property
    def operations(self) -> Mapping[str, Operation]:
        """All operations by id, in the order of the document."""
        name = self.file.parent.name
        requests = Schemas(self.document, name, "request", self.patterns)
        answers = Schemas(self.document, name, "response", {})
        found = [
            self._operation(path, method, item, requests, answers)
            for path, item in self.document["paths"].items()
            for method in _METHODS
            if method in item
        ]
        return {operation.id: operation for operation in found}

    @cached_property
    def router(self) -> Router:
        return Router.of([*self.operations.values()])

    def _operation(
        self, path: str, method: str, item: Mapping[str, Any], requests: Schemas, answers: Schemas
    ) -> Operation:
        source = item[method]
        parameters = [
            self._deref(raw) for raw in (*item.get("parameters", ()), *source.get("parameters", ()))
        ]
        body = self._deref(source.get("requestBody", {}))
        security = source.get("security", self.document.get("security"))
        return Operation(
            id=source["operationId"],
            method=method.upper(),
            path=path,
            parameters=tuple(_parameter(raw, requests) for raw in parameters),
            request_bodies=_schemas_by_type(body),
            body_required=bool(body.get("required")),
            responses={
                status: _schemas_by_type(self._deref(response))
                for status, response in source["responses"].items()
            },
            is_public=security == [{}],
            scopes=tuple(
                dict.fromkeys(s for rule in security or () for scopes in rule.values() for s in scopes)
            ),
            tags=tuple(source.get("tags", ())),
            _requests=requests,
            _answers=answers,
        )

    def _deref(self, node: Any) -> Any:
        while "$ref" in node:
            target: Any = self.document
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            node = target
        return node


def _schemas_by_type(holder: Mapping[str, Any]) -> dict[str, Any]:
    return {kind.lower(): media.get("schema", {}) for kind, media in holder.get("content", {}).items()}


def _parameter(raw: Mapping[str, Any], schemas: Schemas) -> Parameter:
    content = raw.get("content")
    schema = next(iter(content.values())).get("schema", {}) if content else raw.get("schema", {})
    shape = shape_of(schemas.convert(schema), schemas.resolve, is_json=content is not None)
    return Parameter(
        name=raw["name"],
        location=raw["in"],
        required=bool(raw.get("required")),
        shape=shape,
        comma_separated=raw.get("explode") is False,
        check=cache(lambda: schemas.compile_resolved(schema)),
    )


def _without_read_only(value: Any, schema: Any, schemas: Schemas) -> Any:
    """Copy a checked value without the properties that only the server writes."""
    schema = schemas.resolve(schema)
    if not isinstance(schema, Mapping):
        return value
    if isinstance(value, list):
        return [_without_read_only(item, schema.get("items"), schemas) for item in value]
    if not isinstance(value, dict):
        return value
    properties = schema.get("properties", {})
    kept = {
        name: _without_read_only(item, properties.get(name, schema.get("additionalProperties")), schemas)
        for name, item in value.items()
        if not (isinstance(properties.get(name), Mapping) and properties[name].get("readOnly") is True)
    }
    for branch in _branches(kept, schema, schemas):
        kept = _without_read_only(kept, branch, schemas)
    return kept


def _branches(value: dict[str, Any], schema: Mapping[str, Any], schemas: Schemas) -> list[Any]:
    """The composed schemas that a checked object also meets."""
    branches = list(schema.get("allOf", ()))
    if rule := schema.get("discriminator"):
        branches.append(rule["mapping"].get(value.get(rule["propertyName"])))
    for key in ("oneOf", "anyOf"):
        fitting = (
            sub
            for sub in schema.get(key, ())
            if not schemas.check(json.dumps(sub, sort_keys=True)).issues(value, ())
        )
        branches += [branch for branch in [next(fitting, None)] if branch is not None]
    return branches
