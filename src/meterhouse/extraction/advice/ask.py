"""Asking the model, a bounded number of times, and trying what it chose on the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from meterhouse.extraction.advice.dialogue import INSTRUCTIONS, BadAnswer, Picked, material, read_answer
from meterhouse.extraction.advice.menu import Menu, menu_of_page, menu_of_records
from meterhouse.extraction.capture.run import items_of
from meterhouse.extraction.engine.contract import contract_of
from meterhouse.extraction.engine.document import parse
from meterhouse.extraction.engine.generate import with_reading
from meterhouse.extraction.engine.reading import extract, shape
from meterhouse.extraction.engine.records import at, read_json, records_of
from meterhouse.extraction.extractor import Extractor
from meterhouse.extraction.model import ExtractionFailed, Generated, Page, Strategy
from meterhouse.extraction.schema import OutputSchema
from meterhouse.kernel.errors import DependencyFailed
from meterhouse.platform.ports import Model

ATTEMPTS_MAX = 2


@dataclass(frozen=True)
class Advice:
    """What came of asking: a tried strategy, or the reason why there is none."""

    generated: Generated | None
    attempts: int
    note: str = ""


@dataclass(frozen=True)
class Question:
    """A request on a page (or on the answer of an API, when the strategy of now is of that kind)."""

    page: Page
    request: str
    output_schema: Mapping[str, object] | None = None
    strategy: Strategy | None = None

    @property
    def names(self) -> list[str]:
        return [] if self.output_schema is None else list(OutputSchema.parse(self.output_schema).flat_types())

    @property
    def is_answer(self) -> bool:
        return self.strategy is not None and self.strategy.kind == "api"


async def ask(model: Model, extractor: Extractor, question: Question) -> Advice:
    """Ask the model to choose. It never fails: without a usable choice the advice says why."""
    menu = await extractor.think(lambda: _menu(question), question.page.url)
    if not menu.groups:
        return Advice(None, 0)
    complaint = ""
    for attempt in range(1, ATTEMPTS_MAX + 1):
        text = material(question.request, menu, question.names, complaint=complaint)
        try:
            answer = await model.complete(instructions=INSTRUCTIONS, material=text)
            picked = read_answer(answer, menu, question.names)
            generated = await extractor.think(_trial(question, picked), question.page.url)
        except DependencyFailed as error:
            return Advice(None, attempt, f"The model was not used: {error.message}")
        except BadAnswer as error:
            complaint = str(error)
        except ExtractionFailed as error:
            complaint = f"what it chose is empty ({error.message})"
        else:
            return Advice(generated, attempt)
    return Advice(None, ATTEMPTS_MAX, f"The model was not used: its answers were unusable, {complaint}.")


def _trial(question: Question, picked: Picked) -> Callable[[], Generated]:
    return lambda: _tried(question, picked)


def _menu(question: Question) -> Menu:
    if question.is_answer:
        assert question.strategy is not None
        api = question.strategy.api
        assert api is not None
        return menu_of_records(records_of(at(read_json(question.page.html), api.items), single=api.single))
    return menu_of_page(parse(question.page))


def _tried(question: Question, picked: Picked) -> Generated:
    """The strategy of a choice with the items that it really finds. Raises `ExtractionFailed` for none."""
    page = question.page
    if question.is_answer:
        assert question.strategy is not None
        strategy = replace(question.strategy, fields=picked.fields)
        found = items_of(strategy, page)
    else:
        assert picked.container is not None
        strategy = Strategy(
            container=picked.container,
            fields=picked.fields,
            output_schema=question.output_schema,
            request=question.request,
            url=page.url,
        )
        found = extract(strategy.container, strategy.fields, parse(page))
    if not found:
        raise ExtractionFailed("Nothing was found.", reason="nothing_found", evidence={"url": page.url})
    strategy = replace(strategy, contract=contract_of(found, strategy.fields))
    if strategy.kind == "css":
        strategy = with_reading(strategy, page, found)
    return Generated(strategy, shape(found, strategy))
