"""What is on a page of a sitemap or a site: addresses, and pages to read next. Pure."""

from __future__ import annotations

import hashlib
import io
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import urljoin, urlsplit

from lxml import etree, html

from meterhouse.discovery.globs import Glob
from meterhouse.discovery.model import Method, PageToRead, Reading, Search
from meterhouse.kernel.errors import Invalid, Issue

URL_LENGTH_MAX = 8_000
SITEMAP_BYTES_MAX = 50_000_000
SITEMAP_ENTRIES_MAX = 50_000
SITEMAP_DEPTH_MAX = 3
LINKS_MAX = 20_000
_MEMBERS_MAX = 100
_GZIP = b"\x1f\x8b"
_PLACE = "{n}"


class NotReadable(Exception):
    """A page does not hold what it should; the text is a clause about it."""


def check_search(search: Search) -> Search:
    """A search that can be made. Raises `Invalid` naming the field."""
    if search.method is Method.PAGINATION:
        if search.root_url.count(_PLACE) != 1:
            raise _refused("url_template", "must contain {n}, once, where the page's number belongs")
        if search.step < 1 or search.start_index < 0:
            raise _refused("step" if search.step < 1 else "start_index", "must be a positive number")
    names = {Method.LINK_PATTERN: "link_pattern"}
    for text, name in (
        (search.pattern, names.get(search.method, "url_pattern")),
        (search.navigation, "navigation_pattern"),
    ):
        if text is not None:
            Glob.parse(text, name=name)
    return search


def first_page(search: Search) -> str:
    """Where reading begins."""
    if search.method is Method.PAGINATION:
        return numbered(search, 0)
    return search.root_url


def numbered(search: Search, count: int) -> str:
    """The page after `count` others."""
    return search.root_url.replace(_PLACE, str(search.start_index + count * search.step))


def read_sitemap(search: Search, page: PageToRead, body: bytes) -> Reading:
    """The addresses of a sitemap, or the sitemaps of an index. Raises `NotReadable`."""
    raw = _unpacked(body) if body.startswith(_GZIP) else body
    kind, found, fault = _entries(raw)
    urls = _absolute(found, page.url)
    error = f"{page.url} {fault}." if fault else None
    if kind == "sitemapindex":
        if page.depth >= SITEMAP_DEPTH_MAX:
            raise NotReadable(f"is an index more than {SITEMAP_DEPTH_MAX} levels deep")
        return Reading(pages=urls, error=error, bytes=len(raw))
    return Reading(urls=_matching(search.pattern, urls), error=error, bytes=len(raw))


def read_numbered(search: Search, page: PageToRead, url: str, text: str | bytes) -> Reading:
    """A page of a numbered list. `url` is where it was finally found."""
    links = links_of(url, text)
    template = re.compile(re.escape(search.root_url).replace(re.escape(_PLACE), r"\d+"))
    telling = sorted(link for link in links if not template.fullmatch(link))
    raw = text.encode("utf-8", "replace") if isinstance(text, str) else text
    mark = hashlib.sha256("\n".join(telling).encode("utf-8", "replace") if telling else raw).digest()
    is_last = page.number + 1 >= search.max_pages
    found = [page.url] if search.pattern is None else _matching(search.pattern, links)
    following = [] if is_last else [numbered(search, page.number + 1)]
    return Reading(urls=found, pages=following, mark=mark, is_end=is_last)


def read_links(search: Search, page: PageToRead, url: str, text: str | bytes) -> Reading:
    """The links of a page that are looked for, and those to follow."""
    links = links_of(url, text)
    assert search.pattern is not None, "a search for links has a pattern"
    wanted = Glob(search.pattern)
    found = [link for link in links if wanted.matches(link)]
    if page.depth + 1 >= search.max_depth:
        return Reading(urls=found)
    if search.navigation is not None:
        return Reading(urls=found, pages=_matching(search.navigation, links))
    host, known = urlsplit(search.root_url).netloc.lower(), set(found)
    return Reading(
        urls=found,
        pages=[link for link in links if urlsplit(link).netloc == host and link not in known],
    )


def links_of(url: str, text: str | bytes) -> list[str]:
    """The addresses that a page links to, in order, each once."""
    parser = html.HTMLParser(encoding=None, no_network=True, huge_tree=False)
    try:
        root = html.document_fromstring(text, parser=parser)
    except (etree.ParserError, ValueError):
        # Empty, or text that declares an encoding.
        if isinstance(text, str) and text.strip():
            return links_of(url, text.encode("utf-8", "replace"))
        return []
    base = next((urljoin(url, one.get("href").strip()) for one in root.iter("base") if one.get("href")), url)
    hrefs = (one.get("href") for one in root.iter("a", "area") if one.get("href"))
    return _absolute(hrefs, base, most=LINKS_MAX)


def key_of(url: str) -> bytes:
    """What tells addresses apart where their length has no bound."""
    return hashlib.sha256(url.encode("utf-8", "replace")).digest()


def _absolute(addresses: Iterable[str], base: str, *, most: int = SITEMAP_ENTRIES_MAX) -> list[str]:
    """Addresses of the web, absolute, without fragments, each once."""
    found: dict[str, None] = {}
    for address in addresses:
        try:
            parts = urlsplit(urljoin(base, address.strip()))
            usable = parts.scheme in ("http", "https") and bool(parts.hostname)
            parts = parts._replace(netloc=parts.netloc.lower(), fragment="", path=parts.path or "/")
        except ValueError:
            continue
        url = parts.geturl()
        if usable and len(url) <= URL_LENGTH_MAX and not any(ord(char) <= 32 for char in url):
            found[url] = None
            if len(found) >= most:
                break
    return list(found)


def _matching(pattern: str | None, urls: Sequence[str]) -> list[str]:
    wanted = None if pattern is None else Glob(pattern)
    return [url for url in urls if wanted is None or wanted.matches(url)]


def _unpacked(body: bytes) -> bytes:
    """A gzip file, of one or several members, as far as the bound on sitemaps goes."""
    pieces, size = [], 0
    for _ in range(_MEMBERS_MAX):
        stream = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            piece = stream.decompress(body, SITEMAP_BYTES_MAX - size + 1)
        except zlib.error:
            raise NotReadable("is compressed, and damaged") from None
        pieces.append(piece)
        size += len(piece)
        if size > SITEMAP_BYTES_MAX:
            raise NotReadable(f"is larger than {SITEMAP_BYTES_MAX // 1_000_000} MB when decompressed")
        if not stream.eof:
            raise NotReadable("is compressed, and ends too early")
        body = stream.unused_data
        if not body.startswith(_GZIP):
            return b"".join(pieces)
    raise NotReadable(f"consists of more than {_MEMBERS_MAX} compressed parts")


def _entries(raw: bytes) -> tuple[str, list[str], str]:
    """What kind of sitemap this is, its entries, and what is wrong with the rest of it."""
    start = raw.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith((b"http://", b"https://")):
        lines = start.decode("utf-8", "replace").splitlines()
        return "urlset", lines[:SITEMAP_ENTRIES_MAX], ""
    if not start.startswith((b"<", b"\xff\xfe", b"\xfe\xff")):
        raise NotReadable("is not a sitemap: it holds neither XML nor a list of addresses")
    if re.search(rb"<!(?:DOCTYPE|ENTITY)", start[:4096].replace(b"\0", b""), re.IGNORECASE):
        kind = (
            "an HTML page" if re.search(rb"<!doctype\s+html", start[:4096], re.IGNORECASE) else "no sitemap"
        )
        raise NotReadable(f"is {kind}: it declares a document type, which sitemaps do not have")
    return _xml_entries(raw)


def _xml_entries(raw: bytes) -> tuple[str, list[str], str]:
    kind, fault = "", ""
    found: list[str] = []
    try:
        for name, text in _elements(raw):
            if not kind:
                kind = name
                if kind not in ("urlset", "sitemapindex"):
                    raise NotReadable(f"is not a sitemap: its root is <{kind[:50]}>")
            elif name == "loc" and text:
                found.append(text)
                if len(found) >= SITEMAP_ENTRIES_MAX:
                    break
    except etree.XMLSyntaxError as error:
        fault = f"is not well-formed XML ({error.msg})"
        if not found:
            raise NotReadable(fault) from None
    if not kind:
        raise NotReadable("is empty")
    return kind, found, fault


def _elements(raw: bytes) -> Iterator[tuple[str, str]]:
    """The root by name, then every complete `loc` with its text; nothing is kept of what was passed."""
    walk = etree.iterparse(
        io.BytesIO(raw),
        events=("start", "end"),
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
    )
    root = None
    for event, element in walk:
        name = etree.QName(element).localname if isinstance(element.tag, str) else ""
        if root is None:
            root = element
            yield name, ""
        elif event == "end" and name == "loc":
            # `image:loc` and `video:…` of the extensions lie in namespaces of their own.
            parent = element.getparent()
            if parent is not None and etree.QName(parent).localname in ("url", "sitemap"):
                yield name, "".join(element.itertext())
        elif event == "end" and name in ("url", "sitemap"):
            root.clear()


def _refused(field: str, message: str) -> Invalid:
    return Invalid(f"{field} {message}.", issues=(Issue((field,), message),))
