"""A ClickHouse engine behind HTTP in a process of its own, for tests of the server form.

It is the real engine (chDB) behind the part of ClickHouse's HTTP interface that its Python client uses:
the statement in the body, the URL or a form; `param_*`, `database` and settings as parameters; insert
data in the body; errors as status, `X-ClickHouse-Exception-Code` and text.

Run as a program: `python http_engine.py FOLDER PORT` (0: any) prints the port it listens on.
"""

from __future__ import annotations

import base64
import contextlib
import email.parser
import email.policy
import gzip
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

USER = "meterhouse"
PASSWORD = "s3cret/ü"

# Parameters of the HTTP interface itself; every other one is a setting of the engine.
_INTERFACE = {
    "query", "database", "buffer_size", "session_id", "compress", "decompress", "session_timeout",
    "session_check", "query_id", "quota_key", "wait_end_of_query", "client_protocol_version", "role",
    "send_progress_in_http_headers", "http_headers_progress_interval_ms", "enable_http_compression",
}  # fmt: skip
_INSERT = re.compile(r"\A(\s*INSERT\s+INTO\s.*?)\s+FORMAT\s+(\w+)\s*\Z", re.IGNORECASE | re.DOTALL)
_CODE = re.compile(r"Code: (\d+)")


@dataclass(frozen=True)
class Request:
    """One statement with everything that came with it."""

    sql: str
    data: bytes
    parameters: dict[str, str]
    settings: dict[str, str]
    database: str | None


def run(folder: str, request: Request) -> bytes:
    """Run the statement on a fresh connection, so that settings end with it. Errors are the engine's."""
    import chdb

    connection = chdb.connect(folder)  # type: ignore[no-untyped-call]
    try:
        if request.database:
            connection.query(f"USE `{request.database}`")
        for name, value in request.settings.items():
            quoted = value.replace("\\", "\\\\").replace("'", "\\'")
            connection.query(f"SET {name} = '{quoted}'")
        if request.data:
            return _insert(connection, request)
        return bytes(connection.query(request.sql, "TabSeparated", params=request.parameters).bytes() or b"")
    finally:
        connection.close()


def _insert(connection: object, request: Request) -> bytes:
    statement = _INSERT.match(request.sql)
    if statement is None:
        raise RuntimeError("Code: 62. DB::Exception: this test server takes data for INSERT … FORMAT only")
    with tempfile.NamedTemporaryFile() as block:
        block.write(request.data)
        block.flush()
        sql = f"{statement.group(1)} FROM INFILE '{block.name}' FORMAT {statement.group(2)}"
        connection.query(sql)  # type: ignore[attr-defined]
    return b""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    folder: str

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the tests read this program's output."""

    def _answer(self) -> None:
        body = self._body()
        url = urlsplit(self.path)
        if url.path == "/ping":
            self._send(200, b"Ok.\n", {})
            return
        expected = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.headers.get("Authorization") != expected:
            self._fail("Code: 516. DB::Exception: Authentication failed. (AUTHENTICATION_FAILED)")
            return
        try:
            answer = run(self.folder, self._request(dict(parse_qsl(url.query)), body))
        except Exception as failure:
            self._fail(str(failure))
        else:
            self._send(200, answer, {"X-ClickHouse-Summary": '{"read_rows":"0"}'})

    def _request(self, parameters: dict[str, str], body: bytes) -> Request:
        if self.headers.get("Content-Type", "").startswith("multipart/form-data"):
            parameters |= _form(self.headers["Content-Type"], body)
            body = b""
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        sql = parameters.get("query", "")
        if not sql:
            sql, body = body.decode(), b""
        return Request(
            sql=sql,
            data=body,
            parameters={n.removeprefix("param_"): v for n, v in parameters.items() if n.startswith("param_")},
            settings={
                n: v for n, v in parameters.items() if n not in _INTERFACE and not n.startswith("param_")
            },
            database=parameters.get("database"),
        )

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _fail(self, text: str) -> None:
        text = text[text.find("Code: ") :] if "Code: " in text else text
        code = _CODE.search(text)
        number = code.group(1) if code else "1001"
        status = {"516": 403, "60": 404, "81": 404, "62": 400}.get(number, 500)
        self._send(status, text.encode(), {"X-ClickHouse-Exception-Code": number})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        if "gzip" in self.headers.get("Accept-Encoding", "") and len(body) > 1000:
            body, headers = gzip.compress(body, 1), {**headers, "Content-Encoding": "gzip"}
        self.send_response(status)
        for name, value in {
            **headers,
            "Content-Length": str(len(body)),
            "X-ClickHouse-Timezone": "UTC",
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def _form(content_type: str, body: bytes) -> dict[str, str]:
    parser = email.parser.BytesParser(policy=email.policy.HTTP)
    message = parser.parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    fields = {}
    for part in message.iter_parts():
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        fields[str(part.get_param("name", header="content-disposition"))] = content.decode()
    return fields


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


@contextlib.contextmanager
def serve_engine(folder: Path, port: str = "0") -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Start the engine in another process; yield `host:port` and the process."""
    process = subprocess.Popen(
        [sys.executable, __file__, str(folder), port], stdout=subprocess.PIPE, env={**os.environ, "TZ": "UTC"}
    )
    try:
        assert process.stdout is not None
        listening = int(process.stdout.readline())
        yield f"127.0.0.1:{listening}", process
    finally:
        process.kill()
        process.wait()


def main() -> None:
    import chdb

    folder = sys.argv[1]
    # The engine lives as long as one connection does.
    keeper = chdb.connect(folder)  # type: ignore[no-untyped-call]
    Handler.folder = folder
    server = Server(("127.0.0.1", int(sys.argv[2])), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()
    keeper.close()


if __name__ == "__main__":
    main()
