"""Fetching any object by its global id."""

import asyncio
from collections.abc import Sequence
from typing import Final

import strawberry

from schema.catalogue import Dependency, Package, PackageVersion
from schema.context import Context
from schema.errors import TooLarge
from schema.identifiers import GlobalId, read_id
from schema.node import Node

_MOST: Final = 1000


async def fetch(context: Context, id: strawberry.ID) -> Node | None:
    """Return the object with this id, or None when there is none; raise InvalidId when it is no id."""
    return await _load(context, read_id(id))


async def fetch_many(context: Context, ids: Sequence[strawberry.ID]) -> list[Node | None]:
    """Return the objects with these ids, in their order, None for each that there is not."""
    if len(ids) > _MOST:
        raise TooLarge("ids", found=len(ids), allowed=_MOST)
    return list(await asyncio.gather(*(_load(context, read_id(each)) for each in ids)))


async def _load(context: Context, id: GlobalId) -> Node | None:
    loaders = context.loaders
    if id.type_name == "Package":
        package = await loaders.package.load(id.row)
        return Package.of(package) if package else None
    if id.type_name == "PackageVersion":
        version = await loaders.version.load(id.row)
        return PackageVersion.of(version) if version else None
    if id.type_name == "Dependency":
        dependency = await loaders.dependency.load(id.row)
        return Dependency.of(dependency) if dependency else None
    return None
