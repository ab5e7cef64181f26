"""Which site's page a browser sends a request from."""

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers


def is_foreign(headers: Headers, trusted: Collection[str] = ()) -> bool:
    """Whether a page of another site asks, and not one of those that are `trusted`.

    Browsers always name the origin of what opens a WebSocket, and of what sends anything but GET.
    """
    origin = headers.get("origin")
    if origin is None or origin in trusted:
        return False
    try:
        return urlsplit(origin).netloc != headers.get("host")
    except ValueError:
        return True
