"""The commands about tokens."""

import re
from pathlib import Path

import pytest

from buildatlas.settings import Settings
from tests.api.serving import serving
from tests.buildatlas.terminal import Terminal


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


def test_a_token_is_printed_once_and_then_only_told_of(terminal: Terminal) -> None:
    none = terminal.run("token", "list")
    made = terminal.run("token", "create", "ci", "--scope", "write", "--scope", "build", "--expires", "90d")
    listed, data = terminal.run("token", "list"), terminal.run("token", "list", "--json").json

    assert "no token has been made" in none.out
    assert (made.code, made.err) == (0, "")
    assert re.fullmatch(r"bat_[A-Za-z0-9_-]{43}\n", made.out)
    assert made.out.strip() not in listed.out
    assert listed.out.splitlines()[1].split()[:3] == ["ci", "write,", "build"]
    (token,) = data
    assert token["scopes"] == ["write", "build"]
    assert token["expiresAt"] > token["createdAt"]
    assert (token["lastUsedAt"], token["revokedAt"]) == (None, None)


def test_a_token_reads_unless_more_is_asked_for(terminal: Terminal) -> None:
    made = terminal.run("token", "create", "board", "--json").json

    assert (made["name"], made["scopes"], made["expiresAt"]) == ("board", ["read"], None)
    assert made["token"].startswith("bat_")


def test_a_token_is_revoked_once(terminal: Terminal) -> None:
    terminal.run("token", "create", "ci")

    assert terminal.run("token", "revoke", "ci").out == "ci: revoked\n"
    assert terminal.run("token", "revoke", "ci").out == "ci: was revoked before\n"
    assert terminal.run("token", "list", "--json").json[0]["revokedAt"] is not None


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["create", "ci"], "there is or was a token ci: take another name"),
        (["create", " "], "has to be printable text"),
        (
            ["create", "x", "--expires", "soon"],
            "give a number of hours, days or weeks, such as 12h, 90d or 8w",
        ),
        (["create", "x", "--expires", "0d"], "give a number"),
        (["create", "x", "--scope", "root"], "'root' is not"),
        (["revoke", "cj"], "there is no token cj; did you mean ci?"),
    ],
)
def test_wrong_use_exits_with_two_and_says_what_is_wrong(
    terminal: Terminal, arguments: list[str], problem: str
) -> None:
    terminal.run("token", "create", "ci")

    run = terminal.run("token", *arguments)

    assert run.code == 2
    assert problem in " ".join(run.err.split())


@pytest.mark.parametrize("command", [["cycles"], ["watch"], ["worker", "--until-idle"]])
def test_whoever_shows_no_token_is_told_where_to_put_one(terminal: Terminal, command: list[str]) -> None:
    terminal.run("token", "create", "ci")
    with serving(Settings(str(terminal.folder / "catalogue.db"), port=0)) as address:
        run = terminal.run(*command, "--url", address, *(["--", "true"] if command[0] == "worker" else []))

    assert run.code == 2
    assert run.err.splitlines()[-1] == (
        "error: the server needs a token: set BUILDATLAS_TOKEN to one that `buildatlas token create` has printed"
    )


def test_a_token_that_is_not_known_is_told_of_as_such(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.run("token", "create", "ci")
    monkeypatch.setenv("BUILDATLAS_TOKEN", "bat_nonsense")
    with serving(Settings(str(terminal.folder / "catalogue.db"), port=0)) as address:
        run = terminal.run("cycles", "--url", address)

    assert run.code == 2
    assert "token" in run.err
    assert "set BUILDATLAS_TOKEN" not in run.err
