"""Bringing what is to be told of alerts to the receivers of webhooks.

How it works: the name of a receiver is looked up once, what it stands for is checked, and the connection is made to just that
address, so that a name which comes to mean another address between the check and the connection gains nothing.
"""

import asyncio
import ipaddress
import logging
import random
import socket
import ssl
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Final, TypeAlias

import anyio
import anyio.to_thread
import httpx

from buildatlas.release import version
from resolvers.webhooks import Answer, Claim, WebhookPolicy, body_of, claim_due, headers_of, settle, site_of
from storage.database import Database
from storage.errors import StorageError

log = logging.getLogger(__name__)

_Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

# All that is given out of IPv6 as addresses of the open internet (RFC 4291). Of the rest Python takes much for public.
_GIVEN_OUT: Final = ipaddress.IPv6Network("2000::/3")

# Of one process at a time. Each is a connection, and of one site there are a few at most.
_MOST: Final = 64

# How often it is looked whether there is something to send.
_TICK_SECONDS: Final = 1.0

# Of an answer: what is shown of it is less, and nothing else is made of it.
_MOST_BYTES: Final = 4_096
_MOST_SHOWN: Final = 200

# Anything shorter in a webhook is no key, and may be part of any word.
_SHORTEST_KEY: Final = 4

# By which IPv4 addresses are written as IPv6 ones behind a translator (RFC 6052).
_TRANSLATED: Final = ipaddress.IPv6Network("64:ff9b::/96")


class RefusedAddress(Exception):
    """A receiver is where this server does not send to."""

    def __init__(self, host: str, addresses: Iterable[str]) -> None:
        super().__init__(host)
        self.host = host
        self.addresses = tuple(addresses)

    def __str__(self) -> str:
        return (
            f"{self.host} is {', '.join(self.addresses)}, which is not a public address; "
            "BUILDATLAS_WEBHOOK_PRIVATE allows those"
        )


@dataclass(frozen=True, slots=True)
class Courier:
    """Sends what is due, until it is canceled. What has been begun is ended first."""

    database: Database
    policy: WebhookPolicy
    _under_way: Counter[str] = field(default_factory=Counter, init=False)
    """How many are being sent, by site."""
    _has_room: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    """Set once one was sent, when there may be another."""

    async def run(self) -> None:
        """Look for something to send every second or so, and whenever something was sent, and send it."""
        async with self._client() as client, anyio.create_task_group() as tasks:
            while True:
                self._has_room.clear()
                # What has been claimed nobody else sends, so it is begun although the server ends.
                with anyio.CancelScope(shield=True):
                    for claim in await self._claim():
                        self._under_way[site_of(claim.webhook)] += 1
                        tasks.start_soon(self._deliver, client, claim)
                # Each process at a time of its own, so that hardly ever two want the same.
                with anyio.move_on_after(random.uniform(0.5, 1.5) * _TICK_SECONDS):  # noqa: S311 - nobody gains by guessing it
                    await self._has_room.wait()

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            # Of each step, and so no less than what an attempt may take as a whole.
            timeout=self.policy.timeout.total_seconds(),
            follow_redirects=False,
            # A proxy from the environment would be told the name, and look it up anew.
            trust_env=False,
            verify=_authorities(),
            # A connection is to one address, which may have several names, and was verified for one of them.
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
        )

    async def _claim(self) -> list[Claim]:
        room = _MOST - self._under_way.total()
        if room < 1:
            return []
        find = partial(
            claim_due,
            self.database,
            self.policy,
            limit=room,
            under_way=self._under_way.copy(),
            clock=lambda: datetime.now(UTC),
        )
        try:
            return await anyio.to_thread.run_sync(find)
        except StorageError as error:
            log.warning("webhooks are not sent: %s", error)
        except Exception:
            log.exception("looking for webhooks to send has failed")
        return []

    async def _deliver(self, client: httpx.AsyncClient, claim: Claim) -> None:
        try:
            # A server that ends waits for it: what was received has to be noted, or it would be sent again.
            with anyio.CancelScope(shield=True):
                answer = await send(client, claim, self.policy)
                await self._settle(claim, answer)
        finally:
            self._under_way[site_of(claim.webhook)] -= 1
            self._has_room.set()

    async def _settle(self, claim: Claim, answer: Answer) -> None:
        jitter = random.random()  # noqa: S311 - it spreads attempts, and guards nothing
        change = partial(
            settle, self.database, claim, answer, self.policy, jitter=jitter, now=datetime.now(UTC)
        )
        facts = {"notification": claim.notification_id, "attempt": claim.attempt, "status": answer.status}
        try:
            outcome = await anyio.to_thread.run_sync(change)
        except StorageError as error:
            log.warning("what came of a webhook is not noted, so it is sent again: %s", error, extra=facts)
        except Exception:
            log.exception("noting what came of a webhook has failed", extra=facts)
        else:
            log.info("a webhook was sent", extra={**facts, "outcome": outcome or "to be sent again"})


def _authorities() -> ssl.SSLContext:
    """Return whose certificates are believed: as SSL_CERT_FILE and SSL_CERT_DIR say, which may name an organisation's own."""
    try:
        return httpx.create_ssl_context()
    except OSError as error:
        log.warning("webhooks trust the usual authorities, as SSL_CERT_FILE cannot be read: %s", error)
        return httpx.create_ssl_context(trust_env=False)


async def send(client: httpx.AsyncClient, claim: Claim, policy: WebhookPolicy) -> Answer:
    """Try to tell a receiver, and return what came of it. It takes no longer than the policy allows, and raises nothing."""
    if claim.webhook is None:
        return Answer(False, None, "its rule has no webhook any more", is_final=True)
    try:
        with anyio.fail_after(policy.timeout.total_seconds()):
            return await _post(client, claim, claim.webhook, policy)
    except RefusedAddress as error:
        return Answer(False, None, str(error), is_final=True)
    except (TimeoutError, httpx.TimeoutException):
        return Answer(False, None, f"no answer within {policy.timeout.total_seconds():g} s")
    except httpx.InvalidURL:
        return Answer(False, None, "the webhook is not an address that can be sent to", is_final=True)
    except (httpx.HTTPError, OSError) as error:
        return Answer(False, None, _without_secrets(f"{type(error).__name__}: {error}", claim))
    except Exception as error:
        # One receiver must not keep all others from being told, nor end the server.
        log.exception("sending a webhook has failed", extra={"notification": claim.notification_id})
        return Answer(False, None, f"{type(error).__name__}: see the log of the server")


async def _post(client: httpx.AsyncClient, claim: Claim, webhook: str, policy: WebhookPolicy) -> Answer:
    url = httpx.URL(webhook)
    address = await _checked_address(url, claim.attempt, allows_private=policy.allows_private)
    body = body_of(claim, policy)
    headers = {
        **headers_of(claim, body, now=datetime.now(UTC)),
        "Host": url.netloc.decode("ascii"),
        "User-Agent": f"buildatlas/{version()}",
        # What is packed may be far longer than it looks.
        "Accept-Encoding": "identity",
    }
    request = client.build_request(
        "POST",
        url.copy_with(host=address),
        content=body,
        headers=headers,
        # Whose certificate it has to show.
        extensions={"sni_hostname": url.raw_host.decode("ascii")},
    )
    response = await client.send(request, stream=True)
    try:
        return _answer(response, await _beginning(response), claim)
    finally:
        await response.aclose()


async def _checked_address(url: httpx.URL, attempt: int, *, allows_private: bool) -> str:
    """Return for each attempt an address of a URL's host that may be sent to. Raises RefusedAddress, and OSError when there is none."""
    port = url.port or (443 if url.scheme == "https" else 80)
    # As it is looked up: `url.host` is for readers, and fails of what stands for no text of theirs.
    host = url.raw_host.decode("ascii")
    look_up = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    # In a thread of its own: the event loop has half a dozen for it, which names that nobody answers for would take up.
    found = await anyio.to_thread.run_sync(look_up, abandon_on_cancel=True, limiter=anyio.CapacityLimiter(1))
    addresses = list(dict.fromkeys(str(place[0]) for *_, place in found))
    allowed = [each for each in addresses if allows_private or is_public(each)]
    if not allowed:
        raise RefusedAddress(host, addresses)
    # One may be out of reach from here.
    return allowed[(attempt - 1) % len(allowed)]


def is_public(address: str) -> bool:
    """Whether an address is one of the open internet's, and does not stand for another that is not."""
    parsed = ipaddress.ip_address(address)
    if parsed.version == 6 and parsed not in _GIVEN_OUT and parsed not in _TRANSLATED:
        return False
    return all(each.is_global and not each.is_multicast for each in (parsed, *_embedded(parsed)))


def _embedded(address: _Address) -> Iterable[_Address]:
    """Yield the IPv4 addresses that an IPv6 address stands for."""
    if isinstance(address, ipaddress.IPv4Address):
        return
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if address in _TRANSLATED:
        yield ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)


async def _beginning(response: httpx.Response) -> bytes:
    """Return the first of what a receiver answers."""
    read = b""
    async for part in response.aiter_raw(_MOST_BYTES):
        read += part
        if len(read) >= _MOST_BYTES:
            break
    return read[:_MOST_BYTES]


def _answer(response: httpx.Response, body: bytes, claim: Claim) -> Answer:
    if response.is_success:
        return Answer(True, response.status_code, None)
    text = " ".join(_without_secrets(body.decode(errors="replace"), claim).split())
    told = "".join(character for character in text if character.isprintable())
    reason = f"{response.status_code} {_without_secrets(response.reason_phrase, claim)}".strip()
    shown = f"{told[:_MOST_SHOWN]}…" if len(told) > _MOST_SHOWN else told
    return Answer(False, response.status_code, f"{reason}: {shown}" if shown else reason)


def _without_secrets(text: str, claim: Claim) -> str:
    """Return a text without what signs, and without the webhook, in which some have a key."""
    hidden = [claim.secret, claim.webhook]
    if claim.webhook is not None:
        url = httpx.URL(claim.webhook)
        path, query = url.raw_path.decode("ascii"), url.query.decode("ascii")
        hidden += [each for each in (path, query, *url.params.values()) if len(each) >= _SHORTEST_KEY]
    for each in sorted({each for each in hidden if each}, key=len, reverse=True):
        text = text.replace(each, "…")
    return text
