"""Pages whose examples are run, each in a fresh folder and in its order."""

import re
import sys
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from tests.docs.pages import Command, LeftOut, Quote, read, steps
from tests.docs.reader import ROOT, following

BEFORE: Final = {
    # What `make demo` has done, after which its examples can be tried.
    "README.md": """
```console
$ buildatlas import examples/julia.jsonl.gz
```
<!-- terminal: server -->
```console
$ buildatlas serve
Buildatlas 0.1.0 serves http://127.0.0.1:8000/ from …
```
"""
}
LEFT_OUT: Final = {
    "docs/tutorial.md": Counter(
        {
            "it needs the network, and tests run in a clone": 1,
            "the tests have the program elsewhere": 1,
        }
    ),
    "docs/explanation/events.md": Counter({"it holds a transaction open in the middle": 1}),
    "docs/clients.md": Counter(
        {
            "it needs the network, and tests run in a clone": 1,
            "for browsers alone; tests/clients runs EventSource": 1,
        }
    ),
    "docs/how-to/backup-and-restore.md": Counter({"it is for crontab": 1}),
    "docs/how-to/several-servers.md": Counter({"a unit of systemd": 1, "a file of nginx": 1}),
    "docs/how-to/workers-and-dask.md": Counter({"a unit of systemd": 1}),
}

CLIENTS: Final = (ROOT / "docs/clients.md").read_text()
BROUGHT_ALONG: Final = {"websockets"}
"""What comes with gql[websockets]."""


def pages() -> list[str]:
    docs = ROOT / "docs"
    found = [
        ROOT / "README.md",
        docs / "tutorial.md",
        docs / "clients.md",
        *sorted((docs / "how-to").glob("*.md")),
        *sorted((docs / "explanation").glob("*.md")),
    ]
    return [str(path.relative_to(ROOT)) for path in found]


@pytest.mark.parametrize("page", pages())
def test_what_a_page_shows_is_what_comes_of_it(page: str, tmp_path: Path) -> None:
    found = read(ROOT / page)
    assert any(isinstance(step, Command) for step in found), "nothing on it is run"

    with following(tmp_path, on_postgres="@db.example/" in (ROOT / page).read_text()) as reader:
        reader.follow(steps(BEFORE.get(page, "")))
        reader.follow(found)


def test_what_is_not_run_is_known() -> None:
    reasons = {
        page: Counter(step.reason for step in read(ROOT / page) if isinstance(step, LeftOut))
        for page in pages()
    }

    assert {page: each for page, each in reasons.items() if each} == LEFT_OUT


def test_every_example_of_a_client_is_quoted_and_run() -> None:
    examples = {str(path.relative_to(ROOT)) for path in (ROOT / "examples/clients").glob("*.*")}
    page = read(ROOT / "docs/clients.md")

    assert {step.path for step in page if isinstance(step, Quote)} == examples
    typed = "\n".join(step.text for step in page if isinstance(step, Command))
    assert [example for example in examples if example not in typed] == []


@pytest.mark.parametrize(
    "example", sorted((ROOT / "examples/clients").glob("*.py")), ids=lambda each: each.name
)
def test_what_an_example_imports_is_named_before_it_is_run(example: Path) -> None:
    asked = re.findall(r"^(?:import|from) (\w+)", example.read_text(), re.MULTILINE)
    foreign = {name for name in asked if name not in sys.stdlib_module_names}
    (needs,) = re.findall(
        rf"^\| `{example.name}` \| (.*) \|$", CLIENTS.split("$ python examples/")[0], re.MULTILINE
    )

    assert foreign - BROUGHT_ALONG == set(re.findall(r"`(\w+)`", needs))
