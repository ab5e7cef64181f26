"""Versions to suppose, as they are typed, and as catalogue files have them."""

import re
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from buildatlas.errors import WrongUse
from buildatlas.files import open_lines
from buildatlas.requirements import parse_requirement
from graph.errors import excerpt
from graph.names import check_name
from graph.versions import parse_version

if TYPE_CHECKING:
    from resolvers.drafts import Draft

_VERSION: Final = re.compile(r"(?P<name>\S+)\s+(?P<version>\S+)")
_SUPPOSED: Final = re.compile(rf"{_VERSION.pattern}(?:\s+needs\s+(?P<needs>.+))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Supposed:
    """What an answer is to suppose, in the API's form of it."""

    publish: list[dict[str, Any]]
    yank: list[dict[str, str]]

    def __bool__(self) -> bool:
        """Whether anything is supposed."""
        return bool(self.publish or self.yank)


def supposed(publish: Iterable[str], yank: Iterable[str]) -> Supposed:
    """Read versions to publish, such as `lib 2.0 needs zlib>=1; tool ^2` or `@FILE`, and to yank, such as `lib 2.0`.

    Raises WrongUse, UnreadableFile, InvalidName, InvalidVersion and InvalidConstraint.
    """
    published = [version for text in publish for version in _published(text.strip())]
    return Supposed(published, [_yanked(text.strip()) for text in yank])


def _yanked(text: str) -> dict[str, str]:
    match = _VERSION.fullmatch(text)
    if match is None:
        raise WrongUse(
            f"--simulate-yank takes 'NAME VERSION', such as 'lib 2.0', and {excerpt(text)} is not that"
        )
    return _version(match)


def _published(text: str) -> Iterator[dict[str, Any]]:
    if text.startswith("@"):
        yield from _in_file(text[1:])
        return
    match = _SUPPOSED.fullmatch(text)
    if match is None:
        raise WrongUse(
            "--simulate-publish takes 'NAME VERSION needs REQUIREMENT; REQUIREMENT', 'NAME VERSION' or '@FILE', "
            f"and {excerpt(text)} is none of these"
        )
    needs = match["needs"].split(";") if match["needs"] else []
    yield {**_version(match), "dependencies": list(map(parse_requirement, needs))}


def _version(match: re.Match[str]) -> dict[str, str]:
    parse_version(match["version"])
    return {"package": check_name(match["name"]), "version": match["version"]}


def _in_file(path: str) -> Iterator[dict[str, Any]]:
    """Yield the versions of a catalogue file. What it says of packages alone is passed over."""
    # What reads catalogue files takes most of a second to load.
    from resolvers.drafts import Draft  # noqa: PLC0415
    from resolvers.errors import Refusal  # noqa: PLC0415
    from resolvers.lines import MAX_LINE_BYTES, parse  # noqa: PLC0415

    with open_lines(path, max_line=MAX_LINE_BYTES) as lines:
        for number, line in enumerate(lines, start=1):
            try:
                said = parse(line.removeprefix(BOM_UTF8)) if line.strip() else None
            except Refusal as refusal:
                raise WrongUse(f"{path}:{number}: {refusal}") from refusal
            if isinstance(said, Draft):
                yield _as_input(said)


def _as_input(draft: "Draft") -> dict[str, Any]:
    from storage.tables import Kind  # noqa: PLC0415

    fields = draft.fields
    return {
        "package": draft.package,
        "version": fields.version,
        "dependencies": [
            {
                "package": need.package_name,
                "constraint": need.constraint,
                "kinds": [kind.name for kind in Kind(need.kinds)],
                "optional": need.optional,
                "marker": need.marker,
            }
            for need in draft.dependencies
        ],
        "releasedAt": fields.released_at.isoformat() if fields.released_at else None,
        "digest": fields.digest,
        "labels": [{"key": key, "value": value} for key, value in fields.labels.items()],
        "status": fields.status.value,
    }
