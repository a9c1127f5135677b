"""What kind of value a piece of text is: money, date, time, number … judged by its form in any language."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache

from meterhouse.extraction import patterns
from meterhouse.extraction.engine.lexicon import DAYS, MONTHS
from meterhouse.extraction.engine.words import words_of

SEARCHED_CHARS_MAX = 400

_LETTER = r"[^\W\d_]"
_CURRENCY = (
    r"(?:R\$|[$€£¥₹₽₺₩₪¢฿₫₴₦₱₸₼₾]"
    r"|(?<![^\W\d_])(?:USD|EUR|GBP|CHF|SEK|NOK|DKK|ISK|PLN|CZK|HUF|RON|BGN|RSD|RUB|UAH|INR|JPY|CNY"
    r"|KRW|HKD|SGD|MYR|THB|VND|PHP|IDR|CAD|AUD|NZD|BRL|MXN|ARS|CLP|COP|ZAR|TRY|AED|SAR|EGP|ILS|KES|NGN)\b"
    r"|(?<![^\W\d_])(?:kr\b\.?|zł|Kč|Ft\b|lei\b|лв|руб\.?|р\.|Rs\.?|Rp\.?|RM\b|TL\b|грн|din\b|ден\b|บาท|đ\b)"
    r"|円|元|圓|원|ر\.س|د\.إ|ريال|درهم|دينار|جنيه|ש\"ח|تومان)"
)
_AMOUNT = r"\d[\d\s.,'’]*"
_SUM = rf"(?:{_CURRENCY}\s*{_AMOUNT}(?:\s?{_CURRENCY})?|{_AMOUNT}\s*{_CURRENCY})(?:-|,-)?"


def _either(words: Iterable[str]) -> str:
    """An expression for any of the words that looks at each letter once."""
    tree: dict[str, list[str]] = {}
    for word in words:
        tree.setdefault(word[:1], []).append(word[1:])
    ends = "" in tree
    parts = []
    for first, rests in sorted(tree.items()):
        if first:
            parts.append(re.escape(first) + (_either(dict.fromkeys(rests)) if rests != [""] else ""))
    if not parts:
        return ""
    return f"(?:{'|'.join(parts)}){'?' if ends else ''}"


_MONTH = rf"(?:(?<![^\W\d_]){_either(MONTHS)}(?![^\W\d_])\.?)"
_CLOCK = r"(?<![\d.,:€$£¥])(?<![€$£¥]\s)(?:[01]?\d|2[0-4])[:.h][0-5]\d(?::[0-5]\d)?(?![\d%€$]|\.\d)"
_TIME = (
    rf"(?:{_CLOCK}\s*(?:[ap]\.?\s?m\b\.?)?|(?<![\d.,])(?:1[0-2]|[1-9])\s*[ap]\.?m\b\.?"
    r"|(?<!\d)\d{1,2}[時시点點](?:\s?\d{1,2}[分분])?)"
)
_DATES = (
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:[T ]\d{1,2}:\d{2}[^\s|]*)?"
    r"|(?<![\d.,])\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})(?!\d)(?:,?\s+\d{1,2}[:.]\d{2}(?!\d))?"
    r"|\d{4}\s*[年년]\s*\d{1,2}\s*[月월]\s*\d{1,2}\s*[日일]"
    rf"|(?<!\d)\d{{1,2}}(?:\.|st|nd|rd|th|er|º|-?го)?(?:\s+de|\s+of)?[\s-]+{_MONTH}"
    r"(?:(?:\s+del?)?,?[\s-]+\d{4}(?!\d))?"
    rf"|{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?(?!\d)(?:,?\s+\d{{4}}(?!\d)|(?![:.]\d))"
    rf"|\d{{4}}\.?\s+{_MONTH}\s+\d{{1,2}}\.?"
    r"|(?<!\d)\d{1,2}\s*[月월]\s*\d{1,2}\s*[日일]"
)
_WEEKDAY = re.compile(rf"(?<![^\W_]){_either(DAYS)}\.?,?\s+(?:(?:den|the|le|el|il)\s+)?$", re.I)
_AFTER_DATE = (
    rf"[\s,·|–—-]{{0,4}}(?:{_LETTER}{{1,5}}\.?\s+){{0,2}}{_TIME}(?:\s*[-–—]\s*{_TIME})?[^\d]{{0,9}}"
    rf"|\s*[-–—]\s*(?:{_DATES})|\s?[(（]?{_LETTER}{{0,10}}[)）]?[.,]?"
)
_RELATIVE = (
    r"\bago\b|\bgeleden\b|\bil y a\b|\bvor \d|\bhace \d|\byang lalu\b|\bsiden\b|\bsedan\b|назад|тому$|前$|전$"
    r"|\bfa$|\bsitten\b|\btemu\b|\bönce\b|πριν|^منذ|^قبل|^לפני|ที่แล้ว$|\btrước$|\bhá \d|\bpřed \d|पहले$"
    r"|^(?:yesterday|today|gestern|heute|hier|ayer|hoy|вчера|сегодня|gisteren|vandaag|ieri|oggi|ontem|hoje"
    r"|i dag|i går|wczoraj|dziś|dzisiaj|dün|bugün|kemarin"
    r"|今日|昨日|今天|昨天|오늘|어제|اليوم|أمس|היום|אתמול)\b"
)
_UNIT_TIME = (
    r"(?:min(?:ut\w*|s)?|мин\w*|хв|dk|dakika|h(?:ours?|rs?)?|std|stunden?|uur|heures?|horas?|ore|sec\w*|s|m"
    r"|分|分钟|時間|小时|분|시간|λεπτά|phút|דק\w*|دقيقة)(?![^\W\d_])"
)
_DURATION = (
    r"(?:(?<![^\W_])PT\d\w*|(?<![\d.,])\d+\s?h(?:\s?\d+\s?m?)?(?![^\W_])"
    rf"|(?<![\d.,])\d+\s*{_UNIT_TIME}(?:\s*\d+\s*{_UNIT_TIME})*)"
)

PATTERNS: dict[str, str] = {
    "money": _SUM,
    "date": _DATES,
    "time": _TIME,
    "duration": _DURATION,
    "number": r"[-+−]?\d[\d.,'’]*(?:\s\d{3})*",
    "area": r"\d[\d.,]*\s*(?:m²|m2|㎡|sq\.?\s?ft|sqft|ft²|qm|кв\.?\s?м|acres?|ha)(?![^\W_])",
    "version": r"(?<![\w.])v?\d+(?:\.\d+){1,3}(?:[-.]?(?:rc|beta|alpha|a|b|dev|post)\.?\d*)?(?![\w.]*\w)",
    "mark": r"(?<![\d.,])(?:10|\d)(?:[.,]\d{1,2})?"
    r"(?=\s*(?:(?:/|out of|of|von|sur|de|su|van|av|из|sobre)\s*(?:5|10)(?!\d)|★|⭐|•|stars?))",
    "year": r"(?<![\d./-])(?:19|20)\d{2}(?![\d./-])",
    "email": r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
    "phone": r"(?<![\w.])\+?\(?\d[\d\s()/.-]{5,}\d(?!\w)",
}
# What may follow a price: "per night", "(VAT incl.)", but no unit that others are priced by.
_TAIL = (
    r"(?:\s*[/(（*]?\s*(?!(?:m|kg|g|l|ml|lb|oz|stk|qm|sq)\b|m²)"
    rf"{_LETTER}{{1,12}}\.?(?:\s{_LETTER}{{1,12}}\.?)?\s*[)）]?)?\*?"
)
_COUNTED = re.compile(r"\(?\d[\d\s.,'’]*\)?\s?[^\W\d_]{1,16}\.?|[^\W\d_]{1,16}[:]?\s?\(?\d[\d\s.,'’]*\)?")
_RELATIVE_RE = re.compile(_RELATIVE, re.I)
_PARTICLES = frozenset(
    words_of("de da di del della van von der den la le el al bin ben af av zu dos du y e i")
)
_LIST = re.compile(r"\s*(?:[,;&]|\band\b|\bund\b|\bet\b|\by\b|\be\b)\s*")


@cache
def _whole() -> Mapping[str, re.Pattern[str]]:
    """What the whole of a text of each kind looks like. Compiled when first asked for: dates take a while."""
    return {
        "money": re.compile(
            rf"(?:{_LETTER}{{1,12}}[:.：]?\s*){{0,2}}{_SUM}(?:\s*[-–—]\s*(?:{_SUM}|{_AMOUNT}))?{_TAIL}", re.I
        ),
        "date": re.compile(
            rf"(?:{_LETTER}{{2,12}}\.?,?\s+)?(?:{_DATES})(?:{_AFTER_DATE})|{_MONTH}\s+(?:19|20)\d{{2}}", re.I
        ),
        "time": re.compile(rf"{_TIME}(?:\s*[-–—]\s*{_TIME})?\s*(?:[A-Z]{{2,4}}|Uhr|uur)?", re.I),
        "duration": re.compile(rf"\(?{_DURATION}\)?\.?(?:\s{_LETTER}{{2,12}})?", re.I),
        "number": re.compile(r"[#(№]?\s?[-+−]?\d[\d\s.,'’]*\)?(?:\s?%|[KkM])?"),
        "area": re.compile(PATTERNS["area"], re.I),
        "code": re.compile(r"(?=[^\s]*\d)[A-Za-z0-9][\w./-]{1,24}|[A-Z]{1,4}[ -]\d[\w./-]{0,20}|[A-Z]{2,5}"),
        "year": re.compile(r"(?:19|20)\d{2}"),
        "score": re.compile(r"\d{1,3}\s*[-–:]\s*\d{1,3}(?:\s*\(.{1,20}\))?"),
        "version": re.compile(PATTERNS["version"], re.I),
        "email": re.compile(PATTERNS["email"], re.I),
        "phone": re.compile(rf"(?:{_LETTER}{{1,9}}[:.]?\s*)?{PATTERNS['phone']}", re.I),
    }


@cache
def _anywhere(kind: str) -> re.Pattern[str]:
    return re.compile(PATTERNS[kind], re.I)


def cut(pattern: str, text: str) -> str | None:
    """What an expression keeps of a text: its first group, or what a name such as `{money}` stands for."""
    if pattern[:1] == "{" and pattern[1:-1] in PATTERNS:
        return find_kind(pattern[1:-1], text)
    return patterns.search(pattern, text)


@lru_cache(maxsize=50_000)
def kinds_of(value: str) -> frozenset[str]:
    """All kinds that the whole text can be read as; a long text is `long`, any other is `text`."""
    if len(value) > 80:
        return frozenset({"long", "text"})
    digits = any(char.isdigit() for char in value)
    found = {name for name, pattern in _whole().items() if pattern.fullmatch(value)} if digits else set()
    if not digits and "@" not in value and _whole()["code"].fullmatch(value):
        found.add("code")
    if _RELATIVE_RE.search(value) and len(value) < 45:
        found.add("date")
    if not found & {"number", "money", "date", "time"} and digits and _COUNTED.fullmatch(value):
        found.add("counted")
    if value.startswith(("http://", "https://")):
        found.add("url")
    elif "@" in value and _whole()["email"].fullmatch(value):
        found.add("email")
    if not digits or len(value) > 25:
        found.add("text")
    if not digits and _persons(value):
        found.add("person")
    return frozenset(found)


def _persons(value: str) -> bool:
    """True for one or several names of people: two to five words each, capitals first."""
    names = [name.split() for name in _LIST.split(value) if name]
    return bool(names) and all(1 < len(name) <= 5 and _person(name) for name in names[:6])


def _person(words: list[str]) -> bool:
    capital = [word[0].isupper() and (len(word) <= 2 or not word.isupper()) for word in words if word]
    allowed = [up or word.casefold() in _PARTICLES for up, word in zip(capital, words, strict=True)]
    return all(allowed) and capital[-1] and capital[0] and all(_wordlike(word) for word in words)


def _wordlike(word: str) -> bool:
    return all(char.isalpha() or char in ".-'’" for char in word)


def find_kind(kind: str, value: str) -> str | None:
    """The first part of the text that has the form of `kind`; a date with its day of the week."""
    value = value[:SEARCHED_CHARS_MAX]
    match = _anywhere(kind).search(value)
    if match is None:
        return None
    before = _WEEKDAY.search(value[: match.start()][-24:]) if kind == "date" else None
    return ((before.group(0) if before else "") + match.group(0)).strip()
