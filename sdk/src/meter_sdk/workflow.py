"""Building workflows and filters in Python. See the Meter reference, sections 6 and 14."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ._arguments import mapping, page_urls, segment, text
from .errors import ArgumentError


class Filter:
    """Conditions on extracted items, for strategies and for the edges of workflows."""

    @staticmethod
    def contains(field: str, value: str, case_sensitive: bool = False) -> dict[str, Any]:
        """The field's text contains `value`."""
        return _text_condition(field, "contains", value, case_sensitive)

    @staticmethod
    def not_contains(field: str, value: str, case_sensitive: bool = False) -> dict[str, Any]:
        """The field's text does not contain `value`."""
        return _text_condition(field, "not_contains", value, case_sensitive)

    @staticmethod
    def equals(field: str, value: str, case_sensitive: bool = False) -> dict[str, Any]:
        """The field equals `value`."""
        return _text_condition(field, "equals", value, case_sensitive)

    @staticmethod
    def not_equals(field: str, value: str, case_sensitive: bool = False) -> dict[str, Any]:
        """The field differs from `value`."""
        return _text_condition(field, "not_equals", value, case_sensitive)

    @staticmethod
    def regex_match(field: str, pattern: str, case_sensitive: bool = False) -> dict[str, Any]:
        """The pattern occurs in the field's text."""
        return _text_condition(field, "regex_match", pattern, case_sensitive)

    @staticmethod
    def exists(field: str) -> dict[str, Any]:
        """The field is there and not empty."""
        return {"field": field, "operator": "exists"}

    @staticmethod
    def not_exists(field: str) -> dict[str, Any]:
        """The field is missing or empty."""
        return {"field": field, "operator": "not_exists"}

    @staticmethod
    def gt(field: str, value: str) -> dict[str, Any]:
        """The field's number is greater than `value`."""
        return {"field": field, "operator": "gt", "value": value}

    @staticmethod
    def lt(field: str, value: str) -> dict[str, Any]:
        """The field's number is less than `value`."""
        return {"field": field, "operator": "lt", "value": value}

    @staticmethod
    def all(*conditions: Any) -> dict[str, Any]:
        """All of the conditions, which may be groups themselves."""
        return {"mode": "all", "conditions": list(conditions)}

    @staticmethod
    def any(*conditions: Any) -> dict[str, Any]:
        """At least one of the conditions, which may be groups themselves."""
        return {"mode": "any", "conditions": list(conditions)}


def _text_condition(field: str, operator: str, value: str, case_sensitive: bool) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value, "case_sensitive": case_sensitive}


def grouped(filter_config: Any) -> dict[str, Any]:
    """A filter as the wire wants it: a single condition becomes a group of one."""
    config = dict(mapping(filter_config, "filter"))
    return config if "conditions" in config else {"mode": "all", "conditions": [config]}


class WorkflowNode:
    """One step of a workflow: a strategy and where its addresses come from."""

    def __init__(
        self,
        workflow: Workflow,
        name: str,
        strategy_id: str,
        urls: list[str] | None = None,
        url_field: str | None = None,
        parameter_config: dict[str, Any] | None = None,
        parameters: dict[str, Any] | None = None,
    ) -> None:
        self.workflow = workflow
        self.name = name
        self.strategy_id = strategy_id
        self.urls = urls
        self.url_field = url_field
        self.parameter_config = parameter_config
        self.parameters = parameters

    def then(
        self,
        name: str,
        strategy_id: str,
        url_field: str = None,  # type: ignore[assignment]  # noqa: RUF013  # the published signature
        parameter_config: dict[str, Any] | None = None,
        parameters: dict[str, Any] | None = None,
        filter: dict[str, Any] | None = None,
    ) -> WorkflowNode:
        """Add a node that works on this node's items.

        Args:
            name: The node's key, unique in the workflow.
            strategy_id: The strategy to run.
            url_field: The field of the upstream items that holds the addresses. Without it the items' values
                are mapped to parameters of the strategy (`parameter_config`).
            parameter_config: `mappings` from upstream fields to parameters, and an `execution_mode`.
            parameters: Fixed parameters of an API strategy.
            filter: Which items pass; see `Filter`.

        Returns:
            The new node, to go on from.

        Raises:
            ArgumentError: The name is taken, or an argument is malformed.

        Reference: Meter, section 14.1.
        """
        if url_field is not None:
            text(url_field, "url_field")
        node = WorkflowNode(self.workflow, name, strategy_id, None, url_field, parameter_config, parameters)
        self.workflow._add(node)
        return self.feeds(node, filter=filter)

    def feeds(self, node: WorkflowNode, filter: dict[str, Any] | None = None) -> WorkflowNode:
        """Pass this node's items on to a node that already exists, so that several branches can join.

        Returns that node. Raises `ArgumentError` for a node of another workflow or a second edge to the same one.
        """
        if node.workflow is not self.workflow:
            raise ArgumentError(f"The node {node.name!r} belongs to another workflow.")
        self.workflow._join(self, node, None if filter is None else grouped(filter))
        return node

    def to_dict(self) -> dict[str, Any]:
        """The node as the wire wants it."""
        wire: dict[str, Any] = {"node_key": self.name, "strategy_id": self.strategy_id}
        if self.urls:
            wire.update(input_type="static_urls", static_urls=self.urls)
        elif self.url_field:
            wire.update(input_type="upstream_urls", url_field=self.url_field)
        else:
            wire["input_type"] = "upstream_data"
        if self.parameter_config:
            wire["parameter_config"] = self.parameter_config
        if self.parameters:
            wire["static_parameters"] = self.parameters
        return wire


class Workflow:
    """A graph of strategies: start nodes scrape fixed addresses, further nodes what those found."""

    def __init__(self, name: str, description: str | None = None) -> None:
        self.name = name
        self.description = description
        self._nodes: list[WorkflowNode] = []
        self._edges: list[dict[str, Any]] = []

    def start(
        self,
        name: str,
        strategy_id: str,
        urls: list[str],
        parameters: dict[str, Any] | None = None,
        *,
        parameter_config: dict[str, Any] | None = None,
    ) -> WorkflowNode:
        """Add a node that scrapes fixed addresses.

        Args:
            name: The node's key, unique in the workflow.
            strategy_id: The strategy to run.
            urls: The addresses, at least one.
            parameters: Fixed parameters of an API strategy.
            parameter_config: Mappings of values to parameters.

        Returns:
            The new node; call `then` on it.

        Raises:
            ArgumentError: The name is taken, or an argument is malformed.

        Reference: Meter, section 14.1.
        """
        node = WorkflowNode(self, name, strategy_id, page_urls(urls), None, parameter_config, parameters)
        self._add(node)
        return node

    def to_dict(self) -> dict[str, Any]:
        """The workflow as the wire wants it."""
        return {
            "name": self.name,
            "description": self.description,
            "nodes": [node.to_dict() for node in self._nodes],
            "edges": [dict(edge) for edge in self._edges],
        }

    def _add(self, node: WorkflowNode) -> None:
        text(node.name, "name")
        segment(node.strategy_id, "strategy_id")
        if any(other.name == node.name for other in self._nodes):
            raise ArgumentError(f"There is already a node named {node.name!r} in this workflow.")
        self._nodes.append(node)

    def _join(self, source: WorkflowNode, target: WorkflowNode, filter_config: dict[str, Any] | None) -> None:
        keys: Sequence[str] = (source.name, target.name)
        if any((edge["source_node_key"], edge["target_node_key"]) == tuple(keys) for edge in self._edges):
            raise ArgumentError(f"{source.name!r} already feeds {target.name!r}.")
        edge: dict[str, Any] = {"source_node_key": source.name, "target_node_key": target.name}
        if filter_config is not None:
            edge["filter_config"] = filter_config
        self._edges.append(edge)


__all__ = ["Filter", "Workflow", "WorkflowNode"]
