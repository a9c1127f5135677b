"""How the next page of a list is reached from a page: links that say so, and numbers in addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlencode, urlsplit

from lxml.html import HtmlElement

from meterhouse.extraction.engine.document import Document, absolute, classes_of, text_of
from meterhouse.extraction.engine.lexicon import fold
from meterhouse.extraction.engine.selectors import quotable, select, stable
from meterhouse.extraction.engine.words import words_of
from meterhouse.extraction.plan import Paging

LINKS_MAX = 4_000
LABEL_CHARS_MAX = 40
_NEXT_WORDS = frozenset(
    fold(word)
    for word in words_of(
        "next older more weiter nächste nachste suivant suivante suivants siguiente siguientes próxima"
        " proxima próximo proximo seguente successiva successivo avanti volgende neste nästa næste seuraava"
        " następna nastepna dalej další следующая следующий вперед далее наступна επόμενη επόμενο sonraki"
        " berikutnya selanjutnya 次 次へ 下一页 下一頁 下页 다음 ถัดไป következő următoarea"
    )
)
_NOT_NEXT = frozenset(
    fold(word)
    for word in words_of(
        "previous prev back article post story chapter read learn show about info news week month day year"
        " photo image slide video lesson question step"
    )
)
# What buttons say that make a list grow where it stands.
MORE_LABELS = (
    "load more",
    "show more",
    "view more",
    "see more",
    "more results",
    "mehr laden",
    "mehr anzeigen",
    "weitere anzeigen",
    "charger plus",
    "voir plus",
    "afficher plus",
    "cargar más",
    "ver más",
    "mostrar más",
    "carica altr",
    "mostra altr",
    "carregar mais",
    "ver mais",
    "meer laden",
    "toon meer",
    "vis flere",
    "last inn flere",
    "visa fler",
    "ladda fler",
    "näytä lisää",
    "pokaż więcej",
    "zobacz więcej",
    "načíst další",
    "показать ещё",
    "показать еще",
    "загрузить ещё",
    "показати ще",
    "περισσότερα",
    "daha fazla",
    "muat lebih",
    "xem thêm",
    "ดูเพิ่มเติม",
    "もっと見る",
    "さらに表示",
    "加载更多",
    "查看更多",
    "더보기",
    "더 보기",
    "عرض المزيد",
    "تحميل المزيد",
    "הצג עוד",
    "טען עוד",
)
# Attributes in which buttons keep the address of what they load.
_BUTTON_ATTRS = (
    "data-url",
    "data-href",
    "data-next",
    "data-next-url",
    "data-next-page",
    "data-next-page-url",
    "data-load-more",
    "data-load-more-url",
    "data-ajax-url",
    "data-page-url",
    "hx-get",
)
_ARROWS = frozenset({"›", "»", "→", "⟩", ">", ">>", "❯", "▶", "⯈", "次へ»"})
_WORD = re.compile(r"[^\W\d_]+")
_PAGERS = re.compile(r"pag|nav|next|more", re.I)
_PAGE_NAMES = frozenset(
    words_of("page p pg paged pagenum pageno page_number pagenumber seite pagina pag start")
)


def detect(document: Document) -> Paging | None:
    """How this page leads on, or `None`. Only what the page itself links to counts."""
    element = _next_link(document)
    if element is not None:
        return Paging("link", selector=_selector_of(element, document))
    return Paging("address") if _numbered(document) is not None else None


def next_address(document: Document, paging: Paging) -> str | None:
    """The address of the page after this one, or `None` at the end.

    The stored way is tried first; a pager that was rebuilt is found again by the rules that found it.
    """
    here = _normal(document.url)
    if paging.kind == "link" and paging.selector:
        for element in select(paging.selector, [document.root]):
            target = _target(element, document, here)
            named = 'rel~="next"' in paging.selector or _score(element, document, here) > 0
            if target is not None and named and not _disabled(element):
                return target
    if paging.kind == "address":
        return _numbered(document)
    element = _next_link(document)
    return _numbered(document) if element is None else _target(element, document, here)


def _next_link(document: Document) -> HtmlElement | None:
    """The link that says it leads to the next page; the machine's word counts before the reader's."""
    here = _normal(document.url)
    best: tuple[float, HtmlElement] | None = None
    for element in _links(document):
        declared = "next" in (element.get("rel") or "").lower().split()
        if declared and not _disabled(element) and _target(element, document, here) is not None:
            return element
        score = _score(element, document, here)
        if score > (best[0] if best is not None else 0.0):
            best = (score, element)
    return None if best is None else best[1]


def _links(document: Document) -> Iterator[HtmlElement]:
    count = 0
    for element in document.root.iter("a", "link", "button"):
        if _address_of(element):
            yield element
            count += 1
            if count >= LINKS_MAX:
                return


def _address_of(element: HtmlElement) -> str:
    """The address that a link or a button leads to; empty when it has none."""
    href = element.get("href") or ""
    if element.tag == "link" or (href and not href.startswith(("#", "javascript:"))):
        return href
    values = (element.get(name) or "" for name in _BUTTON_ATTRS)
    return next((value for value in values if value.startswith(("/", "?", "./", "http"))), "")


def growing(document: Document) -> Paging | None:
    """A button of a drawn page that makes its list grow, or `None`."""
    for element in document.root.iter("button", "a", "input", "div", "span"):
        button = element.tag in {"button", "a"} or element.get("role") == "button"
        href = element.get("href")
        if not button or (href and not href.startswith(("#", "javascript:"))) or element.get("disabled"):
            continue
        label = (text_of(element) or element.get("aria-label") or "").lower()
        if len(label) <= LABEL_CHARS_MAX and any(one in label for one in MORE_LABELS):
            return Paging("button")
    return None


def _target(element: HtmlElement, document: Document, here: str) -> str | None:
    """Where a link leads, if that is another page of the same host."""
    target = absolute(_address_of(element), document.base)
    if target is None or not target.startswith(("http://", "https://")):
        return None
    target = target.partition("#")[0]
    same_host = urlsplit(target).netloc == urlsplit(document.url).netloc
    return target if same_host and _normal(target) != here else None


def _score(element: HtmlElement, document: Document, here: str) -> float:
    """How surely a link leads to the next page: by its words or arrow, and by standing in a pager."""
    if element.tag == "link" or _disabled(element) or _target(element, document, here) is None:
        return 0.0
    labels = [text_of(element), element.get("aria-label") or "", element.get("title") or ""]
    said = max(map(_says_next, labels), default=0.0)
    named = 0.5 if any("next" in name.lower() for name in classes_of(element)) else 0.0
    if not said and not named:
        return 0.0
    around = [element, *list(element.iterancestors())[:3]]
    pager = any(
        _PAGERS.search(f"{one.get('class')} {one.get('id')} {one.get('aria-label')}") for one in around
    )
    score = said + named + 0.5 * pager + 0.4 * _counts_up(element, document) + 0.4 * (element.tag == "button")
    return score if score >= 0.9 else 0.0


def _says_next(label: str) -> float:
    label = " ".join(label.split())
    if not label or len(label) > LABEL_CHARS_MAX:
        return 0.0
    if label in _ARROWS:
        return 0.5
    if any(one in label.lower() for one in MORE_LABELS):
        return 0.6
    words = [fold(word) for word in _WORD.findall(label)]
    if not words or len(words) > 4 or any(word in _NOT_NEXT for word in words):
        return 0.0
    if words[0] not in _NEXT_WORDS and words[-1] not in _NEXT_WORDS:
        return 0.0
    vague = {"more", "older", "weiter"} & {words[0], words[-1]}
    return (0.5 if vague else 0.9) + (0.1 if len(words) == 1 else 0.0)


def _counts_up(element: HtmlElement, document: Document) -> bool:
    target = absolute(_address_of(element), document.base)
    return target is not None and _difference(_normal(document.url), _normal(target)) is not None


def _disabled(element: HtmlElement) -> bool:
    names = [
        name.lower() for one in (element, element.getparent()) if one is not None for name in classes_of(one)
    ]
    return element.get("aria-disabled") == "true" or any(name.endswith("disabled") for name in names)


def _selector_of(element: HtmlElement, document: Document) -> str:
    """A selector by what names the link or the part of the page it stands in; empty when nothing does."""
    if "next" in (element.get("rel") or "").lower().split():
        return f'{element.tag}[rel~="next"]'
    tag = element.tag
    options = [f"{tag}.{name}" for name in classes_of(element) if stable(name)]
    for key in ("rel", "id", "data-testid"):
        value = element.get(key)
        if value and quotable(value) and not any(char.isdigit() for char in value):
            options.append(f'{tag}[{key}="{value}"]')
    for ancestor in list(element.iterancestors())[:3]:
        options += [
            f"{ancestor.tag}.{name} {tag}" for name in classes_of(ancestor) if stable(name) and "next" in name
        ]
    return next((one for one in options if select(one, [document.root])[:2] == [element]), "")


def _numbered(document: Document) -> str | None:
    """The linked address that is this page's but for one number, which is greater by one.

    Without a number in this page's address it is the first page: then the address with a 2 is looked for.
    """
    here = _normal(document.url)
    for element in _links(document):
        target = _target(element, document, here)
        if target is not None and element.tag == "a" and not _disabled(element):
            change = _difference(here, _normal(target))
            if change is not None and change[1] - change[0] == 1:
                return target
    return None


def _difference(here: str, there: str) -> tuple[int, int] | None:
    """The numbers in which two addresses differ, when a page number is all that they differ in."""
    a, b = urlsplit(here), urlsplit(there)
    if a.netloc != b.netloc:
        return None
    one, other = dict(parse_qsl(a.query)), dict(parse_qsl(b.query))
    if a.path == b.path:
        names = [name for name in {*one, *other} if one.get(name) != other.get(name)]
        if len(names) != 1 or names[0].lower() not in _PAGE_NAMES:
            return None
        return _pair(one.get(names[0]), other.get(names[0]))
    if a.query != b.query:
        return None
    before, after = a.path.rstrip("/").split("/"), b.path.rstrip("/").split("/")
    if len(before) == len(after):
        different = [at for at in range(len(before)) if before[at] != after[at]]
        return _pair(before[different[0]], after[different[0]]) if len(different) == 1 else None
    extra = after[len(before) :]
    if after[: len(before)] != before or not extra or len(extra) > 2:
        return None
    if len(extra) == 2 and extra[0].lower() not in _PAGE_NAMES:
        return None
    return _pair(None, extra[-1]) if len(extra) == 2 or not extra[0].isdigit() else None


def _pair(before: str | None, after: str | None) -> tuple[int, int] | None:
    numbers = [re.fullmatch(r"(\D{0,20}?)(\d{1,5})", text) if text else None for text in (before, after)]
    if numbers[1] is None or (before and numbers[0] is None):
        return None
    if numbers[0] is None:
        return 1, int(numbers[1].group(2))
    if numbers[0].group(1) != numbers[1].group(1):
        return None
    return int(numbers[0].group(2)), int(numbers[1].group(2))


def _normal(url: str) -> str:
    """An address without fragment, its query in one order."""
    split = urlsplit(url)
    query = urlencode(sorted(parse_qsl(split.query, keep_blank_values=True)))
    return split._replace(query=query, fragment="", path=split.path or "/").geturl()
