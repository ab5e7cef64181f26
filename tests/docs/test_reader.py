"""Pages that are wrong do not pass."""

from pathlib import Path

import pytest

from tests.docs.likeness import is_like
from tests.docs.pages import Command, File, Interrupt, LeftOut, Quote, Shown, Unaccounted, steps
from tests.docs.reader import following


def test_a_page_is_read_in_its_order() -> None:
    page = """
<!-- file: build.sh -->
```sh
true
```
```console
$ one \\
> more
told
$ two
```
<!-- terminal: server -->
```console
$ serve
```
<!-- shows: server -->
```text
served
```
<!-- interrupt: server -->
<!-- not run: it needs root -->
```console
$ sudo reboot
```
<!-- quote: a.py -->
```python
pass
```
```sh
ask
```
```json
{}
```
"""

    assert steps(page) == [
        File(3, "build.sh", "true\n"),
        Command(7, "one \\\nmore", "told"),
        Command(10, "two"),
        Command(14, "serve", terminal="server"),
        Shown(17, "server", "served\n"),
        Interrupt(20, "server"),
        LeftOut(22, "it needs root"),
        Quote(26, "a.py", "pass\n"),
        Command(29, "ask\n", answer="{}\n"),
    ]


@pytest.mark.parametrize("block", ["```\nls\n```", "```json\n{}\n```", "```console\nls\n```"])
def test_every_block_is_accounted_for(block: str) -> None:
    with pytest.raises(Unaccounted):
        steps(block)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("ready (1.0 s)", "ready (12 ms)"),
        ("first\n…\nlast", "first\nsecond\nlast"),
        ("first\n…", "first"),
        ("at 00:51:26 QUEUED", "at 23:10:00   QUEUED"),
        ("token bat_…", "token bat_4f"),
        ("120 MB", "1,018 kB"),
    ],
)
def test_what_differs_each_time_may_differ(shown: str, printed: str) -> None:
    assert is_like(shown, printed)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("3 builds", "4 builds"),
        ("first\nlast", "first\nsecond\nlast"),
        ("first\n…\nlast", "first\nsecond"),
        ("QUEUED", "RUNNING"),
        ("5 rows of 19 tables", "5 rows of 20 tables"),
        ("a.b", "axb"),
    ],
)
def test_all_else_is_compared(shown: str, printed: str) -> None:
    assert not is_like(shown, printed)


@pytest.mark.parametrize(
    "page",
    [
        "```console\n$ echo one\ntwo\n```",
        "```console\n$ false\n```",
        "```console\n$ false\n$ true\n```",
        "```console\n$ false\n$ echo $?\n0\n```",
        '```sh\necho \'{"data": 1}\'\n```\n```json\n{"data": 2}\n```',
        "```sh\necho '{\"errors\": []}'\n```",
        "<!-- terminal: a -->\n```console\n$ echo one\ntwo\n```",
        "<!-- terminal: a -->\n```console\n$ echo one\none\n```\n<!-- shows: a -->\n```text\ntwo\n```",
        "<!-- quote: README.md -->\n```text\nanother\n```",
    ],
)
def test_a_page_that_is_wrong_fails(page: str, tmp_path: Path) -> None:
    with following(tmp_path, on_postgres=False) as reader, pytest.raises(AssertionError):
        reader.follow(steps(page))


def test_a_command_finds_what_the_one_before_has_left(tmp_path: Path) -> None:
    page = """
```console
$ mkdir new && cd new
$ word=left
$ export OTHER=too
$ echo $PWD $word
/home/you/buildatlas/new left
$ (exit 3)
$ echo $?
3
```
<!-- terminal: another -->
```console
$ echo $PWD $OTHER; sleep 600
/home/you/buildatlas/new too
```
<!-- interrupt: another -->
"""

    with following(tmp_path, on_postgres=False) as reader:
        reader.follow(steps(page))
