"""Values for arguments: those that mean something in a catalogue, those that nearly do, and forgeries."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from hypothesis import strategies as st

from schema.identifiers import LARGEST_ROW, global_id, read_id
from schema.pagination import cursor
from tests.fuzzing.known import Known

_T = TypeVar("_T")


def mostly(usual: st.SearchStrategy[_T], *others: st.SearchStrategy[_T]) -> st.SearchStrategy[_T]:
    """Return a strategy that draws from `usual` six times as often as from each of the others.

    `one_of` takes a strategy once, however often it is given.
    """
    branches = [*[usual] * 6, *others]
    return st.integers(0, len(branches) - 1).flatmap(branches.__getitem__)


_TYPES: Final = ("Package", "PackageVersion", "Dependency", "Build", "BuildRun", "Alert", "Nothing")
# What the names of fields that take an id tell of it; `build` is within the name of nothing that is about runs.
_WORDS: Final = {"run": "BuildRun", "build": "Build"}
_ROWS: Final = st.sampled_from([0, 1, 2, 2**31, 2**32, LARGEST_ROW, LARGEST_ROW + 1])
_CONSTRAINTS: Final = (
    "",
    "*",
    ">=1",
    ">=1.0,<2",
    "==1.*",
    "==2.0rc1 || <1",
    "~=1.0",
    "!=1.0,!=1.1",
    ">2,<1",
    ">=1!0",
)
_NO_CONSTRAINTS: Final = (">=,", "===1.0", "=", "1.0 2.0", "^" * 50, "||")
_VERSIONS: Final = ("0", "1", "1.0.0", "1!2.0", "2.0.post1.dev3+local.7", "99999999999999999999")
_NO_VERSIONS: Final = ("1.x", "", "latest", "1.0\0")
_MOMENTS: Final = (
    "2026-01-31T12:00:00Z",
    "2026-01-31T12:00:00.123456789+02:00",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999Z",
)
_NO_MOMENTS: Final = (
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "2026-02-30T00:00:00Z",
    "2026-01-31T12:00:00",
    "2026-01-31",
    "now",
    "",
)
_NUMBERS: Final = (1, 2, 3, 10, 50, 100, 1000)
_ODD_NUMBERS: Final = (-1, 0, 1001, 10_000, 1_000_000, 2**31 - 1, -(2**31))
_FLOATS: Final = (0.0, -0.0, 0.5, 1.0, -1.0, 1e15, 2.0**53, 2.0**63, 2.0**64, 1.7e308, 5e-324)

MOMENTS: Final = mostly(
    st.sampled_from(_MOMENTS),
    st.sampled_from(_NO_MOMENTS),
    st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat()),
    st.text(max_size=30),
)
NUMBERS: Final = mostly(st.sampled_from(_NUMBERS), st.sampled_from(_ODD_NUMBERS))
FLOATS: Final = st.sampled_from(_FLOATS)

_KEY: Final = st.one_of(
    st.none(),
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0, 1, -1, 2**31, LARGEST_ROW, LARGEST_ROW + 1, 2**64, -(2**63) - 1]),
    st.sampled_from(["", "a", "\0", "\ud7ff", *_MOMENTS]),
)
# Of the form that the cursors of lists have, with places that no list has.
_CURSORS: Final = st.lists(_KEY, max_size=3).map(cursor)
_POSITIONS: Final = st.sampled_from(["0", "1", "00", "-1", "9" * 18, "9" * 19, "٣"])
_FORGED_IDS: Final = st.builds(global_id, st.sampled_from(_TYPES), _ROWS).map(str)


@dataclass(frozen=True, slots=True)
class Values:
    """Strategies for texts, by the names of the arguments that take them."""

    known: Known

    def ids(self, argument: str, field: str) -> st.SearchStrategy[str]:
        """Return a strategy for an argument of the type ID, somewhere within a root field."""
        everything = st.sampled_from(self.known.ids)
        return mostly(self._meant(argument, field), everything, _FORGED_IDS)

    def _meant(self, argument: str, field: str) -> st.SearchStrategy[str]:
        """Return a strategy for ids of such objects as the argument is about, as far as its name tells."""
        if argument == "build":
            return st.sampled_from(self.known.held)
        name = argument if argument == "run" else field.lower()
        meant = next((kind for word, kind in _WORDS.items() if word in name), None)
        return st.sampled_from([each for each in self.known.ids if meant in {None, read_id(each).type_name}])

    def texts(self, argument: str) -> st.SearchStrategy[str] | None:
        """Return a strategy for an argument of the type String. None: any text is as good as another."""
        return self._by_argument().get(argument)

    def _by_argument(self) -> Mapping[str, st.SearchStrategy[str]]:
        names = st.sampled_from(self.known.names)
        places = mostly(st.sampled_from(self.known.cursors), _CURSORS, _POSITIONS)
        parts = st.one_of(names, st.sampled_from(["", "%", "_", "\\", "A", "\0", "-"]))
        return {
            "after": places,
            "before": places,
            "constraint": mostly(st.sampled_from(_CONSTRAINTS), st.sampled_from(_NO_CONSTRAINTS)),
            "from": names,
            "lease": st.sampled_from(self.known.leases),
            "name": names,
            "nameContains": parts,
            "nameStartsWith": parts,
            "package": names,
            "packages": names,
            "to": names,
            "version": mostly(
                st.sampled_from(self.known.versions),
                st.sampled_from(_VERSIONS),
                st.sampled_from(_NO_VERSIONS),
            ),
            "worker": st.sampled_from(self.known.workers),
            # What is given again means the same request.
            "idempotencyKey": st.sampled_from(["", "again", "\0"]),
            "requestId": st.sampled_from(["", "again", "\0"]),
        }
