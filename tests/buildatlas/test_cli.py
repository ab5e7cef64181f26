"""The command line as a whole; `resolve` has tests of its own."""

import gzip
import re
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import pytest

from tests.buildatlas.terminal import CATALOGUE, Terminal
from tests.databases import KINDS, url_of


@pytest.fixture
def empty(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


@pytest.fixture(scope="module", params=KINDS)
def terminal(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A catalogue that is only read."""
    folder = tmp_path_factory.mktemp("cli")
    with url_of(request.param, folder) as url:
        built = Terminal(folder, url)
        assert built.run("import", built.write("catalogue.jsonl", CATALOGUE)).code == 0
        yield built


def test_an_import_says_what_is_new_and_a_second_one_that_nothing_is(empty: Terminal) -> None:
    file = empty.write("catalogue.jsonl", CATALOGUE)

    first, second = empty.run("import", file), empty.run("import", file, "--json")

    assert (first.code, second.code) == (0, 0)
    assert "5 versions and 4 packages new" in first.out
    assert second.json[0]["unchanged"] == 5
    assert second.json[0]["versions"] == 0


def test_an_export_is_imported_as_the_same_catalogue(terminal: Terminal, tmp_path: Path) -> None:
    other = Terminal(tmp_path)
    exported = terminal.run("export")

    assert other.run("import", "-", input=exported.out).code == 0
    assert other.run("export", "again.jsonl").code == 0
    assert (tmp_path / "again.jsonl").read_text() == exported.out
    assert len(exported.out.splitlines()) == 5


def test_a_hyphen_is_standard_output_as_it_is_standard_input(terminal: Terminal, tmp_path: Path) -> None:
    exported = terminal.run("export", "-")

    assert exported.out == terminal.run("export").out
    assert not (tmp_path / "-").exists()


@pytest.mark.parametrize("name", ["packed.jsonl.gz", "packed.jsonl.zst"])
def test_an_export_is_packed_as_its_name_says(terminal: Terminal, tmp_path: Path, name: str) -> None:
    other = Terminal(tmp_path)

    exported = terminal.run("export", str(tmp_path / name))

    assert f"{name}: 5 lines" in exported.err
    assert other.run("import", name).code == 0
    assert other.run("export").out == terminal.run("export").out


def test_a_database_that_is_not_there_is_not_made_up_by_asking_it(empty: Terminal) -> None:
    for arguments in (["resolve", "app"], ["cycles"], ["export"]):
        run = empty.run(*arguments)

        assert run.code == 3
        assert "does not exist: import a catalogue into it" in run.err.replace("\n", " ")
    assert list(empty.folder.iterdir()) == []


def test_a_bad_line_stops_an_import_and_leaves_nothing_of_its_file(empty: Terminal) -> None:
    file = empty.write("bad.jsonl", CATALOGUE + '{"name":"app","version":"one"}\n')

    run = empty.run("import", file)

    assert run.code == 3
    assert "bad.jsonl:6:" in run.err
    assert "nothing was written" in run.out
    assert not (empty.folder / "catalogue.db").exists() or empty.run("export").out == ""


def test_bad_lines_are_skipped_on_request_and_told_with_number_and_reason(empty: Terminal) -> None:
    file = empty.write("bad.jsonl", '{"name":"a b"}\n' + CATALOGUE + '{"name":"x","colour":"red"}\n')

    run = empty.run("import", file, "--on-error", "skip")

    assert run.code == 0
    assert "bad.jsonl:1:" in run.err
    assert "bad.jsonl:7:" in run.err
    assert "colour" in run.err
    assert "2 bad lines skipped" in run.out


def test_a_file_that_is_cut_off_leaves_nothing_written(empty: Terminal) -> None:
    whole = gzip.compress((CATALOGUE * 200).encode())
    (empty.folder / "cut.jsonl.gz").write_bytes(whole[: len(whole) // 2])

    run = empty.run("import", "cut.jsonl.gz", "--on-error", "skip")

    assert run.code == 3
    assert "cut.jsonl.gz" in run.err
    assert not (empty.folder / "catalogue.db").exists() or empty.run("export").out == ""


def test_a_resolution_is_shown_as_a_tree(terminal: Terminal) -> None:
    run = terminal.run("resolve", "app")

    assert run.code == 0
    assert "app 1.0" in run.out
    assert "lib 2.0  >=1" in run.out
    assert "3 pins in" in run.out


def test_a_resolution_as_json_has_everything(terminal: Terminal) -> None:
    answer = terminal.run("resolve", "app", "--json", "--kind", "RUNTIME", "--kind", "BUILD").json

    assert [(pin["package"], pin["version"]) for pin in answer["pins"]] == [
        ("app", "1.0"),
        ("base", "1.0"),
        ("lib", "2.0"),
        ("tool", "3.0"),
    ]


def test_options_narrow_a_resolution(terminal: Terminal) -> None:
    def lib(*options: str) -> str:
        answer = terminal.run("resolve", "app", "--json", *options).json
        return str(next(pin["version"] for pin in answer["pins"] if pin["package"] == "lib"))

    assert lib("--constraint", "lib<2") == "1.0"
    assert lib("--override", "lib==1.0") == "1.0"
    assert lib("--strategy", "LOWEST") == "1.0"
    assert lib("--as-of", "2023-01-01") == "1.0"


def test_a_conflict_is_explained_and_exits_with_one(terminal: Terminal) -> None:
    run = terminal.run("resolve", "app", "lib>=3")

    assert run.code == 1
    assert "No versions satisfy" in run.out
    assert "No version of lib matches >=3" in run.out
    assert terminal.run("resolve", "lib>=3", "--json").json["__typename"] == "ResolutionConflict"


def test_a_plan_names_waves_and_the_critical_path(terminal: Terminal) -> None:
    run = terminal.run("plan")

    assert run.code == 0
    assert "4 builds in 3 waves" in run.out
    assert "base → lib → app" in run.out
    assert terminal.run("plan", "app", "lib", "--json").json["totalBuilds"] == 2
    assert terminal.run("plan", "--require", "lib", "--json").json["totalBuilds"] == 2
    assert terminal.run("plan", "--require", "lib>=3").code == 1


def test_cycles_exit_with_one_when_there_are_any(terminal: Terminal, empty: Terminal) -> None:
    file = empty.write(
        "loop.jsonl",
        '{"name":"a","version":"1","dependencies":[{"package":"b"}]}\n'
        '{"name":"b","version":"1","dependencies":[{"package":"a","kinds":["TEST"]}]}\n',
    )
    empty.run("import", file)

    without, found = terminal.run("cycles"), empty.run("cycles")

    assert (without.code, without.out.strip()) == (0, "no dependency cycles")
    assert found.code == 1
    assert "a → b → a" in found.out
    assert empty.run("cycles", "--kind", "RUNTIME").code == 0
    planned = empty.run("plan", "--kind", "RUNTIME", "--kind", "TEST").out
    assert "1 dependency cycle, opened by leaving out 1" in planned


def test_a_path_is_a_chain_or_exits_with_one(terminal: Terminal) -> None:
    assert terminal.run("path", "app", "base").out.strip() == "app → lib → base"
    none = terminal.run("path", "base", "app")
    assert (none.code, none.out.strip()) == (1, "base does not need app, directly or not")


def test_an_impact_lists_what_is_reached(terminal: Terminal) -> None:
    run = terminal.run("impact", "base")

    assert run.code == 0
    assert "2 packages depend on it" in run.out
    assert [hit["package"] for hit in terminal.run("impact", "base", "--json").json["dependents"]] == [
        "lib",
        "app",
    ]


def test_migrate_says_which_revision_the_database_has(empty: Terminal) -> None:
    run = empty.run("migrate")

    assert run.code == 0
    assert "is at revision" in run.out
    assert empty.run("migrate", "--json").json["revision"] in run.out


@pytest.mark.parametrize(
    "arguments",
    [
        ["resolve"],
        ["resolve", "app 1.0"],
        ["resolve", "app", "--as-of", "yesterday"],
        ["resolve", "app", "--kind", "SOMETIMES"],
        ["path", "app"],
        ["path", "app", "bsae"],
        ["plan", "ap"],
        ["cycles", "--first", "0"],
        ["serve", "--host", "0.0.0.0"],
        ["nonsense"],
    ],
)
def test_wrong_use_exits_with_two_and_says_what_is_wrong(
    terminal: Terminal, arguments: Sequence[str]
) -> None:
    run = terminal.run(*arguments)

    assert run.code == 2, run
    assert run.err
    assert "Traceback" not in run.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["import", "missing.jsonl"],
        ["export", "/nowhere/at/all.jsonl"],
        ["resolve", "app", "--url", "http://127.0.0.1:1"],
        ["cycles", "--database", "/proc/no.db"],
    ],
)
def test_what_cannot_be_done_exits_with_three_and_says_why(
    terminal: Terminal, arguments: Sequence[str]
) -> None:
    run = terminal.run(*arguments)

    assert run.code == 3, run
    assert run.err.strip().startswith("error: ")
    assert "Traceback" not in run.err


def test_serving_ends_with_a_signal(empty: Terminal) -> None:
    with empty.start("serve", "--port", "0") as process:
        assert process.stderr is not None
        announced = process.stderr.readline()
        address = next(word for word in announced.split() if word.startswith("http://"))
        answer = httpx.get(f"{address}healthz")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)

    assert answer.json() == {"alive": True}
    # uvicorn ends itself by the signal once it has cleaned up.
    assert process.returncode in {0, -signal.SIGTERM}


def test_an_export_whose_reader_has_read_enough_ends_without_a_word(terminal: Terminal) -> None:
    with terminal.start("export") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        err = process.stderr.read()

    assert "Traceback" not in err
    assert process.returncode == 141


def test_very_many_bad_lines_are_told_in_part(empty: Terminal) -> None:
    run = empty.run("import", empty.write("bad.jsonl", "{}\n" * 30), "--on-error", "skip")

    assert run.err.count("bad.jsonl:") == 21
    assert "and 10 bad lines more; --json has them all" in run.err
    assert "nothing new: 0 lines of what is there already, 30 bad lines skipped" in run.out


def test_a_package_line_that_differs_updates_the_package(empty: Terminal) -> None:
    empty.run("import", "-", input='{"name":"app"}')

    run = empty.run("import", "-", input='{"name":"app","description":"new"}')

    assert "1 package updated" in run.out


def test_the_version_is_told(empty: Terminal) -> None:
    assert empty.run("--version").out.strip() == "0.1.0"


def test_help_groups_the_commands(empty: Terminal) -> None:
    panels = re.findall(r"─ (\w+) ─", empty.run("--help").out)

    assert sorted(panels) == ["Builds", "Catalogue", "Database", "Options", "Service"]


@pytest.mark.parametrize(
    ("command", "kinds"),
    [("run", "RUNTIME and BUILD"), ("plan", "RUNTIME and BUILD"), ("cycles", "all"), ("resolve", "RUNTIME")],
)
def test_help_tells_of_kinds_in_words_and_which_are_followed(
    empty: Terminal, command: str, kinds: str
) -> None:
    told = " ".join(re.sub(r"[│\n]", " ", empty.run(command, "--help").out).split())

    assert (
        "--kind KIND Follow dependencies of this kind: RUNTIME, BUILD, TEST, DEV, PEER; may be repeated."
        in told
    )
    assert f"[default: ({kinds})]" in told
