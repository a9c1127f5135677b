"""What kind of value a piece of text is: money, date, time, number … judged by its form in any language."""

from __future__ import annotations

import re
from functools import lru_cache

_CURRENCY = (
    r"(?:[$€£¥₹₽₺₩₪¢฿₫₴₦₱]|(?<![^\W\d_])(?:USD|EUR|GBP|CHF|SEK|NOK|DKK|PLN|CZK|HUF|RON|RUB|INR|JPY|CNY|CAD|AUD|BRL|TRY|IDR)\b"
    r"|R\$|(?<![^\W\d_])(?:kr\b\.?|zł|Kč|Ft\b|lei\b|руб\.?|р\.|Rs\.?|Rp\.?|TL\b|грн)|円|元)"
)
_AMOUNT = r"\d[\d\s.,'’]*"
_MONTH = (
    r"(?:(?<![^\W\d_])(?:jan|feb|mar|m[äa]r|apr|avr|abr|ma[iyj]|mag|jun|jui|giu|jul|lug|aug|ago|ao[uû]|sep|set|okt|oct|ott"
    r"|out|nov|de[csz]|dic|gen|ene|янв|фев|мар|апр|ма[йя]|июн|июл|авг|сен|окт|ноя|дек|Ιαν|Φεβ|Μαρ|Απρ|Μα[ΐι]"
    r"|Ιουν|Ιουλ|Αυγ|Σεπ|Οκτ|Νοε|Δεκ|sty|lut|kwi|cze|lip|sie|wrz|paź|lis|gru|oca|şub|nis|haz|tem|ağu|eyl|eki|kas|ara"
    r"|peb|mei|agu|tammi|helmi|maalis|huhti|touko|kesä|heinä|elo|syys|loka|marras|joulu|fév|janv|juil|déc)[^\W\d_]*\.?)"
)
_TIME = r"\d{1,2}[:.h]\d{2}(?::\d{2})?\s*(?:[ap]\.?\s?m\.?)?|\d{1,2}\s*[ap]\.?m\.?"
_DATES = (
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:[T ]\d{1,2}:\d{2}[^\s|]*)?"
    r"|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})(?!\d)(?:,?\s+\d{1,2}[:.]\d{2}(?!\d))?"
    r"|\d{4}\s*[年년]\s*\d{1,2}\s*[月월]\s*\d{1,2}\s*[日일]"
    rf"|(?:[^\W\d_]{{2,10}}\.?,?\s+)?\d{{1,2}}(?:\.|st|nd|rd|th|er|º)?(?:\s+de)?\s+{_MONTH}(?:\s+de)?,?\s+\d{{4}}"
    rf"|(?:[^\W\d_]{{2,10}}\.?,?\s+)?{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+\d{{4}}"
)
_RELATIVE = (
    r"\bago\b|\bgeleden\b|\bil y a\b|\bvor \d|\bhace \d|\byang lalu\b|\bsiden\b|\bsedan\b|назад|前$|\bfa$"
    r"|\bsitten\b|\btemu\b|\bönce\b|πριν|^(?:yesterday|today|gestern|heute|hier|ayer|hoy|вчера|сегодня|gisteren|vandaag)\b"
)
_UNIT_TIME = r"(?:min(?:ut\w*|s)?|мин\w*|dk|dakika|h(?:ours?|rs?)?|std|stunden?|sec\w*|s|m|分|분|λεπτά)"
_DURATION = rf"(?:PT\w+|\d+\s?h(?:\s?\d+\s?m?)?|\d+\s*{_UNIT_TIME}(?:\s*\d+\s*{_UNIT_TIME})*)"

PATTERNS: dict[str, str] = {
    "money": rf"(?:{_CURRENCY}\s*{_AMOUNT}|{_AMOUNT}\s*{_CURRENCY})(?:-|,-)?",
    "date": _DATES,
    "time": _TIME,
    "duration": _DURATION,
    "number": r"[-+−]?\d[\d.,'’]*(?:\s\d{3})*",
    "area": r"\d[\d.,]*\s*(?:m²|m2|sq\.?\s?ft|ft²|qm|ha)\b",
}
_FULL = {
    "money": re.compile(rf"(?:[^\W\d_]{{0,12}}[:.]?\s*){PATTERNS['money']}\*?", re.I),
    "date": re.compile(rf"(?:{_DATES}).{{0,18}}|{_MONTH}\s+(?:19|20)\d{{2}}", re.I),
    "time": re.compile(rf"(?:{_TIME})(?:\s*[-–—]\s*(?:{_TIME}))?\s*(?:[A-Z]{{2,4}}|Uhr|uur)?", re.I),
    "duration": re.compile(rf"\(?{_DURATION}\)?\.?", re.I),
    "number": re.compile(r"[#(]?\s?[-+−]?\d[\d\s.,'’]*\)?(?:\s?%|[KkM])?"),
    "area": re.compile(PATTERNS["area"], re.I),
    "code": re.compile(r"(?=[^\s]*\d)[A-Za-z0-9][\w./-]{1,24}"),
    "year": re.compile(r"(?:19|20)\d{2}"),
}
_COUNTED = re.compile(r"\(?\d[\d\s.,'’]*\)?\s?[^\W\d_]{1,16}\.?|[^\W\d_]{1,16}[:]?\s?\(?\d[\d\s.,'’]*\)?")
_RELATIVE_RE = re.compile(_RELATIVE, re.I)
SEARCH = {name: re.compile(pattern, re.I) for name, pattern in PATTERNS.items()}


def pattern_of(regex: str) -> str:
    """The expression itself, or the one that a name in braces such as `{money}` stands for."""
    known = PATTERNS.get(regex[1:-1]) if regex[:1] == "{" else None
    return f"({known})" if known else regex


@lru_cache(maxsize=50_000)
def kinds_of(value: str) -> frozenset[str]:
    """All kinds that the whole text can be read as; a long text is `long`, any other is `text`."""
    if len(value) > 80:
        return frozenset({"long", "text"})
    found = {name for name, pattern in _FULL.items() if pattern.fullmatch(value)}
    if _RELATIVE_RE.search(value) and len(value) < 45:
        found.add("date")
    if not found & {"number", "money", "date", "time"} and _COUNTED.fullmatch(value):
        found.add("counted")
    if value.startswith(("http://", "https://")):
        found.add("url")
    if not any(char.isdigit() for char in value) or len(value) > 25:
        found.add("text")
    return frozenset(found)


def find_kind(kind: str, value: str) -> str | None:
    """The first part of the text that has the form of `kind`."""
    match = SEARCH[kind].search(value[:400])
    return match.group(0).strip() if match else None
