"""Normal forms: idempotent, and careful with what only looks like noise."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from meterhouse.monitoring.noise import canonical, clean_address, normal_text, normal_value

SPACES = " \t\n\r\u00a0\u2009"
parts = st.sampled_from(
    [
        "https://a.example",
        "/p",
        "?",
        "&",
        "#",
        ";",
        "=",
        "utm_source",
        "fbclid",
        "sid",
        "jsessionid",
        "x",
        " ",
        "/(S(a))",
    ]
)


@given(st.text() | st.lists(parts, max_size=10).map("".join))
@example("https://a.example?utm_source=x#https://b.example?fbclid=1")
@example("/http://x?utm_a=1;sid=2")
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normal_text(text)
    assert normal_text(once) == once


@given(st.lists(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=5), min_size=1), st.data())
def test_white_space_is_noise(words: list[str], data: st.DataObject) -> None:
    spaced = "".join(word + data.draw(st.text(SPACES, min_size=1, max_size=3)) for word in words)
    assert normal_text(spaced) == normal_text(" ".join(words))


@given(
    st.lists(st.tuples(st.sampled_from(["id", "page", "q"]), st.text("abc1", max_size=3)), max_size=3),
    st.sampled_from(["utm_source=a", "fbclid=b", "gclid=c", "msclkid=d", "mc_eid=e", "_ga=f", "PHPSESSID=g"]),
    st.integers(0, 3),
)
def test_tracking_parameters_are_noise(query: list[tuple[str, str]], tracking: str, at: int) -> None:
    pairs = [f"{name}={value}" for name, value in query]
    base = "https://shop.example/p"
    tracked = f"{base}?{'&'.join([*pairs[:at], tracking, *pairs[at:]])}"
    assert clean_address(tracked) == (f"{base}?{'&'.join(pairs)}" if pairs else base)


@pytest.mark.parametrize(
    "address",
    [
        "https://a.example/?source=x&ref=y",
        "https://a.example/?utm=1",
        "https://a.example/?id=5&sid=12",
        "https://a.example/wiki/(S)",
        "mailto:a@b.example?subject=utm_source",
    ],
)
def test_other_parameters_stay(address: str) -> None:
    assert normal_text(address) == address


def test_values_that_json_lacks_become_text() -> None:
    assert normal_value([float("nan"), float("inf"), -0.0, b"x"]) == ["nan", "inf", 0, [120]]
    assert canonical({"b": 1, "a": "\ud800"}) == '{"a":"?","b":1}'
