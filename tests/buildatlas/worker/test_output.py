"""What a command prints is handed in line by line, whole and in order, and waits for who takes it."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from buildatlas.worker import output as module
from buildatlas.worker.output import LONGEST_LINE, Output

PATIENCE = 20.0


@dataclass
class Taker:
    """Takes what is handed in, once it may."""

    wants: Callable[[int, Sequence[str]], bool] = lambda _first, _lines: True
    is_open: threading.Event = field(default_factory=threading.Event)
    is_asked: threading.Event = field(default_factory=threading.Event)
    batches: list[tuple[int, list[str]]] = field(default_factory=list)

    def __call__(self, first_line: int, lines: Sequence[str]) -> bool:
        self.is_asked.set()
        assert self.is_open.wait(PATIENCE)
        self.batches.append((first_line, list(lines)))
        return self.wants(first_line, lines)

    @property
    def lines(self) -> list[str]:
        """All lines, of which each must have followed the one before."""
        lines: list[str] = []
        for first_line, batch in self.batches:
            assert first_line == len(lines)
            lines += batch
        return lines


def opened(wants: Callable[[int, Sequence[str]], bool] = lambda _first, _lines: True) -> Taker:
    taker = Taker(wants)
    taker.is_open.set()
    return taker


@pytest.fixture
def other() -> Iterator[ThreadPoolExecutor]:
    """A second thread."""
    with ThreadPoolExecutor(1) as pool:
        yield pool


def handed_in(*chunks: bytes) -> list[str]:
    """Return the lines that these chunks of output are handed in as."""
    taker = opened()
    output = Output(taker)
    for chunk in chunks:
        output.write(chunk)
    output.close(patience=PATIENCE)
    return taker.lines


@pytest.mark.parametrize(
    ("chunks", "lines"),
    [
        ([], []),
        ([b""], []),
        ([b"one\ntwo\n"], ["one", "two"]),
        ([b"one\ntwo"], ["one", "two"]),
        ([b"o", b"ne\nt", b"wo", b"\n"], ["one", "two"]),
        ([b"\n\none\n\n"], ["", "", "one", ""]),
        ([b"one\r\ntwo\r", b"\nthree\r"], ["one", "two", "three"]),
        ([b"10 %\r20 %\r\n"], ["10 %\r20 %"]),
        ([b"a\0b\n"], ["a\0b"]),
        (["é€😀".encode()], ["é€😀"]),
        ([bytes([byte]) for byte in "é€😀\n".encode()], ["é€😀"]),
        ([b"\xff\xfe\n", b"\xe2\x82"], ["\ufffd\ufffd", "\ufffd"]),
        ([b"\x1b[31mred\x0b\x0c\x85\n"], ["\x1b[31mred\x0b\x0c\ufffd"]),
        (["one\u2028still one\n".encode()], ["one\u2028still one"]),
    ],
)
def test_output_becomes_lines(chunks: list[bytes], lines: list[str]) -> None:
    assert handed_in(*chunks) == lines


@pytest.mark.parametrize("chunk", [1_000, 9_999, 25_000, 1_000_000])
def test_long_lines_are_cut(chunk: int) -> None:
    text = b"".join(b"%09d," % number for number in range(2_500))  # 25,000 characters
    whole = text + b"\nshort\n"

    lines = handed_in(*(whole[start : start + chunk] for start in range(0, len(whole), chunk)))

    assert list(map(len, lines)) == [LONGEST_LINE, LONGEST_LINE, 5_000, 5]
    assert ("".join(lines[:-1]), lines[-1]) == (text.decode(), "short")


def test_a_long_line_is_cut_before_it_ends() -> None:
    taker = opened()
    output = Output(taker)

    output.write(b"x" * (LONGEST_LINE + 1))

    assert taker.is_asked.wait(PATIENCE)
    output.close(patience=PATIENCE)
    assert taker.lines == ["x" * LONGEST_LINE, "x"]


@pytest.mark.parametrize(
    ("text", "last"),
    [(b"", ""), (b"one\ntwo\n\n  \n", "two"), (b"one\ntwo", "two"), (b"one\ntwo\n", "two"), (b"\n\n", "")],
)
def test_the_last_line_that_says_something_is_known(text: bytes, last: str) -> None:
    output = Output(opened())

    output.write(text)
    output.close(patience=PATIENCE)

    assert output.last_line == last


def test_lines_come_together_while_others_are_handed_in() -> None:
    taker = Taker()
    output = Output(taker)
    output.write(b"\n" * 1_000)
    assert taker.is_asked.wait(PATIENCE)

    for number in range(5):
        output.write(b"%d\n" % number)
    taker.is_open.set()
    output.close(patience=PATIENCE)

    assert taker.batches == [(0, [""] * 1_000), (1_000, ["0", "1", "2", "3", "4"])]


def test_a_line_is_handed_in_while_its_command_runs_on() -> None:
    taker = opened()
    output = Output(taker)

    output.write(b"one\n")

    assert taker.is_asked.wait(PATIENCE)
    output.close(patience=PATIENCE)
    assert taker.lines == ["one"]


def test_no_call_carries_too_much() -> None:
    taker = opened()
    output = Output(taker)

    output.write(b"\n" * 2_500 + (b"x" * 9_000 + b"\n") * 20)
    output.close(patience=PATIENCE)

    assert len(taker.lines) == 2_520
    for _, lines in taker.batches:
        assert len(lines) <= 1_000
        assert sum(map(len, lines)) <= 65_536


def test_whoever_writes_waits_while_nothing_is_taken(other: ThreadPoolExecutor) -> None:
    taker = Taker()
    output = Output(taker)
    much = b"x" * 4_999 + b"\n"
    for _ in range(53):  # of 5,000 characters each, what may wait and a little more
        output.write(much)

    written = other.submit(output.write, much)
    assert taker.is_asked.wait(PATIENCE)
    assert not written.done()

    taker.is_open.set()
    written.result(PATIENCE)
    output.close(patience=PATIENCE)
    assert len(taker.lines) == 54


def fill(output: Output) -> None:
    """Write until no more is taken."""
    output.write(b"x" * 300_000 + b"\n")


def test_what_nobody_wants_is_dropped_and_holds_nobody_up(other: ThreadPoolExecutor) -> None:
    taker = Taker(lambda _first, _lines: False)
    output = Output(taker)
    fill(output)
    waiting = other.submit(output.write, b"more\n")

    taker.is_open.set()
    waiting.result(PATIENCE)
    output.write(b"still more\n")
    output.close(patience=PATIENCE)

    assert (len(taker.batches), output.is_wanted) == (1, False)


def test_dropping_lets_go_of_whoever_waits(other: ThreadPoolExecutor) -> None:
    taker = Taker()
    output = Output(taker)
    fill(output)
    waiting = other.submit(output.write, b"more\n")
    assert taker.is_asked.wait(PATIENCE)

    output.drop()

    waiting.result(PATIENCE)
    taker.is_open.set()
    output.close(patience=PATIENCE)
    assert len(taker.batches) == 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_error_of_the_taker_holds_nobody_up(other: ThreadPoolExecutor) -> None:
    def fail(_first: int, _lines: Sequence[str]) -> bool:
        raise RuntimeError("a fault")

    taker = Taker(fail)
    output = Output(taker)
    fill(output)
    waiting = other.submit(output.write, b"more\n")

    taker.is_open.set()

    waiting.result(PATIENCE)
    output.close(patience=PATIENCE)
    assert not output.is_wanted


def test_closing_does_not_wait_for_ever_for_a_taker_that_hangs() -> None:
    taker = Taker()
    output = Output(taker)
    fill(output)
    assert taker.is_asked.wait(PATIENCE)

    output.close(patience=0)

    assert not output.is_wanted
    taker.is_open.set()


def test_closing_adds_the_last_line_to_what_is_too_much_already() -> None:
    taker = Taker()
    output = Output(taker)
    output.write(b"x" * 270_000 + b"\nlast")
    assert taker.is_asked.wait(PATIENCE)

    output.close(patience=0)

    assert output.last_line == "last"
    taker.is_open.set()


def test_lines_wait_for_others_that_may_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_EVERY_SECONDS", PATIENCE)
    taker = opened()
    output = Output(taker)

    for number in range(5):
        output.write(b"%d\n" % number)
    output.close(patience=PATIENCE)

    assert taker.batches == [(0, ["0", "1", "2", "3", "4"])]
