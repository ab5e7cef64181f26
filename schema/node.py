"""What all objects with an id of their own have in common."""

import strawberry


@strawberry.interface(description="An object that can be fetched again by its id.")
class Node:
    id: strawberry.ID = strawberry.field(
        description="Opaque and unique among all objects; never given twice."
    )


@strawberry.type(description="A word that its owner attached to an object, with a value.")
class Label:
    key: str = strawberry.field(description="Unique on one object.")
    value: str = strawberry.field(description="Any text.")


def labels(pairs: dict[str, str]) -> list[Label]:
    """Return the labels in the order of their keys."""
    return [Label(key=key, value=pairs[key]) for key in sorted(pairs)]
