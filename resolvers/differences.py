"""In what two contents of one version, or of one package, differ, in words."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

import msgspec

from graph.moments import rfc_3339
from resolvers.drafts import Draft
from storage.rows import DependencyRow, VersionRow
from storage.tables import DependencyFields, PackageFields

Need = tuple[str, str, int, bool, str | None]
"""Package name, constraint, kinds, optional, marker."""

# In a message: enough to recognise a value by, were it a megabyte.
_EXCERPT: Final = 80


class Content(msgspec.Struct, frozen=True, gc=False):
    """What was published, and the status it has. The order of dependencies is no content."""

    needs: frozenset[Need]
    released_at: datetime | None
    digest: str | None
    labels: Mapping[str, str]
    status: str
    status_reason: str | None


def content_of_draft(draft: Draft) -> Content:
    """Return the content of a version that is to be written."""
    fields = draft.fields
    needs = frozenset(map(need_of, draft.dependencies))
    return Content(
        needs, fields.released_at, fields.digest, fields.labels, fields.status, fields.status_reason
    )


def content_of_row(row: VersionRow, needs: Iterable[DependencyRow]) -> Content:
    """Return the content of a version that is stored."""
    return Content(
        frozenset(map(need_of, needs)), row.released_at, row.digest, row.labels, row.status, row.status_reason
    )


def need_of(need: DependencyFields | DependencyRow) -> Need:
    """Return a dependency as a plain value."""
    return need.package_name, need.constraint, need.kinds, need.optional, need.marker


def version_differences(stored: Content, sent: Content, *, with_status: bool) -> list[str]:
    """Return the differences, each naming the field and both values; the status counts only if asked for."""
    fields = [
        ("releasedAt", stored.released_at, sent.released_at),
        ("digest", stored.digest, sent.digest),
        ("labels", stored.labels, sent.labels),
    ]
    if with_status:
        fields += [
            ("status", stored.status, sent.status),
            ("statusReason", stored.status_reason, sent.status_reason),
        ]
    return [*_needs_differences(stored.needs, sent.needs), *_field_differences(fields)]


def package_differences(stored: PackageFields, sent: PackageFields) -> list[str]:
    """Return the differences, each naming the field and both values."""
    fields = [("description", stored.description, sent.description), ("labels", stored.labels, sent.labels)]
    return _field_differences(fields)


def _field_differences(fields: Iterable[tuple[str, object, object]]) -> list[str]:
    return [
        f"{name} is {_shown(stored)} and was sent as {_shown(sent)}"
        for name, stored, sent in fields
        if stored != sent
    ]


def _needs_differences(stored: frozenset[Need], sent: frozenset[Need]) -> list[str]:
    if stored == sent:
        return []
    parts = [
        f"{len(needs)} {what} ({_first(needs)})"
        for what, needs in (("new", sent - stored), ("missing", stored - sent))
        if needs
    ]
    return [f"dependencies: {', '.join(parts)}"]


def _first(needs: Iterable[Need]) -> str:
    package, constraint, *_ = min(needs, key=lambda need: need[:4])
    return _cut(f"{package} {constraint}".rstrip())


def _shown(value: object) -> str:
    if value is None:
        return "not given"
    if isinstance(value, datetime):
        return rfc_3339(value)
    return _cut(str(value) if value else "empty")


def _cut(text: str) -> str:
    return text if len(text) <= _EXCERPT else f"{text[:_EXCERPT]}…"
