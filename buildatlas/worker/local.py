"""Running commands on the worker's own machine."""

import threading
from collections.abc import Callable

from buildatlas.worker import commands
from buildatlas.worker.execution import MOST_RESULT, RESULT_VARIABLE, Ending, Order, Outcome


class LocalExecutor:
    """Runs each command as a child of the worker."""

    def run(self, order: Order, *, on_output: Callable[[bytes], None], stop: threading.Event) -> Outcome:
        """Run a command, as `Executor` says."""
        how, code, detail, result = commands.run(
            order.command,
            order.environment,
            timeout_seconds=order.timeout_seconds,
            kill_after_seconds=order.kill_after_seconds,
            result_variable=RESULT_VARIABLE,
            most_result=MOST_RESULT,
            on_output=on_output,
            is_stopped=stop.is_set,
        )
        return Outcome(Ending[how], code, detail, result)
