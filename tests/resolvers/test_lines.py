"""The lines of a catalogue file: whatever is stored is read back from its line as it was."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from resolvers import lines
from resolvers.drafts import UpdateRequest
from storage.rows import DependencyRow, PackageRow, VersionRow
from storage.transitions import PackageStatus, VersionStatus

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
_labels = st.dictionaries(
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=9), _texts, max_size=3
)
_zones = st.integers(-1_439, 1_439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
_moments = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 30), timezones=_zones)  # noqa: DTZ001
_names = st.from_regex(r"[A-Za-z@][A-Za-z0-9_+-]{0,8}", fullmatch=True)


@given(_names, _texts, st.sampled_from(PackageStatus), st.none() | _texts, _labels)
def test_a_package_is_read_back_from_its_line(
    name: str, description: str, status: PackageStatus, reason: str | None, labels: dict[str, str]
) -> None:
    row = PackageRow(1, name, description, status, reason, labels, _NOW, _NOW)

    said = lines.parse(lines.of_package(row))

    assert isinstance(said, UpdateRequest)
    assert said.name == name
    assert (said.description or "", said.status or PackageStatus.ACTIVE) == (description, status)
    assert (said.status_reason, said.labels or {}) == (reason, labels)


_needs = st.builds(
    DependencyRow,
    st.just(1),
    st.just(1),
    st.just(0),
    _names,
    st.sampled_from(["", ">=1", "^1.2 || ==3.*"]),
    st.integers(1, 31),
    st.booleans(),
    st.none() | _texts,
)


@given(
    _names,
    st.sampled_from(VersionStatus),
    st.none() | _texts,
    st.none() | _moments,
    st.none() | _texts,
    _labels,
    st.lists(_needs, max_size=3, unique_by=lambda need: (need.package_name, need.constraint)),
)
def test_a_version_is_read_back_from_its_line(
    package: str,
    status: VersionStatus,
    reason: str | None,
    released_at: datetime | None,
    digest: str | None,
    labels: dict[str, str],
    needs: list[DependencyRow],
) -> None:
    row = VersionRow(1, 1, "1.0", b"1", False, status, reason, released_at, digest, labels, _NOW, _NOW)

    draft = lines.parse(lines.of_version(package, row, needs))

    assert not isinstance(draft, UpdateRequest)
    said = draft.fields
    assert (draft.package, said.version, said.status, said.status_reason) == (package, "1.0", status, reason)
    assert (said.released_at, said.digest, said.labels) == (released_at, digest, labels)
    assert [
        (need.package_name, need.constraint, need.kinds, need.optional, need.marker)
        for need in draft.dependencies
    ] == [(need.package_name, need.constraint, need.kinds, need.optional, need.marker) for need in needs]
