"""Publishing versions, their life cycle, and their dependencies."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from resolvers.drafts import MAX_DEPENDENCIES, DependencyRequest, PublishRequest
from resolvers.errors import (
    BadConstraint,
    BadInput,
    BadVersion,
    ClosesCycle,
    LimitExceeded,
    NotADraft,
    NotFound,
    OtherContent,
    Refusal,
)
from resolvers.versions import (
    DependenciesRequest,
    StatusRequest,
    VersionChange,
    publish,
    set_dependencies,
    set_status,
)
from storage import counts, dependencies, packages
from storage.database import Database
from storage.errors import IllegalTransition
from storage.tables import Kind
from storage.transitions import VersionStatus
from tests.resolvers.log import told

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime(2026, 1, 2, tzinfo=UTC)
RELEASED = datetime(2023, 8, 1, tzinfo=UTC)


def published(
    database: Database, name: str, version: str, *needs: str, forbid: int = 0, **more: Any
) -> VersionChange:
    """Publish a version; each need is `name constraint`."""
    parts = [need.partition(" ") for need in needs]
    wanted = tuple(DependencyRequest(package, constraint) for package, _, constraint in parts)
    request = PublishRequest(name, version, wanted, forbid_cycles=forbid, **more)
    return publish(database, request, now=NOW)


def declared(database: Database, version_id: int) -> list[tuple[str, str, int]]:
    with database.read() as connection:
        needs = dependencies.of_versions(connection, [version_id])[version_id]
    return [(need.package_name, need.constraint, need.kinds) for need in needs]


def test_the_first_version_registers_its_package(database: Database) -> None:
    change = published(database, "Flux", "0.14.1rc1", "Zygote >=0.6,<0.7 || >=1", released_at=RELEASED)

    row = change.version
    assert (row.version, row.is_prerelease, row.status, row.released_at) == (
        "0.14.1rc1",
        True,
        "PUBLISHED",
        RELEASED,
    )
    assert (change.created, change.cursor) == (True, 2)
    assert declared(database, row.id) == [("Zygote", ">=0.6,<0.7 || >=1", 1)]
    assert told(database) == ["PACKAGE_CHANGED Flux", "VERSION_PUBLISHED Flux 0.14.1rc1"]
    with database.read() as connection:
        package = packages.by_name(connection, "Flux")
    assert package is not None
    assert package.id == row.package_id


def test_equal_content_again_changes_nothing_whatever_its_order_its_spelling_or_its_status(
    database: Database,
) -> None:
    first = published(
        database, "Flux", "1.0", "a", "b >1", released_at=RELEASED, digest="d", labels={"x": "y"}
    )
    elsewhere = RELEASED.astimezone(timezone(timedelta(hours=9)))

    again = published(
        database,
        "Flux",
        "v1.0.0",
        "b >1",
        "a",
        released_at=elsewhere,
        digest="d",
        labels={"x": "y"},
        status=VersionStatus.DRAFT,
    )

    assert again == VersionChange(first.version, created=False, cursor=first.cursor)
    assert again.version.version == "1.0"


@pytest.mark.parametrize(
    ("needs", "fields", "difference"),
    [
        (["a >1"], {}, "dependencies: 1 new (a >1), 1 missing (a)"),
        (["a", "b"], {}, "dependencies: 1 new (b)"),
        ([], {}, "dependencies: 1 missing (a)"),
        (["a"], {"digest": "other"}, "digest is not given and was sent as other"),
        (["a"], {"released_at": RELEASED}, "releasedAt is not given and was sent as 2023-08-01T00:00:00Z"),
        (["a"], {"labels": {"k": "v" * 99}}, "labels is empty and was sent as {'k': 'vvv"),
        (
            ["a"],
            {"digest": "x", "labels": {"k": "v"}},
            "digest is not given and was sent as x; labels is empty",
        ),
    ],
)
def test_other_content_is_refused_with_what_differs(
    database: Database, needs: list[str], fields: dict[str, Any], difference: str
) -> None:
    first = published(database, "Flux", "1.0", "a")

    with pytest.raises(OtherContent) as refused:
        published(database, "Flux", "1.0.0", *needs, **fields)

    assert str(refused.value).startswith("Flux 1.0 exists already, and what is published does not change: ")
    assert difference in str(refused.value)
    assert database.cursor() == first.cursor
    assert declared(database, first.version.id) == [("a", "", 1)]


@pytest.mark.parametrize(
    ("request_", "refusal", "path", "message"),
    [
        (PublishRequest("a b", "1"), BadInput, ("package",), "'a b' is not a package name"),
        (PublishRequest("a", "one"), BadVersion, ("version",), "at character 1, expected a number"),
        (PublishRequest("a", "1\0"), BadVersion, ("version",), "at character 2"),
        (PublishRequest("a", "1", digest="\0"), BadInput, ("digest",), "digest: a NUL character"),
        (PublishRequest("a", "1", digest="d" * 257), BadInput, ("digest",), "at most 256 characters"),
        (
            PublishRequest("a", "1", labels={"": "x"}),
            BadInput,
            ("labels",),
            "at least 1 character",
        ),
        (PublishRequest("a", "1", released_at=datetime(2020, 1, 1)), BadInput, ("releasedAt",), "timezone"),  # noqa: DTZ001
        (
            PublishRequest("a", "1", (DependencyRequest("b"), DependencyRequest("c", ">=x"))),
            BadConstraint,
            ("dependencies", "1", "constraint"),
            "the constraint on c: '>=x' is not a constraint: at character 3",
        ),
        (
            PublishRequest("a", "1", (DependencyRequest("b c"),)),
            BadInput,
            ("dependencies", "0", "package"),
            "'b c' is not a package name",
        ),
        (
            PublishRequest("a", "1", (DependencyRequest("b", kinds=0),)),
            BadInput,
            ("dependencies", "0", "kinds"),
            "at least one kind is needed",
        ),
        (
            PublishRequest("a", "1", (DependencyRequest("b", kinds=64),)),
            BadInput,
            ("dependencies", "0", "kinds"),
            "less than or equal to 31",
        ),
        (
            PublishRequest("a", "1", (DependencyRequest("b", marker="\ud800"),)),
            BadInput,
            ("dependencies", "0", "marker"),
            "unicode",
        ),
        (
            PublishRequest(
                "a", "1", (DependencyRequest("b", ">1"), DependencyRequest("c"), DependencyRequest("b", ">1"))
            ),
            BadInput,
            ("dependencies", "2"),
            "b >1 is declared already; merge the kinds of both into one",
        ),
        (
            PublishRequest("a", "1", tuple(DependencyRequest(f"p{n}") for n in range(MAX_DEPENDENCIES + 1))),
            LimitExceeded,
            ("dependencies",),
            "10,001 dependencies, at most 10,000 are allowed",
        ),
    ],
)
def test_what_cannot_be_published_is_refused_by_field(
    database: Database, request_: PublishRequest, refusal: type[Refusal], path: tuple[str, ...], message: str
) -> None:
    with pytest.raises(refusal) as refused:
        publish(database, request_, now=NOW)

    assert refused.value.path == path
    assert message in str(refused.value)
    assert database.cursor() == 0


def test_one_package_may_be_required_twice_under_two_constraints(database: Database) -> None:
    change = published(database, "app", "1", "lib >1", "lib <3")

    assert declared(database, change.version.id) == [("lib", ">1", 1), ("lib", "<3", 1)]


def test_a_draft_is_announced_as_published_only_when_it_is(database: Database) -> None:
    draft = published(database, "app", "1", status=VersionStatus.DRAFT)
    change = set_status(database, StatusRequest("app", "1.0", VersionStatus.PUBLISHED), now=LATER)

    assert (change.version.id, change.version.status) == (draft.version.id, VersionStatus.PUBLISHED)
    assert change.version.updated_at == LATER
    assert told(database) == ["PACKAGE_CHANGED app", "VERSION_CHANGED app 1", "VERSION_PUBLISHED app 1"]


def test_many_dependencies_are_looked_through_once_for_one_declared_twice(database: Database) -> None:
    needs = tuple(DependencyRequest(f"p{number}") for number in range(MAX_DEPENDENCIES - 1))
    compared = 0

    class Compared(str):
        __slots__ = ()
        __hash__ = str.__hash__

        def __eq__(self, other: object) -> bool:
            nonlocal compared
            compared += 1
            return super().__eq__(other)

    again = DependencyRequest(Compared(f"p{MAX_DEPENDENCIES - 2}"))

    with pytest.raises(BadInput, match="is declared already") as refused:
        publish(database, PublishRequest("app", "1", (*needs, again)), now=NOW)

    assert refused.value.path == ("dependencies", str(MAX_DEPENDENCIES - 1))
    assert compared < 10


def test_a_bad_name_declared_twice_is_not_echoed_whole(database: Database) -> None:
    need = DependencyRequest("a " * 500_000)

    with pytest.raises(BadInput) as refused:
        publish(database, PublishRequest("app", "1", (need, need)), now=NOW)

    assert refused.value.path == ("dependencies", "0", "package")
    assert len(str(refused.value)) < 500


def test_a_status_moves_with_its_reason_and_staying_changes_nothing(database: Database) -> None:
    published(database, "app", "1")
    yank = StatusRequest("app", "1", VersionStatus.YANKED, "broken")

    yanked = set_status(database, yank, now=NOW)
    again = set_status(database, yank, now=LATER)
    reworded = set_status(database, StatusRequest("app", "1", VersionStatus.YANKED, "worse"), now=LATER)
    back = set_status(database, StatusRequest("app", "1", VersionStatus.PUBLISHED), now=LATER)

    assert (yanked.version.status, yanked.version.status_reason) == (VersionStatus.YANKED, "broken")
    assert again == yanked
    assert reworded.version.status_reason == "worse"
    assert (back.version.status, back.version.status_reason) == (VersionStatus.PUBLISHED, None)
    assert told(database)[2:] == ["VERSION_CHANGED app 1"] * 3


def test_a_status_that_cannot_follow_is_refused(database: Database) -> None:
    published(database, "app", "1")

    with pytest.raises(IllegalTransition, match="version app 1 is PUBLISHED and cannot become DRAFT"):
        set_status(database, StatusRequest("app", "1", VersionStatus.DRAFT), now=NOW)


@pytest.mark.parametrize(
    ("request_", "refusal", "message"),
    [
        (
            StatusRequest("App", "1", VersionStatus.YANKED),
            NotFound,
            "there is no package App; did you mean app?",
        ),
        (StatusRequest("app", "2", VersionStatus.YANKED), NotFound, "there is no version 2 of package app"),
        (StatusRequest("app", "two", VersionStatus.YANKED), BadVersion, "'two' is not a version"),
        (StatusRequest("app", "1", VersionStatus.YANKED, "\0"), BadInput, "reason: a NUL character"),
    ],
)
def test_a_status_of_what_is_not_there_cannot_be_set(
    database: Database, request_: StatusRequest, refusal: type[Refusal], message: str
) -> None:
    published(database, "app", "1")

    with pytest.raises(refusal) as refused:
        set_status(database, request_, now=NOW)

    assert str(refused.value).startswith(message)


def test_dependencies_of_a_draft_are_replaced(database: Database) -> None:
    draft = published(database, "app", "1", "a", "b", status=VersionStatus.DRAFT)
    request = DependenciesRequest(
        "app", "1", (DependencyRequest("c", ">1", Kind.TEST | Kind.DEV), DependencyRequest("a"))
    )

    change = set_dependencies(database, request, as_admin=False, now=LATER)
    again = set_dependencies(database, request, as_admin=False, now=LATER)

    assert declared(database, draft.version.id) == [("c", ">1", 12), ("a", "", 1)]
    assert (change.version.updated_at, change.created) == (LATER, False)
    assert again == change
    assert told(database)[2:] == ["DEPENDENCIES_CHANGED app 1"]


def test_dependencies_of_what_is_published_are_set_by_an_administrator_only(database: Database) -> None:
    version = published(database, "app", "1", "a").version
    request = DependenciesRequest("app", "1", ())

    with pytest.raises(NotADraft, match="app 1 is PUBLISHED, and only a DRAFT's dependencies may be set"):
        set_dependencies(database, request, as_admin=False, now=NOW)
    assert declared(database, version.id) == [("a", "", 1)]

    set_dependencies(database, request, as_admin=True, now=NOW)
    assert declared(database, version.id) == []


def test_dependencies_that_close_a_forbidden_cycle_are_not_set(database: Database) -> None:
    published(database, "lib", "1", "app")
    published(database, "app", "1", status=VersionStatus.DRAFT)
    request = DependenciesRequest("app", "1", (DependencyRequest("lib"),), forbid_cycles=Kind.RUNTIME)

    with pytest.raises(ClosesCycle) as refused:
        set_dependencies(database, request, as_admin=False, now=NOW)

    assert refused.value.cycle == ("app", "lib", "app")
    allowed = DependenciesRequest("app", "1", (DependencyRequest("lib"),), forbid_cycles=Kind.TEST)
    assert set_dependencies(database, allowed, as_admin=False, now=NOW).version.version == "1"


def test_a_version_that_closes_a_forbidden_cycle_is_refused_with_the_cycle(database: Database) -> None:
    published(database, "a", "1", "b", "c")
    published(database, "b", "1")
    published(database, "c", "1", "d")

    with pytest.raises(ClosesCycle) as refused:
        published(database, "d", "1", "x", "a", forbid=Kind.RUNTIME | Kind.BUILD)

    assert refused.value.cycle == ("d", "a", "c", "d")
    assert str(refused.value) == "this would close a dependency cycle: d → a → c → d"
    with database.read() as connection:
        assert packages.by_name(connection, "d") is None
        assert counts.count(connection).versions == 3


def test_paths_that_meet_again_without_coming_back_are_no_cycle(database: Database) -> None:
    published(database, "a", "1", "b", "c")
    published(database, "b", "1", "c")
    published(database, "c", "1")

    assert published(database, "d", "1", "a", "b", forbid=Kind.RUNTIME).created


def test_a_package_that_needs_itself_is_a_cycle(database: Database) -> None:
    with pytest.raises(ClosesCycle, match="app → app"):
        published(database, "app", "1", "app", forbid=Kind.RUNTIME)


@pytest.mark.parametrize(
    ("need", "forbid"),
    [
        (DependencyRequest("a", kinds=Kind.TEST), Kind.RUNTIME),
        (DependencyRequest("a", optional=True), Kind.RUNTIME),
        (DependencyRequest("elsewhere"), Kind.RUNTIME),
    ],
)
def test_other_kinds_and_optional_dependencies_close_no_forbidden_cycle(
    database: Database, need: DependencyRequest, forbid: Kind
) -> None:
    published(database, "a", "1", "d")

    change = publish(database, PublishRequest("d", "1", (need,), forbid_cycles=forbid), now=NOW)

    assert change.created


@pytest.mark.parametrize("status", [VersionStatus.DRAFT, VersionStatus.YANKED])
def test_only_latest_versions_make_a_cycle(database: Database, status: VersionStatus) -> None:
    published(database, "a", "1", "d")
    published(database, "a", "2")
    published(database, "a", "3", "d", status=status)

    assert published(database, "d", "1", "a", forbid=Kind.RUNTIME).created
