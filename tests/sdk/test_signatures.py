"""Every public name of the published client, with the same arguments and defaults."""

from __future__ import annotations

import inspect
from importlib import metadata
from typing import Any

import meter_sdk as published
import pytest

from tests.sdk.ours import sdk

CLASSES = ("MeterClient", "Workflow", "WorkflowNode", "Filter")

# The only departures: what had to be passed may now come from the environment.
NOW_OPTIONAL = {("MeterClient", "__init__", "api_key")}


def public_methods(kind: type) -> list[str]:
    names = [name for name in vars(kind) if not name.startswith("_")]
    return [*names, *[name for name in ("__init__", "__enter__", "__exit__") if name in vars(kind)]]


METHODS = [(kind, name) for kind in CLASSES for name in public_methods(getattr(published, kind))]


def positional(function: Any) -> list[inspect.Parameter]:
    return [
        parameter
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY
    ]


def test_it_is_compared_with_the_release_that_counts() -> None:
    assert metadata.version("meter-sdk") == "0.8.0"
    assert published.__file__ != sdk.__file__
    assert len(METHODS) > 60


def test_every_public_name_exists() -> None:
    assert set(published.__all__) <= set(sdk.__all__)
    for name in published.__all__:
        assert getattr(sdk, name).__name__ == name


@pytest.mark.parametrize(("kind", "name"), METHODS)
def test_the_signature_is_the_same(kind: str, name: str) -> None:
    theirs = positional(getattr(getattr(published, kind), name))
    ours = positional(getattr(getattr(sdk, kind), name))
    assert [(parameter.name, parameter.kind) for parameter in ours] == [
        (parameter.name, parameter.kind) for parameter in theirs
    ]
    for mine, other in zip(ours, theirs, strict=True):
        if (kind, name, mine.name) in NOW_OPTIONAL:
            assert other.default is inspect.Parameter.empty
            assert mine.default is None
        else:
            assert mine.default == other.default, mine.name
            assert type(mine.default) is type(other.default) or isinstance(mine.default, str), mine.name


@pytest.mark.parametrize(("kind", "name"), METHODS)
def test_what_is_added_is_optional_and_by_keyword(kind: str, name: str) -> None:
    for parameter in inspect.signature(getattr(getattr(sdk, kind), name)).parameters.values():
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            assert parameter.default is not inspect.Parameter.empty, parameter.name


def test_static_methods_stay_static() -> None:
    for name in public_methods(published.Filter):
        assert isinstance(inspect.getattr_static(sdk.Filter, name), staticmethod)


def test_instances_carry_the_same_attributes() -> None:
    theirs = published.MeterClient("k", "http://server.test/")
    ours = sdk.MeterClient("k", "http://server.test/")
    for name in vars(theirs):
        assert type(getattr(ours, name)) is type(getattr(theirs, name)), name
    assert ours.base_url == theirs.base_url
    mine, other = (
        sdk.Workflow("n").start("a", "s", ["http://x"]),
        published.Workflow("n").start("a", "s", ["http://x"]),
    )
    assert {name for name in vars(other) if not name.startswith("_")} <= set(vars(mine))


def test_the_modules_have_the_published_names() -> None:
    from importlib import import_module

    assert import_module(f"{sdk.__name__}.client").MeterClient is sdk.MeterClient
    assert import_module(f"{sdk.__name__}.workflow").Workflow is sdk.Workflow


def test_sync_and_async_have_the_same_methods() -> None:
    def surface(kind: type) -> dict[str, Any]:
        return {name: value for name, value in inspect.getmembers(kind) if not name.startswith("_")}

    plain, concurrent = surface(sdk.MeterClient), surface(sdk.AsyncMeterClient)
    assert plain.keys() == concurrent.keys()
    for name, value in plain.items():
        if inspect.isfunction(value):
            assert [p.replace(annotation=None) for p in inspect.signature(value).parameters.values()] == [
                p.replace(annotation=None) for p in inspect.signature(concurrent[name]).parameters.values()
            ]


@pytest.mark.parametrize("kind", [published, sdk])
def test_workflows_are_written_alike(kind: Any) -> None:
    workflow = kind.Workflow("jobs", "all jobs")
    index = workflow.start("index", "s1", ["http://x/list"], {"page": 1})
    index.then("details", "s2", "url", None, None, kind.Filter.contains("url", "/eng/")).then(
        "more", "s3", parameter_config={"mappings": []}, filter=kind.Filter.any(kind.Filter.exists("a"))
    )
    assert workflow.to_dict() == {
        "name": "jobs",
        "description": "all jobs",
        "nodes": [
            {
                "node_key": "index",
                "strategy_id": "s1",
                "input_type": "static_urls",
                "static_urls": ["http://x/list"],
                "static_parameters": {"page": 1},
            },
            {"node_key": "details", "strategy_id": "s2", "input_type": "upstream_urls", "url_field": "url"},
            {
                "node_key": "more",
                "strategy_id": "s3",
                "input_type": "upstream_data",
                "parameter_config": {"mappings": []},
            },
        ],
        "edges": [
            {
                "source_node_key": "index",
                "target_node_key": "details",
                "filter_config": {
                    "mode": "all",
                    "conditions": [
                        {"field": "url", "operator": "contains", "value": "/eng/", "case_sensitive": False}
                    ],
                },
            },
            {
                "source_node_key": "details",
                "target_node_key": "more",
                "filter_config": {"mode": "any", "conditions": [{"field": "a", "operator": "exists"}]},
            },
        ],
    }


@pytest.mark.parametrize(
    "name", [name for name in public_methods(published.Filter) if name not in ("all", "any")]
)
def test_filters_are_written_alike(name: str) -> None:
    arguments = ["field", "value"][: len(positional(getattr(published.Filter, name)))]
    assert getattr(sdk.Filter, name)(*arguments) == getattr(published.Filter, name)(*arguments)
