"""Traces on their way: a server of its own sends them by OTLP to whoever listens."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx

from tests.api.processes import ServerProcess, server_process, wait_until
from tests.api.receiver import QuietHandler, listening

# Without types for its messages.
SERVICE: Any = import_module("opentelemetry.proto.collector.trace.v1.trace_service_pb2")

RESOLVE = """query Mine { resolve(input: { requirements: [{ package: "lib" }] }) {
    ... on Resolution { pins { package } } } }"""
PUBLISH = 'mutation Publish { publishVersion(input: { package: "lib", version: "1" }) { cursor } }'


@dataclass
class Collector:
    """What has been received: spans, and the service that they are of."""

    port: int = 0
    spans: list[Any] = field(default_factory=list)
    services: set[tuple[str, str]] = field(default_factory=set)
    types: set[tuple[str, str | None]] = field(default_factory=set)
    """Of path and content."""

    def take(self, path: str, media: str | None, body: bytes) -> None:
        """Take in one request."""
        self.types.add((path, media))
        asked = SERVICE.ExportTraceServiceRequest.FromString(body)
        for resource in asked.resource_spans:
            facts = {each.key: each.value.string_value for each in resource.resource.attributes}
            self.services.add((facts["service.name"], facts["service.version"]))
            self.spans += [span for scope in resource.scope_spans for span in scope.spans]

    def named(self, name: str) -> list[Any]:
        """Return the spans of a name."""
        return [span for span in list(self.spans) if span.name == name]


@contextmanager
def collector() -> Iterator[Collector]:
    """Give one that listens as long as the block runs."""
    found = Collector()

    class Handler(QuietHandler):
        def do_POST(self) -> None:  # noqa: N802 - as http.server calls it
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            found.take(self.path, self.headers.get("Content-Type"), body)
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", "0")
            self.end_headers()

    with listening(Handler) as found.port:
        yield found


@contextmanager
def traced(tmp_path: Path, port: int) -> Iterator[ServerProcess]:
    """Serve, with spans going to a port of this machine."""
    with server_process(
        str(tmp_path / "atlas.db"),
        OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}",
        OTEL_EXPORTER_OTLP_TIMEOUT="1",
        OTEL_BSP_SCHEDULE_DELAY="100",
    ) as server:
        yield server


def attributes(span: Any) -> dict[str, Any]:
    return {each.key: each.value.string_value or each.value.int_value for each in span.attributes}


def test_spans_of_a_request_arrive_with_all_that_was_done_for_it(tmp_path: Path) -> None:
    with collector() as found:
        with traced(tmp_path, found.port) as server:
            httpx.post(f"{server.address}/graphql", json={"query": PUBLISH}, timeout=30)
            answer = httpx.post(
                f"{server.address}/graphql",
                json={"query": RESOLVE},
                headers={"X-Request-Id": "mine-1", "Cookie": "session=bat_of-mine"},
                timeout=30,
            )
            wait_until(lambda: bool(found.named("operation Mine")))
        # What was not sent by then is sent before the server ends.
        by_id = {span.span_id: span for span in found.spans}

    assert answer.headers["x-request-id"] == "mine-1"
    (request,) = [
        span for span in found.named("POST request") if attributes(span)["buildatlas.request_id"] == "mine-1"
    ]
    (operation,) = found.named("operation Mine")
    (solve,) = found.named("resolve")
    assert request.parent_span_id == b""
    assert operation.parent_span_id == request.span_id
    assert solve.parent_span_id == operation.span_id
    assert {span.trace_id for span in (request, operation, solve)} == {request.trace_id}
    statements = [
        span
        for span in found.spans
        if span.trace_id == request.trace_id and "db.query.text" in attributes(span)
    ]
    assert {by_id[span.parent_span_id].name for span in statements} >= {"operation Mine"}
    assert all(span.name == attributes(span)["db.query.text"].split()[0].upper() for span in statements)
    assert attributes(request)["http.response.status_code"] == answer.status_code == 200
    assert [name for name, _ in found.services] == ["buildatlas"]
    assert found.types == {("/v1/traces", "application/x-protobuf")}
    assert "bat_of-mine" not in str(found.spans)


def test_a_collector_that_is_away_is_told_of_and_holds_nothing_up(tmp_path: Path) -> None:
    with collector() as gone:
        port = gone.port
    with traced(tmp_path, port) as server:
        wait_until(lambda: "opentelemetry" in "\n".join(server.said))
        answer = httpx.post(f"{server.address}/graphql", json={"query": PUBLISH}, timeout=30)
        server.stop()

    assert answer.json()["data"]["publishVersion"]["cursor"]
