"""What is found on sitemaps and pages, and what hostile ones come to."""

from __future__ import annotations

import gzip
import re
import time
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterhouse.discovery import engine
from meterhouse.discovery.globs import Glob
from meterhouse.discovery.model import Method, PageToRead, Search
from meterhouse.kernel.errors import Invalid

ROOT = "https://shop.example/sitemap.xml"
SITEMAP = Search(Method.SITEMAP, ROOT)
LIST = Search(Method.PAGINATION, "https://shop.example/list?page={n}")
LINKS = Search(Method.LINK_PATTERN, "https://shop.example/", pattern="/products/*")
PAGE = PageToRead(ROOT, 0, 0)


def sitemap(*locs: str, root: str = "urlset", entry: str = "url") -> bytes:
    rows = "".join(f"<{entry}><loc>{loc}</loc><lastmod>2030-01-01</lastmod></{entry}>" for loc in locs)
    return f'<?xml version="1.0"?><{root} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{rows}</{root}>'.encode()


class TestSitemaps:
    def test_addresses_are_absolute_and_each_once(self) -> None:
        raw = sitemap(
            " https://shop.example/a?x=1&amp;y=2 ",
            "/b",
            "https://SHOP.example/b#top",
            "mailto:a@b.example",
            "javascript:x",
        )
        found = engine.read_sitemap(SITEMAP, PAGE, raw)
        assert found.urls == ["https://shop.example/a?x=1&y=2", "https://shop.example/b"]
        assert (found.pages, found.error) == ((), None)

    def test_an_index_leads_to_sitemaps(self) -> None:
        raw = sitemap("https://shop.example/1.xml", "/2.xml.gz", root="sitemapindex", entry="sitemap")
        found = engine.read_sitemap(SITEMAP, PAGE, raw)
        assert found.pages == ["https://shop.example/1.xml", "https://shop.example/2.xml.gz"]
        with pytest.raises(engine.NotReadable, match="levels deep"):
            engine.read_sitemap(SITEMAP, replace(PAGE, depth=3), raw)

    @pytest.mark.parametrize(
        "raw",
        [
            gzip.compress(sitemap("/a", "/b")),
            gzip.compress(sitemap("/a", "/b")[:40]) + gzip.compress(sitemap("/a", "/b")[40:]),
            b"\xef\xbb\xbf" + sitemap("/a", "/b"),
            sitemap("/a", "/b").decode().replace("1.0", "1.0", 1).encode("utf-16"),
            b"https://shop.example/a\r\nhttps://shop.example/b\nnot an address\n",
            b'<urlset xmlns:i="urn:i"><url><loc>/a</loc><i:image><i:loc>/a.png</i:loc></i:image></url>'
            b"<url><loc>/b</loc></url></urlset>",
        ],
    )
    def test_every_documented_form(self, raw: bytes) -> None:
        found = engine.read_sitemap(SITEMAP, PAGE, raw)
        assert found.urls == ["https://shop.example/a", "https://shop.example/b"]

    def test_only_what_matches_is_found(self) -> None:
        found = engine.read_sitemap(replace(SITEMAP, pattern="*/p/*"), PAGE, sitemap("/p/1", "/q/1"))
        assert found.urls == ["https://shop.example/p/1"]

    def test_what_came_before_a_fault_counts(self) -> None:
        found = engine.read_sitemap(SITEMAP, PAGE, sitemap("/a", "/b")[:-70])
        assert found.urls == ["https://shop.example/a"]
        assert "is not well-formed XML" in (found.error or "")

    @pytest.mark.parametrize(
        ("raw", "reason"),
        [
            (b"", "neither XML nor"),
            (b"hello", "neither XML nor"),
            (b"<!doctype html><html><body>Not found</body></html>", "an HTML page"),
            (b"<html><body>Not found</body></html>", "its root is <html>"),
            (b"<feed/>", "its root is <feed>"),
            (b"<urlset", "not well-formed"),
            (b"\x1f\x8b\x08\x00junk", "damaged|too early"),
            (gzip.compress(sitemap("/a"))[:-9], "ends too early"),
        ],
    )
    def test_what_is_no_sitemap_says_so(self, raw: bytes, reason: str) -> None:
        with pytest.raises(engine.NotReadable, match=reason):
            engine.read_sitemap(SITEMAP, PAGE, raw)


def entity_bomb(levels: int = 9) -> str:
    defined = "".join(f'<!ENTITY e{at + 1} "{f"&e{at};" * 10}">' for at in range(levels))
    return f'<!DOCTYPE urlset [<!ENTITY e0 "https://shop.example/aaaaaaaaaa">{defined}]>'


class TestHostileSitemaps:
    @pytest.mark.parametrize("hidden", ["", f"<!--{'x' * 6000}-->"])
    @pytest.mark.parametrize("use", ["<url><loc>&e9;</loc></url>", '<url a="&e9;"><loc>/a</loc></url>'])
    def test_entities_do_not_grow(self, hidden: str, use: str) -> None:
        raw = f"<?xml version='1.0'?>{hidden}{entity_bomb()}<urlset>{use}</urlset>".encode()
        started = time.process_time()
        try:
            found = engine.read_sitemap(SITEMAP, PAGE, raw)
        except engine.NotReadable:
            pass
        else:
            assert sum(map(len, found.urls)) < 1_000
        assert time.process_time() - started < 1

    def test_files_of_this_machine_are_not_read(self, tmp_path: Path) -> None:
        secret = tmp_path / "secret"
        secret.write_text("https://shop.example/secret")
        entity = f"<!DOCTYPE a [<!ENTITY f SYSTEM '{secret.as_uri()}'>]>"
        raw = f"<!--{'x' * 6000}-->{entity}<urlset><url><loc>/a&f;</loc></url></urlset>"
        found = engine.read_sitemap(SITEMAP, PAGE, raw.encode())
        assert not any("secret" in url for url in found.urls)

    def test_a_small_file_does_not_become_a_large_one(self) -> None:
        packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
        bomb = b"".join(packer.compress(b" " * 1_000_000) for _ in range(60)) + packer.flush()
        with pytest.raises(engine.NotReadable, match="larger than 50 MB"):
            engine.read_sitemap(SITEMAP, PAGE, bomb)
        with pytest.raises(engine.NotReadable, match="compressed parts"):
            engine.read_sitemap(SITEMAP, PAGE, gzip.compress(b"") * 200)

    def test_depth_and_number_are_bounded(self) -> None:
        deep = b"<urlset>" + b"<url>" * 100_000
        with pytest.raises(engine.NotReadable, match="not well-formed"):
            engine.read_sitemap(SITEMAP, PAGE, deep)
        many = engine.read_sitemap(SITEMAP, PAGE, sitemap(*(f"/{at}" for at in range(50_010))))
        assert len(many.urls) == engine.SITEMAP_ENTRIES_MAX
        long = engine.read_sitemap(SITEMAP, PAGE, sitemap("/" + "x" * 9_000, "/a"))
        assert long.urls == ["https://shop.example/a"]


class TestLists:
    def page(self, number: int) -> PageToRead:
        return PageToRead(engine.numbered(LIST, number), 0, number)

    def test_pages_follow_each_other(self) -> None:
        found = engine.read_numbered(LIST, self.page(0), self.page(0).url, "<a href='/p/1'>1</a>")
        assert (found.urls, found.pages) == ([self.page(0).url], ["https://shop.example/list?page=2"])
        last = engine.read_numbered(
            replace(LIST, max_pages=1), self.page(0), self.page(0).url, "<a href='/p/1'>1</a>"
        )
        assert (last.pages, last.is_end) == ([], True)
        stepped = replace(LIST, start_index=0, step=20)
        assert [engine.numbered(stepped, at)[-3:] for at in (0, 1, 2)] == ["e=0", "=20", "=40"]

    def test_links_that_match_are_found(self) -> None:
        text = (
            "<a href='/p/1'>1</a><a href='p/2#x'>2</a><a href='/about'>a</a><area href='//other.example/p/3'>"
        )
        found = engine.read_numbered(replace(LIST, pattern="*/p/*"), self.page(0), self.page(0).url, text)
        assert found.urls == [
            "https://shop.example/p/1",
            "https://shop.example/p/2",
            "https://other.example/p/3",
        ]

    def test_a_page_is_told_by_where_it_leads_and_not_by_its_pager(self) -> None:
        def mark(number: int, items: str) -> bytes | None:
            pager = f"<a href='/list?page={number}'>back</a><a href='/list?page={number + 2}'>on</a>"
            return engine.read_numbered(LIST, self.page(number), self.page(number).url, items + pager).mark

        assert mark(5, "<a href='/p/1'>1</a>") == mark(6, "<a href='/p/1'>1</a>")
        assert mark(5, "<a href='/p/1'>1</a>") != mark(6, "<a href='/p/2'>2</a>")
        assert mark(5, "nothing to click") != mark(6, "nothing to click, again")


class TestLinks:
    TEXT = (
        "<base href='/shop/'><a href='/products/1'>1</a><a href='/products/1?utm=1'>1</a>"
        "<a href='c/phones'>c</a>"
        "<a href='https://other.example/c'>o</a><a>no</a><a href=' '>blank</a><a href='http://[bad'>bad</a>"
    )

    def read(self, search: Search, depth: int = 0) -> tuple[list[str], list[str]]:
        found = engine.read_links(search, PageToRead(search.root_url, depth, 0), search.root_url, self.TEXT)
        return list(found.urls), list(found.pages)

    def test_without_navigation_the_same_host_is_followed(self) -> None:
        urls, pages = self.read(LINKS)
        assert urls == ["https://shop.example/products/1", "https://shop.example/products/1?utm=1"]
        assert pages == ["https://shop.example/shop/c/phones", "https://shop.example/shop/"]

    def test_with_navigation_only_what_matches(self) -> None:
        assert self.read(replace(LINKS, navigation="*/c"))[1] == ["https://other.example/c"]

    def test_the_last_pages_are_not_left(self) -> None:
        assert self.read(LINKS, depth=1) == (self.read(LINKS)[0], [])
        assert self.read(replace(LINKS, max_depth=1))[1] == []

    @pytest.mark.parametrize(
        "text", ["", " ", "<", "\0", "<?xml version='1.0' encoding='utf-8'?><a href='/x'>x</a>", b"\xff\xfe"]
    )
    def test_no_page_is_too_broken(self, text: str | bytes) -> None:
        assert engine.links_of("https://shop.example/", text) in ([], ["https://shop.example/x"])


class TestGlobs:
    @pytest.mark.parametrize(
        ("pattern", "matching", "other"),
        [
            ("/products/*", "https://a.example/products/1?x=2", "https://a.example/en/products/1"),
            ("*/products/*", "https://a.example/en/products/1", "https://a.example/products"),
            ("products/*", "https://a.example/en/products/1", "https://a.example/myproducts/1"),
            ("https://a.example/*", "https://a.example/x", "https://b.example/x"),
            ("/p/?", "https://a.example/p/1", "https://a.example/p/12"),
            ("*.html", "https://a.example/x.html?from=y", "https://a.example/xhtml"),
            ("/list?page=*", "https://a.example/list?page=2", "https://a.example/list"),
            ("/a+b(c)[d]", "https://a.example/a+b(c)[d]", "https://a.example/aab(c)d"),
        ],
    )
    def test_examples(self, pattern: str, matching: str, other: str) -> None:
        assert Glob.parse(pattern, name="p").matches(matching)
        assert not Glob.parse(pattern, name="p").matches(other)

    def test_no_pattern_explodes(self) -> None:
        started = time.process_time()
        assert not Glob("*a" * 300 + "*b").matches("https://a.example/" + "a" * 7_000)
        assert time.process_time() - started < 1

    @given(
        st.lists(st.sampled_from(["a", "b", "/", "*", "?", ".", "*a"]), max_size=8),
        st.text("ab/.", max_size=12),
    )
    def test_a_glob_is_what_it_says(self, parts: list[str], path: str) -> None:
        pattern = "/" + "".join(parts)
        slow = "".join(".*" if char == "*" else "." if char == "?" else re.escape(char) for char in pattern)
        url = f"https://x.example/{path}"
        assert Glob(pattern).matches(url) == bool(re.fullmatch(slow, f"/{path}") or re.fullmatch(slow, url))


@pytest.mark.parametrize(
    ("search", "field"),
    [
        (replace(LIST, root_url="https://shop.example/list"), "url_template"),
        (replace(LIST, root_url="https://shop.example/{n}/{n}"), "url_template"),
        (replace(LIST, step=0), "step"),
        (replace(LIST, start_index=-1), "start_index"),
        (replace(LIST, pattern=" "), "url_pattern"),
        (replace(LINKS, pattern="x" * 1_001), "link_pattern"),
        (replace(LINKS, navigation=""), "navigation_pattern"),
    ],
)
def test_refusals_name_their_field(search: Search, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        engine.check_search(search)
    assert refused.value.issues[0].path == (field,)
