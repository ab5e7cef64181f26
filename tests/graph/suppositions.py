"""Generators of what may be supposed of a drawn catalogue, and the catalogue in which it is so."""

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from graph.catalogue import Declaration, Status
from graph.constraints import parse_constraint
from graph.dependencies import Kind
from graph.supposition import Supposed
from graph.versions import parse_version, sort_key
from tests.graph.universe import Universe

_CONSTRAINTS = ["", ">=2", "<2", "==2", "==4rc1", ">=4", "==1 || ==4"]
_STATUSES = [Status.PUBLISHED] * 5 + [Status.YANKED, Status.DRAFT, Status.DEPRECATED, Status.QUARANTINED]
_FIXED = {Status.DRAFT, Status.QUARANTINED}


@dataclass(frozen=True)
class Change:
    """Versions to publish, and then versions to yank by package and text."""

    publish: Sequence[Supposed]
    yank: Sequence[tuple[str, str]]

    @property
    def yanked(self) -> set[tuple[str, bytes]]:
        return {(package, sort_key(parse_version(version))) for package, version in self.yank}


@st.composite
def changes(draw: st.DrawFn, index: Universe) -> Change:
    """What can be done to `index`; `ghost` is published in some of them for the first time."""
    needs = st.builds(
        Declaration,
        st.sampled_from("abcde"),
        st.sampled_from(_CONSTRAINTS).map(parse_constraint),
        st.sampled_from([Kind.RUNTIME, Kind.RUNTIME, Kind.PEER]),
        st.booleans(),
    )
    declared = st.lists(needs, max_size=2, unique_by=lambda need: (need.package, need.constraint.text))
    version = st.builds(
        Supposed,
        st.sampled_from([*"abcde", "ghost"]),
        st.sampled_from(["0", "4rc1", "4", "5"]),
        declared,
        st.sampled_from(_STATUSES),
    )
    publish = draw(st.lists(version, max_size=4, unique_by=lambda each: (each.package, each.version)))
    there = [(name, known.text) for name in index.names() for known in index.versions_of(name)]
    fixed = {
        (name, known.text)
        for name in index.names()
        for known in index.versions_of(name)
        if known.status in _FIXED
    }
    there += [(each.package, each.version) for each in publish if each.status not in _FIXED]
    choices = [each for each in there if each not in fixed]
    return Change(publish, draw(st.lists(st.sampled_from(choices), max_size=2)) if choices else [])


def changed(index: Universe, change: Change) -> Universe:
    """Return a new catalogue in which it has happened."""
    after = Universe()
    for name in index.names():
        after.add_package(name, index.status_of(name))
        for version in index.versions_of(name):
            status = Status.YANKED if (name, version.text) in change.yank else version.status
            after.add(name, version.text, index.declared_by(version), status=status)
    for new in change.publish:
        status = Status.YANKED if (new.package, new.version) in change.yank else new.status
        after.add(new.package, new.version, new.declared, status=status, released_at=new.released_at)
    return after
