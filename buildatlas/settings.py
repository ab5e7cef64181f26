"""What can be set from outside, where it is read from, and what is refused."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Final, get_type_hints

import platformdirs

_MOST_DAYS: Final = 100 * 365
_DAY: Final = 86_400
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
class Range:
    """What a whole number may be. Past the most, a typing error is likelier than a need."""

    least: int
    most: int | None = None

    def check(self, name: str, value: int) -> None:
        """Raise SettingsError for a value beyond."""
        if value < self.least:
            raise SettingsError(name, f"must be at least {self.least}, not {value}")
        if self.most is not None and value > self.most:
            raise SettingsError(name, f"must be at most {self.most}, not {value}")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a server process needs to know; each field is read from the environment variable it names."""

    database_url: str
    """`BUILDATLAS_DATABASE_URL`: a `postgresql://` or `sqlite:///` URL, or the path of a file. Default: a file in the user's data directory."""

    host: str = "127.0.0.1"
    """`BUILDATLAS_HOST`: the address to answer on. Any but a loopback address needs a token to have been made."""

    port: Annotated[int, Range(least=0, most=65_535)] = 8000
    """`BUILDATLAS_PORT`: the port to answer on; 0 takes any free one."""

    hosts: tuple[str, ...] = ()
    """`BUILDATLAS_HOSTS`: the names that clients may call this server by, besides localhost; separated by commas. Behind a proxy, the proxy's. Needs a token to have been made."""

    origins: tuple[str, ...] = ()
    """`BUILDATLAS_ORIGINS`: sites whose pages may use the API from a browser, such as https://board.example; separated by commas."""

    anonymous_read: bool = False
    """`BUILDATLAS_ANONYMOUS_READ`: whether those may read who show no token, once there are any."""

    trusted_documents: str | None = None
    """`BUILDATLAS_TRUSTED_DOCUMENTS`: a JSON file whose values are the only documents that are executed for those who show no token."""

    tls_certificate: str | None = None
    """`BUILDATLAS_TLS_CERTIFICATE`: a PEM file; with it the server speaks HTTPS."""

    tls_key: str | None = None
    """`BUILDATLAS_TLS_KEY`: the certificate's key, where that is in a file of its own."""

    proxies: str = ""
    """`BUILDATLAS_PROXIES`: the addresses of proxies whose X-Forwarded headers are believed, separated by commas."""

    workers: Annotated[int, Range(least=1, most=256)] = 1
    """`BUILDATLAS_WORKERS`: how many processes answer at the address. A question uses one processor at a time."""

    catch_up_seconds: Annotated[int, Range(least=0)] = 5
    """`BUILDATLAS_CATCH_UP_SECONDS`: how long a request waits for the position that its `Buildatlas-After` names."""

    connections: Annotated[int, Range(least=2)] = 16
    """`BUILDATLAS_CONNECTIONS`: how many connections to PostgreSQL one process may have, besides one for the event log."""

    events_kept: Annotated[int, Range(least=1)] = 1_000_000
    """`BUILDATLAS_EVENTS_KEPT`: how many events are kept at most, the newest; a million take about 200 MB."""

    events_days: Annotated[int, Range(least=1, most=_MOST_DAYS)] = 30
    """`BUILDATLAS_EVENTS_DAYS`: for how many days an event is kept at most."""

    errors_days: Annotated[int, Range(least=1, most=_MOST_DAYS)] = 90
    """`BUILDATLAS_ERRORS_DAYS`: for how many days a group of errors is kept that is not seen again."""

    alerts_days: Annotated[int, Range(least=1, most=_MOST_DAYS)] = 90
    """`BUILDATLAS_ALERTS_DAYS`: for how many days an alert is kept that has ended, with the log of its deliveries."""

    measuring: bool = True
    """`BUILDATLAS_MEASURING`: whether the server measures what it does."""

    metric_seconds: Annotated[int, Range(least=1, most=300)] = 10
    """`BUILDATLAS_METRIC_SECONDS`: how often what was measured is written."""

    metric_series: Annotated[int, Range(least=100, most=1_000_000)] = 5_000
    """`BUILDATLAS_METRIC_SERIES`: how many series one process may measure in an hour; what comes beyond goes into `other`."""

    metric_minutes_days: Annotated[int, Range(least=2, most=_MOST_DAYS)] = 31
    """`BUILDATLAS_METRIC_MINUTES_DAYS`: for how many days measurements are kept by the minute, and by five."""

    metric_hours_days: Annotated[int, Range(least=2, most=_MOST_DAYS)] = 180
    """`BUILDATLAS_METRIC_HOURS_DAYS`: for how many days measurements are kept by the hour."""

    metric_days_days: Annotated[int, Range(least=2, most=_MOST_DAYS)] = 1_095
    """`BUILDATLAS_METRIC_DAYS_DAYS`: for how many days measurements are kept by the day."""

    resource_seconds: Annotated[int, Range(least=1, most=3_600)] = 15
    """`BUILDATLAS_RESOURCE_SECONDS`: how often memory, processor, queue and the like are looked at."""

    recovery_seconds: Annotated[int, Range(least=1, most=3_600)] = 2
    """`BUILDATLAS_RECOVERY_SECONDS`: how often a server looks for leases that have run out and builds past their time."""

    backoff_seconds: Annotated[int, Range(least=0, most=_DAY)] = 5
    """`BUILDATLAS_BACKOFF_SECONDS`: how long a build waits at most before its second attempt, after an INFRA_ERROR; twice as long before each further one."""

    longest_backoff_seconds: Annotated[int, Range(least=0, most=_DAY)] = 300
    """`BUILDATLAS_LONGEST_BACKOFF_SECONDS`: how long a build waits at most before any attempt."""

    alert_seconds: Annotated[int, Range(least=1, most=3_600)] = 15
    """`BUILDATLAS_ALERT_SECONDS`: how often the rules of alerts are evaluated."""

    webhook_private: bool = False
    """`BUILDATLAS_WEBHOOK_PRIVATE`: whether webhooks may go to private networks and to this machine."""

    webhook_seconds: Annotated[int, Range(least=1, most=300)] = 10
    """`BUILDATLAS_WEBHOOK_SECONDS`: how long the receiver of a webhook may take to answer."""

    webhook_attempts: Annotated[int, Range(least=1, most=100)] = 12
    """`BUILDATLAS_WEBHOOK_ATTEMPTS`: how often it is tried to deliver a webhook before it is given up."""

    webhook_backoff_seconds: Annotated[int, Range(least=0, most=_DAY)] = 5
    """`BUILDATLAS_WEBHOOK_BACKOFF_SECONDS`: how long to wait at most before a webhook is sent a second time; twice as long before each further one."""

    webhook_longest_backoff_seconds: Annotated[int, Range(least=0, most=_DAY)] = 600
    """`BUILDATLAS_WEBHOOK_LONGEST_BACKOFF_SECONDS`: how long to wait at most before a webhook is sent again."""

    external_url: str = ""
    """`BUILDATLAS_EXTERNAL_URL`: where people reach this server, as receivers of webhooks are told."""

    log_limit: Annotated[int, Range(least=0)] = 16 * 1024 * 1024
    """`BUILDATLAS_LOG_LIMIT`: how many characters of output are kept of one attempt at a build."""

    body_limit: Annotated[int, Range(least=1024)] = 16 * 1024 * 1024
    """`BUILDATLAS_BODY_LIMIT`: the largest request body in bytes of those who may write. 10,000 published versions take about 10 MB."""

    reader_body_limit: Annotated[int, Range(least=1024)] = 256 * 1024
    """`BUILDATLAS_READER_BODY_LIMIT`: the largest request body in bytes of everybody else."""

    token_limit: Annotated[int, Range(least=1)] = 2_000
    """`BUILDATLAS_TOKEN_LIMIT`: how many tokens the text of an operation may have, as GraphQL counts them."""

    depth_limit: Annotated[int, Range(least=1)] = 12
    """`BUILDATLAS_DEPTH_LIMIT`: how many levels of fields an operation may have."""

    field_limit: Annotated[int, Range(least=1)] = 500
    """`BUILDATLAS_FIELD_LIMIT`: how many fields an operation may have, counting those of a fragment wherever it is spread."""

    alias_limit: Annotated[int, Range(least=0)] = 30
    """`BUILDATLAS_ALIAS_LIMIT`: how many aliases an operation may have."""

    directive_limit: Annotated[int, Range(least=0)] = 50
    """`BUILDATLAS_DIRECTIVE_LIMIT`: how many directives an operation may have."""

    cost_limit: Annotated[int, Range(least=1)] = 20_000
    """`BUILDATLAS_COST_LIMIT`: what an operation may cost: 1 for each object, times the size of the page that it is on. Answers tell it as `extensions.cost`."""

    operation_seconds: Annotated[int, Range(least=1, most=3_600)] = 30
    """`BUILDATLAS_OPERATION_SECONDS`: how long an operation may take before it is stopped; what it is writing by then is written to its end."""

    heavy_limit: Annotated[int, Range(least=1)] = 2
    """`BUILDATLAS_HEAVY_LIMIT`: how many operations that take long, such as resolve and buildPlan, a process works on at a time."""

    heavy_queue: Annotated[int, Range(least=0)] = 64
    """`BUILDATLAS_HEAVY_QUEUE`: how many more of those may wait for their turn; further ones are refused."""

    message_limit: Annotated[int, Range(least=1024)] = 256 * 1024
    """`BUILDATLAS_MESSAGE_LIMIT`: the largest WebSocket message in bytes that a client may send."""

    socket_limit: Annotated[int, Range(least=0)] = 1_000
    """`BUILDATLAS_SOCKET_LIMIT`: how many WebSockets and event streams may be open at once; further ones are refused."""

    client_socket_limit: Annotated[int, Range(least=1)] = 100
    """`BUILDATLAS_CLIENT_SOCKET_LIMIT`: how many of those may be open with one token, or from one address without a token."""

    subscription_limit: Annotated[int, Range(least=1)] = 100
    """`BUILDATLAS_SUBSCRIPTION_LIMIT`: how many operations may be under way on one WebSocket."""

    queue_limit: Annotated[int, Range(least=1)] = 256
    """`BUILDATLAS_QUEUE_LIMIT`: how many messages may wait for one subscriber to read them, before it is cut off."""

    log_level: str = "INFO"
    """`BUILDATLAS_LOG_LEVEL`: DEBUG, INFO, WARNING or ERROR."""

    def __post_init__(self) -> None:
        for name, span in _RANGES.items():
            span.check(variable(name), getattr(self, name))
        if self.log_level not in _LOG_LEVELS:
            raise SettingsError(
                "BUILDATLAS_LOG_LEVEL", f"{self.log_level!r} is not one of {', '.join(_LOG_LEVELS)}"
            )

    @property
    def is_exposed(self) -> bool:
        """Whether others than users of this machine can reach the server."""
        return not is_loopback(self.host) or bool(self.hosts)


_RANGES: Final = {
    name: each
    for name, hint in get_type_hints(Settings, include_extras=True).items()
    for each in getattr(hint, "__metadata__", ())
    if isinstance(each, Range)
}


_LISTS: Final = {field.name for field in fields(Settings) if field.default == ()}
_SWITCHES: Final = {field.name for field in fields(Settings) if isinstance(field.default, bool)}
_ON: Final = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
    "": False,
}


def variable(name: str) -> str:
    """Return the environment variable that a field of Settings is read from."""
    return f"BUILDATLAS_{name.upper()}"


def settings(environment: Mapping[str, str]) -> Settings:
    """Return the settings that `environment` and the defaults give, or raise SettingsError."""
    given: dict[str, Any] = {
        field.name: environment[variable(field.name)]
        for field in fields(Settings)
        if variable(field.name) in environment
    }
    for name in given.keys() & _RANGES.keys():
        given[name] = _whole_number(variable(name), given[name])
    for name in given.keys() & _LISTS:
        given[name] = tuple(part.strip() for part in given[name].split(",") if part.strip())
    for name in given.keys() & _SWITCHES:
        given[name] = _switch(variable(name), given[name])
    if "log_level" in given:
        given["log_level"] = given["log_level"].upper()
    return Settings(**{**given, "database_url": given.get("database_url") or str(default_database())})


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


def _switch(name: str, text: str) -> bool:
    try:
        return _ON[text.strip().lower()]
    except KeyError as error:
        raise SettingsError(name, f"{text!r} is neither true nor false") from error


def _whole_number(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise SettingsError(name, f"{text!r} is not a whole number") from error
