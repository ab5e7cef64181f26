"""One command is run to its end, whatever it does, and nothing of it is left."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from buildatlas.worker import commands
from tests.api.processes import is_running, wait_until

which = shutil.which

FOREVER = "while :; do sleep 0.02; done"


@pytest.fixture(params=["with setpriv", "without setpriv"], autouse=True)
def setpriv(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "without setpriv":
        found_by(monkeypatch, None)
    elif which("setpriv") is None:
        pytest.skip("there is no setpriv")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the folders of commands come to be: none is left."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


def found_by(monkeypatch: pytest.MonkeyPatch, setpriv: str | None) -> None:
    """Have `which` say this of setpriv."""

    def search(name: str, *, path: str | None = None) -> str | None:
        return setpriv if name == "setpriv" else which(name, path=path)

    monkeypatch.setattr(shutil, "which", search)


@dataclass
class Runner:
    """Runs one command, and keeps what it prints."""

    timeout: float = 60
    kill_after: float = 60
    most_result: int = 1_000
    stop_at: bytes | None = None
    """It is told to stop once it has printed this."""
    environment: Mapping[str, str] = field(default_factory=dict)
    output: bytes = b""
    on_output: Callable[[bytes], None] = lambda _chunk: None

    def run(self, *command: str) -> commands.Ended:
        return commands.run(
            command,
            self.environment,
            timeout_seconds=self.timeout,
            kill_after_seconds=self.kill_after,
            result_variable="RESULT",
            most_result=self.most_result,
            on_output=self._take,
            is_stopped=lambda: self.stop_at is not None and self.stop_at in self.output,
        )

    def shell(self, script: str) -> commands.Ended:
        return self.run("sh", "-c", script)

    def _take(self, chunk: bytes) -> None:
        self.output += chunk
        self.on_output(chunk)


@pytest.mark.parametrize("code", [0, 1, 75, 77, 255])
def test_a_command_ends_with_its_exit_code(code: int) -> None:
    assert Runner().shell(f"exit {code}") == ("EXITED", code, "", None)


@pytest.mark.parametrize(
    ("number", "name"), [(signal.SIGSEGV, "SIGSEGV"), (signal.SIGKILL, "SIGKILL"), (40, "signal 40")]
)
def test_a_command_that_dies_by_a_signal_has_not_exited(number: int, name: str) -> None:
    ended = Runner().run(sys.executable, "-c", f"import os; os.kill(os.getpid(), {int(number)})")

    assert ended == ("DIED", -number, f"killed by {name}", None)


def test_all_that_is_printed_comes_in_order() -> None:
    runner = Runner()

    assert runner.shell("seq 1 100000; echo error >&2; echo; printf end")[:2] == ("EXITED", 0)
    assert runner.output == b"".join(b"%d\n" % number for number in range(1, 100_001)) + b"error\n\nend"


def test_what_was_printed_before_the_end_is_not_lost_on_a_slow_reader(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(commands, "_CHUNK", 1_000)
    runner = Runner(on_output=lambda _chunk: time.sleep(0.03))

    runner.shell("head -c 50000 /dev/zero")

    assert len(runner.output) == 50_000


def test_nothing_can_be_read_from_the_standard_input() -> None:
    assert Runner().run("cat") == ("EXITED", 0, "", None)


def test_a_command_that_takes_too_long_is_asked_to_end() -> None:
    assert Runner(timeout=0.3).run("sleep", "60") == ("TIMED_OUT", -signal.SIGTERM, "", None)


def test_a_command_that_does_not_end_when_asked_is_killed() -> None:
    runner = Runner(kill_after=0.1, stop_at=b"up")

    assert runner.shell(f"trap '' TERM; echo up; {FOREVER}") == ("STOPPED", -signal.SIGKILL, "", None)


def test_a_command_that_takes_too_long_and_does_not_end_when_asked_is_killed() -> None:
    ended = Runner(timeout=0.1, kill_after=0.1).shell(f"trap '' TERM; {FOREVER}")

    assert ended[0] == "TIMED_OUT"


def test_a_command_that_is_stopped_may_put_things_in_order() -> None:
    runner = Runner(stop_at=b"up")

    ended = runner.shell(f"trap 'echo bye; echo kept > $RESULT; exit 7' TERM; echo up; {FOREVER}")

    assert ended == ("STOPPED", 7, "", b"kept\n")
    # The shell may say that what it waited for was terminated.
    assert (runner.output[:3], runner.output[-5:]) == (b"up\n", b"\nbye\n")


def test_what_a_command_leaves_behind_is_killed_and_not_waited_for() -> None:
    runner = Runner()

    assert runner.shell("sleep 60 & echo $!; exit 3") == ("EXITED", 3, "", None)
    wait_until(lambda: not is_running(int(runner.output)))


def test_what_is_left_behind_and_prints_on_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "_LAST_OUTPUT", 0.1)
    runner = Runner(on_output=lambda _chunk: time.sleep(0.01))

    assert runner.shell("yes & exit 0") == ("EXITED", 0, "", None)
    assert runner.output.startswith(b"y\n")


def test_what_has_made_itself_independent_and_prints_on_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(commands, "_LAST_OUTPUT", 0.1)
    script = "import subprocess; subprocess.Popen(['sh', '-c', 'echo $$; exec yes'], start_new_session=True)"
    runner = Runner(on_output=lambda _chunk: time.sleep(0.01))

    assert runner.run(sys.executable, "-W", "ignore", "-c", script) == ("EXITED", 0, "", None)
    independent, _, said = runner.output.partition(b"\n")
    assert said.startswith(b"y\n")
    wait_until(lambda: not is_running(int(independent)))


def test_what_is_left_behind_ends_with_what_is_stopped() -> None:
    runner = Runner(kill_after=0.1, stop_at=b"\n")

    ended = runner.shell("(trap '' TERM; sleep 60) & echo $!; wait")

    assert ended[:2] == ("STOPPED", -signal.SIGTERM)
    wait_until(lambda: not is_running(int(runner.output)))


def test_what_has_made_itself_independent_is_not_waited_for() -> None:
    runner = Runner()
    script = "import subprocess; print(subprocess.Popen(['sleep', '60'], start_new_session=True).pid)"

    assert runner.run(sys.executable, "-W", "ignore", "-c", script) == ("EXITED", 0, "", None)
    assert is_running(int(runner.output))
    os.kill(int(runner.output), signal.SIGKILL)


def test_a_command_may_close_its_output_and_go_on() -> None:
    assert Runner().shell("exec >&- 2>&-; sleep 0.3; exit 5") == ("EXITED", 5, "", None)


def test_a_command_that_has_closed_its_output_has_its_time_too() -> None:
    ended = Runner(timeout=0.3).shell("exec >&- 2>&-; exec sleep 60")

    assert ended == ("TIMED_OUT", -signal.SIGTERM, "", None)


def test_a_command_that_is_not_there_is_not_started() -> None:
    assert Runner().run("no-such-command") == (
        "NOT_STARTED",
        None,
        "no-such-command: there is no such command",
        None,
    )


@pytest.mark.parametrize("make", [lambda path: path.write_text("echo hi"), lambda path: path.mkdir()])
def test_what_is_no_program_is_not_started(make: Callable[[Path], object], tmp_path: Path) -> None:
    make(tmp_path / "build")

    assert Runner().run(str(tmp_path / "build"))[0] == "NOT_STARTED"


def test_a_program_that_its_system_cannot_run_is_not_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found_by(monkeypatch, None)

    assert Runner().run(script(tmp_path / "build", "#!/no/such/shell\n"))[:3] == (
        "NOT_STARTED",
        None,
        f"{tmp_path / 'build'}: No such file or directory",
    )


def script(path: Path, content: str) -> str:
    path.write_text(content)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_a_path_is_understood_from_where_the_worker_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(tmp_path / "build.sh", '#!/bin/sh\necho "built $1"\n')
    monkeypatch.chdir(tmp_path)
    runner = Runner()

    assert runner.run("./build.sh", "app") == ("EXITED", 0, "", None)
    assert runner.output == b"built app\n"


def test_a_command_is_searched_for_where_its_own_variable_says(tmp_path: Path) -> None:
    script(tmp_path / "build-it", "#!/bin/sh\nexit 9\n")
    runner = Runner(environment={"PATH": f"{tmp_path}:{os.environ['PATH']}"})

    assert runner.run("build-it") == ("EXITED", 9, "", None)


def test_a_command_has_the_environment_of_its_worker_and_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FROM_WORKER", "a")
    monkeypatch.setenv("FROM_BOTH", "b")
    runner = Runner(environment={"FROM_BOTH": "c", "FROM_ORDER": "d"})

    runner.shell("echo $FROM_WORKER $FROM_BOTH $FROM_ORDER")

    assert runner.output == b"a c d\n"


def test_a_command_does_not_get_the_token_of_its_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUILDATLAS_TOKEN", "bat_x")
    runner = Runner()

    runner.shell("echo [$BUILDATLAS_TOKEN]")

    assert runner.output == b"[]\n"


def test_a_command_runs_in_an_empty_folder_of_its_own_that_goes_with_it(folder: Path) -> None:
    runner = Runner()

    runner.shell("pwd; ls -A; echo x > left; mkdir deep; chmod 500 deep")

    (where,) = runner.output.decode().splitlines()
    assert Path(where).is_relative_to(folder)


@pytest.mark.parametrize(
    ("script", "result"),
    [
        ("printf '{\"a\": 1}' > $RESULT", b'{"a": 1}'),
        (": > $RESULT", b""),
        (":", None),
        ("mkdir $RESULT", None),
        ("mkfifo $RESULT", b""),
        ("head -c 5000 /dev/zero > $RESULT", b"\0" * 1_001),
    ],
)
def test_what_is_written_into_the_result_file_is_read(script: str, result: bytes | None) -> None:
    assert Runner().shell(script) == ("EXITED", 0, "", result)


def test_a_command_does_not_outlive_an_error_of_whoever_reads_its_output() -> None:
    class Unreadable(Exception):
        pass

    def fail(_chunk: bytes) -> None:
        raise Unreadable

    runner = Runner(on_output=fail)

    with pytest.raises(Unreadable):
        runner.shell(f"sleep 60 & echo $$ $!; {FOREVER}")
    process, child = map(int, runner.output.split())
    assert not is_running(process)
    wait_until(lambda: not is_running(child))


def test_what_belongs_to_somebody_else_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_group: int, _signal: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "killpg", refuse)

    assert Runner(stop_at=b"up").shell("echo up; sleep 0.5") == ("STOPPED", 0, "", None)


def test_the_setpriv_of_busybox_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    busybox = script(tmp_path / "busybox", "#!/bin/sh\nexit 1\n")
    (tmp_path / "setpriv").symlink_to(busybox)
    found_by(monkeypatch, str(tmp_path / "setpriv"))

    assert Runner().shell("exit 5") == ("EXITED", 5, "", None)


WORKER = """
from buildatlas.worker import commands

commands.run(["sh", "-c", "echo $$; exec sleep 60"], {}, timeout_seconds=60, kill_after_seconds=60, result_variable="R",
    most_result=1, on_output=lambda chunk: print(chunk.decode(), flush=True), is_stopped=lambda: False)
"""


def test_a_command_ends_with_its_worker(folder: Path) -> None:
    if which("setpriv") is None:
        pytest.skip("without setpriv it does not")
    environment = {**os.environ, "TMPDIR": str(folder)}
    with subprocess.Popen([sys.executable, "-c", WORKER], stdout=subprocess.PIPE, env=environment) as worker:
        assert worker.stdout is not None
        command = int(worker.stdout.readline())
        worker.kill()

    wait_until(lambda: not is_running(command))
    # What it cannot do itself any more.
    for left in folder.iterdir():
        shutil.rmtree(left)
