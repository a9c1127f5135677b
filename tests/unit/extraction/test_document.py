from __future__ import annotations

import pytest

from meterhouse.extraction.engine import document as documents
from meterhouse.extraction.engine.document import absolute, parse, text_of
from meterhouse.extraction.model import ExtractionFailed, Page


def text(html: str | bytes) -> str:
    return text_of(parse(Page("https://a.example/", html)).root.find("body"))


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>Größe</p>".encode(), "Größe"),
        ("\ufeff<p>Größe</p>".encode(), "Größe"),
        ("<p>Größe</p>".encode("utf-16"), "Größe"),
        ("<meta charset=iso-8859-2><p>Łódź</p>".encode("iso-8859-2"), "Łódź"),
        ("<p>Größe</p>".encode("windows-1252"), "Größe"),
        ("<meta charset=no-such-thing><p>Größe</p>".encode("windows-1252"), "Größe"),
        ("<meta charset=iso-8859-1><p>Łódź</p>", "Łódź"),
    ],
)
def test_charsets(html: str | bytes, expected: str) -> None:
    assert text(html) == expected


@pytest.mark.parametrize(
    ("html", "reason"),
    [
        ("", "empty"),
        ("   \n", "empty"),
        (b"\x00\x01" * 4_000, "unreadable"),
        ("<div>" * 10_000, "too_large"),
        (b"a" * (documents.PAGE_BYTES_MAX + 1), "too_large"),
    ],
)
def test_unusable_pages_have_a_typed_reason(html: str | bytes, reason: str) -> None:
    with pytest.raises(ExtractionFailed) as failure:
        parse(Page("https://a.example/", html))
    assert failure.value.reason == reason
    assert failure.value.evidence


def test_too_many_elements(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "NODES_MAX", 100)
    with pytest.raises(ExtractionFailed) as failure:
        parse(Page("https://a.example/", "<a href=x>y</a>" * 200))
    assert failure.value.reason == "too_large"


def test_hidden_parts_are_no_text() -> None:
    assert text("<p>seen <script>var a</script><style>b</style><noscript>c</noscript>too</p>") == "seen too"


def test_blocks_are_parted_and_inline_parts_are_not() -> None:
    assert text("<div><div>one</div><div>t<b>w</b>o</div></div>") == "one two"


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("/a", "https://a.example/a"),
        ("?q=1", "https://a.example/x?q=1"),
        ("//b.example/", "https://b.example/"),
        ("javascript:void(0)", None),
        ("data:text/plain,x", None),
        ("#", None),
        ("", None),
        ("http://[broken", None),
    ],
)
def test_links(link: str, expected: str | None) -> None:
    assert absolute(link, "https://a.example/x") == expected


def test_base_element_counts() -> None:
    page = parse(Page("https://a.example/x/", '<base href="/deep/"><a href="y">z</a>'))
    assert page.base == "https://a.example/deep/"
