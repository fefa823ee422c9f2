"""A portal on 127.0.0.1 that answers as the Explore API v2.1 does, and fails on demand.

It holds datasets as rows of text, understands the part of ODSQL that filters (``=``, ``>=``, ``<``,
``in``, ``and``, ``or``, parentheses, ``date'…'``, ``search``), pages as the API pages, streams
exports in chunks, and plays the faults put in `faults`, one a matching request.
"""

from __future__ import annotations

import csv
import io
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

COLUMNS = [
    *("exer", "ident", "ndept", "lbudg", "insee", "cbudg", "ctype", "cstyp", "nomen", "siren", "cregi", "cacti"),
    *("secteur", "finess", "codbud1", "categ", "bal", "compte"),
    *("bedeb", "becre", "obnetdeb", "obnetcre", "onbdeb", "onbcre", "oobdeb", "oobcre", "sd", "sc"),
]
ROOT = "/api/explore/v2.1/catalog/datasets"
Row = dict[str, str]


@dataclass
class Fault:
    """What goes wrong with one request.

    Parameters
    ----------
    path
        End of the path of the requests concerned.
    status
        Answer this status, with `headers` and `body`.
    cut
        Send this many bytes of the body, then drop the connection.
    truncate
        Send this many bytes of the body and end it as if it were whole.
    """

    path: str
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: str = '{"error_code": "x", "message": "panne simulée"}'
    cut: int = -1
    truncate: int = -1


@dataclass
class Sheet:
    """A dataset of the portal."""

    rows: list[Row]
    columns: list[str] = field(default_factory=lambda: list(COLUMNS))
    types: dict[str, str] = field(default_factory=dict)
    modified: str = "2025-01-01T00:00:00+00:00"
    announced: int = 0
    """Added to every count: a portal whose count and export disagree."""

    def describe(self, identifier: str) -> dict[str, Any]:
        fields = [{"name": name, "type": self.types.get(name, "text"), "label": name.upper()} for name in self.columns]
        metas = {"default": {"title": identifier, "data_processed": self.modified, "records_count": len(self.rows)}}
        return {"dataset_id": identifier, "has_records": True, "fields": fields, "metas": metas}


class RefusalError(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = json.dumps({"error_code": "ODSQLError", "message": message})


class StandIn:
    """The portal: its datasets, the faults to come, the requests received."""

    def __init__(self) -> None:
        self.datasets: dict[str, Sheet] = {}
        self.faults: list[Fault] = []
        self.requests: list[tuple[str, dict[str, str], dict[str, str]]] = []
        self.url = ""

    def exports(self) -> list[str]:
        """The datasets exported so far, in order."""
        return [path.split("/")[-3] for path, _, _ in self.requests if path.endswith("/exports/csv")]

    def fault(self, path: str) -> Fault | None:
        for fault in self.faults:
            if path.endswith(fault.path):
                self.faults.remove(fault)
                return fault
        return None

    def answer(self, path: str, query: dict[str, str]) -> tuple[str, str]:
        """Give the content type and the body of a request without fault."""
        if path == ROOT:
            return "application/json", self._catalogue(query)
        found = re.fullmatch(rf"{ROOT}/([^/]+)(/records|/exports/csv)?", path)
        sheet = self.datasets.get(unquote(found[1])) if found else None
        if not found or not sheet:
            raise RefusalError(404, f"Unknown dataset: {path}.")
        if not found[2]:
            return "application/json", json.dumps(sheet.describe(found[1]))
        rows = select(sheet, query.get("where", ""))
        if found[2] == "/exports/csv":
            return "text/csv; charset=utf-8", self._export(sheet, rows, query)
        limit, offset = page(query)
        results = rows[offset : offset + limit]
        return "application/json", json.dumps({"total_count": len(rows) + sheet.announced, "results": results})

    def _catalogue(self, query: dict[str, str]) -> str:
        wanted = re.fullmatch(r'search\("([^"]*)"\)', query.get("where", 'search("")'))
        if not wanted:
            raise RefusalError(400, "ODSQL query is malformed.")
        limit, offset = page(query)
        names = [name for name in self.datasets if wanted[1] in name]
        results = [self.datasets[name].describe(name) for name in names[offset : offset + limit]]
        return json.dumps({"total_count": len(names), "results": results})

    def _export(self, sheet: Sheet, rows: list[Row], query: dict[str, str]) -> str:
        text = io.StringIO()
        writer = csv.writer(text, delimiter=query.get("delimiter", ","))
        labels = query.get("use_labels", "true") == "true"
        writer.writerow([name.upper() if labels else name for name in sheet.columns])
        writer.writerows([row.get(name, "") for name in sheet.columns] for row in rows)
        bom = "" if query.get("with_bom", "true") == "false" else "\ufeff"
        return bom + text.getvalue()


def page(query: dict[str, str]) -> tuple[int, int]:
    """Read limit and offset, with the API's bounds."""
    limit, offset = int(query.get("limit", "10")), int(query.get("offset", "0"))
    if not 0 <= limit <= 100:
        raise RefusalError(
            400, f"Invalid value for limit API parameter: {limit} was found but 0 <= limit <= 100 is expected."
        )
    if offset < 0 or offset + limit > 10_000:
        raise RefusalError(400, "Invalid value for offset API parameter: offset + limit should be <= 10000.")
    return limit, offset


TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|date'(?P<date>[\d-]+)'|(?P<number>\d+)(?![\w])|(?P<word>\w+)"""
    r"""|(?P<sign>>=|<=|[=<>(),]))"""
)


def select(sheet: Sheet, where: str) -> list[Row]:
    """Filter rows as a ``where`` says."""
    if not where.strip():
        return sheet.rows
    tokens: list[tuple[str, str]] = []
    position = 0
    while position < len(where):
        found = TOKEN.match(where, position)
        if not found:
            raise RefusalError(400, f"ODSQL query is malformed: invalid token at {position}.")
        tokens.append((str(found.lastgroup), str(found[str(found.lastgroup)])))
        position = found.end()
    reader = _Where(tokens, sheet)
    condition = reader.either()
    if reader.tokens:
        raise RefusalError(400, f"ODSQL query is malformed: unexpected {reader.tokens[0][1]}.")
    return [row for row in sheet.rows if condition(row)]


class _Where:
    def __init__(self, tokens: list[tuple[str, str]], sheet: Sheet) -> None:
        self.tokens, self.sheet = tokens, sheet

    def take(self, *expected: str) -> str:
        if not self.tokens or (expected and self.tokens[0][1].lower() not in expected):
            raise RefusalError(400, f"ODSQL query is malformed: expected {' or '.join(expected) or 'a value'}.")
        return self.tokens.pop(0)[1]

    def next_is(self, word: str) -> bool:
        return bool(self.tokens) and self.tokens[0][1].lower() == word

    def either(self) -> Any:
        parts = [self.both()]
        while self.next_is("or"):
            self.take()
            parts.append(self.both())
        return lambda row: any(part(row) for part in parts)

    def both(self) -> Any:
        parts = [self.one()]
        while self.next_is("and"):
            self.take()
            parts.append(self.one())
        return lambda row: all(part(row) for part in parts)

    def one(self) -> Any:
        if self.next_is("("):
            self.take()
            inner = self.either()
            self.take(")")
            return inner
        column = self.take()
        if column not in self.sheet.columns:
            raise RefusalError(400, f"ODSQL query is malformed: Unknown field: {column}.")
        sign = self.take("=", ">=", "<", "in")
        if sign == "in":
            self.take("(")
            values = [self.value(column)]
            while self.next_is(","):
                self.take()
                values.append(self.value(column))
            self.take(")")
            return lambda row: row[column] in values
        value = self.value(column)
        if sign == "=":
            return lambda row: row[column] == value
        return (lambda row: row[column] >= value) if sign == ">=" else (lambda row: row[column] < value)

    def value(self, column: str) -> str:
        if not self.tokens:
            raise RefusalError(400, "ODSQL query is malformed: a value is missing.")
        kind, text = self.tokens.pop(0)
        wanted = {"text": "text", "int": "number", "date": "date"}[self.sheet.types.get(column, "text")]
        if kind != wanted:
            raise RefusalError(400, f"ODSQL query is malformed: {column} compared with a {kind}.")
        return re.sub(r"\\(.)", r"\1", text[1:-1]) if kind == "text" else text


def _handler(portal: StandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
            portal.requests.append((parts.path, query, {name.lower(): text for name, text in self.headers.items()}))
            fault = portal.fault(parts.path)
            if fault and fault.status:
                self.plain(fault.status, fault.body, fault.headers)
                return
            try:
                kind, body = portal.answer(parts.path, query)
            except RefusalError as refusal:
                self.plain(refusal.status, refusal.body, {})
                return
            if kind.startswith("text/csv"):
                self.chunked(body.encode(), fault)
            else:
                self.plain(200, body, {})

        def plain(self, status: int, body: str, headers: dict[str, str]) -> None:
            content = body.encode()
            self.send_response(status)
            for name, text in {"Content-Type": "application/json", "Content-Length": str(len(content))}.items():
                self.send_header(name, text)
            for name, text in headers.items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(content)

        def chunked(self, content: bytes, fault: Fault | None) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/csv; charset=utf-8")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            if fault and fault.cut >= 0:
                self.chunk(content[: fault.cut])
                self.close_connection = True
                return
            whole = content[: fault.truncate] if fault and fault.truncate >= 0 else content
            for start in range(0, len(whole), 4096):
                self.chunk(whole[start : start + 4096])
            self.wfile.write(b"0\r\n\r\n")

        def chunk(self, content: bytes) -> None:
            if content:
                self.wfile.write(f"{len(content):x}\r\n".encode() + content + b"\r\n")

    return Handler


@contextmanager
def running() -> Iterator[StandIn]:
    """Serve a portal until the block ends."""
    portal = StandIn()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(portal))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    portal.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield portal
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
