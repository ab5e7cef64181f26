"""What browsers are given: the dashboard at `/`, the GraphQL IDE at `/graphql`, and the files of both."""

from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from buildatlas.negotiation import accepts
from buildatlas.requests import JSON
from buildatlas.transport import RESPONSE

_BUILT: Final = Path(__file__).parent / "dashboard"
_IDE: Final = "graphql.html"
_HTML: Final = "text/html"

# What is not built is not there when somebody works on the server alone.
_NOT_BUILT: Final = (
    "The pages have not been built here. Build them: make dashboard\nThe API answers at /graphql.\n"
)

# A page loads nothing but its own files and talks to nothing but this server, and no other site may frame it.
_POLICY: Final = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "connect-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
# Its editor writes style sheets of its own, which bring their fonts, and works in the background.
_IDE_POLICY: Final = _POLICY | {
    "style-src": "'self' 'unsafe-inline'",
    "font-src": "'self' data:",
    "worker-src": "'self'",
}

# Their names tell their content.
_FOREVER: Final = "public, max-age=31536000, immutable"
_ASK_FIRST: Final = "no-cache"


class Pages(StaticFiles):
    """The dashboard's files."""

    def __init__(self, folder: Path = _BUILT) -> None:
        super().__init__(directory=folder, html=True, check_dir=False)
        self._folder = folder

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer with a file, or with what to do when there are none."""
        if path == "." and not (self._folder / "index.html").exists():
            return _with_headers(PlainTextResponse(_NOT_BUILT, HTTPStatus.NOT_FOUND), _POLICY)
        if path == _IDE:  # It has an address, and a policy, of its own.
            raise HTTPException(HTTPStatus.NOT_FOUND)
        response = await super().get_response(path, scope)
        is_named_by_content = path.startswith("assets/")
        return _with_headers(response, _POLICY, _FOREVER if is_named_by_content else _ASK_FIRST)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await super().__call__(scope, receive, send)
        else:  # A WebSocket to any other path than /graphql.
            await send({"type": "websocket.close", "code": 1000})


def compressed(pages: Pages) -> ASGIApp:
    """Return `pages`, compressed for those who take it so."""
    return GZipMiddleware(pages, minimum_size=1_000)


class PageOrAPI:
    """The endpoint at `/graphql`: the IDE for whoever opens the address in a browser, the API for all others."""

    def __init__(self, api: ASGIApp, folder: Path = _BUILT) -> None:
        self._api = api
        self._page = folder / _IDE

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        is_opened = (
            request.method == "GET" and "query" not in request.query_params and _prefers_pages(request)
        )
        if is_opened and self._page.exists():
            answer = _with_headers(FileResponse(self._page, media_type=_HTML), _IDE_POLICY)
            answer.headers["Vary"] = "Accept"
            await answer(scope, receive, send)
        else:
            await self._api(scope, receive, send)


def _prefers_pages(request: Request) -> bool:
    return accepts(request.headers.get("accept"), (JSON, RESPONSE, _HTML)) == _HTML


def _with_headers(response: Response, policy: Mapping[str, str], caching: str = _ASK_FIRST) -> Response:
    response.headers["Content-Security-Policy"] = "; ".join(
        f"{name} {value}" for name, value in policy.items()
    )
    response.headers["Cache-Control"] = caching
    return response
