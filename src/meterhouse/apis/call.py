"""One call of one operation, as a handler sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import parse_qsl
from uuid import UUID

from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from meterhouse.apis.faults import RequestInvalid, RequestIssue, summary
from meterhouse.apis.payload import encode_json, is_storable
from meterhouse.kernel.ids import parse_id

if TYPE_CHECKING:
    from meterhouse.apis.contract import Operation
    from meterhouse.apis.errors import ErrorShape
    from meterhouse.apis.services import Services
    from meterhouse.identity.model import Principal

T = TypeVar("T")

_UNSTORABLE = "Value error, This value contains invalid characters"


@dataclass(frozen=True, slots=True)
class Call:
    """A request that is authenticated, authorised and (where the facade checks) fits the contract.

    `path` holds decoded path parameters as text. `query` holds the declared parameters that were sent,
    coerced (see `parameters.read_query`); on a facade that leaves checks to its models, as text.
    `body` is the decoded JSON body without read-only fields, `None` without one; a body that is not JSON
    by its content type is the text itself.
    """

    operation: Operation
    principal: Principal
    path: Mapping[str, str]
    query: Mapping[str, Any]
    body: Any
    raw_body: bytes
    content_type: str
    request: Request
    request_id: str
    services: Services
    errors: ErrorShape

    def path_id(self, name: str) -> UUID:
        """Read a path parameter as an id in any spelling; a malformed one gets the facade's answer."""
        value = parse_id(self.path[name])
        if value is None:
            raise self.errors.malformed_id(name, self.path[name])
        return value

    def parse_body(self, model: type[T] | TypeAdapter[T]) -> T:
        """Read the body as a pydantic model. Raises `RequestInvalid` with pydantic's own issues."""
        if self.body is None and not self.raw_body:
            missing = RequestIssue(("body",), "Field required", code="missing", input=None)
            raise RequestInvalid("A body is required.", issues=[missing])
        return _validate(model, self.body, "body")

    def parse_query(self, model: type[T] | TypeAdapter[T]) -> T:
        """Read the query as a pydantic model: arrays as lists, deep objects as dictionaries of lists.

        Raises `RequestInvalid` with pydantic's own issues.
        """
        pairs = query_pairs(self.request.scope["query_string"])
        issues = [
            RequestIssue(("query", key.partition("[")[0]), _UNSTORABLE, code="value_error", ctx={"error": {}})
            for key, value in pairs
            if not (is_storable(key) and is_storable(value))
        ]
        if issues:
            raise RequestInvalid(summary(issues), issues=issues)
        return _validate(model, self.operation.raw_query(pairs), "query")

    def accepts(self, *media_types: str) -> str:
        """Choose among media types by the `Accept` header; the first one when it names none of them."""
        ranges = self.request.headers.get("accept", "").lower().split(",")
        wanted = [text.partition(";")[0].strip() for text in ranges]
        ranked = [(wanted.index(kind), kind) for kind in media_types if kind in wanted]
        return min(ranked)[1] if ranked else media_types[0]

    def json(
        self, value: object, *, status: int | None = None, headers: Mapping[str, str] | None = None
    ) -> Response:
        """Answer with JSON; the status is the operation's plain success unless given."""
        return json_response(value, status or self.operation.success_status, headers=headers)

    def text(
        self, value: str, *, media_type: str = "text/plain", headers: Mapping[str, str] | None = None
    ) -> Response:
        """Answer with text, for example `text/csv`."""
        return Response(value, self.operation.success_status, dict(headers or {}), media_type)

    def no_content(self) -> Response:
        return Response(status_code=204)


def json_response(
    value: object,
    status: int,
    *,
    headers: Mapping[str, str] | None = None,
    media_type: str = "application/json",
) -> Response:
    """Make a JSON answer with exactly this content type."""
    return Response(encode_json(value), status, {"content-type": media_type, **(headers or {})})


def query_pairs(query_string: bytes) -> list[tuple[str, str]]:
    """Split a query string into decoded pairs, blank values kept."""
    return parse_qsl(query_string.decode("latin-1"), keep_blank_values=True)


def _validate(model: type[T] | TypeAdapter[T], value: Any, location: str) -> T:
    adapter: TypeAdapter[T] = model if isinstance(model, TypeAdapter) else _adapter(model)
    try:
        return adapter.validate_python(value, from_attributes=True)
    except ValidationError as error:
        issues = pydantic_issues(error, location)
        raise RequestInvalid(summary(issues), issues=issues) from None


_adapters: dict[type, TypeAdapter[Any]] = {}


def _adapter(model: type[T]) -> TypeAdapter[T]:
    if model not in _adapters:
        _adapters[model] = TypeAdapter(model)
    return cast("TypeAdapter[T]", _adapters[model])


def pydantic_issues(error: ValidationError, location: str) -> list[RequestIssue]:
    """Restate a pydantic error, its paths starting with `location`."""
    return [
        RequestIssue(
            path=(location, *item["loc"]),
            message=item["msg"],
            code=item["type"],
            input=_plain_input(item["input"]),
            ctx=_plain_ctx(item.get("ctx")),
        )
        for item in error.errors(include_url=False)
    ]


def _plain_ctx(ctx: Mapping[str, Any] | None) -> dict[str, object] | None:
    """Exceptions in a context say nothing that the message does not; they appear as empty objects."""
    if ctx is None:
        return None
    return {key: {} if isinstance(value, Exception) else value for key, value in ctx.items()}


def _plain_input(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else value
