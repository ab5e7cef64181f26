"""What the application cannot do, besides what the rooms below it refuse."""


class PortTaken(Exception):
    """Something else answers on the address already."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port)
        self.host = host
        self.port = port

    def __str__(self) -> str:
        return f"port {self.port} on {self.host} is taken by another process: stop it, or choose another by --port"


class CannotServe(Exception):
    """The workers of a server end before they answer anything."""

    def __init__(self, exit_code: int | None) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code

    def __str__(self) -> str:
        return f"the server's workers cannot start: one has ended with {self.exit_code}; see what it has said above"


class CannotBuild(Exception):
    """A worker cannot run commands any more, whatever they are."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return f"the worker cannot run commands, and claims no more: {self.problem}"


class UnwritableFile(Exception):
    """A file cannot be written."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(path, problem)
        self.path = path
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.path}: cannot be written: {self.problem}"


class WrongUse(Exception):
    """Options or arguments that make no sense, alone or together."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return self.problem
