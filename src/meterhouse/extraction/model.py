"""The words of extraction as plain frozen data: pages, strategies, and what a run gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, cast, get_args

from meterhouse.extraction.plan import ApiRequest, Paging
from meterhouse.extraction.reader import DocumentReader, refused
from meterhouse.kernel.errors import Invalid

DOCUMENT_VERSION = 1

Kind = Literal["css", "content", "api"]
PageKind = Literal["css", "content"]  # what a page alone can give
Source = Literal["css", "label", "section", "jsonld", "microdata", "meta", "state", "json"]
Mode = Literal["each", "run", "page"]
ContainerSource = Literal["css", "state", "jsonld"]
Reading = Literal["full", "fast"]
FailureReason = Literal[
    "nothing_found",
    "empty",
    "structure_changed",
    "blocked",
    "login_required",
    "consent_wall",
    "unreadable",
    "too_large",
]
RepairKind = Literal["alternates", "mined"]

Item = dict[str, object]

_FIELD_KEYS = (
    "source",
    "selector",
    "attr",
    "piece",
    "regex",
    "type",
    "many",
    "alternates",
    "template",
    "trim",
)


@dataclass(frozen=True)
class Page:
    """A fetched document and its address. Bytes are decoded as browsers do; text is taken as is."""

    url: str
    html: str | bytes


@dataclass
class ExtractionFailed(Invalid):
    """A page gave no trustworthy items; `reason` says why in one word, `evidence` with which numbers."""

    reason: FailureReason = "nothing_found"
    evidence: Mapping[str, object] = field(default_factory=dict)

    default_code = "extraction_failed"

    __str__ = Invalid.__str__


@dataclass(frozen=True)
class Field:
    """Where one value of a record is found.

    `selector` is a CSS selector inside the record (sources css and section), the label's words (label),
    or a path of keys joined by dots (jsonld, microdata, meta, state; json, where `\\.` is a dot in a key).
    `piece` picks one text run of a mixed element; `regex` keeps its first group (`{money}` and its like are
    known by name), and then `trim` that of its own; `many` collects every match into a list; `template` is
    an address in which `{}` stands for the value (json). `alternates` are other ways to the same values,
    tried for all records at once when the contract is broken.
    """

    source: Source = "css"
    selector: str = ""
    attr: str | None = None
    piece: int | None = None
    regex: str | None = None
    type: str | None = None
    many: bool = False
    alternates: tuple[Field, ...] = ()
    template: str | None = None
    trim: str | None = None

    def to_document(self) -> dict[str, object]:
        document: dict[str, object] = {"source": self.source, "selector": self.selector}
        optional = {
            "attr": self.attr,
            "piece": self.piece,
            "regex": self.regex,
            "type": self.type,
            "template": self.template,
            "trim": self.trim,
        }
        document.update({key: value for key, value in optional.items() if value is not None})
        if self.many:
            document["many"] = True
        if self.alternates:
            document["alternates"] = [alternate.to_document() for alternate in self.alternates]
        return document

    @classmethod
    def from_document(cls, document: object, path: tuple[str | int, ...] = ()) -> Field:
        if isinstance(document, str):
            return cls(selector=document)
        reader = DocumentReader(document, path)
        reader.only(
            "source", "selector", "attr", "piece", "regex", "type", "many", "alternates", "template", "trim"
        )
        alternates = reader.sequence("alternates")
        return cls(
            source=cast(Source, reader.choice("source", get_args(Source), "css")),
            selector=reader.text("selector") or "",
            attr=reader.text("attr"),
            piece=reader.integer("piece"),
            regex=reader.text("regex"),
            type=reader.text("type"),
            many=reader.flag("many"),
            alternates=tuple(
                cls.from_document(one, (*path, "alternates", at)) for at, one in enumerate(alternates)
            ),
            template=reader.text("template"),
            trim=reader.text("trim"),
        )


@dataclass(frozen=True)
class Container:
    """What one record is: each match (`each`), a match with the siblings up to the next (`run`), or the page.

    With `header`, only rows of tables whose column headers read so; records without a value in any of the
    `require` fields are left out. `alternates` are other selectors of the same elements. With another source
    than css, `selector` is a path of keys to records in the page's data, and the fields are read as json.
    """

    selector: str = ""
    mode: Mode = "each"
    require: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    alternates: tuple[str, ...] = ()
    source: ContainerSource = "css"

    def to_document(self) -> dict[str, object]:
        document: dict[str, object] = {} if self.source == "css" else {"source": self.source}
        document |= {"selector": self.selector, "mode": self.mode}
        if self.header:
            document["header"] = list(self.header)
        if self.require:
            document["require"] = list(self.require)
        if self.alternates:
            document["alternates"] = list(self.alternates)
        return document

    @classmethod
    def from_document(cls, document: object) -> Container:
        reader = DocumentReader(document, ("container",))
        reader.only("source", "selector", "mode", "require", "header", "alternates")
        return cls(
            source=cast(ContainerSource, reader.choice("source", get_args(ContainerSource), "css")),
            selector=reader.text("selector") or "",
            mode=cast(Mode, reader.choice("mode", get_args(Mode), "each")),
            require=reader.texts("require"),
            header=reader.texts("header"),
            alternates=reader.texts("alternates"),
        )


@dataclass(frozen=True)
class Shape:
    """What a field's values were like: their kind if nearly all had one, lengths, how many differed."""

    kind: str | None = None
    length: tuple[int, int] = (0, 0)
    distinct: float = 0.0

    def to_document(self) -> dict[str, object]:
        kind: dict[str, object] = {} if self.kind is None else {"kind": self.kind}
        return kind | {"length": list(self.length), "distinct": self.distinct}

    @classmethod
    def from_document(cls, document: object, path: tuple[str | int, ...]) -> Shape:
        reader = DocumentReader(document, path)
        reader.only("kind", "length", "distinct")
        length = reader.sequence("length")
        if len(length) != 2 or not all(isinstance(one, int) for one in length):
            raise refused((*path, "length"), "two whole numbers are needed")
        low, high = (int(str(one)) for one in length)
        return cls(reader.text("kind"), (low, high), reader.number("distinct"))


@dataclass(frozen=True)
class Contract:
    """What the strategy gave on the page it was made from; later runs are measured against it."""

    records: int = 0
    fill: Mapping[str, float] = field(default_factory=dict)
    shapes: Mapping[str, Shape] = field(default_factory=dict)

    def to_document(self) -> dict[str, object]:
        document: dict[str, object] = {"records": self.records, "fill": dict(self.fill)}
        if self.shapes:
            document["shapes"] = {name: one.to_document() for name, one in self.shapes.items()}
        return document

    @classmethod
    def from_document(cls, document: object) -> Contract:
        reader = DocumentReader(document, ("contract",))
        reader.only("records", "fill", "shapes")
        fill = DocumentReader(reader.value("fill", {}), ("contract", "fill"))
        shapes = DocumentReader(reader.value("shapes", {}), ("contract", "shapes")).document
        return cls(
            records=reader.integer("records") or 0,
            fill={name: fill.number(name) for name in fill.document},
            shapes={
                name: Shape.from_document(one, ("contract", "shapes", name)) for name, one in shapes.items()
            },
        )


@dataclass(frozen=True)
class Strategy:
    """A stored extraction plan: declarative, free of code, and enough to run on its own.

    `request` is the sentence it was made from, with which a rebuilt page is mined again, `url` the address
    of the page it was made on. `reading` is
    "fast" where selectors alone suffice and gave the same items; "full" is always right.
    """

    kind: Kind = "css"
    container: Container = field(default_factory=Container)
    fields: Mapping[str, Field] = field(default_factory=dict)
    output_schema: Mapping[str, object] | None = None
    contract: Contract = field(default_factory=Contract)
    request: str = ""
    url: str = ""
    reading: Reading = "full"
    api: ApiRequest | None = None
    paging: Paging | None = None
    # The page has to be drawn by a browser before it is read.
    render: bool = False
    version: int = DOCUMENT_VERSION

    def to_document(self) -> dict[str, object]:
        document: dict[str, object] = {"version": self.version, "kind": self.kind}
        if self.api is not None:
            document["api"] = self.api.to_document()
        if self.render:
            document["render"] = True
        if self.paging is not None:
            document["paging"] = self.paging.to_document()
        if self.kind == "css":
            document["container"] = self.container.to_document()
        if self.kind != "content":
            document["fields"] = {name: one.to_document() for name, one in self.fields.items()}
        if self.output_schema is not None:
            document["output_schema"] = dict(self.output_schema)
        if self.request:
            document["request"] = self.request
        if self.url:
            document["url"] = self.url
        document["contract"] = self.contract.to_document()
        if self.reading != "full":
            document["reading"] = self.reading
        return document

    @classmethod
    def from_document(cls, document: object) -> Strategy:
        """Read a strategy back, also one written by hand; raises `Invalid` naming the faulty key."""
        reader = DocumentReader(document, ())
        reader.only(
            "version",
            "kind",
            "request",
            "render",
            "paging",
            "container",
            "fields",
            "output_schema",
            "contract",
            "api",
            "url",
            "reading",
        )
        version = reader.integer("version", DOCUMENT_VERSION)
        if version != DOCUMENT_VERSION:
            raise refused(
                ("version",), f"version {version} is not known; this release writes {DOCUMENT_VERSION}"
            )
        schema = reader.value("output_schema", None)
        fields = DocumentReader(reader.value("fields", {}), ("fields",)).document
        kind = cast(Kind, reader.choice("kind", get_args(Kind), "css"))
        api, paging = reader.value("api", None), reader.value("paging", None)
        if (kind == "api") != (api is not None):
            raise refused(("api",), "strategies of kind api, and only they, need one")
        return cls(
            kind=kind,
            api=None if api is None else ApiRequest.from_document(api),
            paging=None if paging is None else Paging.from_document(paging),
            render=reader.flag("render"),
            container=Container.from_document(reader.value("container", {})),
            fields={name: Field.from_document(one, ("fields", name)) for name, one in fields.items()},
            output_schema=None if schema is None else DocumentReader(schema, ("output_schema",)).document,
            contract=Contract.from_document(reader.value("contract", {})),
            request=reader.text("request") or "",
            url=reader.text("url") or "",
            reading=cast(Reading, reader.choice("reading", get_args(Reading), "full")),
        )


@dataclass(frozen=True)
class Generated:
    """A strategy made from a page, the items it finds there, and remarks for the person who asked."""

    strategy: Strategy
    items: list[Item]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Breach:
    """One promise of the contract that a run did not keep: of a field, or of the number of records."""

    what: Literal["records", "fill", "kind", "length", "distinct"]
    before: object
    now: object
    field: str | None = None

    def to_document(self) -> dict[str, object]:
        where: dict[str, object] = {} if self.field is None else {"field": self.field}
        return {"what": self.what, **where, "before": self.before, "now": self.now}

    def sentence(self) -> str:
        whose = f"{self.what} of {self.field!r}" if self.field else self.what
        return f"{whose} was {self.before}, is {self.now}"


@dataclass(frozen=True)
class Repair:
    """How a run kept its contract after all, and the strategy to store for the next one.

    `before` is what was broken, `after` how the fields and the container are found now.
    """

    how: RepairKind
    strategy: Strategy
    before: tuple[Breach, ...] = ()
    after: Mapping[str, str] = field(default_factory=dict)

    def to_document(self) -> dict[str, object]:
        """The report of the repair, without the strategy."""
        return {
            "how": self.how,
            "before": [one.to_document() for one in self.before],
            "after": dict(self.after),
        }


@dataclass(frozen=True)
class RunResult:
    """The items of one run. `fill` is the share of records with a value, per field.

    `lost` names fields that used to have values and now have none: their absence is no news about the
    records. `repaired` is set when the strategy as stored would not have found these items.
    """

    items: list[Item]
    fill: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    repaired: Repair | None = None
