"""No query takes more statements for more rows: every field that gives objects is counted, by few of them and by many."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, aclosing
from typing import Final

import pytest
from graphql import (
    FieldNode,
    GraphQLObjectType,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    is_composite_type,
    parse,
    validate,
    visit,
)

from schema.root import schema
from tests.databases import KINDS, url_of
from tests.schema.crowd import Crowd, crowd
from tests.schema.statement_cases import SEARCHING, SNAPSHOT, answered, streamed

FEW: Final = 2
MANY: Final = 6
CASES: Final = {**answered(), **streamed(), **SNAPSHOT}
WHERE: Final = "tests/schema/statement_cases.py"


@pytest.fixture(scope="module", params=KINDS)
def crowds(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Crowd, Crowd]]:
    """A world with few of everything, and one with many."""
    with ExitStack() as stack:
        urls = [stack.enter_context(url_of(request.param, tmp_path_factory.mktemp("crowd"))) for _ in "ab"]
        few, many = (
            stack.enter_context(crowd(url, size)) for url, size in zip(urls, (FEW, MANY), strict=True)
        )
        yield few, many


def fields() -> set[str]:
    """Return each field that gives objects, but for the mutations: what these write is as much as they are given."""
    kinds = [kind for kind in schema._schema.type_map.values() if isinstance(kind, GraphQLObjectType)]
    return {
        f"{kind.name}.{name}"
        for kind in kinds
        if not kind.name.startswith("__") and kind is not schema._schema.mutation_type
        for name, field in kind.fields.items()
        if is_composite_type(get_named_type(field.type))
    }


def selected(document: str) -> set[str]:
    """Return every field that a document asks for."""
    info, found = TypeInfo(schema._schema), set()

    class Fields(Visitor):
        def enter_field(self, node: FieldNode, *_: object) -> None:
            parent = info.get_parent_type()
            assert parent is not None
            found.add(f"{parent.name}.{node.name.value}")

    visit(parse(document), TypeInfoVisitor(info, Fields()))
    return found


def weight(answer: object) -> int:
    """Return how many values there are in an answer."""
    if isinstance(answer, dict):
        return sum(map(weight, answer.values()))
    return sum(map(weight, answer)) if isinstance(answer, list) else answer is not None


def test_every_field_that_gives_objects_is_counted() -> None:
    missing = fields() - CASES.keys()

    assert not missing, f"add a case to {WHERE} for {', '.join(sorted(missing))}"


def test_what_is_counted_is_there() -> None:
    gone = (CASES.keys() | SEARCHING) - fields()

    assert not gone, f"remove from {WHERE} what is no field any more: {', '.join(sorted(gone))}"


@pytest.mark.parametrize("field", CASES)
def test_a_case_is_of_the_field_that_it_is_kept_under(field: str) -> None:
    document = CASES[field]

    assert validate(schema._schema, parse(document)) == []
    assert field in selected(document)


@pytest.mark.parametrize("field", answered())
def test_the_number_of_statements_does_not_grow_with_the_rows(
    crowds: tuple[Crowd, Crowd], field: str
) -> None:
    few, many = crowds
    document = CASES[field]
    assert weight(few.ask(document)) < weight(many.ask(document)), f"{field}: there is not more to read"
    if field not in SEARCHING:
        few.forget()
        many.forget()

    expected, found = few.statements_of(document), many.statements_of(document)

    assert len(found) == len(expected), f"{field}: a statement for each row\n" + "\n".join(found)


def test_the_number_of_statements_does_not_grow_with_how_far_a_cause_is_away(
    crowds: tuple[Crowd, Crowd],
) -> None:
    why = "query($waiting: ID!) { build(id: $waiting) { blockedBy { path } } }"
    few, many = crowds
    assert weight(few.ask(why)) < weight(many.ask(why))

    assert len(few.statements_of(why)) == len(many.statements_of(why))


@pytest.mark.parametrize(
    "asked",
    [
        'package(name: "p{0}") {{ latestVersion {{ id }} }}',
        'packageVersion(package: "p{0}", version: "1") {{ dependencies {{ id }} }}',
        'build(id: "{1}") {{ packageVersion {{ id }} }}',
        'node(id: "{1}") {{ ... on Build {{ run {{ id }} }} }}',
    ],
)
def test_what_is_asked_for_one_by_one_is_read_together(crowds: tuple[Crowd, Crowd], asked: str) -> None:
    _, many = crowds
    one_by_one = [
        f"each{number}: {asked.format(number, row)}"
        for number, row in enumerate(many.variables["ids"][:MANY])
    ]

    few, found = (many.statements_of(f"{{ {' '.join(some)} }}") for some in (one_by_one[:FEW], one_by_one))

    assert len(found) == len(few)


@pytest.mark.parametrize("field", streamed())
def test_the_number_of_statements_does_not_grow_with_the_messages(
    crowds: tuple[Crowd, Crowd], field: str
) -> None:
    _, many = crowds

    few, found = (messages(many, CASES[field], number) for number in (FEW, 20))

    assert found == few


@pytest.mark.parametrize("field", SNAPSHOT)
def test_the_number_of_statements_does_not_grow_with_the_builds_there_are_at_first(
    crowds: tuple[Crowd, Crowd], field: str
) -> None:
    few, many = crowds

    assert messages(many, CASES[field], 1) == messages(few, CASES[field], 1)


def messages(asked: Crowd, document: str, number: int) -> int:
    """Return how many statements the first messages of a subscription take."""

    async def story() -> None:
        results = await schema.subscribe(document, context_value=asked.world.context())
        async with aclosing(results):
            for _ in range(number):
                result = await anext(results)
                assert result.errors is None
                assert weight(result.data)

    asked.world.statements.clear()
    asyncio.run(asyncio.wait_for(story(), 10))
    return len(asked.world.reads())
