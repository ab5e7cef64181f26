"""Strawberry's decorators of resolvers, with the one argument that each of ours has, and typed."""

from collections.abc import Callable
from typing import Any

import strawberry
from strawberry.types.field import StrawberryField

# What Strawberry takes for a resolver: any function, whose signature it reads.
_Resolver = Callable[..., Any]


def field(description: str) -> Callable[[_Resolver], StrawberryField]:
    """Make a resolver a field, or a mutation."""

    def decorate(resolver: _Resolver) -> StrawberryField:
        return strawberry.field(resolver, description=description)

    return decorate


def subscription(description: str) -> Callable[[_Resolver], StrawberryField]:
    """Make an asynchronous generator a subscription."""

    def decorate(resolver: _Resolver) -> StrawberryField:
        return strawberry.field(resolver, description=description, is_subscription=True)

    return decorate
