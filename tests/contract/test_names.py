"""Things written in two rooms, or two files, that must agree."""

import subprocess
import sys
from enum import Enum
from importlib import metadata
from pathlib import Path

from graph.dependencies import Kind as GraphKind
from graph.resolution import DerivationKind, PrereleasePolicy, Strategy
from schema import enums
from schema.root import printed_schema
from storage.tables import EventKind, Kind
from storage.transitions import PackageStatus, VersionStatus

ROOMS = ("buildatlas", "graph", "resolvers", "schema", "storage")


def test_the_checked_in_schema_is_the_one_that_is_served() -> None:
    checked_in = Path(__file__).parents[2] / "schema" / "schema.graphql"

    printed = subprocess.run(
        [sys.executable, "-m", "schema.root"], capture_output=True, text=True, check=True
    )
    assert printed.stdout == printed_schema()
    assert checked_in.read_text() == printed_schema(), (
        "regenerate it: .venv/bin/python -m schema.root > schema/schema.graphql"
    )


def test_dependency_kinds_have_the_same_bits_in_the_graph_and_in_storage() -> None:
    assert {kind.name: kind.value for kind in GraphKind} == {kind.name: kind.value for kind in Kind}


def test_enumerations_of_the_api_have_the_values_of_the_rooms_below() -> None:
    pairs: list[tuple[type[Enum], type[Enum]]] = [
        (enums.PackageStatus, PackageStatus),
        (enums.VersionStatus, VersionStatus),
        (enums.EventKind, EventKind),
        (enums.DependencyKind, GraphKind),
        (enums.ResolutionStrategy, Strategy),
        (enums.PrereleasePolicy, PrereleasePolicy),
        (enums.DerivationKind, DerivationKind),
    ]

    for ours, theirs in pairs:
        assert [each.name for each in ours] == [each.name for each in theirs]


def test_no_other_distribution_ships_our_package_names() -> None:
    owners = metadata.packages_distributions()

    assert all(set(owners.get(room, [])) <= {"buildatlas"} for room in ROOMS)
