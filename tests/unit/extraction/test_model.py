from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterhouse.extraction.model import Container, Contract, Field, Strategy
from meterhouse.kernel.errors import Invalid

names = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=12)
plain_fields = st.builds(
    Field,
    source=st.sampled_from(["css", "label", "section", "jsonld", "microdata", "meta", "state"]),
    selector=names,
    attr=st.none() | names,
    piece=st.none() | st.integers(-3, 9),
    regex=st.none() | names,
    type=st.none() | names,
    many=st.booleans(),
)
fields = st.builds(
    lambda one, others: Field(**{**one.__dict__, "alternates": tuple(others)}),
    plain_fields,
    st.lists(plain_fields, max_size=2),
)
strategies = st.builds(
    Strategy,
    container=st.builds(
        Container,
        selector=names,
        mode=st.sampled_from(["each", "run", "page"]),
        require=st.lists(names, max_size=2).map(tuple),
        header=st.lists(names, max_size=2).map(tuple),
    ),
    fields=st.dictionaries(names, fields, max_size=3),
    output_schema=st.none() | st.dictionaries(names, st.just("string"), min_size=1, max_size=2),
    contract=st.builds(Contract, records=st.integers(0, 99), fill=st.dictionaries(names, st.floats(0, 1))),
)


@given(strategies)
def test_a_document_survives_storage(strategy: Strategy) -> None:
    stored = json.loads(json.dumps(strategy.to_document()))
    assert Strategy.from_document(stored) == strategy


def test_a_short_document_written_by_hand() -> None:
    strategy = Strategy.from_document(
        {"container": {"selector": "li.product"}, "fields": {"title": {"selector": "h2"}, "price": ".price"}}
    )
    assert strategy.kind == "css"
    assert strategy.fields["price"] == Field(selector=".price")


@pytest.mark.parametrize(
    ("document", "path"),
    [
        (7, ()),
        ({"version": 99}, ("version",)),
        ({"kind": "xml"}, ("kind",)),
        ({"colour": 1}, ("colour",)),
        ({"container": {"mode": "some"}}, ("container", "mode")),
        ({"container": {"require": [1]}}, ("container", "require")),
        ({"fields": {"a": {"source": "magic"}}}, ("fields", "a", "source")),
        ({"fields": {"a": {"many": "yes"}}}, ("fields", "a", "many")),
        ({"fields": {"a": {"alternates": [{"piece": True}]}}}, ("fields", "a", "alternates", 0, "piece")),
        ({"contract": {"fill": {"a": "full"}}}, ("contract", "fill", "a")),
    ],
)
def test_faults_are_named_by_their_path(document: object, path: tuple[str | int, ...]) -> None:
    with pytest.raises(Invalid) as fault:
        Strategy.from_document(document)
    assert fault.value.issues[0].path == path
