"""The web application, and the process that serves it."""

import errno
import logging
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Final

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute

from buildatlas.chores import chores
from buildatlas.connections import Connections
from buildatlas.doorkeeping import Doorkeeper
from buildatlas.errors import PortTaken
from buildatlas.event_streams import GraphQLOverEvents
from buildatlas.measuring import measuring
from buildatlas.middleware import AccessLog, Failures, KnownHosts, RequestIds, SecurityHeaders
from buildatlas.observability import note, request_id
from buildatlas.pages import PageOrAPI, Pages, compressed
from buildatlas.prometheus import Exposition
from buildatlas.release import version
from buildatlas.scraping import Scraping
from buildatlas.sessions import Sessions
from buildatlas.settings import Settings
from buildatlas.sockets import GraphQLOverWebSocket
from buildatlas.traces import OFF, TracedRequests, Traces, traces
from buildatlas.transport import AFTER, BodyLimits, GraphQLOverHTTP
from buildatlas.trusted import trusted_documents
from resolvers.access import NOBODY, READER, Gate, Viewer
from resolvers.alert_rules import make_shipped
from resolvers.atlas import Atlas
from resolvers.build_measures import BuildMeasures, PackageNames
from resolvers.measuring import SILENT, Measurer
from resolvers.policy import Policy
from schema.context import Application, Context, Exposure
from schema.limits import Limits
from schema.pulse import Pulse
from schema.root import schema
from schema.streams import Streams
from schema.turns import Turns
from storage.database import Database
from storage.errors import StorageError

log = logging.getLogger(__name__)

# The paths whose requests are told apart in what is measured.
_ROUTES: Final = ("/", "/graphql", "/graphql/stream", "/healthz", "/metrics", "/readyz", "/session")

# A connection that nobody uses is closed after this long. Whoever closes it first should be the client: what it sends at the
# moment when the server closes is lost. Clients and proxies give up after 5 to 60 s.
_KEEP_ALIVE_SECONDS: Final = 75

GRACE_SECONDS: Final = 10
"""How long a stopping server waits for answers that are still being worked out."""


def create_app(settings: Settings, tracing: Traces = OFF) -> Starlette:
    """Return the application; its lifespan opens the database and closes it, and the traces."""
    site = _Site(settings, tracing)
    bodies = BodyLimits(settings.reader_body_limit, settings.body_limit)
    streams = Streams(schema, queue=settings.queue_limit)
    site.subscribers = lambda: streams.open
    connections = Connections(settings.socket_limit, most_of_one=settings.client_socket_limit)
    over_http = GraphQLOverHTTP(schema, site.enter, bodies, settings.catch_up_seconds, tracing)
    over_websocket = GraphQLOverWebSocket(
        streams, site.enter, connections, settings.subscription_limit, settings.origins, tracing
    )
    app = Starlette(
        routes=[
            Route("/graphql", PageOrAPI(over_http)),
            Route("/graphql/stream", GraphQLOverEvents(streams, site.enter, bodies, connections, tracing)),
            WebSocketRoute("/graphql", over_websocket),
            Route("/session", Sessions(site.recognise)),
            Route("/healthz", _healthz),
            Route("/readyz", site.readyz),
            Route("/metrics", Scraping(site.enter, site.exposition)),
            Mount("/", compressed(Pages())),
        ],
        middleware=[
            Middleware(RequestIds),
            *([Middleware(TracedRequests, traces=tracing)] if tracing.is_on else []),
            Middleware(AccessLog, measurer=site.measurer, routes=_ROUTES),
            Middleware(SecurityHeaders),
            *_guards(settings),
            Middleware(Failures),
        ],
        lifespan=site.lifespan,
    )
    app.state.streams = streams
    return app


def _guards(settings: Settings) -> list[Middleware]:
    """Return what lets only those in who know the server by its name, and pages of other sites if they may."""
    guards = []
    if settings.hosts or not settings.is_exposed:
        guards.append(Middleware(KnownHosts, names=settings.hosts))
    if settings.origins:
        guards.append(
            Middleware(
                CORSMiddleware,
                allow_origins=settings.origins,
                allow_methods=["GET", "POST"],
                allow_headers=[
                    "Authorization",
                    "Content-Type",
                    AFTER,
                    "If-None-Match",
                    "Last-Event-ID",
                    "X-Request-Id",
                ],
                expose_headers=["X-Request-Id", "ETag"],
            )
        )
    return guards


class Server(uvicorn.Server):
    """One process that serves; setting `should_exit` stops it, as a signal does.

    `announce` is called once requests are answered.
    """

    def __init__(
        self, settings: Settings, *, announce: Callable[[], None], tracing: Traces | None = None
    ) -> None:
        """`tracing` is what OpenTelemetry's variables say when it is not given. Raises SettingsError."""
        self._announce = announce
        app = create_app(settings, tracing or traces(os.environ, version=version()))
        self._streams: Streams = app.state.streams
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                ws="websockets-sansio",
                ws_max_size=settings.message_limit,
                ws_per_message_deflate=False,
                ws_ping_interval=20,
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=GRACE_SECONDS,
                ssl_certfile=settings.tls_certificate,
                ssl_keyfile=settings.tls_key,
                proxy_headers=bool(settings.proxies),
                forwarded_allow_ips=settings.proxies,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start answering, then tell so."""
        await super().startup(sockets)
        self._announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop answering. What never ends by itself is ended first."""
        self._streams.cut()
        await super().shutdown(sockets)


@dataclass(slots=True)
class _Site:
    """What the endpoints share, from the start of the lifespan to its end."""

    settings: Settings
    traces: Traces
    application: Application | None = None
    doorkeeper: Doorkeeper | None = None
    exposition: Exposition = field(default_factory=Exposition)
    measurer: Measurer = field(init=False)
    subscribers: Callable[[], int] = lambda: 0
    """How many subscriptions are being delivered."""

    def __post_init__(self) -> None:
        traced = (self.traces.observe,) if self.traces.is_on else ()
        self.measurer = (
            Measurer(most_series=self.settings.metric_series, observers=(self.exposition.observe, *traced))
            if self.settings.measuring
            else SILENT
        )

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[None]:
        settings = self.settings
        database = await anyio.to_thread.run_sync(
            partial(
                Database.open,
                settings.database_url,
                connections=settings.connections,
                spans=self.traces.statement if self.traces.is_on else None,
            )
        )
        with closing(self.traces), closing(database):
            await anyio.to_thread.run_sync(partial(make_shipped, database, now=datetime.now(UTC)))
            pulse = Pulse(database.watch)
            self.application = Application(
                Atlas(database),
                pulse,
                version(),
                datetime.now(UTC),
                policy=_policy(settings),
                limits=_limits(settings),
                turns=Turns(settings.heavy_limit, settings.heavy_queue),
                exposure=Exposure(settings.is_exposed, trusted_documents(settings.trusted_documents)),
                measurer=self.measurer,
                build_measures=BuildMeasures(self.measurer, PackageNames(database)),
            )
            anonymous = READER if settings.anonymous_read else NOBODY
            self.doorkeeper = Doorkeeper(Gate(database, anonymous))
            atlas = self.application.atlas
            async with (
                pulse.beating(),
                measuring(atlas, self.measurer, settings, subscribers=self.subscribers),
                chores(atlas, settings, self.measurer),
            ):
                yield

    def lifespan(self, app: Starlette) -> AbstractAsyncContextManager[None]:
        del app
        return self._open()

    async def recognise(self, headers: Headers, secret: str | None = None) -> Viewer:
        """Return who asks. Raises BadRequest."""
        if self.doorkeeper is None:
            raise RuntimeError("a request came in outside of the lifespan")
        viewer = await self.doorkeeper.admit(headers, secret)
        note(viewer=viewer.name)
        return viewer

    async def enter(self, headers: Headers, secret: str | None = None) -> Context:
        """Return what the operations of a request work with. Raises BadRequest."""
        viewer = await self.recognise(headers, secret)
        assert self.application is not None
        return Context(self.application, request_id.get() or "", viewer.name, viewer)

    async def readyz(self, request: Request) -> Response:
        del request
        if self.application is None:
            return _not_ready("the server is starting")
        try:
            cursor = await anyio.to_thread.run_sync(self.application.atlas.database.cursor)
        except StorageError as error:
            log.warning("not ready: %s", error)
            return _not_ready(str(error))
        return JSONResponse({"ready": True, "cursor": str(cursor)})


def _policy(settings: Settings) -> Policy:
    return Policy(
        first_backoff=timedelta(seconds=settings.backoff_seconds),
        longest_backoff=timedelta(seconds=settings.longest_backoff_seconds),
        log_limit=settings.log_limit,
    )


def _limits(settings: Settings) -> Limits:
    return Limits(
        tokens=settings.token_limit,
        depth=settings.depth_limit,
        fields=settings.field_limit,
        aliases=settings.alias_limit,
        directives=settings.directive_limit,
        cost=settings.cost_limit,
        seconds=settings.operation_seconds,
    )


async def _healthz(request: Request) -> Response:
    del request
    return JSONResponse({"alive": True})


def _not_ready(reason: str) -> Response:
    return JSONResponse({"ready": False, "reason": reason}, status_code=HTTPStatus.SERVICE_UNAVAILABLE)


def listen(settings: Settings) -> socket.socket:
    """Bind the address that `settings` name. Raises PortTaken."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    host = settings.host.removeprefix("[").removesuffix("]")
    try:
        listener = socket.create_server((host, settings.port), family=family, backlog=2048)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(settings.host, settings.port) from error
        raise
    # Connections inherit it. asyncio sets it only on sockets it made itself, and without it the body of each answer
    # waits for the client to acknowledge the head: 40 ms.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def address_of(listener: socket.socket, *, is_secure: bool = False) -> str:
    """Return where `listener` is to be reached by browsers."""
    host, port, *_ = listener.getsockname()
    scheme = "https" if is_secure else "http"
    return f"{scheme}://[{host}]:{port}/" if ":" in host else f"{scheme}://{host}:{port}/"
