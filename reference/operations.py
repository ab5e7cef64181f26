"""The pages of what can be asked: queries, mutations and subscriptions, with the scope that each needs."""

from collections.abc import Iterator
from typing import Final

from graphql import GraphQLField, GraphQLSchema, OperationType

from reference.graphql_types import given_rows
from reference.markdown import code, heading, page, paragraph, table
from reference.types import linked, told
from resolvers.access import names_of
from schema.costs import DEFAULT_PAGE, LIST
from schema.repeatable import is_repeatable_field
from schema.rights import scope_of
from schema.root import schema as served

_INTRODUCTIONS: Final = {
    OperationType.QUERY: (
        "Queries",
        "What is read, by GET or POST at [`/graphql`](../http.md#graphql). A document all of whose fields can be kept is "
        "answered with an `ETag` when it is asked by GET, and with 304 while there has been no event since.",
    ),
    OperationType.MUTATION: (
        "Mutations",
        "What changes something, by POST at [`/graphql`](../http.md#graphql). A payload's `cursor` is the position of the "
        "change in the event log; sent with a later request as `Buildatlas-After`, it has every server process answer from "
        "after it.",
    ),
    OperationType.SUBSCRIPTION: (
        "Subscriptions",
        "What is told as it happens, by WebSocket at [`/graphql`](../http.md#websocket) or as server-sent events at "
        "[`/graphql/stream`](../http.md#stream).",
    ),
}

_OVERVIEW: Final = (
    "One endpoint answers all of it. The whole schema as text is `schema/schema.graphql` in the repository, and is what "
    "introspection gives.",
    "- [Queries](queries.md), [mutations](mutations.md) and [subscriptions](subscriptions.md): what can be asked",
    "- [Objects](objects.md), [inputs](inputs.md), [enumerations](enumerations.md) and [scalars](scalars.md): its types",
    "- [Error codes](../errors.md): how it refuses",
    "",
    "What an operation may hold is bounded before it is executed, by [settings](../settings.md) that end in `_LIMIT`. Its "
    f"cost is 1 for each object, times the size of the page (`first` or `last`, {DEFAULT_PAGE} when left out) or list "
    f"(taken as {LIST}) that it is on; each answer tells it as `extensions.cost`.",
    "",
    "Ids are opaque and never given twice. A list is read page by page: `first` with `after`, or `last` with `before`, and "
    "`pageInfo` says whether there is more.",
)


def overview_page() -> str:
    """Return the page that the others begin from."""
    return page("GraphQL schema", [_OVERVIEW[0], "", *_OVERVIEW[1:]])


def operations_page(schema: GraphQLSchema, kind: OperationType) -> str:
    """Return the page of all that can be asked of one kind."""
    root = schema.get_root_type(kind)
    assert root is not None
    title, text = _INTRODUCTIONS[kind]
    sections = (line for name, field in sorted(root.fields.items()) for line in _section(kind, name, field))
    return page(title, paragraph(text), sections)


def _section(kind: OperationType, name: str, field: GraphQLField) -> Iterator[str]:
    yield from heading(2, code(name), name)
    yield from paragraph(told(field))
    (scope,) = names_of(scope_of(served._schema, kind, name))
    kept = (
        " Can be kept by its `ETag`."
        if kind is OperationType.QUERY and is_repeatable_field("Query", name)
        else ""
    )
    yield from paragraph(f"Gives {linked(field.type)}. Needs the [scope](../http.md#access) `{scope}`.{kept}")
    if field.args:
        yield from table(["argument", "type", "default", "what"], given_rows(field.args.items()))
