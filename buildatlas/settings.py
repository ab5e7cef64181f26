"""What can be set from outside, where it is read from, and what is refused."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import platformdirs

_LARGEST_PORT: Final = 65_535
# Past this a typing error is more likely than a machine.
_MOST_WORKERS: Final = 256
_MOST_DAYS: Final = 100 * 365
_DAY: Final = 86_400
# Cancellation and time limits are kept to by recovery, which is to be no later than this.
_LONGEST_RECOVERY: Final = 3_600
_LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")


class SettingsError(Exception):
    """A setting has a value that the server cannot work with."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(name, problem)
        self.name = name
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.name}: {self.problem}"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a server process needs to know; each field is read from the environment variable it names."""

    database_url: str
    """`BUILDATLAS_DATABASE_URL`: a `postgresql://` or `sqlite:///` URL, or the path of a file. Default: a file in the user's data directory."""

    host: str = "127.0.0.1"
    """`BUILDATLAS_HOST`: the address to answer on. Only loopback addresses, as there are no tokens yet."""

    port: int = 8000
    """`BUILDATLAS_PORT`: the port to answer on; 0 takes any free one."""

    workers: int = 1
    """`BUILDATLAS_WORKERS`: how many processes answer at the address. A question uses one processor at a time."""

    catch_up_seconds: int = 5
    """`BUILDATLAS_CATCH_UP_SECONDS`: how long a request waits for the position that its `Buildatlas-After` names."""

    connections: int = 16
    """`BUILDATLAS_CONNECTIONS`: how many connections to PostgreSQL one process may have, besides one for the event log."""

    events_kept: int = 1_000_000
    """`BUILDATLAS_EVENTS_KEPT`: how many events are kept at most, the newest; a million take about 200 MB."""

    events_days: int = 30
    """`BUILDATLAS_EVENTS_DAYS`: for how many days an event is kept at most."""

    recovery_seconds: int = 2
    """`BUILDATLAS_RECOVERY_SECONDS`: how often a server looks for leases that have run out and builds past their time."""

    backoff_seconds: int = 5
    """`BUILDATLAS_BACKOFF_SECONDS`: how long a build waits at most before its second attempt, after an INFRA_ERROR; twice as long before each further one."""

    longest_backoff_seconds: int = 300
    """`BUILDATLAS_LONGEST_BACKOFF_SECONDS`: how long a build waits at most before any attempt."""

    log_limit: int = 16 * 1024 * 1024
    """`BUILDATLAS_LOG_LIMIT`: how many characters of output are kept of one attempt at a build."""

    body_limit: int = 16 * 1024 * 1024
    """`BUILDATLAS_BODY_LIMIT`: the largest request body in bytes. 10,000 published versions take about 10 MB."""

    message_limit: int = 256 * 1024
    """`BUILDATLAS_MESSAGE_LIMIT`: the largest WebSocket message in bytes that a client may send."""

    socket_limit: int = 1_000
    """`BUILDATLAS_SOCKET_LIMIT`: how many WebSockets may be open at once; further ones are refused."""

    log_level: str = "INFO"
    """`BUILDATLAS_LOG_LEVEL`: DEBUG, INFO, WARNING or ERROR."""

    def __post_init__(self) -> None:
        if not is_loopback(self.host):
            raise SettingsError(
                "BUILDATLAS_HOST",
                f"{self.host!r} is not a loopback address. Whoever can reach the server can change the catalogue, "
                "as it has no access tokens, so it answers only on this machine: use 127.0.0.1 or localhost",
            )
        _check_range("BUILDATLAS_PORT", self.port, least=0, most=_LARGEST_PORT)
        _check_range("BUILDATLAS_WORKERS", self.workers, least=1, most=_MOST_WORKERS)
        _check_range("BUILDATLAS_CATCH_UP_SECONDS", self.catch_up_seconds, least=0)
        _check_range("BUILDATLAS_CONNECTIONS", self.connections, least=2)
        _check_range("BUILDATLAS_EVENTS_KEPT", self.events_kept, least=1)
        _check_range("BUILDATLAS_EVENTS_DAYS", self.events_days, least=1, most=_MOST_DAYS)
        _check_range("BUILDATLAS_RECOVERY_SECONDS", self.recovery_seconds, least=1, most=_LONGEST_RECOVERY)
        _check_range("BUILDATLAS_BACKOFF_SECONDS", self.backoff_seconds, least=0, most=_DAY)
        _check_range("BUILDATLAS_LONGEST_BACKOFF_SECONDS", self.longest_backoff_seconds, least=0, most=_DAY)
        _check_range("BUILDATLAS_LOG_LIMIT", self.log_limit, least=0)
        _check_range("BUILDATLAS_BODY_LIMIT", self.body_limit, least=1024)
        _check_range("BUILDATLAS_MESSAGE_LIMIT", self.message_limit, least=1024)
        _check_range("BUILDATLAS_SOCKET_LIMIT", self.socket_limit, least=0)
        if self.log_level not in _LOG_LEVELS:
            raise SettingsError(
                "BUILDATLAS_LOG_LEVEL", f"{self.log_level!r} is not one of {', '.join(_LOG_LEVELS)}"
            )


def settings(environment: Mapping[str, str]) -> Settings:
    """Return the settings that `environment` and the defaults give, or raise SettingsError."""
    return Settings(
        database_url=environment.get("BUILDATLAS_DATABASE_URL") or str(default_database()),
        host=environment.get("BUILDATLAS_HOST", "127.0.0.1"),
        port=_whole_number(environment, "BUILDATLAS_PORT", 8000),
        workers=_whole_number(environment, "BUILDATLAS_WORKERS", 1),
        catch_up_seconds=_whole_number(environment, "BUILDATLAS_CATCH_UP_SECONDS", 5),
        connections=_whole_number(environment, "BUILDATLAS_CONNECTIONS", 16),
        events_kept=_whole_number(environment, "BUILDATLAS_EVENTS_KEPT", 1_000_000),
        events_days=_whole_number(environment, "BUILDATLAS_EVENTS_DAYS", 30),
        recovery_seconds=_whole_number(environment, "BUILDATLAS_RECOVERY_SECONDS", 2),
        backoff_seconds=_whole_number(environment, "BUILDATLAS_BACKOFF_SECONDS", 5),
        longest_backoff_seconds=_whole_number(environment, "BUILDATLAS_LONGEST_BACKOFF_SECONDS", 300),
        log_limit=_whole_number(environment, "BUILDATLAS_LOG_LIMIT", 16 * 1024 * 1024),
        body_limit=_whole_number(environment, "BUILDATLAS_BODY_LIMIT", 16 * 1024 * 1024),
        message_limit=_whole_number(environment, "BUILDATLAS_MESSAGE_LIMIT", 256 * 1024),
        socket_limit=_whole_number(environment, "BUILDATLAS_SOCKET_LIMIT", 1_000),
        log_level=environment.get("BUILDATLAS_LOG_LEVEL", "INFO").upper(),
    )


def default_database() -> Path:
    """Return the file that is used when no database is named."""
    return platformdirs.user_data_path("buildatlas") / "buildatlas.db"


def is_loopback(host: str) -> bool:
    """Whether `host`, a name or an address with or without brackets, is this machine and nothing else."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.removeprefix("[").removesuffix("]")).is_loopback
    except ValueError:
        return False


def _whole_number(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name)
    if text is None:
        return default
    try:
        return int(text)
    except ValueError as error:
        raise SettingsError(name, f"{text!r} is not a whole number") from error


def _check_range(name: str, value: int, *, least: int, most: int | None = None) -> None:
    if value < least:
        raise SettingsError(name, f"must be at least {least}, not {value}")
    if most is not None and value > most:
        raise SettingsError(name, f"must be at most {most}, not {value}")
