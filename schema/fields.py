"""Strawberry's decorators of resolvers, with the one argument that each of ours has, and typed."""

from collections.abc import Callable
from typing import Any, Final

import strawberry
from strawberry.types.field import StrawberryField

from storage.monitoring_tables import Scope

# What Strawberry takes for a resolver: any function, whose signature it reads.
_Resolver = Callable[..., Any]


SCOPE: Final = "scope"
"""Under what a field's metadata names the scope that it needs."""


def field(description: str) -> Callable[[_Resolver], StrawberryField]:
    """Make a resolver a field."""

    def decorate(resolver: _Resolver) -> StrawberryField:
        return strawberry.field(resolver, description=description)

    return decorate


def mutation(scope: Scope, description: str) -> Callable[[_Resolver], StrawberryField]:
    """Make a resolver a mutation, which only who has the scope may call."""

    def decorate(resolver: _Resolver) -> StrawberryField:
        return strawberry.mutation(resolver, description=description, metadata={SCOPE: scope})

    return decorate


def subscription(scope: Scope, description: str) -> Callable[[_Resolver], StrawberryField]:
    """Make an asynchronous generator a subscription, which only who has the scope may open."""

    def decorate(resolver: _Resolver) -> StrawberryField:
        return strawberry.field(
            resolver, description=description, is_subscription=True, metadata={SCOPE: scope}
        )

    return decorate
