"""What does not come up in the small catalogues of the command line's own tests."""

from io import StringIO

from rich.console import Console

from buildatlas import rendering
from buildatlas.rendering import Data


def shown(show: rendering.Show, data: Data) -> str:
    console = Console(file=StringIO(), width=120)
    show(console, data)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def edge(dependent: str | None, dependency: str) -> Data:
    return {"dependent": dependent, "dependency": dependency, "constraint": ""}


def test_a_resolution_shows_every_requirement_and_what_it_took() -> None:
    text = shown(
        rendering.resolution,
        {
            "pins": [
                {"package": name, "version": "1", "direct": name == "[b]a"} for name in ("[b]a", *"bcd")
            ],
            "edges": [
                edge(None, "[b]a"),
                edge("[b]a", "b"),
                edge("[b]a", "c"),
                edge("b", "d"),
                edge("c", "d"),
                edge("d", "d"),
            ],
            "cycles": [{"packages": ["d"]}],
            "statistics": {"decisions": 1200, "conflicts": 1, "durationSeconds": 2.5},
        },
    )

    assert text.splitlines() == [
        "requirements",
        "└── [b]a 1",
        "    ├── b 1",
        "    │   └── d 1",
        "    │       └── d 1 (*)",
        "    └── c 1",
        "        └── d 1 (*)",
        "(*) what it requires is shown where it is nearest",
        "4 pins in 2.5 s, 1,200 decisions, 1 conflict",
        "1 dependency cycle among the pins",
    ]


def test_a_resolution_deeper_than_the_screen_is_wide_is_shown_whole() -> None:
    chain = [edge(f"p{number}", f"p{number + 1}") for number in range(200)]

    text = shown(
        rendering.resolution,
        {
            "pins": [{"package": f"p{number}", "version": "1", "direct": False} for number in range(201)],
            "edges": [edge(None, "p0"), *chain],
            "cycles": [],
            "statistics": {"decisions": 1, "conflicts": 0, "durationSeconds": 0},
        },
    )

    assert text.splitlines()[201].endswith("└── p200 1")


def test_a_long_plan_is_cut_short_and_says_so() -> None:
    waves = [[{"package": f"p{wave}-{n}"} for n in range(12)] for wave in range(25)]

    text = shown(
        rendering.plan,
        {
            "waves": waves,
            "totalBuilds": 300,
            "cycles": [],
            "cutEdges": [],
            "criticalPath": ["p0-0", "p1-0"],
            "criticalPathSeconds": 90.0,
        },
    )

    assert "p0-7 and 4 more" in text
    assert "… and 5 waves more; --json has them all" in text
    assert "300 builds in 25 waves" in text
    assert "critical path, 2 builds, 1 min 30 s: p0-0 → p1-0" in text


def test_a_cut_list_of_cycles_says_how_many_are_shown() -> None:
    cycle = {
        "packages": ["a"],
        "example": ["a", "a"],
        "suggestedBreaks": [{"dependent": "a", "dependency": "a"}],
    }

    text = shown(rendering.cycles, {"nodes": [cycle], "totalCount": 7, "truncated": True})

    assert "1 package: a" in text
    assert "7 dependency cycles, 1 shown" in text


def test_a_long_impact_says_how_many_are_not_shown() -> None:
    dependents = [{"package": f"p{n}", "distance": 1, "via": "x"} for n in range(60)]

    text = shown(rendering.impact, {"dependents": dependents, "totalCount": 100, "truncated": True})

    assert text.count(" x ") == 60
    assert "100 packages depend on it, 40 of them not listed: --first tells how many are" in text


def test_names_are_never_taken_for_markup() -> None:
    assert "[bold]a → [/red]" in shown(rendering.path_of("x", "y"), {"packages": ["[bold]a", "[/red]"]})
