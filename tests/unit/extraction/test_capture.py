"""From recorded calls to requests that can be made again, without a browser."""

from __future__ import annotations

import json
from typing import Any

import pytest

from meterhouse.extraction.capture import paging
from meterhouse.extraction.capture.address import PageAddress, fill, template_host, template_path
from meterhouse.extraction.capture.choose import Visible, choose, choose_unseen
from meterhouse.extraction.capture.requests import (
    Visits,
    check_parameters,
    is_api_address,
    prepare,
    template_of,
    typed,
)
from meterhouse.extraction.capture.run import run
from meterhouse.extraction.capture.tokens import cookies_of, find_token, read_tokens
from meterhouse.extraction.engine.document import parse
from meterhouse.extraction.engine.record_links import link_template
from meterhouse.extraction.engine.records import at, leaves_of, read_json, values_at
from meterhouse.extraction.engine.request import wish_of
from meterhouse.extraction.model import ExtractionFailed, Field, Page, Strategy
from meterhouse.extraction.plan import ApiRequest, Paging, Parameter
from meterhouse.kernel.errors import Invalid
from meterhouse.platform.ports import RecordedRequest

BOARD = "https://acme.jobs.example/board/acme-4711?team=sales"
EMPTY = Page(BOARD, "<html><body></body></html>")


def call(url: str, body: str | None = None, method: str = "GET", **headers: str) -> RecordedRequest:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return RecordedRequest("POST" if body else method, url, named, body, 200, "{}")


def request(url: str, body: str | None = None, page: Page = EMPTY, **headers: str) -> ApiRequest:
    made = template_of(call(url, body, **headers), Visits(page, page))
    assert made is not None
    return made


class TestAddresses:
    @pytest.mark.parametrize(
        ("value", "placeholder"),
        [
            ("acme-4711", "{page.path.1}"),
            ("4711", "{page.number.1}"),
            ("sales", "{page.query.team}"),
            ("acme", "{page.label.0}"),
            ("board", "{page.path.0}"),
            ("1", None),
            ("other", None),
        ],
    )
    def test_where_a_value_comes_from(self, value: str, placeholder: str | None) -> None:
        assert PageAddress(BOARD).origin_of(value) == placeholder

    def test_hosts(self) -> None:
        page = PageAddress(BOARD)
        assert template_host("acme.jobs.example", page) == "{page.host}"
        assert template_host("acme.api.example", page) == "{page.label.0}.api.example"
        assert template_host("api.jobs.example", page) == "api.jobs.example"

    def test_a_value_of_another_page_is_quoted(self) -> None:
        template = template_path("/v1/acme-4711/jobs", PageAddress(BOARD))
        other = PageAddress("https://x.jobs.example/board/..%2F..%2Fadmin%3Fa=1")
        assert fill(template, other, {}, quoted=True) == "/v1/..%2F..%2Fadmin%3Fa%3D1/jobs"
        assert fill(template, PageAddress("https://x.jobs.example/"), {}) is None


class TestRequests:
    def test_query_values_are_typed_and_written_back_the_same(self) -> None:
        url = "https://api.example/v1?page=2&price=1.50&zip=00123&all=true&q=&tag=a&tag=b"
        made = request(url)
        assert made.overridable == {"page": 2, "price": "1.50", "zip": "00123", "all": True, "q": ""}
        assert made.url == "https://api.example/v1?tag=a&tag=b"
        sent = prepare(made, BOARD, tokens={}, overrides={})
        assert sent.url == "https://api.example/v1?tag=a&tag=b&page=2&price=1.50&zip=00123&all=true&q="
        sent = prepare(made, BOARD, tokens={}, overrides={"page": None, "all": False})
        assert sent.url == "https://api.example/v1?tag=a&tag=b&price=1.50&zip=00123&all=false&q="

    @pytest.mark.parametrize("text", ["1e5", "1_000", "-0", "+1", "0x10", "٣", "9" * 30, "1.10", "NaN"])
    def test_odd_numbers_stay_texts(self, text: str) -> None:
        assert typed(text) == text

    def test_bodies(self) -> None:
        body = {"query": "query {\n a }", "variables": {"first": 5, "team": "sales", "sort": [{"by": "x"}]}}
        made = request("https://api.example/graph", json.dumps(body), content_type="application/json")
        assert made.overridable == {
            "variables.first": 5,
            "variables.team": "sales",
            "variables.sort.0.by": "x",
        }
        other = BOARD.replace("sales", "care")
        sent = prepare(made, other, tokens={}, overrides={"variables.sort.0.by": None})
        assert json.loads(sent.body or b"") == {
            "query": "query {\n a }",
            "variables": {"first": 5, "team": "care", "sort": [{"by": None}]},
        }
        sent = prepare(made, other, tokens={}, overrides={"variables.team": "x"})
        assert json.loads(sent.body or b"")["variables"]["team"] == "x", "what a job says comes first"

    def test_forms(self) -> None:
        made = request(
            "https://api.example/f", "a=1&b=x%20y", content_type="application/x-www-form-urlencoded"
        )
        sent = prepare(made, BOARD, tokens={}, overrides={"a": 7})
        assert sent.body == b"a=7&b=x+y"

    def test_headers(self) -> None:
        made = request(
            "https://api.example/", referer=BOARD, origin="https://acme.jobs.example", x_key="k", cookie="a=b"
        )
        other = "https://beta.jobs.example/board/beta-12?team=a"
        assert prepare(made, other, tokens={}, overrides={}).headers == {
            "referer": other,
            "origin": "https://beta.jobs.example",
            "x-key": "k",
        }

    @pytest.mark.parametrize(
        "bad",
        [
            call("https://api.example/", method="DELETE"),
            call("https://api.example/{page.host}"),
            call("https://api.example/", "------boundary\r\nmultipart"),
            call("https://api.example/", x_key="{token.secret}"),
        ],
    )
    def test_calls_that_cannot_be_made_again(self, bad: RecordedRequest) -> None:
        assert template_of(bad, Visits(EMPTY, EMPTY)) is None

    def test_documents_written_by_hand(self) -> None:
        made = request("https://api.example/v1?page=2", x_key="k")
        assert ApiRequest.from_document(made.to_document()) == made
        for change, words in (
            ({"url": "file:///etc/passwd"}, "http"),
            ({"method": "DELETE"}, "one of GET, POST"),
            ({"parameters": {"a": {"value": [1]}}}, "parameters.a.value"),
            ({"items": [1.5]}, "items"),
            ({"code": "x"}, "code"),
        ):
            with pytest.raises(Invalid, match=words):
                ApiRequest.from_document({**made.to_document(), **change})

    def test_addresses_of_the_api(self) -> None:
        made = request("https://acme.jobs.example/api/acme-4711?page=1")
        assert is_api_address(made, "https://acme.jobs.example/api/other-1?page=9")
        assert not is_api_address(made, "https://acme.jobs.example/api/other-1/more")
        assert not is_api_address(made, "https://evil.example/api/other-1")
        assert not is_api_address(made, BOARD)

    def test_parameters_are_checked(self) -> None:
        made = request("https://api.example/v1?page=2")
        assert check_parameters(made, {"page": "3"}) == {"page": "3"}
        for given in ({"pages": 1}, {"page": [1]}, {"page": {"a": 1}}):
            with pytest.raises(Invalid):
                check_parameters(made, given)


class TestTokens:
    TOKEN = "a1B2c3D4e5F6"

    @pytest.mark.parametrize(
        "html",
        [
            '<meta name="csrf-token" content="{}">',
            '<input type="hidden" name="_token" value="{}">',
            '<body data-api-key="{}">',
            '<script>window.config = {"key": "{}", "x": 1}</script>',
            "<script>var t='{}';</script>",
        ],
    )
    def test_found_and_read_again(self, html: str) -> None:
        page = Page(BOARD, html.replace("{}", self.TOKEN))
        token = find_token(self.TOKEN, page, {})
        assert token is not None
        fresh = Page(BOARD, html.replace("{}", "NEW9value8here"))
        assert read_tokens({"t": token}, fresh, {}) == {"t": "NEW9value8here"}
        with pytest.raises(ExtractionFailed, match="no longer holds the value 't'"):
            read_tokens({"t": token}, Page(BOARD, "<p>gone</p>"), {})

    def test_a_constant_that_the_page_lacks_stays(self) -> None:
        assert request("https://api.example/", authorization="Bearer a1B2c3D4e5F6").headers == {
            "authorization": "Bearer a1B2c3D4e5F6"
        }

    def test_one_that_the_page_has_is_read_anew(self) -> None:
        page = Page(BOARD, f'<meta name="k" content="{self.TOKEN}">')
        made = request("https://api.example/", page=page, authorization=f"Bearer {self.TOKEN}")
        assert made.headers == {"authorization": "Bearer {token.authorization}"}
        sent = prepare(made, BOARD, tokens={"authorization": "fresh"}, overrides={})
        assert sent.headers == {"authorization": "Bearer fresh"}
        assert "authorization" not in made.overridable

    def test_cookies(self) -> None:
        text = (
            "sid=abc; Path=/; HttpOnly, XSRF=x%3D1; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Path=/,"
            " last=1; Max-Age=5"
        )
        assert cookies_of({"set-cookie": text}) == {"sid": "abc", "XSRF": "x%3D1", "last": "1"}


class TestAnswers:
    def test_paths(self) -> None:
        record = {"a.b": {"c": [{"d": 1}, {"d": 2}]}, "e": [3, 4]}
        assert leaves_of(record) == {"a\\.b.c.d": [1, 2], "e": [3, 4]}
        assert values_at(record, "a\\.b.c.d") == [1, 2]
        assert values_at(record, "e.1") == [4]
        assert at({"x": [{"y": 1}]}, ("x", 0, "y")) == 1

    @pytest.mark.parametrize("text", ["", "{", "[" * 200_000, "<html>", "[" + "9" * 10_000 + "]"])
    def test_what_is_no_json(self, text: str) -> None:
        with pytest.raises(ExtractionFailed):
            read_json(text)

    def test_guards_before_json(self) -> None:
        assert read_json(")]}',\n[1]") == [1]

    def test_links_made_from_ids(self) -> None:
        links = [f"https://x.example/jobs/{at}-slug-{at}/apply" for at in (11, 12, 13)]
        values = {"id": ["11", "12", "13"], "slug": ["11-slug-11", "12-slug-12", "13-slug-13"]}
        assert link_template(links, values, "") == ("slug", "https://x.example/jobs/{}/apply")
        assert link_template(links, {"id": ["7", "8", "9"]}, "") is None


def strategy(**fields: Field) -> Strategy:
    return Strategy(kind="api", api=ApiRequest("https://a.example/", BOARD, items=("items",)), fields=fields)


def answer(items: object) -> Page:
    return Page(BOARD, json.dumps({"items": items}))


class TestRuns:
    def test_values(self) -> None:
        made = strategy(
            title=Field(source="json", selector="t"),
            link=Field(source="json", selector="path"),
            more=Field(source="json", selector="id", template="/jobs/{}"),
            tags=Field(source="json", selector="tags.name", many=True),
        )
        row = {"t": "<b>A &amp; B</b>  c", "path": "/x", "id": 7, "tags": [{"name": "a"}, {"name": "b"}]}
        (item,) = run(made, answer([row])).items
        assert item == {
            "title": "A & B c",
            "link": "https://acme.jobs.example/x",
            "more": "https://acme.jobs.example/jobs/7",
            "tags": ["a", "b"],
        }

    @pytest.mark.parametrize(
        ("items", "reason"),
        [([], "empty"), ({}, "empty"), ("text", "structure_changed"), ([{"other": 1}], "structure_changed")],
    )
    def test_answers_without_records(self, items: Any, reason: str) -> None:
        with pytest.raises(ExtractionFailed) as caught:
            run(strategy(title=Field(source="json", selector="t")), answer(items))
        assert caught.value.reason == reason

    def test_a_missing_list(self) -> None:
        with pytest.raises(ExtractionFailed, match="no longer holds a list at items"):
            run(strategy(title=Field(source="json", selector="t")), Page(BOARD, '{"error": "x"}'))


class TestChoice:
    ROWS = tuple({"name": f"Thing number {at}", "sku": f"s{at}", "cost": at * 10} for at in range(8))

    def page(self) -> Page:
        rows = "".join(f"<li><b>{row['name']}</b> <i>{row['cost']}</i></li>" for row in self.ROWS)
        return Page(BOARD, f"<html><body><ul>{rows}</ul></body></html>")

    def recorded(self, value: object) -> RecordedRequest:
        return RecordedRequest("GET", "https://api.example/", {}, None, 200, json.dumps(value))

    def test_the_list_that_is_seen(self) -> None:
        decoy = self.recorded({"menu": [{"name": f"Other {at}"} for at in range(50)]})
        real = self.recorded({"data": {"rows": self.ROWS}, "ads": [{"name": "Ad"}]})
        visible = Visible.of(parse(self.page()))
        (choice, *_) = choose([decoy, real], visible, wish_of("names and costs", None), [], BOARD)
        assert (choice.call, choice.items) == (real, ("data", "rows"))
        assert choice.fields["costs"].selector == "cost"

    def test_objects_of_objects(self) -> None:
        real = self.recorded({"byId": {str(at): row for at, row in enumerate(self.ROWS)}})
        visible = Visible.of(parse(self.page()))
        (choice, *_) = choose([real], visible, wish_of("names and costs", None), [], BOARD)
        assert choice.items == ("byId",)
        assert len(choice.records) == 8

    def test_nothing_seen_nothing_chosen(self) -> None:
        visible = Visible.of(parse(Page(BOARD, "<html><body><p>Hello</p></body></html>")))
        assert choose([self.recorded({"rows": self.ROWS})], visible, wish_of("names", None), [], BOARD) == []

    def test_an_answer_asked_for_itself(self) -> None:
        (choice, *_) = choose_unseen(
            self.recorded({"rows": self.ROWS}), wish_of("names and costs", None), BOARD
        )
        assert choice.items == ("rows",)


class TestPaging:
    def api(self, **values: Any) -> ApiRequest:
        parameters = {name: Parameter("query", (name,), value) for name, value in values.items()}
        return ApiRequest("https://api.example/v1", BOARD, parameters=parameters)

    @pytest.mark.parametrize(
        ("values", "answer", "plan"),
        [
            ({"page": 1}, {}, Paging("parameter", parameter="page", step=1)),
            ({"offset": 0, "limit": 20}, {}, Paging("parameter", parameter="offset", step=20)),
            ({"start": 0}, {}, Paging("parameter", parameter="start", step=5)),
            (
                {"cursor": ""},
                {"next_cursor": "x"},
                Paging("cursor", parameter="cursor", cursor=("next_cursor",)),
            ),
            (
                {"after": None},
                {"pageInfo": {"endCursor": "x"}},
                Paging("cursor", parameter="after", cursor=("pageInfo", "endCursor")),
            ),
            ({}, {"links": {"next": "/v1?p=2"}}, Paging("link", cursor=("links", "next"))),
            ({"q": "x", "active": True}, {"total": 5}, None),
        ],
    )
    def test_found(self, values: Any, answer: Any, plan: Paging | None) -> None:
        found = paging.detect(self.api(**values), answer, 5)
        assert (found.paging if found else None) == plan

    def test_a_guess_says_so(self) -> None:
        found = paging.detect(self.api(), {"nextPageToken": "abc"}, 5)
        assert found is not None
        assert found.is_guess
        assert list(found.request.parameters) == ["pageToken"]

    @pytest.mark.parametrize(
        ("answer", "expected"),
        [
            ({"hasMore": False}, None),
            ({"page": {"isLast": True}}, None),
            ({"hasMore": True}, ({"page": 4}, None)),
            ({}, ({"page": 4}, None)),
        ],
    )
    def test_following_by_number(self, answer: Any, expected: Any) -> None:
        plan = Paging("parameter", parameter="page")
        assert (
            paging.following(plan, self.api(page=1), answer, {"page": 3}, "https://api.example/") == expected
        )

    def test_links_stay_on_their_host(self) -> None:
        plan = Paging("link", cursor=("next",))
        here = "https://api.example/v1"
        assert paging.following(plan, self.api(), {"next": "/v2"}, {}, here) == ({}, "https://api.example/v2")
        for target in ("https://evil.example/", "javascript:1", "", None, 5):
            assert paging.following(plan, self.api(), {"next": target}, {}, here) is None
