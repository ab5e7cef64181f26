"""Traces: one span for each request, operation, resolution and statement, and nothing at all where they are off."""

import subprocess
import sys
from collections.abc import Iterator, Sequence

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from buildatlas.settings import Settings, SettingsError
from buildatlas.traces import OFF, OpenTelemetry, operation_facts, traces
from tests.api.processes import wait_until
from tests.api.serving import connected, serving

RESOLVE = """query Mine { resolve(input: { requirements: [{ package: "lib" }] }) {
    ... on Resolution { pins { package } } } }"""
PUBLISH = 'mutation Publish { publishVersion(input: { package: "lib", version: "1" }) { cursor } }'


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def client(database_url: str, exporter: InMemorySpanExporter) -> Iterator[httpx.Client]:
    """A client of a server that is traced."""
    spans = OpenTelemetry(SimpleSpanProcessor(exporter), version="1.0", environment={})
    with (
        serving(Settings(database_url, port=0), tracing=spans) as address,
        httpx.Client(base_url=address, timeout=30) as running,
    ):
        yield running


def ended(exporter: InMemorySpanExporter, name: str) -> None:
    """Wait until a span has ended, which may be a moment after what it tells of was answered."""
    wait_until(lambda: any(span.name == name for span in exporter.get_finished_spans()))


def publish(client: httpx.Client, exporter: InMemorySpanExporter) -> None:
    """Publish a version, and forget the spans of that."""
    client.post("/graphql", json={"query": PUBLISH})
    ended(exporter, "POST request")
    exporter.clear()


def named(spans: Sequence[ReadableSpan], name: str) -> ReadableSpan:
    (found,) = [span for span in spans if span.name == name]
    return found


def test_a_request_has_a_span_with_its_operation_resolution_and_statements_within(
    client: httpx.Client, exporter: InMemorySpanExporter
) -> None:
    publish(client, exporter)

    client.post("/graphql", json={"query": RESOLVE}, headers={"X-Request-Id": "mine-1"})

    ended(exporter, "POST request")
    spans = exporter.get_finished_spans()
    request, operation, resolution = (
        named(spans, name) for name in ("POST request", "operation Mine", "resolve")
    )
    statements = [span for span in spans if "db.query.text" in (span.attributes or {})]
    assert request.attributes is not None
    assert request.attributes["buildatlas.request_id"] == "mine-1"
    assert request.attributes["http.response.status_code"] == 200
    assert request.parent is None
    assert operation.parent == request.context
    assert resolution.parent == operation.context
    assert resolution.attributes == {"outcome": "OK"}
    assert {span.name for span in statements} >= {"SELECT"}
    assert operation.context in [span.parent for span in statements]
    assert all((span.start_time or 0) <= (span.end_time or 0) for span in spans)


def test_a_statement_tells_its_text_and_not_its_values(
    client: httpx.Client, exporter: InMemorySpanExporter
) -> None:
    client.post("/graphql", json={"query": PUBLISH.replace("lib", "very-secret")})

    texts = [str((span.attributes or {}).get("db.query.text", "")) for span in exporter.get_finished_spans()]
    assert any(text.lstrip().startswith("INSERT INTO package_versions") for text in texts)
    assert not any("very-secret" in text for text in texts)


def test_a_request_goes_on_with_the_trace_of_its_client(
    client: httpx.Client, exporter: InMemorySpanExporter
) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"

    client.get("/healthz", headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"})

    ended(exporter, "GET request")
    request = named(exporter.get_finished_spans(), "GET request")
    assert request.context is not None
    assert f"{request.context.trace_id:032x}" == trace


def test_an_operation_on_a_socket_has_a_span_and_a_subscription_none(
    client: httpx.Client, exporter: InMemorySpanExporter
) -> None:
    watch = 'subscription Watch { events(after: "0") { ... on Event { cursor } } }'
    publish(client, exporter)

    with connected(str(client.base_url).rstrip("/")) as socket:
        socket.subscribe(watch, id="1")
        assert socket.receive()["id"] == "1"
        socket.subscribe(RESOLVE, id="2")
        while socket.receive() != {"type": "complete", "id": "2"}:
            pass

    ended(exporter, "operation Mine")
    names = [span.name for span in exporter.get_finished_spans()]
    assert names.count("operation Mine") == 1
    assert "operation Watch" not in names


def test_an_operation_on_an_event_stream_has_a_span_and_a_subscription_none(
    client: httpx.Client, exporter: InMemorySpanExporter
) -> None:
    watch = 'subscription Watch { events(after: "0") { ... on Event { cursor } } }'
    publish(client, exporter)

    for query in (watch, RESOLVE):
        with client.stream("GET", "/graphql/stream", params={"query": query}) as stream:
            next(text for text in stream.iter_text() if "event: next" in text)

    ended(exporter, "operation Mine")
    spans = exporter.get_finished_spans()
    operation = named(spans, "operation Mine")
    assert operation.parent is not None
    assert named(spans, "resolve").parent == operation.context
    assert "operation Watch" not in [span.name for span in spans]


@pytest.mark.parametrize(
    ("text", "name"), [("\n  select 1", "SELECT"), ("WITH\na AS (", "WITH"), (" ", "SQL")]
)
def test_the_span_of_a_statement_is_named_for_its_first_word(
    exporter: InMemorySpanExporter, text: str, name: str
) -> None:
    with OpenTelemetry(SimpleSpanProcessor(exporter), version="1.0", environment={}).statement(text):
        pass

    assert [span.name for span in exporter.get_finished_spans()] == [name]


def test_of_an_operation_whose_name_is_endless_the_beginning_is_told() -> None:
    name, facts = operation_facts("x" * 10_000)

    assert name == f"operation {'x' * 100}"
    assert facts == {"graphql.operation.name": "x" * 100}


def test_what_fails_is_marked_without_what_it_says(exporter: InMemorySpanExporter) -> None:
    spans = OpenTelemetry(SimpleSpanProcessor(exporter), version="1.0", environment={})

    with pytest.raises(ZeroDivisionError), spans.span("failing"):
        raise ZeroDivisionError("a secret of the inside")

    failing = named(exporter.get_finished_spans(), "failing")
    assert failing.status.description == "ZeroDivisionError"
    assert failing.events == ()


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"},
        {"OTEL_TRACES_EXPORTER": "console", "OTEL_SDK_DISABLED": "true"},
    ],
)
def test_traces_are_off_unless_opentelemetry_is_told_where_they_go(environment: dict[str, str]) -> None:
    off = traces(environment, version="1.0")

    assert off is OFF
    assert not off.is_on
    with off.span("a") as tell, off.statement("SELECT 1"):
        tell({"b": 1})


def test_spans_go_where_opentelemetry_is_told() -> None:
    code = """if True:
        from buildatlas.traces import traces
        on = traces({"OTEL_TRACES_EXPORTER": "console"}, version="1.0")
        with on.span("a", {"b": 1}):
            pass
        on.close()
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert '"name": "a"' in done.stdout


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"OTEL_TRACES_EXPORTER": "nothing"}, "'nothing'"),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "pigeons"}, "'pigeons'"),
    ],
)
def test_an_exporter_that_is_not_installed_is_named(environment: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        traces(environment, version="1.0")


def test_the_name_of_the_service_may_be_given(exporter: InMemorySpanExporter) -> None:
    for environment, expected in (({}, "buildatlas"), ({"OTEL_SERVICE_NAME": "atlas"}, "unknown_service")):
        spans = OpenTelemetry(SimpleSpanProcessor(exporter), version="1.0", environment=environment)
        with spans.span("a"):
            pass
        (span,) = exporter.get_finished_spans()
        assert str(span.resource.attributes["service.name"]).startswith(expected)
        exporter.clear()


def test_without_the_extra_there_are_no_traces_and_nothing_of_it_is_loaded() -> None:
    code = """if True:
        import sys
        sys.modules["opentelemetry.sdk.trace.export"] = None
        import buildatlas.server
        from buildatlas.traces import OFF, traces
        assert "opentelemetry" not in sys.modules, "loaded"
        assert traces({"OTEL_TRACES_EXPORTER": "console"}, version="1.0") is OFF
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "pip install 'buildatlas[traces]'" in done.stderr
