"""Normal forms: what of an item counts as content, and what is noise.

Noise is white space, the Unicode form of characters, the spelling of numbers, and tracking and session
parameters in addresses. Two items are the same exactly when their canonical texts are equal.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Mapping, Sequence

_INVISIBLE = re.compile("[\u200b\u2060\ufeff\u00ad]")
# An address inside a text ends at white space, a quote or an angle bracket.
_ADDRESS = re.compile(r"\bhttps?://[^\s\"'<>]+", re.IGNORECASE)
_RELATIVE = re.compile(r"[./?][^\s\"'<>]*[?;][^\s\"'<>]*")
_PATH_SESSION = re.compile(
    r";(?:jsessionid|phpsessid|sid)=[^/?#;]*|/\((?:[A-Z]\([^()/]*\))+\)(?=/)", re.IGNORECASE
)
_TRACKING = re.compile(
    r"utm_\w+|mc_[ce]id|_hs(?:enc|mi)|hs(?:ctatracking|a_\w+)|pk_(?:campaign|kwd|source|medium|content)"
    r"|mtm_\w+|matomo_\w+|(?:fb|gb?|d|y|tt|tw|ms|wick|irc|sccl?)cl(?:k)?id|[gw]braid|_g[al]|_ga_\w+|gclsrc"
    r"|fb_(?:action_ids|action_types|source|ref)|igshi?d|li_fat_id|srsltid|mkt_tok|vero_(?:id|conv)|oly_(?:anon|enc)_id"
    r"|rb_clickid|s_cid|spm|scm|wt\.mc_id|trk(?:campaign|info)?|ns_(?:campaign|mchannel|source|linkname)",
    re.IGNORECASE,
)
_SESSION = re.compile(
    r"(?:jsession|phpsess|aspsession|asp\.net_session|php_?session|session|sess)_?(?:id\w*)|cfid|cftoken|zenid|oscsid",
    re.IGNORECASE,
)
# `sid` names a story or a shop item as often as a session; only long random values are sessions.
_SHORT_SESSION = re.compile(r"sid|s", re.IGNORECASE)
_RANDOM_VALUE = re.compile(r"[0-9a-f]{26,}", re.IGNORECASE)


def canonical(item: object) -> str:
    """The item as JSON text with sorted keys and normal values; equal exactly for equal items."""
    return json.dumps(normal_value(item), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def normal_value(value: object) -> object:
    """The value without noise, made of JSON types only. Normalising twice changes nothing."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return normal_text(value)
    if isinstance(value, float):
        return _normal_number(value)
    if isinstance(value, Mapping):
        return {normal_text(str(key)): normal_value(one) for key, one in value.items()}
    if isinstance(value, Sequence):
        return [normal_value(one) for one in value]
    return normal_text(str(value))


def normal_text(text: str) -> str:
    """Text in Unicode form NFC, white space squeezed, addresses in it without tracking and session ids."""
    if not text.isascii():
        # Lone surrogates cannot be written as UTF-8; they are broken input, not content.
        text = text.encode("utf-8", "replace").decode("utf-8")
        text = unicodedata.normalize("NFC", _INVISIBLE.sub("", text))
    squeezed = " ".join(text.split())
    if _RELATIVE.fullmatch(squeezed):
        return clean_address(squeezed)
    return (
        _ADDRESS.sub(lambda found: clean_address(found.group()), squeezed) if "://" in squeezed else squeezed
    )


def clean_address(url: str) -> str:
    """The address without tracking parameters and session ids; everything else stays as it is."""
    rest, hash_mark, fragment = url.partition("#")
    path, _, query = rest.partition("?")
    kept = [part for part in query.split("&") if part and not _is_noise(part)]
    path = _PATH_SESSION.sub("", path)
    return path + ("?" + "&".join(kept) if kept else "") + (hash_mark + fragment if fragment else "")


def _is_noise(part: str) -> bool:
    name, _, value = part.partition("=")
    if _TRACKING.fullmatch(name) or _SESSION.fullmatch(name):
        return True
    return bool(_SHORT_SESSION.fullmatch(name) and _RANDOM_VALUE.fullmatch(value))


def _normal_number(value: float) -> object:
    if math.isnan(value) or math.isinf(value):
        return str(value)
    return int(value) if value.is_integer() else value
