"""What counts as a change: properties of hash, signature, diff, similarity, and documented examples."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterhouse.monitoring import engine
from meterhouse.monitoring.noise import canonical

Item = dict[str, Any]

scalars = st.none() | st.booleans() | st.integers(-9, 99) | st.floats(0, 9) | st.text(max_size=8)
values = scalars | st.lists(scalars, max_size=3)
items = st.dictionaries(st.sampled_from(["id", "title", "price", "url", "tags"]), values, max_size=4)
products = st.builds(
    lambda key, price: {"id": f"p{key}", "title": f"Phone {key}", "price": price},
    st.integers(0, 9),
    st.integers(1, 3),
)
sections = st.builds(
    lambda heading, level, content: {"heading": heading, "level": level, "content": content},
    st.sampled_from(["", "Intro", "Prices"]),
    st.integers(0, 2),
    st.sampled_from(["a", "b", "c d"]),
)
results = st.lists(items, max_size=6) | st.lists(products, max_size=8) | st.lists(sections, max_size=6)


def phones(*prices: int) -> list[Item]:
    return [
        {"title": f"Phone {chr(65 + at)}", "price": price, "url": f"https://shop.example/{at}"}
        for at, price in enumerate(prices)
    ]


class TestContentHash:
    @given(results, st.randoms(use_true_random=False))
    def test_order_is_no_content(self, result: list[Item], random: Any) -> None:
        shuffled = result[:]
        random.shuffle(shuffled)
        assert engine.content_hash(shuffled) == engine.content_hash(result)

    @given(results)
    def test_order_of_fields_is_no_content(self, result: list[Item]) -> None:
        assert engine.content_hash([dict(reversed(item.items())) for item in result]) == engine.content_hash(
            result
        )

    @given(results, results)
    def test_equal_exactly_for_equal_multisets(self, one: list[Item], other: list[Item]) -> None:
        same = Counter(map(canonical, one)) == Counter(map(canonical, other))
        assert (engine.content_hash(one) == engine.content_hash(other)) is same

    def test_is_sha256_and_counts_repetition(self) -> None:
        once, twice = engine.content_hash(phones(1)), engine.content_hash(phones(1) * 2)
        assert len(once) == 64
        assert int(once, 16) >= 0
        assert once != twice

    @pytest.mark.parametrize(
        ("value", "same"),
        [
            ("Phone A", "  Phone\n\tA "),
            ("Phone A", "Phone\u00a0A"),
            ("Caf\u00e9", "Cafe\u0301"),
            ("Phone", "Pho\u200bne"),
            (199.0, 199),
            ("https://shop.example/a?id=1", "https://shop.example/a?id=1&utm_source=x&fbclid=y"),
            ("/a?id=1", "/a?utm_campaign=z&id=1"),
            ("https://shop.example/a", "https://shop.example/a;jsessionid=0A1B?gclid=1"),
            ("https://forum.example/t?f=1", f"https://forum.example/t?f=1&sid={'0123456789abcdef' * 2}"),
            (
                "see https://a.example/x for more",
                "see https://a.example/x?utm_medium=mail&PHPSESSID=q1 for  more",
            ),
        ],
    )
    def test_noise_is_no_change(self, value: object, same: object) -> None:
        assert engine.content_hash([{"v": value}]) == engine.content_hash([{"v": same}])

    @pytest.mark.parametrize(
        ("value", "other"),
        [
            ("Phone A", "phone A"),
            ("199", 199),
            (1, True),
            (0, False),
            (None, ""),
            (["a", "b"], ["b", "a"]),
            ("https://shop.example/a?id=1", "https://shop.example/a?id=2"),
            ("https://news.example/story?sid=26", "https://news.example/story?sid=27"),
            ("https://shop.example/a#x", "https://shop.example/a#y"),
        ],
    )
    def test_content_is_a_change(self, value: object, other: object) -> None:
        assert engine.content_hash([{"v": value}]) != engine.content_hash([{"v": other}])

    def test_first_result_is_the_baseline(self) -> None:
        assert engine.has_changes("a", None) is False
        assert engine.has_changes("a", "a") is False
        assert engine.has_changes("a", "b") is True


class TestSignature:
    def test_members(self) -> None:
        signature = engine.structural_signature(
            [{"title": "A", "price": 1, "tags": ["x"]}, {"title": "B", "price": None, "tags": []}]
        )
        assert signature["item_count"] == 2
        assert signature["fields"] == {
            "price": {"types": ["null", "number"], "present": 1},
            "tags": {"types": ["array"], "present": 2, "length": [0, 1]},
            "title": {"types": ["string"], "present": 2},
        }

    def test_reordering_shows_only_in_the_signature(self) -> None:
        result = phones(1, 2)
        there, back = engine.structural_signature(result), engine.structural_signature(result[::-1])
        assert there["order_hash"] != back["order_hash"]
        assert there["fields"] == back["fields"]
        assert engine.content_hash(result) == engine.content_hash(result[::-1])

    @given(results)
    def test_matches_itself(self, result: list[Item]) -> None:
        assert engine.structural_match(result, result[::-1])


class TestDiff:
    @given(results, results)
    def test_each_item_has_exactly_one_fate(self, new: list[Item], old: list[Item]) -> None:
        found = engine.diff(new, old)
        assert len(found.added) + len(found.modified) + found.unchanged == len(new)
        assert len(found.removed) + len(found.modified) + found.unchanged == len(old)
        texts = lambda some: Counter(map(canonical, some))  # noqa: E731
        assert texts(found.new_items) == texts(new) - texts(old)
        assert texts(found.removed_items) == texts(old) - texts(new)
        assert all(one.fields for one in found.modified)

    @given(results, results)
    def test_is_empty_exactly_when_the_hash_is_equal(self, new: list[Item], old: list[Item]) -> None:
        assert engine.diff(new, old).is_empty is (engine.content_hash(new) == engine.content_hash(old))

    @given(results, results)
    def test_backwards_swaps_added_and_removed(self, new: list[Item], old: list[Item]) -> None:
        there, back = engine.diff(new, old), engine.diff(old, new)
        assert list(map(canonical, there.added)) == list(map(canonical, back.removed))
        assert there.unchanged == back.unchanged
        assert there.moved == back.moved
        assert len(there.modified) == len(back.modified)

    @given(results)
    def test_moving_is_no_change(self, result: list[Item]) -> None:
        assert engine.diff(result[::-1], result).is_empty

    def test_moved_counts_items_that_left_their_order(self) -> None:
        a, b, c, d = phones(1, 2, 3, 4)
        assert engine.diff([d, a, b, c], [a, b, c, d]).moved == 1
        assert engine.diff([a, b, c, d], [a, b, c, d]).moved == 0

    def test_a_key_pairs_two_states_of_one_item(self) -> None:
        found = engine.diff(phones(1, 5), phones(1, 2))
        assert found.key == ("url",)
        (one,) = found.modified
        assert [(change.name, change.before, change.after) for change in one.fields] == [("price", 2, 5)]
        assert len(found.new_items) == len(found.removed_items) == 1

    def test_without_a_key_a_changed_item_is_one_removed_and_one_new(self) -> None:
        found = engine.diff([{"text": "a"}, {"text": "c"}], [{"text": "a"}, {"text": "b"}])
        assert (found.added, found.removed, found.modified) == (({"text": "c"},), ({"text": "b"},), ())

    def test_a_repeated_value_is_no_key(self) -> None:
        new = [{"url": "/x", "n": 1}, {"url": "/x", "n": 2}]
        old = [{"url": "/x", "n": 3}, {"url": "/x", "n": 4}]
        assert engine.diff(new, old).key == ()

    @pytest.mark.parametrize(
        ("item", "key"),
        [
            ({"title": "t", "url": "/a", "sku": "1", "n": 1}, "sku"),
            ({"title": "t", "product_url": "/a", "n": 1}, "product_url"),
            ({"author_id": 7, "id": 1, "n": 1}, "id"),
            ({"image_url": "/a.png", "name": "t", "n": 1}, "name"),
            ({"productId": 3, "n": 1}, "productId"),
        ],
    )
    def test_ids_before_addresses_before_titles(self, item: Item, key: str) -> None:
        assert engine.diff([{**item, "n": 2}], [item]).key == (key,)

    def test_a_section_with_the_same_heading_and_level_is_modified(self) -> None:
        old = [
            {"heading": "Prices", "level": 2, "content": "10"},
            {"heading": "News", "level": 2, "content": "x"},
        ]
        new = [
            {"heading": "Prices", "level": 2, "content": "12"},
            {"heading": "Jobs", "level": 2, "content": "y"},
        ]
        found = engine.diff(new, old)
        assert [one.after["content"] for one in found.modified] == ["12"]
        assert [one["heading"] for one in found.added] == ["Jobs"]
        assert [one["heading"] for one in found.removed] == ["News"]


class TestSimilarity:
    @given(results, results)
    def test_is_symmetric_and_one_only_for_equal_content(self, new: list[Item], old: list[Item]) -> None:
        alike = engine.similarity(new, old)
        assert 0.0 <= alike <= 1.0
        assert alike == pytest.approx(engine.similarity(old, new), abs=1e-4)
        assert (alike == 1.0) is (engine.content_hash(new) == engine.content_hash(old))

    def test_grows_with_what_is_kept(self) -> None:
        base = phones(1, 2, 3, 4)
        one, two = engine.similarity(phones(9, 2, 3, 4), base), engine.similarity(phones(9, 8, 3, 4), base)
        assert 1.0 > one > two > engine.similarity([{"other": "x"}], base)

    def test_nothing_and_something_are_not_alike(self) -> None:
        assert engine.similarity([], []) == 1.0
        assert engine.similarity([], phones(1)) == 0.0


class TestCompare:
    def test_example_of_the_reference(self) -> None:
        found = engine.compare(phones(1, 2, 3, 4, 5, 6, 7), phones(1, 2, 3, 4, 5, 6))
        assert not found.content_hash_match
        assert found.structural_match
        assert found.semantic_similarity == pytest.approx(0.92, abs=0.01)
        assert found.item_count_diff == 1
        assert found.changes == ("1 item added",)
        assert found.structural_changes == ("1 item added",)

    def test_equal_results(self) -> None:
        found = engine.compare(phones(1, 2), phones(1, 2))
        assert (found.content_hash_match, found.structural_match, found.semantic_similarity) == (
            True,
            True,
            1.0,
        )
        assert (found.item_count_diff, found.changes, found.structural_changes) == (0, (), ())

    def test_texts_tell_from_the_second_job_to_the_first(self) -> None:
        found = engine.compare(phones(1), phones(2, 3))
        assert found.item_count_diff == -1
        assert found.changes == ("1 item removed", "1 item modified", 'price of "Phone A": 2 -> 1')
        assert found.structural_changes == ("1 item removed",)

    def test_structure(self) -> None:
        old = [{"title": "a", "price": 1, "tags": ["x"]}, {"title": "b", "price": 2, "tags": ["y"]}]
        new = [
            {"title": "a", "price": "1 EUR", "tags": ["x", "z"]},
            {"title": "b", "stock": True, "tags": ["y"]},
        ]
        found = engine.compare(new, old)
        assert not found.structural_match
        assert found.structural_changes == (
            "field price changed type: number -> string",
            "field price is now missing in some items (1 of 2 have it)",
            "field stock appeared",
            "field tags changed list length: 1 -> 1 to 2",
        )

    def test_moved_items_are_told_as_structure(self) -> None:
        result = phones(1, 2, 3)
        found = engine.compare(result[::-1], result)
        assert found.content_hash_match
        assert found.changes == ()
        assert found.structural_changes == ("2 items moved",)

    def test_long_lists_are_cut(self) -> None:
        found = engine.compare(phones(*range(100, 200)), phones(*range(100)))
        assert found.changes[-1] == "and 50 more"
        assert len(found.changes) == 52
