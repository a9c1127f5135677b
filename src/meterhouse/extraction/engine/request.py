"""Reading a request: which fields are wanted, under which names, and whether of one record or of many."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from meterhouse.extraction.engine.lexicon import (
    BY_NAME,
    ROLES,
    Role,
    alike,
    fold,
    name_of,
    role_of,
    tokens_of,
    unspaced,
)
from meterhouse.extraction.engine.words import words_of
from meterhouse.extraction.schema import OutputSchema

REQUEST_CHARS_MAX = 4_000
FIELDS_MAX = 40

# "en" joins in Dutch and is a preposition in Spanish and French: another joining word decides.
_PREPOSITIONS = frozenset({"en"})
_AND_ELSEWHERE = frozenset({"y", "et"})
_AND = frozenset(
    words_of(
        "and und et e y i og och ja en e un és și si a ir и та й και ve dan with và as well plus sowie ook"
        " också &"
        " و और एवं และ וגם"
    )
)
_WITH = words_of(
    "with mit avec con com met med kanssa z s se с со із з με ile dengan including incl samt amb með cu với"
    " مع עם"
)
_AND_PREFIXES = frozenset("وו")
_PER = ["per", "pro", "por", "par", "je"]
_CONTRACTED = frozenset(words_of("for per from on pro por par del des della vom zum für fra"))
_ARTICLES = frozenset(
    words_of("the a an this each every der die das dem la le les los las el il lo een het denne det den all")
)
_COUNTS = frozenset(["number", "count", "counts", "amount"])
_TAIL = words_of("of for from on in at to by der des des de la du del per von vom der das for fra av over")
_DROP = frozenset(
    fold(word)
    for word in words_of(
        "extract get list show find give me please scrape collect return pull fetch all every"
        " each the a an its their his her our your this that these those of to number count counts"
        " amount hent alle alles haal saca todos todas los las el la le les un une des du der die"
        " extraire extrais récupère récupérer donne liste extraiga obtén dame muestra extraia obtenha"
        " estrai elenca mostra tutti tutte geef toon extrahiere extrahieren hole nenne wszystkie pobierz"
        " wyodrębnij извлеки извлечь все всех получи показать покажи список витягни всі tüm bütün listele"
        " getir semua ambil tampilkan lấy tất cả danh sách جميع كل استخرج قائمة כל רשימת kaikki hae lista"
        " hämta alla vypiš všechny όλα όλες όλοι"
        " das den dem ein eine den det de van het op tota tots totes liste lista extraer extrae"
        " obtener zeige gib mir hole toutes tous todo aller latest upcoming current new same full"
        " any"
    )
)
_MANY = frozenset(
    fold(word)
    for word in words_of(
        "all every each list table results alle alles todos todas tous toutes tutti tutte liste"
        " lista tabelle every все всі ola όλα semua daftar すべて 全部 一覧 모든 wszystkie kaikki"
        " listings schedule programme programm events products items posts articles topics threads"
        " tots tota"
    )
)
_OF_ONE = re.compile(
    r"\b(?:of|from|for) (?:the|this) ([a-z]+)\b|\bthe ([a-z]+) (?:title|name|headline)\b", re.I
)
_PARENS = re.compile(r"\(([^()]*)\)")
_SPLIT = re.compile(r"[,;、，；/\n•·]+")
_GLYPH_SPLIT = re.compile(r"と(?=[^\s])|和|及|및|와 |과 ")
_GLYPH_TAIL = re.compile(r"(?:を?(?:取得|抽出|ください|表示)[^\w]*.*|を)$")


@dataclass(frozen=True)
class Wanted:
    """One wanted field: the name it gets, its folded words, and the general role they point to.

    `common` are those of its words that other wanted fields have too, which tell it from none of them.
    `examples` are values known to have been right once. `dated` is a time that is asked for without a date,
    so that a date with a time answers it too.
    """

    name: str
    words: tuple[str, ...]
    role: Role | None = None
    many: bool = False
    type: str | None = None
    counted: bool = False
    common: frozenset[str] = frozenset()
    examples: frozenset[str] = frozenset()
    dated: bool = False


@dataclass(frozen=True)
class Wish:
    """The request as understood. `lean` is above zero when it speaks of many records, below for one."""

    fields: tuple[Wanted, ...]
    subject: tuple[str, ...] = ()
    lean: int = 0


def understand(request: str, types: Mapping[str, str] | None = None, many: bool | None = None) -> Wish:
    """Read the request; with flat schema names in `types`, the schema alone says which fields there are."""
    request = request[:REQUEST_CHARS_MAX]
    subject, chunks, joined = _parts(request)
    fields = _wanted(chunks)
    if joined and not any(one.role is BY_NAME["title"] for one in fields) and subject:
        fields = (_named_by_subject(subject), *fields)
    fields = _with_title(_with_key(request, fields))
    if types:
        fields = _from_schema(types, fields)
    lean = _lean(request, subject, fields) if many is None else (9 if many else -9)
    return Wish(_told_apart(fields[:FIELDS_MAX]), tokens_of(subject), lean)


def wish_of(request: str, output_schema: Mapping[str, object] | None) -> Wish:
    """What is wanted, from the sentence and, where there is one, from the schema."""
    if output_schema is None:
        return understand(request)
    schema = OutputSchema.parse(output_schema)
    many = True if schema.wrapper is not None or output_schema.get("type") == "array" else None
    return understand(request, schema.flat_types(), many)


def _with_title(fields: tuple[Wanted, ...]) -> tuple[Wanted, ...]:
    """The first field is what records are known by, if no other is a title: "model, price and year"."""
    if len(fields) < 2 or fields[0].role is not None or fields[0].counted:
        return fields
    shared = {word for one in fields[1:] for word in one.words}
    if any(one.role is BY_NAME["title"] for one in fields) or shared.intersection(fields[0].words):
        return fields
    return (replace(fields[0], role=BY_NAME["title"]), *fields[1:])


def _told_apart(fields: tuple[Wanted, ...]) -> tuple[Wanted, ...]:
    counts = Counter(word for one in fields for word in set(one.words))
    dates = any(one.role is not None and "date" in one.role.kinds for one in fields)
    return tuple(
        replace(
            one,
            common=frozenset(word for word in one.words if counts[word] > 1),
            dated=one.role is BY_NAME["time"] and not dates,
        )
        for one in fields
    )


def _parts(request: str) -> tuple[str, list[str], bool]:
    """Subject, field chunks, and whether a word like "with" joins them."""
    text = request.strip().rstrip(".!?")
    head, colon, rest = text.partition(":")
    if not colon:
        head, colon, rest = text.partition("：")
    if colon and rest.strip():
        return head.strip(), _chunks(rest), False
    words = text.split()
    for at, word in enumerate(words):
        if 0 < at < len(words) - 1 and fold(word.strip(",")) in _WITH:
            before = " ".join(words[:at]).strip(", ")
            after = _chunks(" ".join(words[at + 1 :]))
            first = _chunks(before)
            if len(first) > 1 or role_of(tokens_of(first[-1].split()[-1])) is BY_NAME["title"]:
                return before, first + after, False
            return before, after, True
    return "", _chunks(text), False


def _chunks(text: str) -> list[str]:
    if unspaced(text):
        text = _GLYPH_SPLIT.sub("、", _GLYPH_TAIL.sub("", text.strip("。. ")))
    joiners = _AND - _PREPOSITIONS if _AND_ELSEWHERE & {fold(word) for word in text.split()} else _AND
    found: list[str] = []
    for part in _SPLIT.split(text):
        words: list[str] = []
        for word in part.split():
            if fold(word) in joiners:
                found.append(" ".join(words))
                words = []
            elif words and (rest := _after_joined_and(word)):
                found.append(" ".join(words))
                words = [rest]
            else:
                words.append(word)
        found.append(" ".join(words))
    return [chunk.strip(" .:;-") for chunk in found if chunk.strip(" .:;-")]


def _after_joined_and(word: str) -> str:
    """What follows an "and" that Arabic and Hebrew write as the first letter of a word, if one does."""
    rest = word[1:]
    if word[0] not in _AND_PREFIXES or len(rest) < 2 or any(fold(word) in role.words for role in ROLES):
        return ""
    return rest if rest.startswith("ال") or word[0] == "ו" or role_of(tokens_of(rest)) is not None else ""


def _wanted(chunks: list[str]) -> tuple[Wanted, ...]:
    fields: list[Wanted] = []
    previous: tuple[str, ...] = ()
    for chunk in chunks:
        one = _field_of(chunk, previous)
        if one is None:
            continue
        previous = one.words
        if not any(one.name == other.name for other in fields):
            fields.append(one)
    return tuple(fields)


def _field_of(chunk: str, previous: tuple[str, ...] = ()) -> Wanted | None:
    inner = " ".join(_PARENS.findall(chunk))
    words = _PARENS.sub(" ", chunk).split()
    possessive = fold(words[0]) in {"its", "their", "sein", "ihr", "son", "sa", "su"} if words else False
    kept = _trim(words)
    if not kept:
        return None
    if unspaced(kept[-1]) and "の" in kept[-1]:
        kept[-1] = kept[-1].rsplit("の", 1)[-1]
    tokens = own = tokens_of(" ".join(kept).lower())
    role = role_of(own) if own else None
    if possessive:
        tokens = previous + own
    every = tokens + tokens_of(inner.lower())
    name = "_".join([*(previous if possessive else ()), name_of(" ".join(kept))])
    plural = bool(tokens) and role is not None and role.name in {"tags", "ingredients"}
    counted = any(fold(word) in _COUNTS for word in words) and role is None
    return Wanted(name[:60] or "value", every, role, plural, counted=counted)


def _trim(words: list[str]) -> list[str]:
    """Leave out the verbs before a field's words and the "of the …" after them."""
    kept: list[str] = []
    bares = [fold(word.strip(".,()'\"’")) for word in words]
    for at, (word, bare) in enumerate(zip(words, bares, strict=True)):
        following = bares[at + 1] if at + 1 < len(bares) else ""
        if kept and bare == "by" and not following:
            kept.append(word)  # "started by" asks for who
            continue
        if kept and bare in _TAIL:
            if bare in _CONTRACTED or following in _ARTICLES or re.match(r"[lL][’']", following):
                break
            continue
        counting = bare in _COUNTS and (following not in _TAIL or not following)
        if bare in _TAIL or (bare in _DROP and not counting):
            continue
        if bare.startswith(("l'", "l’", "d'", "d’")):
            if kept and bare[0] == "l":
                break
            word = word[2:]
        kept.append(word)
    return kept


def _named_by_subject(subject: str) -> Wanted:
    kept = _trim(subject.split())
    tokens = tokens_of(" ".join(kept[-1:])) or ("title",)
    return Wanted(name_of(" ".join(kept[-1:])) or "title", (*tokens, "title"), BY_NAME["title"])


def _with_key(request: str, fields: tuple[Wanted, ...]) -> tuple[Wanted, ...]:
    """In "cases per region: …" the region is what tells the records apart, so it is a field as well."""
    words = request.partition(":")[0].split()
    for at, word in enumerate(words[:-1]):
        if at and fold(word) in _PER and ":" in request:
            tokens = tokens_of(words[at + 1])
            if tokens:
                return (Wanted(name_of(words[at + 1]), (*tokens, "name"), BY_NAME["title"]), *fields)
    return fields


def _from_schema(types: Mapping[str, str], said: tuple[Wanted, ...]) -> tuple[Wanted, ...]:
    fields: list[Wanted] = []
    for name, kind in types.items():
        tokens = tokens_of(name)
        role = role_of(tokens)
        extra = next((one.words for one in said if role and one.role is role), ())
        near = next((one for one in said if any(alike(a, b) for a in one.words for b in tokens)), None)
        words = tuple(dict.fromkeys((*tokens, *(near.words if near else extra))))
        if near is not None and near.role is not None and (role is None or role.kinds & {"time", "date"}):
            role = near.role
        fields.append(Wanted(name, words, role or role_of(words), kind == "array", kind))
    return tuple(fields)


def _lean(request: str, subject: str, fields: tuple[Wanted, ...]) -> int:
    tokens = tokens_of(request)
    lean = 0
    lean += 3 if any(token in _MANY for token in tokens) or _MANY & set(_glyph_words(request)) else 0
    lean += 2 if subject else 0
    lean += 2 if any(one.role is BY_NAME["link"] for one in fields) else 0
    lean -= 3 if _OF_ONE.search(request) else 0
    lean -= 2 if any(one.many for one in fields) else 0
    first = fields[0] if fields else None
    if (
        first
        and first.words
        and re.search(r"\b(?:titles|names|headlines|titres|titulares|namen)\b", request, re.I)
    ):
        lean += 3
    return lean


def _glyph_words(request: str) -> list[str]:
    return [word for word in _MANY if unspaced(word) and word in request]
