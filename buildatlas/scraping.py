"""The endpoint `/metrics`: who may read the API may read what is measured, in the form that Prometheus takes."""

from collections import Counter
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import anyio
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from buildatlas.prometheus import AlertCounts, Exposition
from buildatlas.requests import CHALLENGE, JSON, BadRequest, check_method, refusal
from buildatlas.transport import Enter
from resolvers.errors import Forbidden, Unauthenticated
from schema.context import Context
from schema.enums import ErrorCode
from storage import alerts
from storage.errors import StorageError
from storage.monitoring_tables import Scope as Access

_ALLOWED: Final = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Scraping:
    """The endpoint."""

    enter: Enter
    exposition: Exposition

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            response = await self._answer(Request(scope, receive))
        except BadRequest as problem:
            response = refusal(problem, JSON)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        check_method(request.method, _ALLOWED)
        context = await self.enter(request.headers)
        _check_rights(context)
        accept = request.headers.get("accept", "")
        text, media = await anyio.to_thread.run_sync(
            lambda: self.exposition.text(accept, alerts=_open_alerts(context))
        )
        return Response(text, headers={"Content-Type": media, "Cache-Control": "no-store"})


def _check_rights(context: Context) -> None:
    try:
        context.viewer.demand(Access.READ)
    except Unauthenticated as error:
        raise BadRequest(HTTPStatus.UNAUTHORIZED, str(error), CHALLENGE, ErrorCode.UNAUTHENTICATED) from error
    except Forbidden as error:
        raise BadRequest(HTTPStatus.FORBIDDEN, str(error), code=ErrorCode.FORBIDDEN) from error


def _open_alerts(context: Context) -> AlertCounts:
    """Return how many alerts are open; of a database that is away none, as the rest is of all the more interest."""
    try:
        with context.atlas.database.glance() as connection:
            return Counter((row.status.name, row.severity.name) for row in alerts.still_open(connection))
    except StorageError:
        return {}
