"""What users of the published client read when something is wrong: the field or page, and the way out."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from meter_sdk import MeterClient, MeterError, Workflow
from tests.pages import shop_page
from tests.server import ServerProcess
from tests.site import Site
from tests.wire.recorder import Recorder

NOBODY = "0b54a1de-6a0f-4a7e-9a55-0c9e3f1f6a01"
HOOK = "https://app.example/hook"


@dataclass(frozen=True)
class Shop:
    """A client, and one of everything that calls are about."""

    client: MeterClient
    page: str
    gone: str
    strategy: str
    content: str
    schedule: str
    group: str
    workflow: str

    def generate(self, **changes: Any) -> Any:
        return self.client.generate_strategy(
            **{"url": self.page, "description": "phones", "name": "x", **changes}
        )

    def plan(self, **changes: Any) -> Any:
        given = {"url": self.page, "interval_seconds": 3600, **changes}
        return self.client.create_schedule(self.strategy, **{k: v for k, v in given.items() if v is not None})

    def workflow_of(self, *nodes: Mapping[str, Any], edges: Any = (), name: str = "W") -> Any:
        return self.client._post("/api/workflows", json={"name": name, "nodes": nodes, "edges": list(edges)})

    def node(self, key: str = "a", **changes: Any) -> dict[str, Any]:
        return {
            "node_key": key,
            "strategy_id": self.strategy,
            "input_type": "static_urls",
            "static_urls": [self.page],
            **changes,
        }


def then(key: str = "b", **changes: Any) -> dict[str, Any]:
    return {"node_key": key, "input_type": "upstream_urls", "url_field": "url", **changes}


def edge(source: str, target: str, **more: Any) -> dict[str, Any]:
    return {"source_node_key": source, "target_node_key": target, **more}


def condition(**changes: Any) -> dict[str, Any]:
    return {"mode": "all", "conditions": [{"field": "price", "operator": "gt", "value": "1", **changes}]}


@pytest.fixture(scope="module")
def shop(server: ServerProcess, recorder: Recorder) -> Iterator[Shop]:
    site = Site()
    site.pages["/phones"] = shop_page(199, 249, 299)
    page = site.url("/phones")
    with MeterClient(server.api_key, recorder.url_for("meter-sdk 0.8.0")) as client:
        strategy = client.generate_strategy(page, "phones", "Phones", output_schema={"title": "string"})[
            "strategy_id"
        ]
        workflow = Workflow("Shop")
        workflow.start("a", strategy, urls=[page])
        yield Shop(
            client,
            page,
            site.url("/gone"),
            strategy,
            client.extract_content(page, "Text")["strategy_id"],
            client.create_schedule(strategy, url=page, interval_seconds=3600)["id"],
            client.create_strategy_group("Shops")["id"],
            client.create_workflow(workflow)["id"],
        )
        client.delete_schedule(client.list_schedules()[0]["id"])
    site.close()


Call = Callable[[Shop], Any]
GONE = r"The page http\S+/gone answered 404 Not Found\. Check the address\."
NOT_A_URL = r"must begin with http:// or https://"

STRATEGIES: dict[str, tuple[Call, str]] = {
    "no description": (lambda s: s.generate(description=""), "description: must not be empty"),
    "no name": (lambda s: s.generate(name=""), "name: must not be empty"),
    "no address": (lambda s: s.generate(url="phones"), f"url 'phones': it {NOT_A_URL}"),
    "a missing page": (lambda s: s.generate(url=s.gone), GONE),
    "an unknown type": (
        lambda s: s.generate(output_schema={"a": "money"}),
        r"output_schema\.a: must be one of string,",
    ),
    "an empty schema": (lambda s: s.generate(output_schema={}), "output_schema: must have at least 1"),
    "an unknown operator": (
        lambda s: s.generate(filter_config=condition(operator="is")),
        r"filter_config\.conditions\[0\]\.operator: must be one of contains,",
    ),
    "a bad pattern": (
        lambda s: s.generate(filter_config=condition(operator="regex_match", value="(")),
        r"filter_config\.conditions\[0\]\.value: The regular expression '\(' cannot be used: missing \)",
    ),
    "no value": (
        lambda s: s.generate(filter_config={"field": "price", "operator": "gt"}),
        r"filter_config\.conditions\[0\]: needs one of value,",
    ),
    "an unknown kind": (
        lambda s: s.generate(scraper_type="xpath"),
        "scraper_type: must be one of css, api, content",
    ),
    "an unknown group": (lambda s: s.generate(strategy_group_id=NOBODY), "Strategy group not found"),
    "no feedback": (lambda s: s.client.refine_strategy(s.strategy, ""), "feedback: must not be empty"),
    "feedback nobody understands": (
        lambda s: s.client.refine_strategy(s.strategy, "qwerty zxcv"),
        "'qwerty zxcv' is not understood. Say which fields to add, drop, rename",
    ),
    "nothing to refine": (lambda s: s.client.refine_strategy(s.content, "less"), "no fields to refine"),
    "an unknown strategy": (lambda s: s.client.get_strategy(NOBODY), "Strategy not found"),
    "a filter that is none": (
        lambda s: s.client.update_strategy(s.strategy, "x"),
        "filter_config: must be an object",
    ),
    "too many at once": (lambda s: s.client.list_strategies(limit=5000), "limit: must be at most 1000"),
    "in use": (
        lambda s: s.client.delete_strategy(s.strategy),
        "'Phones' is used by the workflows 'Shop'. Delete them first",
    ),
}
JOBS: dict[str, tuple[Call, str]] = {
    "no address": (lambda s: s.client.create_job(s.strategy), "needs one of url, urls"),
    "both": (lambda s: s.client.create_job(s.strategy, s.page, [s.page]), "takes exactly one of url, urls"),
    "a bad one of many": (
        lambda s: s.client.create_job(s.strategy, urls=[s.page, "x"]),
        rf"urls\[1\] 'x': it {NOT_A_URL}",
    ),
    "parameters": (
        lambda s: s.client.create_job(s.strategy, s.page, parameters={"page": 1}),
        "'Phones' is of type css, which takes no parameters; only api strategies do. Leave parameters out",
    ),
    "a missing page": (lambda s: s.client.execute_job(s.strategy, s.gone), GONE),
    "an unknown age": (
        lambda s: s.client.list_jobs(since="soon"),
        r"since: must be an ISO 8601 time or an age.*24h",
    ),
    "an unknown status": (
        lambda s: s.client.list_jobs(status="done"),
        "status: must be one of pending, running,",
    ),
    "an unknown job": (lambda s: s.client.get_job(NOBODY), "Job not found"),
    "one of two unknown": (lambda s: s.client.compare_jobs(NOBODY, NOBODY), f"Job not found: {NOBODY}"),
    "an unknown batch": (lambda s: s.client.get_batch_progress(NOBODY), "Batch not found"),
}
SCHEDULES: dict[str, tuple[Call, str]] = {
    "no address": (lambda s: s.plan(url=None), "needs one of url, urls"),
    "both addresses": (lambda s: s.plan(urls=[s.page]), "takes exactly one of url, urls"),
    "no timing": (lambda s: s.plan(interval_seconds=None), "needs one of interval_seconds, cron_expression"),
    "both timings": (lambda s: s.plan(cron_expression="0 9 * * *"), "exactly one of interval_seconds, cron"),
    "too often": (lambda s: s.plan(interval_seconds=59), "interval_seconds: must be at least 60"),
    "words for cron": (
        lambda s: s.plan(interval_seconds=None, cron_expression="daily"),
        r"cron_expression: needs five fields.*as in 0 9 \* \* 1-5",
    ),
    "a day that never comes": (
        lambda s: s.plan(interval_seconds=None, cron_expression="0 0 31 2 *"),
        r"cron_expression: cannot be read: Bad day-of-month.*as in 0 9 \* \* 1-5",
    ),
    "a zone nobody lives in": (
        lambda s: s.client._post(
            "/api/schedules",
            json={
                "strategy_id": s.strategy,
                "url": s.page,
                "cron_expression": "0 9 * * *",
                "timezone": "Mars/X",
            },
        ),
        "timezone: 'Mars/X' is not an IANA name such as Europe/Berlin",
    ),
    "an unknown strategy": (
        lambda s: s.client.create_schedule(NOBODY, url=s.page, interval_seconds=60),
        "Strategy not found",
    ),
    "parameters": (lambda s: s.plan(parameters={"page": 1}), "takes no parameters; only api strategies do"),
    "both on update": (
        lambda s: s.client.update_schedule(s.schedule, url=s.page, urls=[s.page]),
        "give one of url, urls, not both",
    ),
    "too often on update": (
        lambda s: s.client.update_schedule(s.schedule, interval_seconds=1),
        "at least 60",
    ),
    "unknown": (lambda s: s.client.update_schedule(NOBODY, enabled=True), "Schedule not found"),
    "changes of an unknown": (lambda s: s.client.get_schedule_changes(NOBODY), "Schedule not found"),
    "too long a changelog": (
        lambda s: s.client.get_schedule_changelog(s.schedule, limit=101),
        "limit: must be at most 100",
    ),
}
WEBHOOKS: dict[str, tuple[Call, str]] = {
    "no address": (
        lambda s: s.plan(webhook_url="app"),
        "webhook_url: Invalid URL format: 'app' is not an http",
    ),
    "an unknown kind": (
        lambda s: s.plan(webhook_url=HOOK, webhook_type="sms"),
        "webhook_type: must be one of standard",
    ),
    "no mail address": (
        lambda s: s.plan(webhook_url="mailto:ops"),
        "is not an email address such as ops@example.com",
    ),
    "a secret that no header holds": (
        lambda s: s.plan(webhook_url=HOOK, webhook_secret="ü"),
        "webhook_secret: must be at most 500 printable ASCII characters",
    ),
    "metadata that is none": (
        lambda s: s.plan(webhook_url=HOOK, webhook_metadata="x"),
        "webhook_metadata: must be an",
    ),
    "metadata without a webhook": (
        lambda s: s.client.update_schedule(s.schedule, webhook_metadata={"a": 1}),
        "the schedule has no webhook; give webhook_url to set one",
    ),
    "no secret to replace": (
        lambda s: s.client.regenerate_webhook_secret(s.schedule),
        "The schedule has no webhook. Set webhook_url first",
    ),
    "nothing to test": (lambda s: s.client.test_group_webhook(s.group, ""), "webhook_url: must not be empty"),
}
GROUPS: dict[str, tuple[Call, str]] = {
    "no name": (lambda s: s.client.create_strategy_group(""), "name: must not be empty"),
    "unknown": (lambda s: s.client.get_strategy_group(NOBODY), "Strategy group not found"),
    "an unknown member": (
        lambda s: s.client.add_strategies_to_group(s.group, [s.strategy, NOBODY]),
        f"Strategy not found: {NOBODY}. Nothing was added",
    ),
    "nobody": (lambda s: s.client.add_strategies_to_group(s.group, []), "strategy_ids: must not be empty"),
    "no id": (
        lambda s: s.client.add_strategies_to_group(s.group, ["x"]),
        r"strategy_ids\[0\]: must be a valid uuid",
    ),
    "no member": (
        lambda s: s.client.remove_strategy_from_group(s.group, s.strategy),
        "not found in this group",
    ),
    "no timing": (lambda s: s.client.apply_group_schedule(s.group), "needs one of interval_seconds, cron"),
    "an unknown type": (
        lambda s: s.client.apply_group_schema(s.group, {"a": "money"}),
        r"output_schema\.a: must be",
    ),
    "neither on nor off": (
        lambda s: s.client.toggle_group_schedules(s.group, "yes"),
        "enabled: must be true or false",
    ),
}
WATCH: dict[str, tuple[Call, str]] = {
    "no description": (lambda s: s.client.watch(s.page, ""), "description: must not be empty"),
    "a missing page": (lambda s: s.client.watch(s.gone, "phones"), GONE),
    "too often": (
        lambda s: s.client.watch(s.page, "phones", interval_seconds=30),
        "interval_seconds: must be at least",
    ),
    "no receiver": (
        lambda s: s.client.watch(s.page, "phones", webhook_url="app"),
        "webhook_url: Invalid URL format",
    ),
}
WORKFLOWS: dict[str, tuple[Call, str]] = {
    "no node": (lambda s: s.workflow_of(), "needs at least one node; add a node with static_urls"),
    "no name": (lambda s: s.workflow_of(s.node(), name=""), "name: must not be empty"),
    "two of one name": (
        lambda s: s.workflow_of(s.node(), s.node()),
        "Duplicate node_key 'a': give each node a key",
    ),
    "an edge to nowhere": (
        lambda s: s.workflow_of(s.node(), edges=[edge("a", "z")]),
        "'a' -> 'z' names the unknown node 'z'; add that node or correct the edge",
    ),
    "a cycle": (
        lambda s: s.workflow_of(
            s.node(**then("a")), s.node(**then("b")), edges=[edge("a", "b"), edge("b", "a")]
        ),
        "a cycle: a -> b -> a. Take one of them out",
    ),
    "no input": (
        lambda s: s.workflow_of(s.node(**then("b"))),
        "no edge leads to it. Add an edge, or give it static_urls",
    ),
    "no field": (
        lambda s: s.workflow_of(s.node(), s.node(**then(url_field="")), edges=[edge("a", "b")]),
        r"nodes\[1\]\.url_field",
    ),
    "no addresses": (lambda s: s.workflow_of(s.node(static_urls=[])), r"nodes\[0\]\.static_urls"),
    "a bad address": (
        lambda s: s.workflow_of(s.node(static_urls=["x"])),
        rf"nodes\[0\].static_urls\[0\] 'x': it {NOT_A_URL}",
    ),
    "an unknown input": (
        lambda s: s.workflow_of(s.node(input_type="x")),
        r"nodes\[0\]\.input_type: must be one of static",
    ),
    "an unknown strategy": (
        lambda s: s.workflow_of(s.node(strategy_id=NOBODY)),
        f"Strategy not found: {NOBODY}, which the node 'a' names",
    ),
    "an unknown operator": (
        lambda s: s.workflow_of(
            s.node(), s.node(**then()), edges=[edge("a", "b", filter_config=condition(operator="is"))]
        ),
        r"edges\[0\]\.filter_config\.conditions\[0\]\.operator: must be one of",
    ),
    "parameters": (
        lambda s: s.workflow_of(s.node(static_parameters={"page": 1})),
        "of the node 'a' is of type css, which takes no parameters; .* Leave static_parameters out",
    ),
    "unknown": (lambda s: s.client.get_workflow(NOBODY), "Workflow not found"),
    "no output yet": (
        lambda s: s.client.get_workflow_output(s.workflow),
        "no output yet. Run it and wait for its end",
    ),
    "an unknown run": (lambda s: s.client.cancel_workflow_run(s.workflow, NOBODY), "Workflow run not found"),
    "no timing": (
        lambda s: s.client.schedule_workflow(s.workflow),
        "needs one of interval_seconds, cron_expression",
    ),
    "too often": (
        lambda s: s.client.schedule_workflow(s.workflow, interval_seconds=5),
        "must be at least 60",
    ),
    "no new name": (lambda s: s.client.update_workflow(s.workflow, name=""), "name: must not be empty"),
}
TABLE = [
    pytest.param(call, text, id=f"{kind}: {name}")
    for kind, cases in {
        "strategies": STRATEGIES,
        "jobs": JOBS,
        "schedules": SCHEDULES,
        "webhooks": WEBHOOKS,
        "groups": GROUPS,
        "watch": WATCH,
        "workflows": WORKFLOWS,
    }.items()
    for name, (call, text) in cases.items()
]


@pytest.mark.parametrize(("call", "text"), TABLE)
def test_a_user_reads_what_is_wrong_and_what_to_do(shop: Shop, call: Call, text: str) -> None:
    with pytest.raises(MeterError) as raised:
        call(shop)
    said = str(raised.value)
    assert re.match(r"API error: \S", said)
    assert re.search(text, said), said


def test_a_wrong_key(shop: Shop, recorder: Recorder) -> None:
    with (
        MeterClient("sk_live_nobody", recorder.url_for("meter-sdk 0.8.0")) as client,
        pytest.raises(MeterError, match="Invalid or missing API key"),
    ):
        client.get_job(str(uuid.uuid4()))
