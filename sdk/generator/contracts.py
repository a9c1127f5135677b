"""Reading the contracts."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Operation:
    """One operation: a method on a path."""

    id: str
    method: str
    path: str
    parameters: tuple[dict[str, Any], ...]
    bodies: dict[str, dict[str, Any]]  # by media type
    body_required: bool
    responses: dict[str, dict[str, Any]]

    @property
    def path_names(self) -> list[str]:
        return re.findall(r"{(\w+)}", self.path)

    @property
    def query(self) -> list[dict[str, Any]]:
        return [parameter for parameter in self.parameters if parameter["in"] == "query"]

    def success(self) -> tuple[str, dict[str, Any]]:
        """Status and content (by media type) of the first success."""
        for status, response in sorted(self.responses.items()):
            if status[0] in "23":
                return status, response.get("content", {})
        raise LookupError(f"{self.id} has no success")


class Contract:
    """One contract file."""

    def __init__(self, name: str, document: dict[str, Any]) -> None:
        self.name = name
        self.document = document
        self.schemas: dict[str, Any] = document["components"]["schemas"]

    @classmethod
    def load(cls, folder: Path, name: str) -> Contract:
        return cls(name, json.loads((folder / name / "contract.json").read_text(encoding="utf-8")))

    def resolved(self, value: dict[str, Any]) -> dict[str, Any]:
        """What a reference points to; anything else as it is."""
        while "$ref" in value:
            target: Any = self.document
            for part in value["$ref"].lstrip("#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            value = target
        return value

    def operations(self) -> dict[str, Operation]:
        found = {}
        for path, item in self.document["paths"].items():
            for method in METHODS:
                if method in item:
                    operation = self._operation(method, path, item[method])
                    found[operation.id] = operation
        return found

    def _operation(self, method: str, path: str, raw: dict[str, Any]) -> Operation:
        body = self.resolved(raw["requestBody"]) if "requestBody" in raw else None
        content = body["content"] if body else {}
        return Operation(
            id=raw["operationId"],
            method=method.upper(),
            path=path,
            parameters=tuple(self.resolved(parameter) for parameter in raw.get("parameters", ())),
            bodies={kind: media["schema"] for kind, media in content.items()},
            body_required=bool(body and body.get("required")),
            responses={status: self.resolved(answer) for status, answer in raw["responses"].items()},
        )


def snake(name: str) -> str:
    """`windowTimeZone` as `window_time_zone`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
