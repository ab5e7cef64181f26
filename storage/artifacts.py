"""Reading and writing what builds produced."""

from collections.abc import Iterable
from typing import Final

from sqlalchemy import Connection, select

from storage.build_rows import ArtifactRow
from storage.build_tables import ARTIFACTS, ArtifactFields
from storage.dialects import any_of
from storage.statements import Query
from storage.upserts import Upsert


def of_builds(connection: Connection, build_ids: Iterable[int]) -> dict[int, list[ArtifactRow]]:
    """Return the artifacts of each build as first named, an empty list for one without; one statement."""
    found: dict[int, list[ArtifactRow]] = {id_: [] for id_ in build_ids}
    for row in _OF_BUILDS.all(connection, ids=found):
        found[row.build_id].append(row)
    return found


def put(connection: Connection, build_id: int, attempt: int, artifacts: Iterable[ArtifactFields]) -> None:
    """Write what an attempt produced, in the place of what the build had under the same names."""
    _PUT.run(
        connection,
        ({**fields.model_dump(), "build_id": build_id, "attempt": attempt} for fields in artifacts),
    )


_C: Final = ARTIFACTS.c
_OF_BUILDS: Final = Query(
    select(*(_C[name] for name in ArtifactRow.__struct_fields__))
    .where(any_of(_C.build_id, "ids"))
    .order_by(_C.build_id, _C.id),
    ArtifactRow,
)
_PUT: Final = Upsert(
    ARTIFACTS,
    ("build_id", "name"),
    lambda new: {name: new[name] for name in ("uri", "digest", "size_bytes", "attempt")},
)
