"""`buildatlas resolve` as its users run it: locks, comparisons, suppositions and explanations."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from buildatlas.settings import Settings
from tests.api.serving import serving
from tests.buildatlas.terminal import CATALOGUE, Terminal


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    """A catalogue that is only read."""
    return filled(tmp_path_factory.mktemp("resolve"))


@pytest.fixture
def changing(tmp_path: Path) -> Terminal:
    """A catalogue of this test alone."""
    return filled(tmp_path)


def filled(folder: Path) -> Terminal:
    built = Terminal(folder)
    assert built.run("import", built.write("catalogue.jsonl", CATALOGUE)).code == 0
    return built


def pins(terminal: Terminal, lock: str) -> dict[str, str]:
    kept: dict[str, str] = json.loads((terminal.folder / lock).read_text())["pins"]
    return kept


def test_a_lock_is_written_kept_to_and_renewed(changing: Terminal) -> None:
    first = changing.run("resolve", "app", "--lock", "app.lock")
    assert (first.code, first.err) == (0, "app.lock: written, 3 pins\n")
    assert pins(changing, "app.lock") == {"app": "1.0", "base": "1.0", "lib": "2.0"}

    changing.run("import", "-", input='{"name":"lib","version":"3.0"}\n{"name":"base","version":"2.0"}')
    kept = changing.run("resolve", "--lock", "app.lock", "--locked")
    assert (kept.code, kept.err) == (0, "app.lock: up to date, 3 pins\n")
    assert "lib 2.0  >=1" in kept.out

    outdated = changing.run("resolve", "--diff", "app.lock")
    assert outdated.code == 1
    assert outdated.out.splitlines()[-3:] == [
        "compared with app.lock: 2 pins change",
        "  - base 1.0",
        "  ↑ lib 2.0 → 3.0",
    ]

    upgraded = changing.run("resolve", "app", "--lock", "app.lock", "--upgrade", "base")
    assert (upgraded.code, upgraded.err) == (0, "app.lock: rewritten, 3 pins\n  ↑ base 1.0 → 2.0\n")
    assert pins(changing, "app.lock") == {"app": "1.0", "base": "2.0", "lib": "2.0"}
    assert list(changing.folder.glob(".*")) == []


def test_a_stale_lock_fails_when_it_is_only_checked_and_is_else_rewritten(changing: Terminal) -> None:
    changing.run("resolve", "app", "--lock", "app.lock")
    asked = ("resolve", "app", "--constraint", "lib<2", "--lock", "app.lock")

    checked = changing.run(*asked, "--locked")
    assert checked.code == 1
    assert pins(changing, "app.lock")["lib"] == "2.0"
    assert checked.err.splitlines() == [
        "app.lock: stale, and left as it is because of --locked",
        "  asked otherwise: constraints: + lib <2",
        "  - base 1.0",
        "  ↓ lib 2.0 → 1.0",
    ]

    rewritten = changing.run(*asked, "--json")
    assert rewritten.code == 0
    assert rewritten.err.startswith("app.lock: was stale, rewritten, 2 pins\n")
    assert rewritten.json["__typename"] == "Resolution"
    assert changing.run("resolve", "--lock", "app.lock", "--locked").code == 0


def test_a_conflict_leaves_the_lock_as_it_is(changing: Terminal) -> None:
    changing.run("resolve", "app", "--lock", "app.lock")

    run = changing.run("resolve", "app", "lib>=9", "--lock", "app.lock", "--diff", "app.lock")

    assert run.code == 1
    assert run.err == "app.lock: left as it is\n"
    assert pins(changing, "app.lock")["lib"] == "2.0"


def test_a_comparison_without_a_difference_exits_with_zero(changing: Terminal) -> None:
    changing.run("resolve", "app", "--lock", "app.lock")

    run = changing.run("resolve", "app", "--diff", "app.lock", "--json")

    assert run.code == 0
    assert run.json["lockDiff"] == {"added": [], "removed": [], "changed": []}


def test_what_is_supposed_is_answered_and_compared_and_never_written(changing: Terminal) -> None:
    changing.run("resolve", "app", "--lock", "app.lock")
    before = (changing.folder / "app.lock").read_bytes(), changing.run("export").out
    supposed = ("--simulate-publish", "lib 3.0 needs new>=1; base", "--simulate-publish", "new 1.0")

    run = changing.run("resolve", "app", *supposed)
    kept = changing.run("resolve", "--lock", "app.lock", *supposed, "--json")

    assert run.code == 0
    assert run.out.splitlines()[-3:] == [
        "because of what is supposed: 2 pins change",
        "  + new 1.0",
        "  ↑ lib 2.0 → 3.0",
    ]
    assert kept.json["diff"] == {"added": [], "removed": [], "changed": []}
    assert ((changing.folder / "app.lock").read_bytes(), changing.run("export").out) == before


def test_a_supposed_yank_can_leave_nothing(terminal: Terminal) -> None:
    yank = ("--simulate-yank", "lib 2.0", "--simulate-yank", "lib 1.0")

    run = terminal.run("resolve", "app", *yank, "--explain")

    assert run.code == 1
    assert "yanked" in run.out
    assert "how it follows" in run.out
    assert run.out.splitlines()[-1] == "without what is supposed there is an answer, of 3 pins"


def test_the_versions_of_a_file_are_supposed(terminal: Terminal) -> None:
    file = terminal.write(
        "new.jsonl",
        '{"name":"lib","version":"4.0","dependencies":[{"package":"tool","kinds":["BUILD"]}]}\n'
        '{"name":"lib","version":"5.0","status":"DRAFT"}\n',
    )

    run = terminal.run(
        "resolve", "app", "--kind", "RUNTIME", "--kind", "BUILD", "--simulate-publish", f"@{file}"
    )

    assert "lib 4.0  >=1" in run.out
    assert "↑ lib 2.0 → 4.0" in run.out


def test_pins_that_are_held_back_are_explained(terminal: Terminal) -> None:
    run = terminal.run("resolve", "app", "lib<2", "--explain")

    assert run.code == 0
    assert run.out.splitlines()[-2:] == [
        "1 pin is held back from the latest version",
        "  lib 1.0, latest 2.0: you require <2",
    ]
    assert terminal.run("resolve", "app", "lib<2", "--explain", "--json").json["heldBack"] == [
        {"package": "lib", "version": "1.0", "latest": "2.0", "reasons": ["you require <2"]}
    ]


def test_a_server_is_asked_the_same(tmp_path: Path) -> None:
    local = filled(tmp_path)
    asked = ("resolve", "app", "lib<2", "--explain", "--simulate-publish", "lib 1.5 needs base", "--json")

    with serving(Settings(str(tmp_path / "catalogue.db"), port=0)) as address:
        from_server = local.run(*asked, "--url", address, "--database", "nowhere.db")
    from_database = local.run(*asked)

    assert from_server.code == 0
    assert from_server.json["diff"] == from_database.json["diff"]
    assert from_server.json["heldBack"] == from_database.json["heldBack"]
    assert from_server.json["after"]["pins"] == from_database.json["after"]["pins"]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["resolve"], "nothing is required"),
        (["resolve", "--lock", "new.lock"], "nothing is required"),
        (["resolve", "--lock", "app.lock", "--strategy", "HIGHEST"], "the question is that of the lock"),
        (["resolve", "app", "--locked"], "name it by --lock"),
        (["resolve", "app", "--lock", "app.lock", "--upgrade", "tool"], "tool is not pinned in app.lock"),
        (["resolve", "app", "--lock", "catalogue.jsonl"], "is not a lock of Buildatlas"),
        (["resolve", "app", "--diff", "missing.lock"], "cannot be read"),
        (["resolve", "app", "--simulate-publish", "lib"], "'NAME VERSION needs"),
        (["resolve", "app", "--simulate-publish", "lib 2.0"], "exists already"),
        (["resolve", "app", "--simulate-yank", "lib 9"], "there is no version 9"),
    ],
)
def test_what_makes_no_sense_exits_with_two_and_changes_no_file(
    terminal: Terminal, arguments: Sequence[str], problem: str
) -> None:
    if not (terminal.folder / "app.lock").exists():
        terminal.run("resolve", "app", "--lock", "app.lock")
    before = {file.name: file.read_bytes() for file in terminal.folder.glob("*.lock")}

    run = terminal.run(*arguments)

    assert run.code == 2, run
    assert problem in run.err
    assert "Traceback" not in run.err
    assert {file.name: file.read_bytes() for file in terminal.folder.glob("*.lock")} == before


def test_a_lock_that_cannot_be_written_exits_with_three(terminal: Terminal) -> None:
    run = terminal.run("resolve", "app", "--lock", "/proc/app.lock")

    assert run.code == 3
    assert "/proc/app.lock: cannot be written" in run.err
