"""The example catalogue that the project ships, and the answers that the README promises from it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from buildatlas.files import open_lines
from graph.resolution import Question, Requirement
from resolvers import graphs
from resolvers.atlas import Atlas
from resolvers.lines import MAX_LINE_BYTES
from resolvers.loaded_graphs import Selection
from resolvers.plans import Plan, PlanRequest, build_plan
from resolvers.resolutions import Resolved, Unsolved, resolve
from resolvers.transfer import Imported, OnError, import_catalogue
from storage.database import Database
from storage.dependencies import GraphScope

EXAMPLE = Path(__file__).parents[2] / "examples" / "julia.jsonl.gz"


def imported(database: Database) -> Imported:
    with open_lines(str(EXAMPLE), max_line=MAX_LINE_BYTES) as lines:
        return import_catalogue(database, lines, on_error=OnError.STOP, now=datetime.now(UTC))


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Atlas]:
    database = Database.open(str(tmp_path_factory.mktemp("example") / "example.db"))
    imported(database)
    yield Atlas(database)
    database.close()


def test_it_is_imported_whole_and_a_second_time_changes_nothing(atlas: Atlas) -> None:
    before = atlas.database.cursor()

    again = imported(atlas.database)

    assert (again.versions, again.packages, again.updated, again.unchanged) == (0, 0, 0, 11_180)
    assert atlas.database.cursor() == before


def test_everything_that_is_required_is_registered(atlas: Atlas) -> None:
    everything = Selection(scope=GraphScope.ALL, include_optional=True)
    graph = atlas.graphs.select(everything)

    assert len(graph) == 502


def test_a_question_that_leads_deep_into_it_reads_it_in_few_statements(tmp_path: Path) -> None:
    statements: list[str] = []
    database = Database.open(str(tmp_path / "example.db"), trace=statements.append)
    imported(database)
    counts = {}
    for root in ("CuArrays", "Flux"):
        statements.clear()
        answer = resolve(Atlas(database), Question((Requirement(root),)))
        assert isinstance(answer, Resolved)
        counts[root] = len([text for text in statements if text.startswith(("SELECT", "WITH"))])
    database.close()

    assert all(count <= 20 for count in counts.values()), counts


def test_tensorflow_with_flux_is_found_by_going_back_three_minor_releases(atlas: Atlas) -> None:
    answer = resolve(atlas, Question((Requirement("TensorFlow"), Requirement("Flux"))))

    assert isinstance(answer, Resolved)
    assert {p.package: p.version for p in answer.resolution.pins if p.direct} == {
        "TensorFlow": "0.11.0",
        "Flux": "0.11.3",
    }
    assert answer.resolution.statistics.conflicts > 0


def test_tensorflow_with_the_newest_flux_is_explained(atlas: Atlas) -> None:
    answer = resolve(atlas, Question((Requirement("TensorFlow"), Requirement("Flux", ">=0.14"))))

    assert isinstance(answer, Unsolved)
    assert answer.conflict.message.startswith(
        "No versions satisfy your requirements Flux >=0.14 and TensorFlow."
    )
    assert "every version of TensorFlow needs" in answer.conflict.message
    assert "Would work: widen Flux >=0.14 to >=0.11.3" in answer.conflict.message


def test_all_of_it_is_planned(atlas: Atlas) -> None:
    plan = build_plan(atlas, PlanRequest())

    assert isinstance(plan, Plan)
    assert sum(map(len, plan.order.waves)) == 502
    assert graphs.cycles(atlas, Selection(), first=10).total_count == 0
