"""Strategies: from a page and a sentence to a lasting way of extracting its items."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from .. import _arguments as check
from .._call import Call
from .._config import GENERATE_TIMEOUT_S
from .._unset import UNSET, changed, clearable, given
from ..workflow import grouped
from .operations import Operations
from .pages import by_offset, size_of

if TYPE_CHECKING:
    from ..types import meter as types


class Strategies(Operations):
    """The strategies of the account. Reference: Meter, sections 4 to 7."""

    async def generate_strategy(
        self,
        url: str,
        description: str,
        name: str,
        force_api: bool = False,
        output_schema: Mapping[str, Any] | None = None,
        scraper_type: str | None = None,
        filter_config: Mapping[str, Any] | None = None,
        strategy_group_id: str | None = None,
        *,
        idempotency_key: str | None = None,
        request_timeout: float | None = None,
    ) -> types.GeneratedStrategy:
        """Make a strategy from a page and a description of what to extract. May take minutes.

        Args:
            url: The page to learn from.
            description: What to extract, in plain words. May be empty only for `scraper_type="content"`.
            name: A name for people.
            force_api: Try to capture the page's own API instead of its markup.
            output_schema: Names and types that items must have.
            scraper_type: `css`, `api` or `content` to demand that kind.
            filter_config: Which items to keep; see `Filter`.
            strategy_group_id: A group to put the strategy into.
            idempotency_key: Calls with the same key and arguments make one strategy. By default each call has
                a key of its own, so that a repeat after a lost answer makes no second one.
            request_timeout: Seconds for this call, 600 by default.

        Returns:
            The strategy with its `strategy_id`, a `preview_data` of items and its `scraper_type`.

        Raises:
            ArgumentError: An argument is malformed.
            InvalidRequestError: The page cannot be fetched, or nothing can be extracted.
            ConflictError: A call with the same key is still running.
            RateLimitError: Too many generations; `retry_after` says when to come back.

        Reference: Meter, sections 2.5 and 4.1.
        """
        body = {
            "url": check.page_url(url),
            "description": check.text(description, "description", may_be_empty=scraper_type == "content"),
            "name": check.text(name, "name"),
            "force_api": check.flag(force_api, "force_api"),
            **_strategy_options(output_schema, scraper_type, filter_config, strategy_group_id),
        }
        return await self._generated(body, idempotency_key, request_timeout)

    async def extract_content(
        self,
        url: str,
        name: str,
        filter_config: Mapping[str, Any] | None = None,
        strategy_group_id: str | None = None,
        *,
        idempotency_key: str | None = None,
        request_timeout: float | None = None,
    ) -> types.GeneratedStrategy:
        """Make a strategy for the main text of a page, split at its headings. No model takes part.

        Args:
            url: The page.
            name: A name for people.
            filter_config: Which sections to keep; see `Filter`.
            strategy_group_id: A group to put the strategy into.
            idempotency_key: As for `generate_strategy`.
            request_timeout: Seconds for this call, 600 by default.

        Returns:
            The strategy; `preview_data` holds the sections (`heading`, `level`, `content`).

        Raises:
            ArgumentError: An argument is malformed.
            InvalidRequestError: The page cannot be fetched, or has no text.

        Reference: Meter, sections 4.1 and 4.2.
        """
        body = {
            "url": check.page_url(url),
            "description": "",
            "name": check.text(name, "name"),
            "force_api": False,
            **_strategy_options(None, "content", filter_config, strategy_group_id),
        }
        return await self._generated(body, idempotency_key, request_timeout)

    async def create_strategy(
        self,
        name: str,
        url: str,
        strategy: Mapping[str, Any],
        description: str = "",
        *,
        filter_config: Mapping[str, Any] | None = None,
        change_rules: Mapping[str, Any] | None = None,
        strategy_group_id: str | None = None,
        idempotency_key: str | None = None,
        request_timeout: float | None = None,
    ) -> types.GeneratedStrategy:
        """Store a strategy whose plan is written by hand, or was taken from another one's `strategy`.

        Args:
            name: A name for people.
            url: The page on which the plan is tried.
            strategy: The plan.
            description: What it extracts, in plain words.
            filter_config: Which items to keep; see `Filter`.
            change_rules: What counts as a change: `ignore_fields`, `key_fields`, `ignore_case`, `ordered`.
            strategy_group_id: A group to put the strategy into.
            idempotency_key: As for `generate_strategy`.
            request_timeout: Seconds for this call, 600 by default.

        Returns:
            The strategy; `preview_data` holds what the plan found.

        Raises:
            ArgumentError: An argument is malformed.
            InvalidRequestError: The plan is faulty (the message has the path), or finds nothing on the page.

        Reference: Meter, section 19, item 25; an extension of self-hosted servers.
        """
        check.mapping_or_none(strategy, "strategy")
        check.mapping_or_none(change_rules, "change_rules")
        options = _strategy_options(None, None, filter_config, strategy_group_id)
        body = {
            "name": check.text(name, "name"),
            "url": check.page_url(url),
            "strategy": strategy,
            "description": check.text(description, "description", may_be_empty=True),
            **options,
            **given(change_rules=change_rules),
        }
        return await self._generated(body, idempotency_key, request_timeout, path="/api/strategies")

    async def _generated(
        self,
        body: dict[str, Any],
        idempotency_key: str | None,
        request_timeout: float | None,
        path: str = "/api/strategies/generate",
    ) -> types.GeneratedStrategy:
        key = str(uuid4()) if idempotency_key is None else check.text(idempotency_key, "idempotency_key")
        made: types.GeneratedStrategy = await self._send(
            Call(
                "POST",
                path,
                body=body,
                headers={"Idempotency-Key": key},
                safe=True,
                timeout_s=GENERATE_TIMEOUT_S if request_timeout is None else request_timeout,
            )
        )
        return made

    async def refine_strategy(
        self, strategy_id: str, feedback: str, *, request_timeout: float | None = None
    ) -> types.GeneratedStrategy:
        """Change a strategy by telling what is wrong with it. Its id stays.

        Args:
            strategy_id: The strategy.
            feedback: What to change, in plain words.
            request_timeout: Seconds for this call, 600 by default.

        Returns:
            The changed strategy with a new preview.

        Raises:
            NotFoundError: There is no such strategy.
            InvalidRequestError: The feedback cannot be followed.

        Reference: Meter, section 4.3.
        """
        refined: types.GeneratedStrategy = await self._send(
            Call(
                "POST",
                f"/api/strategies/{check.segment(strategy_id, 'strategy_id')}/refine",
                body={"feedback": check.text(feedback, "feedback")},
                timeout_s=GENERATE_TIMEOUT_S if request_timeout is None else request_timeout,
            )
        )
        return refined

    async def list_strategies(
        self, limit: int = 20, offset: int = 0, *, request_timeout: float | None = None
    ) -> list[types.StrategyListItem]:
        """List strategies, newest first.

        Args:
            limit: How many at most.
            offset: How many to skip.
            request_timeout: Seconds for this call.

        Returns:
            The strategies; an empty list after the last one. `iter_strategies` walks through all.

        Raises:
            ArgumentError: A limit below 1 or a negative offset.

        Reference: Meter, section 4.4.
        """
        strategies: list[types.StrategyListItem] = await self._send(
            Call("GET", "/api/strategies", query=check.page(limit, offset), timeout_s=request_timeout)
        )
        return strategies

    def iter_strategies(self, page_size: int = 100) -> AsyncIterator[types.StrategyListItem]:
        """Walk through all strategies, newest first, fetching `page_size` at a time.

        Reference: Meter, section 4.4.
        """
        return by_offset(self.list_strategies, size_of(page_size))

    async def get_strategy(self, strategy_id: str, *, request_timeout: float | None = None) -> types.Strategy:
        """Get one strategy with its plan and preview.

        Args:
            strategy_id: The strategy.
            request_timeout: Seconds for this call.

        Returns:
            The strategy.

        Raises:
            NotFoundError: There is no such strategy.

        Reference: Meter, section 4.4.
        """
        path = f"/api/strategies/{check.segment(strategy_id, 'strategy_id')}"
        strategy: types.Strategy = await self._send(Call("GET", path, timeout_s=request_timeout))
        return strategy

    @clearable
    async def update_strategy(
        self,
        strategy_id: str,
        filter_config: Mapping[str, Any] | None = UNSET,
        *,
        name: str | None = None,
        strategy: Mapping[str, Any] | None = None,
        change_rules: Mapping[str, Any] | None = UNSET,
        request_timeout: float | None = None,
    ) -> types.Strategy:
        """Change a strategy's filter, name, plan or rules. What is not given stays.

        Args:
            strategy_id: The strategy.
            filter_config: The new filter, whole; `None` removes it.
            name: A new name.
            strategy: Another plan, tried on the strategy's page first. An extension of self-hosted servers.
            change_rules: What counts as a change, whole; `None` is the standard again. An extension as well.
            request_timeout: Seconds for this call.

        Returns:
            The strategy after the change.

        Raises:
            NotFoundError: There is no such strategy.
            InvalidRequestError: The filter, the plan or the rules are malformed, or the plan finds nothing.

        Reference: Meter, sections 4.4 and 6; section 19, items 23 and 25.
        """
        path = f"/api/strategies/{check.segment(strategy_id, 'strategy_id')}"
        filters = filter_config if filter_config in (None, UNSET) else grouped(filter_config)
        body = changed(filter_config=filters, change_rules=change_rules)
        if name is not None:
            body["name"] = check.text(name, "name")
        if strategy is not None:
            check.mapping_or_none(strategy, "strategy")
            body["strategy"] = strategy
        found: types.Strategy = await self._send(Call("PATCH", path, body=body, timeout_s=request_timeout))
        return found

    async def rename_strategy(
        self, strategy_id: str, name: str, *, request_timeout: float | None = None
    ) -> types.Strategy:
        """Give a strategy another name.

        Args:
            strategy_id: The strategy.
            name: The new name.
            request_timeout: Seconds for this call.

        Returns:
            The strategy. A server that does not know this call answers with the old name.

        Raises:
            NotFoundError: There is no such strategy.

        Reference: Meter, section 19, item 11.
        """
        path = f"/api/strategies/{check.segment(strategy_id, 'strategy_id')}"
        body = {"name": check.text(name, "name")}
        strategy: types.Strategy = await self._send(Call("PATCH", path, body=body, timeout_s=request_timeout))
        return strategy

    async def delete_strategy(self, strategy_id: str, *, request_timeout: float | None = None) -> types.Message:
        """Delete a strategy with its jobs and schedules, irreversibly.

        Args:
            strategy_id: The strategy.
            request_timeout: Seconds for this call.

        Returns:
            A message.

        Raises:
            NotFoundError: There is no such strategy.
            ConflictError: A workflow uses it.

        Reference: Meter, section 4.4.
        """
        path = f"/api/strategies/{check.segment(strategy_id, 'strategy_id')}"
        message: types.Message = await self._send(Call("DELETE", path, timeout_s=request_timeout))
        return message


def _strategy_options(
    output_schema: Any, scraper_type: Any, filter_config: Any, strategy_group_id: Any
) -> dict[str, Any]:
    """The optional fields of a generation, checked."""
    check.mapping_or_none(output_schema, "output_schema")
    if scraper_type is not None:
        check.choice(scraper_type, "scraper_type", check.SCRAPER_TYPES)
    return given(
        output_schema=output_schema,
        scraper_type=scraper_type,
        filter_config=None if filter_config is None else grouped(filter_config),
        strategy_group_id=None
        if strategy_group_id is None
        else check.identifier(strategy_group_id, "strategy_group_id"),
    )
