"""Changes carried out on a strategy, with its page at hand: each is tried there before it is believed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import singledispatch

from meterhouse.extraction.engine.kinds import PATTERNS
from meterhouse.extraction.engine.lexicon import alike, fold, role_of, tokens_of
from meterhouse.extraction.model import Field, Page, Strategy
from meterhouse.extraction.plan import Paging
from meterhouse.extraction.refine import schemas
from meterhouse.extraction.refine.changes import (
    Add,
    Change,
    Clean,
    Drop,
    KeepOnly,
    OtherList,
    Pages,
    Rename,
    Retype,
    refused,
)
from meterhouse.extraction.refine.find import find_fields, find_other_list

_NUMBER = r"[-+−]?\d[\d.,'’\s]*\d|\d"


@dataclass(frozen=True)
class Draft:
    """A strategy in the middle of its changes, with what has to stay in step with it."""

    strategy: Strategy
    page: Page
    description: str
    filter_config: Mapping[str, object] | None = None
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        return list(self.strategy.fields)

    def with_fields(self, fields: Mapping[str, Field], **changes: object) -> Draft:
        container = self.strategy.container
        require = tuple(name for name in container.require if name in fields)
        strategy = replace(
            self.strategy,
            fields=dict(fields),
            container=replace(container, require=require),
            **changes,  # type: ignore[arg-type]
        )
        return replace(self, strategy=strategy)

    def with_schema(self, schema: dict[str, object] | None) -> Draft:
        return replace(self, strategy=replace(self.strategy, output_schema=schema))


@singledispatch
def apply(change: Change, draft: Draft) -> Draft:
    """Carry out one change. Raises `Invalid` when it speaks of something that is not there."""
    raise NotImplementedError(change)


@apply.register
def _(change: Drop, draft: Draft) -> Draft:
    name = resolve(change.field, draft.names)
    if len(draft.strategy.fields) == 1:
        raise refused(f"{name!r} is the only field; a strategy needs at least one.")
    if name in schemas.fields_of(draft.filter_config):
        raise refused(f"The filter uses {name!r}; change the filter before dropping it.")
    fields = {key: one for key, one in draft.strategy.fields.items() if key != name}
    schema = draft.strategy.output_schema
    after = draft.with_fields(fields)
    return after if schema is None else after.with_schema(schemas.without(schema, name))


@apply.register
def _(change: KeepOnly, draft: Draft) -> Draft:
    kept = {resolve(field, draft.names) for field in change.fields}
    for name in draft.names:
        if name not in kept:
            draft = apply(Drop(name), draft)
    return draft


@apply.register
def _(change: Rename, draft: Draft) -> Draft:
    old = resolve(change.field, draft.names)
    if change.to in draft.strategy.fields and change.to != old:
        raise refused(f"There is a field {change.to!r} already.")
    fields = {change.to if key == old else key: one for key, one in draft.strategy.fields.items()}
    require = tuple(change.to if name == old else name for name in draft.strategy.container.require)
    container = replace(draft.strategy.container, require=require)
    schema = draft.strategy.output_schema
    strategy = replace(
        draft.strategy,
        fields=fields,
        container=container,
        output_schema=None if schema is None else schemas.renamed(schema, old, change.to),
    )
    config = draft.filter_config
    return replace(
        draft,
        strategy=strategy,
        filter_config=None if config is None else schemas.with_renamed_field(config, old, change.to),
    )


@apply.register
def _(change: Retype, draft: Draft) -> Draft:
    return _typed(draft, resolve(change.field, draft.names), change.type)


@apply.register
def _(change: Clean, draft: Draft) -> Draft:
    name = resolve(change.field, draft.names)
    pattern = _pattern(change)
    one = draft.strategy.fields[name]
    if one.trim is not None and one.trim != pattern:
        draft = replace(draft, notes=(*draft.notes, f"The way {name!r} was cut before is replaced."))
    cleaned = replace(
        one, trim=pattern, alternates=tuple(replace(other, trim=pattern) for other in one.alternates)
    )
    draft = draft.with_fields({**draft.strategy.fields, name: cleaned})
    return _typed(draft, name, "number") if change.way == "number" else draft


@apply.register
def _(change: Add, draft: Draft) -> Draft:
    found = find_fields(draft.strategy, draft.page, change.wording)
    if not found:
        raise refused(f"Nothing in the records of the page answers {change.wording!r}.")
    for name, one in found.items():
        fresh = _unused(name, draft.names)
        draft = draft.with_fields({**draft.strategy.fields, fresh: one})
        if draft.strategy.output_schema is not None:
            kind = change.type or ("array" if one.many else "string")
            draft = draft.with_schema(schemas.with_type(draft.strategy.output_schema, fresh, kind))
        elif change.type is not None:
            draft = _typed(draft, fresh, change.type)
    return draft


@apply.register
def _(change: OtherList, draft: Draft) -> Draft:
    strategy = find_other_list(
        draft.strategy, draft.page, change.wording or draft.description, change.wording
    )
    if strategy is None:
        raise refused("There is no other list on the page that answers the request.")
    unknown = schemas.fields_of(draft.filter_config) - {*strategy.fields}
    if unknown:
        raise refused(f"The filter uses {', '.join(sorted(unknown))}, which the other list lacks.")
    return replace(draft, strategy=strategy)


@apply.register
def _(change: Pages, draft: Draft) -> Draft:
    plan = draft.strategy.paging or Paging("link")
    return replace(draft, strategy=replace(draft.strategy, paging=replace(plan, max_pages=change.count)))


def resolve(said: str, names: Sequence[str]) -> str:
    """The field that somebody means. Raises `Invalid` naming the fields there are."""
    for name in names:
        if fold(name) == fold(said.replace(" ", "_")):
            return name
    words = tokens_of(said)
    rated = [(_closeness(words, name), name) for name in names]
    best = max(rated, key=lambda one: one[0], default=(0.0, ""))
    if best[0] < 0.5 or sum(1 for score, _ in rated if score == best[0]) > 1:
        raise refused(f"There is no field {said!r}; there are {', '.join(names)}.")
    return best[1]


def _closeness(words: Sequence[str], name: str) -> float:
    own = tokens_of(name)
    hits = sum(1 for word in words if any(alike(word, other) for other in own))
    if hits:
        return 0.5 + 0.3 * hits / len(words) + 0.2 * hits / max(1, len(own))
    role = role_of(tuple(words)) if words else None
    return 0.5 if role is not None and role is role_of(own) else 0.0


def _typed(draft: Draft, name: str, kind: str) -> Draft:
    one = replace(
        draft.strategy.fields[name], type=kind, many=draft.strategy.fields[name].many or kind == "array"
    )
    after = draft.with_fields({**draft.strategy.fields, name: one})
    schema = draft.strategy.output_schema
    return after if schema is None else after.with_schema(schemas.with_type(schema, name, kind))


def _pattern(change: Clean) -> str:
    """The regular expression whose first group is what is to be kept; texts are compared, never run."""
    text = re.escape(change.text)
    if change.way == "number":
        return f"({_NUMBER})"
    if change.way in PATTERNS:
        return f"{{{change.way}}}"
    if not change.text:
        raise refused("It is not said what to take off.")
    if change.way == "before":
        return rf"^(.*?)(?:\s*{text}.*)?$"
    if change.way == "after":
        return rf"^(?:.*?{text}\s*)?(.+)$"
    return rf"^(?:{text}\s*[:：]?\s*)?(.*?)(?:\s*{text})?$"


def _unused(name: str, names: Sequence[str]) -> str:
    if name not in names:
        return name
    return next(fresh for at in range(2, 100) if (fresh := f"{name}_{at}") not in names)
