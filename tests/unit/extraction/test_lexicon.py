"""What words and values are taken for, in any language."""

from __future__ import annotations

import pytest

from meterhouse.extraction.engine.kinds import PATTERNS, find_kind, kinds_of
from meterhouse.extraction.engine.lexicon import ROLES, abbreviates, alike, role_of, tokens_of
from meterhouse.extraction.engine.request import understand


@pytest.mark.parametrize(
    ("words", "role"),
    [
        ("Jobtitel", "title"),
        ("Zubereitungszeit", "duration"),
        ("Odsłony", "views"),
        ("والرابط", "link"),
        ("שם המכרז", "title"),
        ("商品名", "title"),
        ("마감일", "deadline"),
        ("หัวข้อ", "title"),
        ("điện thoại", "phone"),
        ("названием", "title"),
        ("precio anterior", "old_price"),
        ("reviewer", "author"),
        ("phone titles", "title"),
        ("blood pressure", None),
        ("popular repo", None),
    ],
)
def test_roles(words: str, role: str | None) -> None:
    found = role_of(tokens_of(words))
    assert (found.name if found else None) == role


@pytest.mark.parametrize(
    ("request_text", "names"),
    [
        ("جميع الأخبار: العنوان والرابط والتاريخ", ["العنوان", "الرابط", "التاريخ"]),
        ("מכרזים: מספר, שם וקישור", ["מספר", "שם", "קישור"]),
        ("Все объявления с названием, ценой и ссылкой", ["названием", "ценой", "ссылкой"]),
        ("商品一覧：商品名、価格、リンクを取得", ["商品名", "価格", "リンク"]),
        ("topics: title, who started them and replies", ["title", "who_started_them", "replies"]),
    ],
)
def test_requests(request_text: str, names: list[str]) -> None:
    assert [one.name for one in understand(request_text).fields] == names


def test_words_that_are_alike_and_words_that_are_not() -> None:
    assert all(alike(*pair) for pair in [("price", "prices"), ("ссылка", "ссылкои"), ("last", "latest")])
    assert not any(
        alike(*pair) for pair in [("reviewer", "reviewed"), ("repo", "reponse"), ("sale", "salon")]
    )
    assert all(abbreviates(*pair) for pair in [("pts", "points"), ("w", "won"), ("bds", "beds")])
    assert not any(abbreviates(*pair) for pair in [("pts", "apartments"), ("won", "won"), ("12", "123")])


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("Fr, 05.04.2024", "date"),
        ("10 มี.ค. 2567", "date"),
        ("12 مايو 2024", "date"),
        ("Thu 1 Jul", "date"),
        ("11. Mai 2024, 6:30 Uhr", "date"),
        ("1,200円(税込)", "money"),
        ("2.900 € – 3.400 €", "money"),
        ("120 €/month", "money"),
        ("19:30 Uhr", "time"),
        ("3 h 20 min", "duration"),
        ("24:22", "score"),
        ("v3.6.0", "version"),
        ("Anna Berg, Tomás Ruiz and Ines Koch", "person"),
        ("+47 55 58 20 00", "phone"),
        ("a.b@c.example", "email"),
        ("LH 400", "code"),
    ],
)
def test_kinds(value: str, kind: str) -> None:
    assert kind in kinds_of(value)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("6.38 €/m²", "money"),
        ("12 Marble", "date"),
        ("1 February 2024 · 30 min", "date"),
        ("In Stock", "code"),
    ],
)
def test_what_a_value_is_not(value: str, kind: str) -> None:
    assert kind not in kinds_of(value)


def test_parts_of_texts() -> None:
    assert find_kind("date", "Posted on Mon, 5 May 2024 by Ann") == "Mon, 5 May 2024"
    assert find_kind("time", "from €12.50 or 19:30") == "19:30"
    assert find_kind("duration", "on 2 March in Dept. PTA") is None
    assert find_kind("mark", "4.7 out of 5 stars") == "4.7"


def test_the_vocabulary_is_in_order() -> None:
    assert len({role.name for role in ROLES}) == len(ROLES)
    known = {*PATTERNS, "text", "long", "counted", "url", "code", "year", "score", "person"}
    assert {kind for role in ROLES for kind in role.kinds} <= known
