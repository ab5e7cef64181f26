"""Traces by OpenTelemetry: a span for each request, each operation, each statement, and for what takes long in between.

They are an extra (`pip install 'buildatlas[traces]'`), and off unless OpenTelemetry's own variables say where spans go, such as
`OTEL_EXPORTER_OTLP_ENDPOINT`. Where they are off nothing of it is loaded.

How it works: spans of requests, operations and statements surround what they tell of. What is measured anyway, such as a
resolution, becomes a span once it has ended, of as many seconds as were measured, so that it is named in one place.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any, Final, Protocol

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from buildatlas.observability import request_id
from buildatlas.settings import SettingsError
from resolvers import measurements

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.trace import Tracer

log = logging.getLogger(__name__)

_SERVICE: Final = "buildatlas"

# What is told of by a measurement, and is a part of an operation.
_PARTS: Final = frozenset(
    {
        measurements.RESOLVE,
        measurements.PLAN,
        measurements.IMPORT,
        measurements.CLAIM,
        measurements.REPORT,
    }
)

_PROTOCOLS: Final = {"http/protobuf": "otlp_proto_http", "grpc": "otlp_proto_grpc"}
_LONGEST_NAME: Final = 100
_NANOSECONDS: Final = 1_000_000_000

Facts = Mapping[str, str | int]


class Traces(Protocol):
    """Where spans go."""

    @property
    def is_on(self) -> bool:
        """Whether they go anywhere."""
        ...

    def span(self, name: str, facts: Facts | None = None) -> AbstractContextManager[Callable[[Facts], None]]:
        """Give a span for as long as the block runs, which may say more of it."""
        ...

    def request(
        self, name: str, headers: Headers, facts: Facts
    ) -> AbstractContextManager[Callable[[Facts], None]]:
        """Give the span of a request, which goes on with the trace that its client has begun, if so."""
        ...

    def statement(self, text: str) -> AbstractContextManager[object]:
        """Give the span of an SQL statement."""
        ...

    def observe(self, name: str, value: float, labels: Mapping[str, str]) -> None:
        """Make a span of what was measured just now."""
        ...

    def close(self) -> None:
        """Send what has not been sent yet. Takes as long as OpenTelemetry is told to wait."""
        ...


class NoTraces:
    """Traces that are off."""

    is_on = False

    def span(self, name: str, facts: Facts | None = None) -> AbstractContextManager[Callable[[Facts], None]]:
        """Give nothing."""
        del name, facts
        return _NOTHING

    def request(
        self, name: str, headers: Headers, facts: Facts
    ) -> AbstractContextManager[Callable[[Facts], None]]:
        """Give nothing."""
        del name, headers, facts
        return _NOTHING

    def statement(self, text: str) -> AbstractContextManager[object]:
        """Give nothing."""
        del text
        return _NOTHING

    def observe(self, name: str, value: float, labels: Mapping[str, str]) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


def _ignore(_facts: Facts) -> None:
    """Take no notice."""


_NOTHING: Final[AbstractContextManager[Callable[[Facts], None]]] = nullcontext(_ignore)
OFF: Final[Traces] = NoTraces()


class OpenTelemetry:
    """Traces that go to where a processor sends them."""

    is_on = True

    def __init__(self, *processors: "SpanProcessor", version: str, environment: Mapping[str, str]) -> None:
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415

        named = {"OTEL_SERVICE_NAME"} & environment.keys() or "service.name=" in environment.get(
            "OTEL_RESOURCE_ATTRIBUTES", ""
        )
        own = {"service.version": version, **({} if named else {"service.name": _SERVICE})}
        self._provider = TracerProvider(resource=Resource.create(own), shutdown_on_exit=False)
        for processor in processors:
            self._provider.add_span_processor(processor)
        self._tracer: Tracer = self._provider.get_tracer(_SERVICE, version)

    @contextmanager
    def span(self, name: str, facts: Facts | None = None) -> Iterator[Callable[[Facts], None]]:
        """Give a span for as long as the block runs, which may say more of it."""
        yield from self._surround(name, facts)

    @contextmanager
    def request(self, name: str, headers: Headers, facts: Facts) -> Iterator[Callable[[Facts], None]]:
        """Give the span of a request, which goes on with the trace that its client has begun, if so."""
        from opentelemetry.propagate import extract  # noqa: PLC0415
        from opentelemetry.trace import SpanKind  # noqa: PLC0415

        yield from self._surround(name, facts, context=extract(headers), kind=SpanKind.SERVER)

    def statement(self, text: str) -> AbstractContextManager[object]:
        """Give the span of an SQL statement."""
        return self.span(next(iter(text.split(maxsplit=1)), "SQL").upper(), {"db.query.text": text})

    def observe(self, name: str, value: float, labels: Mapping[str, str]) -> None:
        """Make a span of what was measured just now."""
        if name in _PARTS:
            end = time.time_ns()
            began = end - int(value * _NANOSECONDS)
            span = self._tracer.start_span(
                name.removesuffix(".seconds"), attributes=dict(labels), start_time=began
            )
            span.end(end)

    def close(self) -> None:
        """Send what has not been sent yet."""
        self._provider.shutdown()

    def _surround(self, name: str, facts: Facts | None, **more: Any) -> Iterator[Callable[[Facts], None]]:
        from opentelemetry.trace import Status, StatusCode  # noqa: PLC0415

        # The text of an exception may hold what is not to leave the server.
        with self._tracer.start_as_current_span(
            name, attributes=facts, record_exception=False, set_status_on_exception=False, **more
        ) as span:
            try:
                yield lambda further: span.set_attributes(dict(further))
            except BaseException as error:
                span.set_status(Status(StatusCode.ERROR, type(error).__name__))
                raise


def traces(environment: Mapping[str, str], *, version: str) -> Traces:
    """Return traces as OpenTelemetry's variables want them, or OFF. Raises SettingsError for an exporter that is not there."""
    names = _exporters(environment)
    if not names:
        return OFF
    try:
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError:
        log.warning("there are no traces: they need `pip install 'buildatlas[traces]'`")
        return OFF
    processors = [BatchSpanProcessor(_exporter(name)) for name in names]
    return OpenTelemetry(*processors, version=version, environment=environment)


def _exporters(environment: Mapping[str, str]) -> list[str]:
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return []
    has_endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"} & environment.keys()
    wanted = environment.get("OTEL_TRACES_EXPORTER") or ("otlp" if has_endpoint else "none")
    names = [name.strip() for name in wanted.split(",") if name.strip() not in {"", "none"}]
    protocol = environment.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or environment.get(
        "OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"
    )
    return [_PROTOCOLS.get(protocol, protocol) if name == "otlp" else name for name in names]


def _exporter(name: str) -> Any:
    found = metadata.entry_points(group="opentelemetry_traces_exporter", name=name)
    if not found:
        raise SettingsError(
            "OTEL_TRACES_EXPORTER",
            f"no exporter {name!r} is installed: try `pip install 'buildatlas[traces]'`",
        )
    return next(iter(found)).load()()


@dataclass(frozen=True, slots=True)
class TracedRequests:
    """Gives each request a span; of a WebSocket each operation has one of its own."""

    app: ASGIApp
    traces: Traces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        facts: Facts = {
            "http.request.method": scope["method"],
            "url.path": scope["path"],
            "buildatlas.request_id": request_id.get() or "",
        }
        with self.traces.request(f"{scope['method']} request", Headers(scope=scope), facts) as tell:

            async def send_and_tell(message: Message) -> None:
                if message["type"] == "http.response.start":
                    tell({"http.response.status_code": message["status"]})
                await send(message)

            await self.app(scope, receive, send_and_tell)


def operation_facts(name: str | None) -> tuple[str, Facts]:
    """Return what the span of a GraphQL operation is called, and what it tells. The name is the client's own text."""
    name = name and name[:_LONGEST_NAME]
    return f"operation {name or 'without a name'}", {"graphql.operation.name": name or ""}
