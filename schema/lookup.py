"""Fetching any object by its global id."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

import strawberry

from schema.alert_types import Alert, AlertRule
from schema.builds import Build
from schema.catalogue import Dependency, Package, PackageVersion
from schema.context import Context
from schema.error_groups import ErrorGroup
from schema.errors import TooLarge
from schema.identifiers import GlobalId, read_id
from schema.loaders import Loaders
from schema.node import Node
from schema.runs import BuildRun

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
    find = _FIND.get(id.type_name)
    return await find(context.loaders, id.row) if find else None


async def _package(loaders: Loaders, id: int) -> Node | None:
    row = await loaders.package.load(id)
    return Package.of(row) if row else None


async def _version(loaders: Loaders, id: int) -> Node | None:
    row = await loaders.version.load(id)
    return PackageVersion.of(row) if row else None


async def _dependency(loaders: Loaders, id: int) -> Node | None:
    row = await loaders.dependency.load(id)
    return Dependency.of(row) if row else None


async def _build(loaders: Loaders, id: int) -> Node | None:
    row = await loaders.builds.build.load(id)
    return Build.of(row) if row else None


async def _run(loaders: Loaders, id: int) -> Node | None:
    row = await loaders.builds.run.load(id)
    return BuildRun.of(row) if row else None


async def _error_group(loaders: Loaders, id: int) -> Node | None:
    row = await loaders.error_group.load(id)
    return ErrorGroup.of(row) if row else None


async def _alert(loaders: Loaders, id: int) -> Node | None:
    row = await loaders.alert.load(id)
    return Alert.of(row) if row else None


async def _alert_rule(loaders: Loaders, id: int) -> Node | None:
    row = await loaders.alert_rule.load(id)
    return AlertRule.of(row) if row else None


_FIND: Final[Mapping[str, Callable[[Loaders, int], Awaitable[Node | None]]]] = {
    "Package": _package,
    "PackageVersion": _version,
    "Dependency": _dependency,
    "Build": _build,
    "BuildRun": _run,
    "ErrorGroup": _error_group,
    "Alert": _alert,
    "AlertRule": _alert_rule,
}
