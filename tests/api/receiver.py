"""A receiver of webhooks on this machine, which answers as it is told to."""

import http.server
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Call:
    """What the receiver was told, and with which status it has answered."""

    headers: dict[str, str]
    raw: bytes
    status: int

    @property
    def body(self) -> Any:
        return json.loads(self.raw)

    @property
    def id(self) -> str:
        return self.headers["buildatlas-delivery"]

    @property
    def state(self) -> str:
        return str(self.body["alerts"][0]["annotations"]["state"])


@dataclass
class Receiver:
    """Answers with `status` and `text`, or not at all while it `hangs`."""

    host: str = "localhost"
    """As it is called."""
    port: int = 0
    scheme: str = "http"
    status: int = 200
    hangs: bool = False
    hangs_for: float = 4.0
    """Seconds, or until it is let go: longer than most senders wait."""
    let_go: threading.Event = field(default_factory=threading.Event)
    reason: str | None = None
    text: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}/hook?key=k3y-of-mine"

    def taken(self) -> list[Call]:
        """Return the calls that it has answered well."""
        return [call for call in self.calls if 200 <= call.status < 300]

    def states(self) -> list[str]:
        """Return the states that it has been told of, each notification once."""
        return [call.state for call in {call.id: call for call in reversed(self.taken())}.values()][::-1]


@contextmanager
def receiver(address: str = "127.0.0.1", *, certificate: tuple[str, str] | None = None) -> Iterator[Receiver]:
    """Give one that listens as long as the block runs; with a certificate and its key it speaks HTTPS."""
    answers = Receiver(scheme="http" if certificate is None else "https")

    class Handler(QuietHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            if answers.hangs:
                answers.calls.append(Call(headers, raw, 0))
                answers.let_go.wait(answers.hangs_for)
                self.close_connection = True
                return
            answers.calls.append(Call(headers, raw, answers.status))
            self.send_response(answers.status, answers.reason)
            for name, value in answers.headers.items():
                self.send_header(name, value)
            text = answers.text.encode()
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    with listening(Handler, address, certificate=certificate) as answers.port:
        yield answers


class QuietHandler(http.server.BaseHTTPRequestHandler):
    """Says nothing of what it is asked."""

    def log_message(self, format: str, *args: object) -> None:
        """Leave it out."""
        del format, args


@contextmanager
def listening(
    handler: type[QuietHandler],
    address: str = "127.0.0.1",
    *,
    certificate: tuple[str, str] | None = None,
) -> Iterator[int]:
    """Have a handler answer as long as the block runs, and give the port; with a certificate and its key, by HTTPS."""
    with http.server.ThreadingHTTPServer((address, 0), handler) as server:
        server.daemon_threads = True
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
