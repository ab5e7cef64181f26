"""The page of error codes: what each means, what is refused under it, and which facts come along."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from graphql import GraphQLEnumType, GraphQLSchema

from reference.markdown import code, heading, page, paragraph, plain
from schema.codes import SHOWN, Shown
from schema.enums import ErrorCode

_INTRODUCTION: Final = (
    "Whatever is refused is told in `errors`, with a `message` that says what to do and a code in `extensions.code`. The "
    "facts that a program can use are in `extensions` beside it. A resolution that has no answer is no error: it is a "
    "[`ResolutionConflict`](graphql/objects.md#ResolutionConflict). In a batch, what is wrong with one item is told with "
    "that item. Requests that are refused before there is anything to execute are answered in the same form; their "
    "statuses are told in [HTTP endpoints](http.md#statuses)."
)


def undocumented() -> Iterator[str]:
    """Yield the codes and the refusals under them that nothing is told of."""
    for kind in SHOWN:
        if not _text(kind):
            yield f"{kind.__module__}.{kind.__qualname__}"


def error_codes_page(schema: GraphQLSchema) -> str:
    """Return the page."""
    enumeration = schema.type_map[ErrorCode.__name__]
    assert isinstance(enumeration, GraphQLEnumType)
    told = {name: value.description or "" for name, value in enumeration.values.items()}
    refusals = _by_code()
    sections = (line for name in sorted(told) for line in _section(name, told[name], refusals[name]))
    return page("Error codes", paragraph(_INTRODUCTION), sections)


def _by_code() -> Mapping[str, Sequence[tuple[type[Exception], Shown]]]:
    found = defaultdict(list)
    for kind, shown in SHOWN.items():
        found[shown.code.name].append((kind, shown))
    return found


def _section(name: str, text: str, refusals: Sequence[tuple[type[Exception], Shown]]) -> Iterator[str]:
    yield from heading(2, code(name), name)
    yield from paragraph(plain(text))
    for kind, shown in refusals:
        facts = f" Facts: {', '.join(map(code, shown.facts))}." if shown.facts else ""
        yield f"- {plain(_text(kind))}{facts}"
    if refusals:
        yield ""


def _text(kind: type[Exception]) -> str:
    """Return the first paragraph of what is told of a class itself."""
    return (kind.__dict__.get("__doc__") or "").partition("\n\n")[0]
