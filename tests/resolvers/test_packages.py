"""Registering, changing and deleting packages."""

from datetime import UTC, datetime

import pytest

from resolvers import doctor, versions
from resolvers.drafts import DependencyRequest, PublishRequest, UpdateRequest
from resolvers.errors import AlreadyExists, BadInput, InUse, NotFound, NotRetried, StillRequired
from resolvers.packages import Deletion, RegisterRequest, delete, register, update
from storage import packages
from storage.database import Database
from storage.errors import IllegalTransition
from storage.transitions import BuildConclusion, PackageStatus
from tests.resolvers.build_world import World
from tests.resolvers.log import told

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime(2026, 1, 2, tzinfo=UTC)


def publish(database: Database, name: str, version: str, *needs: str) -> None:
    dependencies = tuple(DependencyRequest(need) for need in needs)
    versions.publish(database, PublishRequest(name, version, dependencies), now=NOW)


def test_a_package_is_registered_once_and_again_changes_nothing(database: Database) -> None:
    request = RegisterRequest("Flux", "Machine learning", {"team": "ml"})

    first = register(database, request, now=NOW)
    again = register(database, request, now=LATER)

    assert first == again
    assert (first.package.name, first.package.description, first.package.labels) == (
        "Flux",
        "Machine learning",
        {"team": "ml"},
    )
    assert (first.package.status, first.package.created_at, first.cursor) == (PackageStatus.ACTIVE, NOW, 1)
    assert told(database) == ["PACKAGE_CHANGED Flux"]


def test_a_name_that_is_taken_is_refused_with_what_differs(database: Database) -> None:
    register(database, RegisterRequest("Flux", "Machine learning"), now=NOW)

    with pytest.raises(AlreadyExists) as refused:
        register(database, RegisterRequest("Flux", "", {"a": "b"}), now=NOW)

    assert str(refused.value) == (
        "package Flux exists already: description is Machine learning and was sent as empty; "
        "labels is empty and was sent as {'a': 'b'}. Update it instead"
    )
    assert told(database) == ["PACKAGE_CHANGED Flux"]


@pytest.mark.parametrize(
    ("request_", "path", "problem"),
    [
        (RegisterRequest("a b"), ("name",), "' ' at character 2 is not a letter"),
        (RegisterRequest("a\nb"), ("name",), "at character 2"),
        (RegisterRequest("a\0b"), ("name",), "at character 2"),
        (RegisterRequest("\ud800"), ("name",), "at character 1"),
        (RegisterRequest(""), ("name",), "it is empty"),
        (
            RegisterRequest("a", "x\0"),
            ("description",),
            "a NUL character or a lone surrogate cannot be stored",
        ),
        (RegisterRequest("a", "\ud800"), ("description",), "unicode"),
        (RegisterRequest("a", "x" * 10_001), ("description",), "at most 10000 characters"),
        (
            RegisterRequest("a", labels={"k" * 129: ""}),
            ("labels",),
            "at most 128 characters",
        ),
    ],
)
def test_what_cannot_be_stored_is_refused_by_field(
    database: Database, request_: RegisterRequest, path: tuple[str, ...], problem: str
) -> None:
    with pytest.raises(BadInput, match=problem) as refused:
        register(database, request_, now=NOW)

    assert refused.value.path == path
    assert database.cursor() == 0


def test_an_update_changes_what_it_names_and_nothing_else(database: Database) -> None:
    register(database, RegisterRequest("Flux", "old", {"a": "1"}), now=NOW)

    changed = update(
        database, UpdateRequest("Flux", status=PackageStatus.DEPRECATED, status_reason="old"), now=LATER
    )
    again = update(database, UpdateRequest("Flux", description="old", labels={"a": "1"}), now=LATER)

    row = changed.package
    assert (row.description, row.labels, row.status, row.status_reason) == (
        "old",
        {"a": "1"},
        "DEPRECATED",
        "old",
    )
    assert (row.updated_at, changed.cursor) == (LATER, 2)
    assert again == changed
    assert told(database) == ["PACKAGE_CHANGED Flux"] * 2


def test_a_new_status_takes_its_own_reason_or_none(database: Database) -> None:
    register(database, RegisterRequest("Flux"), now=NOW)
    update(database, UpdateRequest("Flux", status=PackageStatus.ARCHIVED, status_reason="done"), now=NOW)
    reworded = update(database, UpdateRequest("Flux", status_reason="finished"), now=NOW)

    active = update(database, UpdateRequest("Flux", status=PackageStatus.ACTIVE), now=NOW)

    assert reworded.package.status_reason == "finished"
    assert active.package.status_reason is None


def test_a_status_that_cannot_follow_is_refused_with_those_that_can(database: Database) -> None:
    register(database, RegisterRequest("Flux"), now=NOW)
    update(database, UpdateRequest("Flux", status=PackageStatus.ARCHIVED), now=NOW)

    with pytest.raises(IllegalTransition) as refused:
        update(database, UpdateRequest("Flux", description="x", status=PackageStatus.DEPRECATED), now=NOW)

    assert str(refused.value) == (
        "package Flux is ARCHIVED and cannot become DEPRECATED; it may become ACTIVE or QUARANTINED"
    )
    with database.read() as connection:
        row = packages.by_name(connection, "Flux")
    assert row is not None
    assert row.description == ""


def test_an_unknown_package_is_not_found_and_close_names_are_suggested(database: Database) -> None:
    for name in ("Flux", "Zygote"):
        register(database, RegisterRequest(name), now=NOW)

    with pytest.raises(NotFound) as refused:
        update(database, UpdateRequest("Flxu", description="x"), now=NOW)

    assert (refused.value.subject, refused.value.suggestions) == ("package Flxu", ("Flux",))
    assert str(refused.value) == "there is no package Flxu; did you mean Flux?"


def test_what_cannot_be_a_name_is_not_found_and_not_echoed_whole(database: Database) -> None:
    with pytest.raises(NotFound) as refused:
        delete(database, "\ud800" * 1_000_000, force=True, now=NOW)

    assert str(refused.value).startswith("there is no package '\\ud800")
    assert len(str(refused.value)) < 500


@pytest.mark.parametrize(
    ("request_", "path"),
    [
        (UpdateRequest("Flux", status_reason="\0"), ("statusReason",)),
        (UpdateRequest("Flux", description="x" * 10_001), ("description",)),
        (UpdateRequest("unknown", labels={"k" * 129: ""}), ("labels",)),
    ],
)
def test_an_update_with_a_field_that_cannot_be_stored_is_refused(
    database: Database, request_: UpdateRequest, path: tuple[str, ...]
) -> None:
    register(database, RegisterRequest("Flux"), now=NOW)

    with pytest.raises(BadInput) as refused:
        update(database, request_, now=NOW)

    assert refused.value.path == path


def test_a_package_that_others_require_is_deleted_only_by_force(database: Database) -> None:
    publish(database, "Zygote", "1", "Zygote")
    publish(database, "Zygote", "2")
    for number in range(12):
        publish(database, f"p{number:02}", "1", "Zygote")

    with pytest.raises(StillRequired) as refused:
        delete(database, "Zygote", force=False, now=NOW)

    assert (refused.value.total, len(refused.value.requirers)) == (12, 10)
    assert str(refused.value).startswith("package Zygote is required by p00, p01, ")
    assert str(refused.value).endswith(" and 2 more; force deletes it all the same")
    cursor = database.cursor()
    assert delete(database, "Zygote", force=True, now=NOW) == Deletion("Zygote", 2, cursor + 1)
    assert told(database, cursor) == ["PACKAGE_DELETED Zygote"]
    with database.read() as connection:
        assert packages.by_name(connection, "Zygote") is None


def test_a_package_that_nobody_else_requires_is_deleted(database: Database) -> None:
    publish(database, "app", "1", "app")

    assert delete(database, "app", force=False, now=NOW).versions == 1
    with pytest.raises(NotFound, match="there is no package app"):
        delete(database, "app", force=True, now=NOW)


def test_few_requirers_are_all_named() -> None:
    assert (
        str(StillRequired("lib", ["a", "b"], 2))
        == "package lib is required by a, b; force deletes it all the same"
    )


def test_a_package_is_not_deleted_while_it_is_being_built(database: Database) -> None:
    world = World.of(database, "app 1 needs lib\nlib 1")
    run = world.start("app", "lib")

    with pytest.raises(InUse, match="package lib is being built: 1 build of it has not ended"):
        world.delete("lib")

    assert world.states(run) == {"lib": "QUEUED", "app": "BLOCKED"}


def test_a_package_is_deleted_with_its_builds_once_they_have_ended(database: Database) -> None:
    world = World.of(database, "app 1 needs lib\nlib 1")
    run = world.start("app", "lib")
    world.end("lib", BuildConclusion.FAILURE)

    world.delete("lib")

    assert world.states(run) == {"app": "UNRESOLVABLE"}
    with pytest.raises(NotRetried, match="no package lib is registered"):
        world.retry("app")
    assert doctor.examine(database).is_content
    world.publish("lib 2")
    assert world.recover() == 1
    assert world.states(run) == {"app": "QUEUED"}
    assert doctor.examine(database).is_content
