"""The scenarios in `scenarios/*.toml`: what is registered, what is asked, and what comes of it.

They are written to be read by someone who does not read Python. A scenario has a
`title` and a `why`; a `registry` in the form that `universe` reads; the parts of
a question; and either the `pins` that are picked or an `explanation`, parts that
the message must contain. `xfail` says why one does not hold yet.
"""

from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from graph.dependencies import Kind
from graph.resolution import Conflict, PrereleasePolicy, Question, Resolution, Strategy
from graph.solver import solve
from tests.graph.universe import universe, wants

_FILES = sorted((Path(__file__).parent / "scenarios").glob("*.toml"))


class Scenario(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One scenario as it is written down; a key that is not here is a slip of the pen."""

    title: str
    why: str
    registry: str
    requirements: tuple[str, ...]
    strategy: Strategy = Strategy.HIGHEST
    prereleases: PrereleasePolicy = PrereleasePolicy.IF_NECESSARY
    kinds: tuple[str, ...] = ("RUNTIME",)
    include_optional: bool = False
    constraints: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    locked: dict[str, str] = {}
    as_of: datetime | None = None
    pins: dict[str, str] | None = None
    explanation: tuple[str, ...] | None = None
    xfail: str | None = None

    def __post_init__(self) -> None:
        if (self.pins is None) == (self.explanation is None):
            raise ValueError(f"{self.title}: say either pins or explanation")

    def question(self) -> Question:
        """Return what is asked."""
        kinds = Kind(0)
        for kind in self.kinds:
            kinds |= Kind[kind]
        return Question(
            wants(*self.requirements),
            kinds=kinds,
            include_optional=self.include_optional,
            constraints=wants(*self.constraints),
            overrides=wants(*self.overrides),
            locked=tuple(self.locked.items()),
            strategy=self.strategy,
            prereleases=self.prereleases,
            as_of=self.as_of,
        )


class Subject(msgspec.Struct, forbid_unknown_fields=True):
    """One file."""

    scenario: list[Scenario]


def read(text: bytes) -> list[Scenario]:
    """Return the scenarios of one file."""
    return msgspec.toml.decode(text, type=Subject).scenario


SCENARIOS = [scenario for path in _FILES for scenario in read(path.read_bytes())]


def _marked(scenario: Scenario) -> list[pytest.MarkDecorator]:
    return [pytest.mark.xfail(reason=scenario.xfail, strict=True)] if scenario.xfail else []


@pytest.mark.parametrize(
    "scenario", [pytest.param(scenario, id=scenario.title, marks=_marked(scenario)) for scenario in SCENARIOS]
)
def test_scenario(scenario: Scenario) -> None:
    result = solve(universe(scenario.registry), scenario.question())

    if scenario.explanation is None:
        assert isinstance(result, Resolution), result
        assert {pin.package: pin.version for pin in result.pins} == scenario.pins
    else:
        assert isinstance(result, Conflict), result
        missing = [fact for fact in scenario.explanation if fact not in result.message]
        assert not missing, result.message


def test_no_two_scenarios_have_the_same_title() -> None:
    titles = [scenario.title for scenario in SCENARIOS]

    assert len(titles) == len(set(titles))


@pytest.mark.parametrize(
    ("slip", "complaint"),
    [
        ('pins = {}\nrequirement = "a"', "unknown field `requirement`"),
        ('pins = {}\nexplanation = ["a"]', "say either pins or explanation"),
        ("", "say either pins or explanation"),
        ('pins = {}\nstrategy = "BEST"', "Invalid enum value 'BEST'"),
    ],
)
def test_a_slip_in_a_scenario_is_pointed_out(slip: str, complaint: str) -> None:
    text = f'[[scenario]]\ntitle = "a"\nwhy = "b"\nregistry = ""\nrequirements = []\n{slip}\n'

    with pytest.raises(msgspec.ValidationError, match=complaint):
        read(text.encode())
