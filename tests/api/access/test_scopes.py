"""What a token allows."""

from dataclasses import replace

import pytest

from buildatlas.settings import Settings
from resolvers import access
from storage.monitoring_tables import Scope
from tests.api.access.clients import (
    BUILD,
    DELETE,
    READ,
    WRITE,
    ask,
    bearer,
    code,
    greet,
    open_socket,
    stream,
    streamed,
    token,
    told,
)
from tests.api.serving import serving

MAY = {
    Scope.READ: {READ},
    Scope.WRITE: {READ, WRITE},
    Scope.BUILD: {READ, BUILD},
    Scope.ADMIN: {READ, WRITE, BUILD, DELETE},
}
NEEDS = {WRITE: "write", BUILD: "build", DELETE: "admin"}


@pytest.mark.parametrize("scope", list(Scope))
def test_a_token_may_do_what_its_scope_says_and_nothing_else(settings: Settings, scope: Scope) -> None:
    secret = token(settings, "ci", scope)
    with serving(settings) as address:
        answers = {query: ask(address, query, secret) for query in (WRITE, READ, BUILD, DELETE)}

    assert {query for query, answer in answers.items() if code(answer.json()) is None} == MAY[scope]
    for query in answers.keys() - MAY[scope]:
        (error,) = answers[query].json()["errors"]
        assert answers[query].status_code == 403
        assert error["extensions"] == {
            "code": "FORBIDDEN",
            "token": "ci",
            "needs": NEEDS[query],
            "has": [access.names_of(scope)[0]],
        }


def test_scopes_add_up(settings: Settings) -> None:
    secret = token(settings, "ci", Scope.WRITE | Scope.BUILD)
    with serving(settings) as address:
        assert [ask(address, query, secret).status_code for query in (WRITE, BUILD, READ, DELETE)] == [
            200,
            200,
            200,
            403,
        ]


def test_a_mutation_of_which_one_part_is_forbidden_does_nothing(settings: Settings) -> None:
    secret = token(settings, "ci", Scope.WRITE)
    hidden = f'fragment F on Mutation {{ deletePackage(input: {{ name: "a" }}) {{ cursor }} }} {WRITE[:-1]} ...F }}'
    with serving(settings) as address:
        refused = ask(address, hidden, secret)
        found = ask(address, READ, secret)

    assert (refused.status_code, code(refused.json())) == (403, "FORBIDDEN")
    assert found.json()["data"] == {"packages": {"totalCount": 0}}


def test_what_is_forbidden_is_forbidden_on_sockets_and_streams_too(settings: Settings) -> None:
    secret = token(settings, "ci", Scope.READ)
    with serving(settings) as address, open_socket(address, headers=bearer(secret)) as socket:
        greet(socket)
        refused = told(socket, WRITE)

        assert (refused["type"], code({"errors": refused["payload"]})) == ("error", "FORBIDDEN")
        assert code(streamed(stream(address, WRITE, secret))) == "FORBIDDEN"
        assert streamed(stream(address, READ, secret))["data"] == {"packages": {"totalCount": 0}}


def test_what_is_published_is_changed_by_an_admin_alone(settings: Settings) -> None:
    writer, admin = token(settings, "ci", Scope.WRITE), token(settings, "root", Scope.ADMIN)
    publish = 'mutation { publishVersion(input: { package: "a", version: "1" }) { cursor } }'
    change = """mutation { setDependencies(input: {
        package: "a", version: "1", dependencies: [{ package: "b" }] }) { cursor } }"""
    with serving(settings) as address:
        published = ask(address, publish, writer).json()
        codes = [code(ask(address, change, secret).json()) for secret in (writer, admin)]

    assert code(published) is None
    assert codes == ["CONFLICT", None]


def test_history_tells_by_which_token_something_was_done(settings: Settings) -> None:
    secret = token(settings, "nightly ci", Scope.WRITE)
    with serving(settings) as address:
        ask(address, 'mutation { publishVersion(input: { package: "a", version: "1" }) { cursor } }', secret)
        found = ask(address, "{ stateTransitions { nodes { actor } } }", secret).json()

    actors = {each["actor"] for each in found["data"]["stateTransitions"]["nodes"]}
    assert actors == {"nightly ci"}


def test_where_anybody_may_read_a_token_is_needed_to_write(settings: Settings) -> None:
    token(settings, "ci")
    with serving(replace(settings, anonymous_read=True)) as address, open_socket(address) as socket:
        greet(socket)

        assert ask(address, READ).json()["data"] == {"packages": {"totalCount": 0}}
        assert streamed(stream(address, READ))["data"] == {"packages": {"totalCount": 0}}
        assert told(socket, READ)["type"] == "next"
        for query in (WRITE, BUILD, DELETE):
            assert code(ask(address, query).json()) == "UNAUTHENTICATED"
        assert ask(address, READ, "bat_nonsense").status_code == 401
