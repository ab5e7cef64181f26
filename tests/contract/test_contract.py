"""The public contract is a subset of the schema, but for what is listed as absent."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from graphql import (
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    InputObjectTypeDefinitionNode,
    InputValueDefinitionNode,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    ScalarTypeDefinitionNode,
    TypeDefinitionNode,
    UnionTypeDefinitionNode,
    parse,
    print_ast,
)

CONTRACT: Final = Path(__file__).parent / "contract.graphql"
SCHEMA: Final = Path(__file__).parents[2] / "schema" / "schema.graphql"

# What the contract promises and the product does not have yet: by coordinate, a type standing for all of its parts.
ABSENT: Final[list[str]] = []


def test_every_part_of_the_contract_is_in_the_schema_as_written_or_listed_as_absent() -> None:
    contract, product = coordinates(CONTRACT.read_text()), coordinates(SCHEMA.read_text())

    differing = {
        f"{place}: the contract says {shape!r}, the schema {product.get(place, 'nothing')!r}"
        for place, shape in contract.items()
        if product.get(place) != shape and not is_absent(place)
    }

    assert differing == set()


def test_what_is_listed_as_absent_is_in_the_contract_and_not_in_the_schema() -> None:
    contract, product = coordinates(CONTRACT.read_text()), coordinates(SCHEMA.read_text())

    assert [place for place in ABSENT if place not in contract] == []
    assert [place for place in ABSENT if place in product] == []


def test_the_list_of_what_is_absent_is_sorted_and_repeats_nothing() -> None:
    assert sorted(set(ABSENT)) == ABSENT
    assert [place for place in ABSENT if any(is_within(place, other) for other in ABSENT)] == []


def is_absent(place: str) -> bool:
    return any(place == absent or is_within(place, absent) for absent in ABSENT)


def is_within(place: str, whole: str) -> bool:
    """Whether `place` is a part of `whole`: a field of a type, an argument of a field."""
    return place.startswith((f"{whole}.", f"{whole}(", f"{whole} "))


def coordinates(sdl: str) -> Mapping[str, str]:
    """Return the shape of every part of a schema by its coordinate, such as `Query.package(name:)`."""
    return {
        place: shape
        for node in parse(sdl).definitions
        if isinstance(node, TypeDefinitionNode)
        for place, shape in parts(node)
    }


def parts(node: TypeDefinitionNode) -> Iterator[tuple[str, str]]:
    name = node.name.value
    yield name, node.kind
    match node:
        case ObjectTypeDefinitionNode() | InterfaceTypeDefinitionNode():
            yield from ((f"{name} implements {each.name.value}", "") for each in node.interfaces or ())
            for field in node.fields or ():
                yield from field_parts(name, field)
        case InputObjectTypeDefinitionNode():
            yield from ((f"{name}.{each.name.value}", input_shape(each)) for each in node.fields or ())
        case EnumTypeDefinitionNode():
            yield from ((f"{name}.{each.name.value}", "") for each in node.values or ())
        case UnionTypeDefinitionNode():
            yield from ((f"{name}.{each.name.value}", "") for each in node.types or ())
        case ScalarTypeDefinitionNode():
            yield from ((f"{name}@{each.name.value}", print_ast(each)) for each in node.directives or ())
        case _:
            raise AssertionError(f"a definition that this test does not know: {node.kind}")


def field_parts(owner: str, field: FieldDefinitionNode) -> Iterator[tuple[str, str]]:
    place = f"{owner}.{field.name.value}"
    yield place, print_ast(field.type)
    for argument in field.arguments or ():
        yield f"{place}({argument.name.value}:)", input_shape(argument)


def input_shape(value: InputValueDefinitionNode) -> str:
    default = f" = {print_ast(value.default_value)}" if value.default_value else ""
    return print_ast(value.type) + default
