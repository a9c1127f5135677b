"""Strategies: generate, write by hand, list, get, change, delete (reference, 4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from meterhouse.apis.call import Call
from meterhouse.apis.faults import BadRequest
from meterhouse.apis.meter import facade
from meterhouse.apis.meter.convert import generated_to_wire, strategy_to_wire
from meterhouse.apis.meter.idempotency import once
from meterhouse.apis.meter.inputs import filter_of, page_of, restate_generation, restate_update
from meterhouse.apis.meter.schedule_inputs import text_of
from meterhouse.extraction import service
from meterhouse.extraction.stored import StrategyRequest
from meterhouse.kernel.errors import Invalid, NotFound
from meterhouse.kernel.ids import parse_id
from meterhouse.monitoring.rules import ChangeRules
from meterhouse.workflows.service import check_strategy_unused

# Nothing is limited on a server of one's own; the headers say so to programs that look (reference, 2.5).
_UNLIMITED = {"x-strategy-quota-limit": "-1", "x-strategy-quota-tier": "enterprise"}


@facade.operation("generate_strategy", scopes=("strategies:write",), restate=restate_generation)
async def generate_strategy(call: Call) -> object:
    return await once(call, _generate)


async def _generate(call: Call) -> Response:
    request = request_of(call.body)
    services, organisation_id = call.services, call.principal.organisation_id
    stored = await service.generate_strategy(
        services.database,
        services.fetcher,
        services.extractor,
        organisation_id=organisation_id,
        request=request,
        clock=services.clock,
        browser=services.browser,
        model=services.model,
    )
    async with services.database.begin() as connection:
        used = await service.count_quota_use(
            connection, organisation_id=organisation_id, now=services.clock.now()
        )
    return call.json(generated_to_wire(stored), headers={"x-strategy-quota-used": str(used), **_UNLIMITED})


@facade.operation("create_strategy", scopes=("strategies:write",), restate=restate_generation)
async def create_strategy(call: Call) -> object:
    return await once(call, _create)


async def _create(call: Call) -> Response:
    request = request_of({"description": "", **call.body})
    prepared = await _prepared(call, request)
    async with call.services.database.begin() as connection:
        await service.store_strategy(connection, prepared)
    return call.json(generated_to_wire(prepared.strategy))


async def _prepared(call: Call, request: StrategyRequest) -> service.Prepared:
    services = call.services
    return await service.prepare_plan(
        service.Sources(services.fetcher, services.browser, services.extractor),
        organisation_id=call.principal.organisation_id,
        request=request,
        document=call.body["strategy"],
        clock=services.clock,
    )


@facade.operation("list_strategies", scopes=("strategies:read",))
async def list_strategies(call: Call) -> object:
    limit, offset = page_of(call)
    async with call.services.database.begin() as connection:
        found = await service.list_strategies(
            connection, organisation_id=call.principal.organisation_id, limit=limit, offset=offset
        )
    return [strategy_to_wire(strategy) for strategy in found]


@facade.operation("get_strategy", scopes=("strategies:read",))
async def get_strategy(call: Call) -> object:
    async with call.services.database.begin() as connection:
        found = await service.get_strategy(
            connection,
            organisation_id=call.principal.organisation_id,
            strategy_id=call.path_id("strategy_id"),
        )
    return strategy_to_wire(found)


@facade.operation("update_strategy", scopes=("strategies:write",), restate=restate_update)
async def update_strategy(call: Call) -> object:
    """Change the filter (reference, 4.4) and, as extensions, name, plan and rules; the rest stays."""
    services, body = call.services, call.body or {}
    which = {"organisation_id": call.principal.organisation_id, "strategy_id": call.path_id("strategy_id")}
    name = text_of(body, "name")
    if name is not None:
        service.check_name(name)
    prepared = await _changed_plan(call) if body.get("strategy") is not None else None
    changed = None
    if "filter_config" in body:
        changed = await service.update_filter(
            services.database,
            services.extractor,
            filter_config=filter_of(body["filter_config"]),
            clock=services.clock,
            **which,
        )
    rules = rules_of(body)
    async with services.database.begin() as connection:
        if "change_rules" in body:
            changed = await service.set_change_rules(
                connection, change_rules=rules, now=services.clock.now(), **which
            )
        if name is not None:
            changed = await service.rename_strategy(connection, name=name, now=services.clock.now(), **which)
        if prepared is not None:
            changed = await service.replace_plan(
                connection,
                strategy_id=which["strategy_id"],
                prepared=prepared,
                now=services.clock.now(),
            )
    if prepared is not None and changed is not None:
        return generated_to_wire(changed)
    return strategy_to_wire(changed) if changed is not None else await get_strategy(call)


async def _changed_plan(call: Call) -> service.Prepared:
    """Another plan for a strategy, tried on its page with the filter that it has or is to have."""
    async with call.services.database.begin() as connection:
        before = await service.get_strategy(
            connection,
            organisation_id=call.principal.organisation_id,
            strategy_id=call.path_id("strategy_id"),
        )
    keep = filter_of(call.body["filter_config"]) if "filter_config" in call.body else before.filter_config
    request = StrategyRequest(before.url, before.description, before.name, filter_config=keep)
    return await _prepared(call, request)


@facade.operation("refine_strategy", scopes=("strategies:write",))
async def refine_strategy(call: Call) -> object:
    """Change a strategy by plain sentences; a kind that has nothing to refine is 400 (reference, 4.3)."""
    services = call.services
    try:
        changed = await service.refine_strategy(
            services.database,
            services.fetcher,
            services.extractor,
            organisation_id=call.principal.organisation_id,
            strategy_id=call.path_id("strategy_id"),
            feedback=call.body["feedback"],
            clock=services.clock,
            browser=services.browser,
        )
    except Invalid as error:
        if error.code == service.REFINE_REFUSED:
            raise BadRequest(error.message, issues=error.issues) from error
        raise
    return generated_to_wire(changed)


@facade.operation("delete_strategy", scopes=("strategies:write",))
async def delete_strategy(call: Call) -> object:
    async with call.services.database.begin() as connection:
        await service.delete_strategy(
            connection,
            organisation_id=call.principal.organisation_id,
            strategy_id=call.path_id("strategy_id"),
            now=call.services.clock.now(),
            check=check_strategy_unused,
        )
    return {"message": "Strategy deleted successfully"}


def request_of(body: Mapping[str, Any]) -> StrategyRequest:
    """Read a generation request. `force_api` is a wish, `scraper_type: api` a demand (4.1 and 7)."""
    group = body.get("strategy_group_id")
    group_id = parse_id(group) if group is not None else None
    if group is not None and group_id is None:
        raise NotFound("Strategy group not found")
    return StrategyRequest(
        url=body["url"],
        description=body["description"],
        name=body["name"],
        kind=body.get("scraper_type"),
        output_schema=body.get("output_schema"),
        filter_config=filter_of(body.get("filter_config")),
        force_api=body.get("force_api", False),
        max_pages=service.check_max_pages(body.get("max_pages")),
        group_id=group_id,
        change_rules=rules_of(body),
    )


def rules_of(body: Mapping[str, Any]) -> Mapping[str, object] | None:
    """Rules for what counts as a change, as they are stored. Raises `Invalid`."""
    return ChangeRules.parse(body.get("change_rules")).to_document()
