"""Requests of any form."""

import json
from collections.abc import Mapping
from typing import Any, Final

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzzing.answers import check_answer
from tests.fuzzing.conftest import Fuzzed
from tests.fuzzing.operations import PARAMETERS, TEXT, bodies, operations
from tests.fuzzing.values import Values, mostly

_EXAMPLES: Final = 80
_MANY: Final = 2_000

_JSON: Final = "application/json"
_RESPONSE: Final = "application/graphql-response+json"
_EVENTS: Final = "text/event-stream"

# What HTTP allows in a header, beyond ASCII too.
_HEADER: Final = st.binary(max_size=30).map(
    lambda text: bytes(each for each in text if each > 32 and each != 127)
)
_MEDIA: Final = st.builds(
    "{}{}".format,
    st.sampled_from([_JSON, _RESPONSE, _EVENTS, "*/*", "application/*", "text/plain", "", ";", ","]),
    st.sampled_from(
        ["", ";q=0", ";q=nan", ";q=-inf", ";q=1e999", ";charset=utf-8", ";charset*=x'y'%ff", ", */*"]
    ),
).map(str.encode)
_HEADERS: Final = st.fixed_dictionaries(
    {},
    optional={
        "Accept": st.one_of(_MEDIA, _HEADER),
        "Authorization": st.one_of(
            st.sampled_from([b"Bearer", b"Basic Og=="]),
            _HEADER,
            _HEADER.map(lambda text: (b"Bearer " + text).strip()),
        ),
        # A position that is still to come is waited for, and answered with 503 when it does not.
        "Buildatlas-After": st.one_of(
            st.sampled_from([b"0", b"-1", b"1.0", b"9" * 19]), _HEADER.filter(lambda text: not text.isdigit())
        ),
        "Content-Encoding": st.one_of(st.just(b"gzip"), _HEADER),
        "Content-Type": mostly(st.just(_JSON.encode()), _MEDIA, _HEADER),
        "Cookie": _HEADER,
        "Last-Event-ID": st.one_of(st.sampled_from([b"0", b"9" * 19]), _HEADER),
        "Origin": st.one_of(st.sampled_from([b"null", b"http://localhost"]), _HEADER),
        "X-Request-Id": _HEADER,
    },
)


def fuzz(server: Fuzzed, requests: st.SearchStrategy[Mapping[str, Any]], **options: Any) -> None:
    """Send so many requests, and look at each answer."""
    with httpx.Client(base_url=server.address, timeout=60) as client:

        @settings(deadline=None, database=None, suppress_health_check=list(HealthCheck), **options)
        @given(requests)
        def ask(request: Mapping[str, Any]) -> None:
            headers = {"Content-Type": _JSON, **request["headers"]}
            with client.stream(**{**request, "headers": headers}) as answer:
                check(answer)

        ask()
    server.check()


def check(answer: httpx.Response) -> None:
    """Fail for an answer that tells of a fault of the server, or is not in GraphQL's form."""
    assert answer.status_code < 500, answer.read()
    kind = answer.headers["content-type"].partition(";")[0]
    if kind == _EVENTS:
        # A subscription has no end.
        return
    assert kind in {_JSON, _RESPONSE}, answer.read()
    answer.read()
    check_answer(answer.json())


def posted(values: Values) -> st.SearchStrategy[Mapping[str, Any]]:
    """Return a strategy for requests by POST, and a few by methods that there are not."""
    return st.fixed_dictionaries(
        {
            "method": st.sampled_from([*["POST"] * 12, "PUT", "DELETE", "PATCH", "OPTIONS"]),
            "url": st.sampled_from(["/graphql", "/graphql", "/graphql", "/graphql/stream"]),
            "content": bodies(values),
            "headers": _HEADERS,
        }
    )


def got(values: Values) -> st.SearchStrategy[Mapping[str, Any]]:
    """Return a strategy for requests by GET."""
    text = st.one_of(
        TEXT.map(lambda text: text.encode(errors="replace").decode()),
        st.sampled_from(["{}", "[", "null", "5"]),
    )
    asked = operations(values).map(lambda operation: {"query": str(operation["query"])})
    parameters = st.one_of(
        asked,
        st.builds(
            lambda first, then: {**first, **then},
            asked,
            st.dictionaries(st.sampled_from(PARAMETERS[1:]), text),
        ),
        st.dictionaries(st.sampled_from(PARAMETERS), text),
    )
    return st.fixed_dictionaries(
        {
            "method": st.just("GET"),
            "url": st.sampled_from(["/graphql", "/graphql", "/graphql", "/graphql/stream"]),
            "params": parameters,
            "headers": _HEADERS,
        }
    )


def variables(values: Values) -> st.SearchStrategy[Mapping[str, Any]]:
    """Return a strategy for requests of which nothing is wrong but the variables, and those not always."""
    return st.fixed_dictionaries(
        {
            "method": st.just("POST"),
            "url": st.just("/graphql"),
            "content": operations(values).map(json.dumps),
            "headers": st.just({"Accept": _RESPONSE}),
        }
    )


@pytest.mark.parametrize("kind", [posted, got, variables])
def test_whatever_is_requested_the_server_has_an_answer(server: Fuzzed, kind: Any) -> None:
    fuzz(server, kind(Values(server.grow())), max_examples=_EXAMPLES, derandomize=True)


@pytest.mark.long
@pytest.mark.parametrize("kind", [posted, got, variables])
def test_whatever_is_requested_at_length_the_server_has_an_answer(server: Fuzzed, kind: Any) -> None:
    fuzz(server, kind(Values(server.grow())), max_examples=_MANY, print_blob=True)
