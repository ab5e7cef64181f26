"""Generators of versions, constraints and small catalogues."""

from hypothesis import strategies as st

from graph.catalogue import Declaration, Status
from graph.constraints import parse_constraint
from graph.dependencies import Kind
from graph.resolution import Question, Requirement, Strategy
from tests.graph.universe import Universe

_small = st.integers(0, 3)
_numbers = st.one_of(_small, _small, st.integers(4, 10**30))


@st.composite
def version_texts(draw: st.DrawFn, *, local: bool = True) -> str:
    """PEP 440 versions close enough to each other that every rule of the order comes up."""
    text = draw(st.sampled_from(["", "", "", "", "1!", "0!"]))
    text += ".".join(map(str, draw(st.lists(_numbers, min_size=1, max_size=3))))
    if draw(st.booleans()):
        text += draw(st.sampled_from(["a", "b", "rc"])) + str(draw(_numbers))
    if draw(st.booleans()):
        text += f".post{draw(_numbers)}"
    if draw(st.booleans()):
        text += f".dev{draw(_numbers)}"
    if local and draw(st.integers(0, 3)) == 0:
        segments = st.one_of(_small.map(str), st.sampled_from(["a", "abc", "b1", "ubuntu"]))
        text += "+" + ".".join(draw(st.lists(segments, min_size=1, max_size=2)))
    return text


def _final_texts() -> st.SearchStrategy[str]:
    return st.lists(_small, min_size=1, max_size=3).map(lambda numbers: ".".join(map(str, numbers)))


def _long_final_texts() -> st.SearchStrategy[str]:
    return st.lists(_small, min_size=2, max_size=3).map(lambda numbers: ".".join(map(str, numbers)))


def specifier_texts() -> st.SearchStrategy[str]:
    """One PEP 440 specifier that `packaging` accepts."""
    return st.one_of(
        st.builds("{}{}".format, st.sampled_from([">=", "<=", ">", "<"]), version_texts(local=False)),
        st.builds("{}{}".format, st.sampled_from(["==", "!="]), version_texts()),
        st.builds("{}{}.*".format, st.sampled_from(["==", "!="]), _final_texts()),
        st.builds("~={}".format, _long_final_texts()),
        st.builds("==={}".format, version_texts()),
    )


def set_texts() -> st.SearchStrategy[str]:
    """One specifier set."""
    return st.lists(specifier_texts(), max_size=3).map(",".join)


def range_texts() -> st.SearchStrategy[str]:
    """A union of specifier sets without `===`."""
    one = st.lists(specifier_texts().filter(lambda text: "===" not in text), min_size=1, max_size=3).map(
        ",".join
    )
    return st.lists(one, min_size=1, max_size=3).map(" || ".join)


@st.composite
def universes(draw: st.DrawFn) -> Universe:
    """A catalogue of few packages with few versions, in which conflicts are likely."""
    names = "abcde"[: draw(st.integers(1, 5))]
    constraints = st.sampled_from(["", ">=2", "<2", "==1", "==2", "!=2", ">=3", "<1", "==1 || ==3"])
    needs = st.builds(
        Declaration,
        st.sampled_from([*names, *names, *names, "ghost"]),
        constraints.map(parse_constraint),
        st.sampled_from([Kind.RUNTIME, Kind.RUNTIME, Kind.RUNTIME, Kind.PEER, Kind.BUILD]),
        st.sampled_from([False, False, False, True]),
    )
    declared = st.lists(needs, max_size=3, unique_by=lambda need: (need.package, need.constraint.text))
    index = Universe()
    for name in names:
        index.add_package(name)
        for version in draw(st.lists(st.sampled_from("123"), unique=True, max_size=3)):
            status = draw(
                st.sampled_from([Status.PUBLISHED] * 6 + [Status.YANKED, Status.DRAFT, Status.DEPRECATED])
            )
            index.add(name, version, draw(declared), status=status)
    return index


@st.composite
def questions(draw: st.DrawFn) -> Question:
    """A question to one of `universes`."""
    requirement = st.builds(
        Requirement, st.sampled_from("abcde"), st.sampled_from(["", ">=2", "<3", "==2", "==1 || ==3"])
    )
    return Question(
        tuple(draw(st.lists(requirement, max_size=3))),
        kinds=draw(st.sampled_from([Kind.RUNTIME, Kind.RUNTIME | Kind.PEER, Kind.RUNTIME | Kind.BUILD])),
        include_optional=draw(st.booleans()),
        constraints=tuple(draw(st.lists(requirement, max_size=1))),
        overrides=tuple(draw(st.lists(requirement, max_size=1))),
        locked=tuple(draw(st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from("123")), max_size=1))),
        strategy=draw(st.sampled_from(list(Strategy))),
    )
