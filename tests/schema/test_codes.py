"""Errors as a client sees them."""

import asyncio
import logging
from types import ModuleType
from typing import Any

import pytest
from graphql import GraphQLError

import graph.errors
import resolvers.errors
import storage.errors
from schema.codes import SHOWN, code_of, facts_of
from schema.context import Context
from schema.errors import SchemaError
from schema.root import Schema, schema
from storage import packages, versions
from storage.errors import Trouble, Unavailable
from tests.schema.world import World


def descendants(base: type[Exception]) -> set[type[Exception]]:
    return {base} | {each for child in base.__subclasses__() for each in descendants(child)}


@pytest.mark.parametrize(
    "base", [SchemaError, graph.errors.GraphError, storage.errors.StorageError, resolvers.errors.Refusal]
)
def test_everything_that_is_raised_on_purpose_has_a_code(base: type[Exception]) -> None:
    leaves = {each for each in descendants(base) if not each.__subclasses__()}

    assert {each.__name__ for each in leaves if not any(kind in SHOWN for kind in each.__mro__)} == set()


def test_what_is_wrong_inside_a_refusal_comes_with_where_it_is() -> None:
    cause = graph.errors.InvalidConstraint(">=x", 2, "a number")
    refusal = resolvers.errors.BadConstraint(cause, package="b", path=("dependencies", "0", "constraint"))

    assert code_of(refusal).name == "INVALID_CONSTRAINT"
    assert facts_of(refusal) == {
        "text": ">=x",
        "position": 2,
        "expected": "a number",
        "package": "b",
        "path": ["dependencies", "0", "constraint"],
    }


def test_an_error_that_nobody_foresaw_has_no_code() -> None:
    with pytest.raises(ZeroDivisionError):
        code_of(ZeroDivisionError())


def test_an_unexpected_error_is_logged_once_and_masked(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr(Context, "atlas", property(fail))

    with caplog.at_level(logging.ERROR):
        message, extensions = world.refusal('{ path(from: "a", to: "b") { length } }')

    assert message == "Something went wrong in the server."
    assert extensions == {"code": "INTERNAL_SERVER_ERROR", "requestId": "request-1"}
    (record,) = caplog.records
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], ZeroDivisionError)
    assert vars(record)["request_id"] == "request-1"
    assert vars(record)["path"] == "path"


def test_where_a_database_that_cannot_be_used_is_and_why_is_told_in_the_log_only(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise Unavailable("file.db", Trouble.FULL, "make room")

    monkeypatch.setattr(world.database, "glance", fail)

    with caplog.at_level(logging.WARNING):
        message, extensions = world.refusal('{ package(name: "a") { id } }')

    assert message == "the database has no room left on its disk: try again later"
    assert extensions == {"code": "UNAVAILABLE"}
    assert caplog.messages == ["unavailable: the database file.db has no room left on its disk: make room"]


@pytest.mark.parametrize(
    ("document", "code", "part"),
    [
        ("{", "GRAPHQL_PARSE_FAILED", "Syntax Error"),
        ("{ " + "a " * 3_000 + "}", "LIMIT_EXCEEDED", "2000 tokens"),
        ("{ a " * 5_000, "GRAPHQL_PARSE_FAILED", "nest"),
        ("{ " + "a { " * 900 + "b" + " }" * 901, "GRAPHQL_PARSE_FAILED", "nest"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED", "nothing"),
        ('{ package(name: "' + "x" * 400 + '", nothing: 1) { id } }', "GRAPHQL_VALIDATION_FAILED", "nothing"),
        (
            "query A { server { version } } query B { server { version } }",
            "GRAPHQL_VALIDATION_FAILED",
            "operationName",
        ),
        ("{ " + "server { version } " * 300 + "}", "LIMIT_EXCEEDED", "fields: 600, and at most 500"),
        ("query($v: String!) { package(name: $v) { id } }", "BAD_USER_INPUT", "$v"),
    ],
)
def test_a_document_that_is_not_executed_says_why(world: World, document: str, code: str, part: str) -> None:
    message, extensions = world.refusal(document)

    assert extensions["code"] == code
    assert part in message


def test_at_most_five_errors_of_bounded_length_are_told_of_one_document(world: World) -> None:
    result = world.run("{ " + " ".join(f"nothing{number}{'x' * 400}" for number in range(20)) + " }")

    assert result.errors is not None
    assert len(result.errors) == 5
    assert all(len(error.message) <= 300 for error in result.errors)


def test_a_refused_document_is_refused_again_with_the_same_words(world: World) -> None:
    first = world.refusal("{ nothing }")

    assert world.refusal("{ nothing }") == first


def test_a_fragment_bomb_is_refused_at_once(world: World) -> None:
    chain = " ".join(f"fragment F{i} on Query {{ ...F{i + 1} ...F{i + 1} }}" for i in range(30))

    assert (
        world.code(f"{{ ...F0 }} {chain} fragment F30 on Query {{ server {{ version }} }}")
        == "LIMIT_EXCEEDED"
    )


def test_the_usual_introspection_query_is_answered(world: World) -> None:
    kind = "kind name ofType { " * 9 + "name" + " }" * 9
    data = world.ask(
        f"""query IntrospectionQuery {{ __schema {{ queryType {{ name }} types {{ ...FullType }} }} }}
        fragment FullType on __Type {{ kind name fields(includeDeprecated: true) {{
            name args {{ ...InputValue }} type {{ {kind} }} }} }}
        fragment InputValue on __InputValue {{ name type {{ {kind} }} defaultValue }}"""
    )

    assert data["__schema"]["queryType"] == {"name": "Query"}


def test_errors_outside_of_an_operation_are_left_as_they_are() -> None:
    error = GraphQLError("as it is")
    errors: list[Any] = [error]

    Schema.process_errors(schema, errors, None)

    assert errors == [error]


def test_an_operation_may_be_named_among_several(world: World) -> None:
    document = 'query A { package(name: "a") { id } } query B { package(name: "b") { name } }'
    world.publish("b", "1")

    result = asyncio.run(schema.execute(document, operation_name="B", context_value=world.context()))

    assert result.data == {"package": {"name": "b"}}


@pytest.mark.parametrize(
    ("field", "reader"),
    [("package { name }", packages), ("dependencies { version { version } }", versions)],
)
def test_what_was_deleted_while_it_was_read_around_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch, field: str, reader: ModuleType
) -> None:
    world.publish("a", "1", "b")
    monkeypatch.setattr(reader, "by_ids", lambda _connection, _ids: {})

    message, extensions = world.refusal(f'{{ package(name: "a") {{ latestVersion {{ {field} }} }} }}')

    assert "was deleted just now" in message
    assert extensions["code"] == "NOT_FOUND"
