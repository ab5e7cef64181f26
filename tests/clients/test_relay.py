"""What clients that follow Relay rely on: objects that are fetched again by their ids, and lists that come in pages.

https://relay.dev/graphql/objectidentification.htm and https://relay.dev/graphql/connections.htm
"""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Any, Final

import pytest
from graphql import (
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_client_schema,
    get_introspection_query,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)

from buildatlas.settings import Settings
from tests.api.serving import serving
from tests.clients.catalogue import LIBRARIES, Api, Connection, Made, asking, fail_builds, make, raise_alerts

# A path to an object of each type that has an id.
OBJECTS: Final = {
    "Package": '{ package(name: "app") { FIELDS } }',
    "PackageVersion": '{ packageVersion(package: "app", version: "1.6") { FIELDS } }',
    "Dependency": '{ packageVersion(package: "user0", version: "1") { dependencies { FIELDS } } }',
    "Build": "{ build(id: BUILD) { FIELDS } }",
    "BuildRun": "{ run(id: RUN) { FIELDS } }",
    "AlertRule": "{ alertRules { FIELDS } }",
    "Alert": "{ alerts(first: 1) { nodes { FIELDS } } }",
    "ErrorGroup": "{ errors(first: 1) { nodes { FIELDS } } }",
}
ANY_WAY: Final = (
    "{ packages(PAGE) FIELDS }",
    "{ packages(orderBy: { field: NAME, direction: DESC }, PAGE) FIELDS }",
    # Those that were published in one transaction are of the same moment.
    "{ packages(orderBy: { field: CREATED_AT, direction: ASC }, PAGE) FIELDS }",
    "{ packages(orderBy: { field: CREATED_AT, direction: DESC }, PAGE) FIELDS }",
    "{ packages(orderBy: { field: UPDATED_AT, direction: ASC }, PAGE) FIELDS }",
    "{ packages(orderBy: { field: UPDATED_AT, direction: DESC }, PAGE) FIELDS }",
    '{ packages(filter: { nameContains: "B" }, PAGE) FIELDS }',
    '{ package(name: "app") { versions(PAGE) FIELDS } }',
    "{ builds(PAGE) FIELDS }",
)
FORWARDS: Final = (
    "{ runs(PAGE) FIELDS }",
    "{ stateTransitions(PAGE) FIELDS }",
    '{ package(name: "app") { builds(PAGE) FIELDS } }',
    '{ package(name: "app") { dependencies(PAGE) FIELDS } }',
    '{ package(name: "app") { dependents(PAGE) FIELDS } }',
    '{ package(name: "lib0") { dependents(transitive: true, PAGE) FIELDS } }',
    "{ run(id: RUN) { builds(PAGE) FIELDS } }",
    "{ build(id: BUILD) { dependencies(PAGE) FIELDS } }",
    "{ build(id: BUILD) { dependents(PAGE) FIELDS } }",
    "{ build(id: BUILD) { transitions(PAGE) FIELDS } }",
    "{ alerts(PAGE) FIELDS }",
    "{ errors(PAGE) FIELDS }",
)
SIZE: Final = 3
WHOLE: Final = 1000


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """A catalogue that these tests share: whatever they add to it, they first look at what is there."""
    place = tmp_path_factory.mktemp("relay") / "atlas.db"
    with serving(Settings(str(place), port=0, alert_seconds=1)) as address, asking(address) as api:
        filled = make(api)
        fail_builds(
            api, "no room on disk", "the compiler is gone", "out of memory", "a test fails", "no network"
        )
        raise_alerts(api, "paris", "rome", "oslo", "bern", "riga")
        yield filled


@pytest.fixture(scope="module")
def schema(made: Made) -> GraphQLSchema:
    """The schema as the server tells it."""
    return build_client_schema(made.api.ask(get_introspection_query()))


def object_type(schema: GraphQLSchema, name: str) -> GraphQLObjectType:
    found = schema.type_map[name]
    assert isinstance(found, GraphQLObjectType)
    return found


def of_node(schema: GraphQLSchema) -> set[str]:
    node = schema.type_map["Node"]
    assert isinstance(node, GraphQLInterfaceType)
    return {each.name for each in schema.get_implementations(node).objects}


def leaves(kind: GraphQLObjectType) -> str:
    """Return all fields of a type that have nothing below them and need no arguments."""
    fields = [
        name
        for name, field in kind.fields.items()
        if is_leaf_type(get_named_type(field.type))
        and not any(map(is_required_argument, field.args.values()))
    ]
    return " ".join(["__typename", *fields])


def test_objects_of_all_types_with_ids_are_looked_at(schema: GraphQLSchema) -> None:
    assert of_node(schema) == set(OBJECTS)


@pytest.mark.parametrize("kind", OBJECTS)
def test_an_object_that_is_fetched_again_by_its_id_is_the_same(
    made: Made, schema: GraphQLSchema, kind: str
) -> None:
    fields = leaves(object_type(schema, kind))
    (found,) = made.api.ask(made.written(OBJECTS[kind].replace("FIELDS", fields))).values()
    while "id" not in found:
        (found,) = found.values() if isinstance(found, dict) else found

    query = "query($id: ID!) { node(id: $id) { ... on KIND { FIELDS } } nodes(ids: [$id]) { ... on KIND { FIELDS } } }"
    again = made.api.ask(query.replace("KIND", kind).replace("FIELDS", fields), id=found["id"])

    assert found["__typename"] == kind
    assert again == {"node": found, "nodes": [found]}


def test_no_two_objects_share_an_id(made: Made) -> None:
    found = made.api.ask(
        """{ packages { nodes { id versions(first: 5) { nodes { id dependencies { id } } } } }
             builds(first: 1000) { nodes { id } } runs { nodes { id } } }"""
    )
    ids = list(ids_in(found))

    assert len(set(ids)) == len(ids)


def ids_in(found: Any) -> Iterator[str]:
    if isinstance(found, dict):
        for name, value in found.items():
            yield from [value] if name == "id" else ids_in(value)
    elif isinstance(found, list):
        for each in found:
            yield from ids_in(each)


def test_an_object_that_is_gone_is_null(made: Made) -> None:
    made.api.publish("brief")
    package = made.api.ask('{ package(name: "brief") { id } }')["package"]
    made.api.ask('mutation { deletePackage(input: { name: "brief" }) { cursor } }')

    again = made.api.ask("query($id: ID!) { node(id: $id) { id } nodes(ids: [$id]) { id } }", **package)

    assert again == {"node": None, "nodes": [None]}


def connections(schema: GraphQLSchema) -> list[GraphQLObjectType]:
    return [
        each
        for name, each in schema.type_map.items()
        if name.endswith("Connection") and isinstance(each, GraphQLObjectType)
    ]


def test_every_connection_has_edges_with_cursors_and_tells_where_it_stands(schema: GraphQLSchema) -> None:
    odd = [each.name for each in connections(schema) if not is_whole(schema, each)]

    assert odd == ["LogConnection"]  # Its lines have their cursors themselves, so it has `nodes` only.


def is_whole(schema: GraphQLSchema, connection: GraphQLObjectType) -> bool:
    if "edges" not in connection.fields or str(connection.fields["pageInfo"].type) != "PageInfo!":
        return False
    edge = object_type(schema, get_named_type(connection.fields["edges"].type).name)
    return (
        edge.name.endswith("Edge") and "node" in edge.fields and str(edge.fields["cursor"].type) == "String!"
    )


def test_pages_tell_where_they_stand_as_relay_names_it(schema: GraphQLSchema) -> None:
    info = object_type(schema, "PageInfo")

    assert {name: str(field.type) for name, field in info.fields.items()} == {
        "hasNextPage": "Boolean!",
        "hasPreviousPage": "Boolean!",
        "startCursor": "String",
        "endCursor": "String",
    }


def test_every_list_that_comes_in_pages_is_looked_at(schema: GraphQLSchema) -> None:
    kinds = [each for each in schema.type_map.values() if isinstance(each, GraphQLObjectType)]
    pages = {each.name for each in connections(schema)}
    lists = {
        (name, frozenset(field.args) & {"first", "last"})
        for kind in kinds
        for name, field in kind.fields.items()
        if get_named_type(field.type).name in pages - {"LogConnection"}
    }

    both, one = frozenset({"first", "last"}), frozenset({"first"})
    assert lists == {
        *((field_of(each), both) for each in ANY_WAY),
        *((field_of(each), one) for each in FORWARDS),
    }


def field_of(place: str) -> str:
    """Return the field whose pages are asked for."""
    found = re.search(r"(\w+)\([^(]*PAGE", place)
    assert found is not None, place
    return found[1]


def entries(page: Connection) -> list[str]:
    """Return what identifies the entries of a page."""
    return [next(iter(edge["node"].values())) for edge in page["edges"]]


def flags(page: Connection) -> tuple[bool, bool]:
    return page["pageInfo"]["hasPreviousPage"], page["pageInfo"]["hasNextPage"]


def forwards(made: Made, place: str, *, between: Callable[[], None] | None = None) -> list[Connection]:
    """Ask for page after page from the start. `between` is done after the first two."""
    pages = [made.page(place, first=SIZE)]
    while pages[-1]["pageInfo"]["hasNextPage"]:
        if between is not None and len(pages) <= 2:
            between()
        pages.append(made.page(place, first=SIZE, after=pages[-1]["pageInfo"]["endCursor"]))
    return pages


def backwards(made: Made, place: str, *, between: Callable[[], None] | None = None) -> list[Connection]:
    """Ask for page after page from the end, and return them in the order of the list."""
    pages = [made.page(place, last=SIZE)]
    while pages[0]["pageInfo"]["hasPreviousPage"]:
        if between is not None and len(pages) <= 2:
            between()
        pages.insert(0, made.page(place, last=SIZE, before=pages[0]["pageInfo"]["startCursor"]))
    return pages


def check(pages: Sequence[Connection], whole: Connection) -> None:
    """Check that these pages are the whole list, each full and told of as it is."""
    assert len(pages) > 1
    assert [edge for page in pages for edge in page["edges"]] == whole["edges"]
    last = len(pages) - 1
    assert [flags(page) for page in pages] == [(at > 0, at < last) for at in range(len(pages))]
    for page in pages:
        cursors = [edge["cursor"] for edge in page["edges"]]
        assert (cursors[0], cursors[-1]) == (page["pageInfo"]["startCursor"], page["pageInfo"]["endCursor"])


@pytest.mark.parametrize("place", [*ANY_WAY, *FORWARDS])
def test_pages_from_the_start_are_the_whole_list(made: Made, place: str) -> None:
    whole = made.page(place, first=WHOLE)
    pages = forwards(made, place)

    check(pages, whole)
    assert {len(page["edges"]) for page in pages[:-1]} == {SIZE}
    assert flags(whole) == (False, False)
    assert len(set(entries(whole))) == len(entries(whole))


@pytest.mark.parametrize("place", ANY_WAY)
def test_pages_from_the_end_are_the_whole_list_in_the_same_order(made: Made, place: str) -> None:
    pages = backwards(made, place)

    check(pages, made.page(place, first=WHOLE))
    assert {len(page["edges"]) for page in pages[1:]} == {SIZE}


@pytest.mark.parametrize("place", ANY_WAY)
def test_first_and_last_count_between_after_and_before(made: Made, place: str) -> None:
    edges = made.page(place, first=WHOLE)["edges"]
    bounds = {"after": edges[0]["cursor"], "before": edges[5]["cursor"]}

    start, end = made.page(place, first=2, **bounds), made.page(place, last=2, **bounds)
    everything = made.page(place, first=4, **bounds)

    assert start["edges"] == edges[1:3]
    assert end["edges"] == edges[3:5]
    assert everything["edges"] == edges[1:5]
    assert (start["pageInfo"]["hasNextPage"], end["pageInfo"]["hasPreviousPage"]) == (True, True)


@pytest.mark.parametrize("place", [*ANY_WAY, *FORWARDS])
def test_a_page_after_the_last_entry_is_empty(made: Made, place: str) -> None:
    end = made.page(place, first=WHOLE)["pageInfo"]["endCursor"]
    page = made.page(place, first=SIZE, after=end)

    assert page["edges"] == []
    assert page["pageInfo"] == {
        "hasNextPage": False,
        "hasPreviousPage": True,
        "startCursor": None,
        "endCursor": None,
    }


numbers: Final = count(1)


def insert_packages(api: Api) -> None:
    number = next(numbers)
    api.publish(f"aa{number}", f"lib3-{number}", f"user3-{number}", f"zz{number}", needs=["app"])


def insert_versions(api: Api) -> None:
    for major in (0, 9):
        api.publish("app", version=f"{major}.{next(numbers)}", needs=LIBRARIES)
    api.publish("app", version=f"1.3.{next(numbers)}", needs=LIBRARIES)


def insert_builds(api: Api) -> None:
    api.start("app")


INSERTED: Final = (
    ("{ packages(PAGE) FIELDS }", insert_packages),
    ("{ packages(orderBy: { field: CREATED_AT, direction: DESC }, PAGE) FIELDS }", insert_packages),
    ('{ package(name: "app") { versions(PAGE) FIELDS } }', insert_versions),
    ("{ builds(PAGE) FIELDS }", insert_builds),
)
INSERTED_FORWARDS: Final = (
    ("{ runs(PAGE) FIELDS }", insert_builds),
    ("{ stateTransitions(PAGE) FIELDS }", insert_builds),
    ('{ package(name: "app") { builds(PAGE) FIELDS } }', insert_builds),
    ('{ package(name: "app") { dependents(PAGE) FIELDS } }', insert_packages),
)

Follow = Callable[..., list[Connection]]


@pytest.mark.parametrize(
    ("follow", "place", "insert"),
    [
        *((forwards, *each) for each in (*INSERTED, *INSERTED_FORWARDS)),
        *((backwards, *each) for each in INSERTED),
    ],
)
def test_what_is_inserted_between_pages_neither_repeats_nor_hides_anything(
    made: Made, follow: Follow, place: str, insert: Callable[[Api], None]
) -> None:
    before = entries(made.page(place, first=WHOLE))
    pages = follow(made, place, between=lambda: insert(made.api))
    seen = [each for page in pages for each in entries(page)]

    assert len(entries(made.page(place, first=WHOLE))) > len(before)
    assert len(set(seen)) == len(seen)
    assert [each for each in seen if each in set(before)] == before


def test_the_entry_of_a_cursor_may_be_gone(made: Made) -> None:
    made.api.publish("gone1", "gone2", "gone3", "gone4")
    place = '{ packages(filter: { nameStartsWith: "gone" }, PAGE) FIELDS }'
    whole = made.page(place, first=WHOLE)["edges"]
    cursor = made.page(place, first=2)["pageInfo"]["endCursor"]
    made.api.ask('mutation { deletePackage(input: { name: "gone2" }) { cursor } }')

    assert made.page(place, first=2, after=cursor)["edges"] == whole[2:]
    assert made.page(place, last=2, before=cursor)["edges"] == whole[:1]


@pytest.mark.parametrize(
    "arguments",
    [
        {"first": -1},
        {"first": 1001},
        {"last": -1},
        {"last": 1001},
        {"first": 1, "last": 1},
        {"after": "nonsense"},
        {"before": "nonsense"},
    ],
)
@pytest.mark.parametrize("place", ANY_WAY)
def test_arguments_that_mean_no_page_are_refused(made: Made, place: str, arguments: dict[str, Any]) -> None:
    answer = made.api.answer(made.written(place, **arguments))

    assert answer.get("data") in (None, {"package": None})
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_USER_INPUT"]
