"""Why a page may show nothing: a block, a login, a consent wall, or an honest "no results"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from meterhouse.extraction.engine.document import Document, fold_text, text_of
from meterhouse.extraction.model import FailureReason

READ_CHARS_MAX = 20_000
SHORT_PAGE_CHARS = 3_000
PLAIN_PAGE_CHARS = 8_000

_BLOCKED = re.compile(
    r"captcha|are you (?:a )?(?:human|robot)|access (?:to this page )?(?:has been )?denied|access blocked"
    r"|unusual traffic|verify (?:that )?you are (?:a )?human|checking your browser|just a moment"
    r"|request (?:was )?blocked|you have been blocked|bot detection|automated (?:access|requests)"
    r"|too many requests|attention required|enable javascript and cookies to continue"
    r"|no es un robot|kein roboter|pas un robot|zugriff verweigert|acces refuse|acceso denegado",
)
_LOGIN = re.compile(
    r"(?:log|sign) ?in|log ?on|anmelden|einloggen|connexion|se connecter|iniciar sesion|accedi|inloggen"
    r"|logg inn|logga in|kirjaudu|zaloguj|войти|вход|giris yap|masuk|ログイン|登录|로그인"
)
_CONSENT = re.compile(
    r"cookie|consent|privacy|datenschutz|einwilligung|zustimm|consentement|consentimiento|consenso|samtykke"
)
_ACCEPT = re.compile(
    r"accept|agree|allow all|akzeptier|zustimm|accepter|aceptar|accetta|akkoord|godta|godkann|hyvaksy"
)
_NO_RESULTS = re.compile(
    r"no (?:results?|matches|items|entries|records|listings|products|events) (?:were |was )?(?:found|match)?"
    r"|0 results|nothing (?:was )?found|did not match any|keine (?:treffer|ergebnisse|eintrage)"
    r"|aucun resultat|sin resultados|no se encontr|nessun risultato|geen resultaten|ingen (?:treff|resultat)"
    r"|inga traffar|ei tuloksia|brak wynikow|nenhum resultado|ничего не найдено|見つかりません"
    r"|没有找到|검색 결과가 없"
)


@dataclass(frozen=True)
class Obstacle:
    """What stands in the way, and the words on the page that say so."""

    reason: FailureReason
    sentence: str
    evidence: Mapping[str, object]


def obstacle_of(document: Document) -> Obstacle | None:
    """The obstacle a page without the expected records shows, if it shows one."""
    body = document.root.find("body")
    text = fold_text(text_of(document.root if body is None else body)[:READ_CHARS_MAX])
    title = document.root.find(".//title")
    heading = fold_text(text_of(title)) if title is not None else ""
    short = len(text) <= SHORT_PAGE_CHARS
    if (found := _BLOCKED.search(heading) or (_BLOCKED.search(text) if short else None)) is not None:
        return _obstacle("blocked", "The site keeps automated visitors out", found, text)
    password = next(document.root.iter("input"), None) is not None and _has_password(document)
    if password and short and (found := _LOGIN.search(text) or _LOGIN.search(heading)) is not None:
        return _obstacle("login_required", "The page asks for a login", found, text)
    if short and _ACCEPT.search(text) and (found := _CONSENT.search(text)) is not None:
        return _obstacle("consent_wall", "The page asks for consent first", found, text)
    if len(text) <= PLAIN_PAGE_CHARS and (found := _NO_RESULTS.search(text)) is not None:
        return _obstacle("empty", "The page says that it has nothing to show", found, text)
    if not text:
        return Obstacle("empty", "The page has no text", {"chars": 0})
    return None


def _has_password(document: Document) -> bool:
    return any((field.get("type") or "").lower() == "password" for field in document.root.iter("input"))


def _obstacle(reason: FailureReason, sentence: str, found: re.Match[str], text: str) -> Obstacle:
    return Obstacle(reason, sentence, {"words": found.group(0)[:80], "chars": len(text)})
