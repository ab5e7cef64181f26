"""What can be set, and what is refused."""

import dataclasses
import inspect
from pathlib import Path
from typing import Any

import pytest

from buildatlas.settings import Settings, SettingsError, default_database, settings, variable


def test_without_anything_set_the_defaults_hold() -> None:
    assert settings({}) == Settings(database_url=str(default_database()))
    assert default_database().name == "buildatlas.db"


def test_every_setting_is_read_from_its_variable() -> None:
    given = {field.name: _another(field) for field in dataclasses.fields(Settings)}
    environment = {variable(name): _written(value) for name, value in given.items()}

    assert settings(environment) == Settings(**given)


def _another(field: "dataclasses.Field[Any]") -> Any:
    """Return a value that is not the field's default."""
    special = {"database_url": "sqlite:///x.db", "host": "::1", "log_level": "DEBUG"}
    if field.name in special:
        return special[field.name]
    match field.default:
        case bool():
            return not field.default
        case int():
            return field.default + 1
        case ():
            return ("a", "b")
    return "x"


def _written(value: Any) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)


@pytest.mark.parametrize(
    ("text", "value"), [("1", True), ("true", True), ("ON", True), ("0", False), ("no", False), ("", False)]
)
def test_a_switch_is_on_or_off(text: str, value: bool) -> None:
    assert settings({"BUILDATLAS_ANONYMOUS_READ": text}).anonymous_read is value


def test_a_switch_that_is_neither_is_refused() -> None:
    with pytest.raises(SettingsError, match="BUILDATLAS_ANONYMOUS_READ: 'maybe' is neither true nor false"):
        settings({"BUILDATLAS_ANONYMOUS_READ": "maybe"})


def test_every_setting_is_documented_with_its_variable() -> None:
    source = inspect.getsource(Settings)

    for field in dataclasses.fields(Settings):
        assert f'"""`BUILDATLAS_{field.name.upper()}`: ' in source


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "localhost", "::1", "[::1]"])
def test_a_loopback_address_is_this_machine_alone(host: str) -> None:
    assert not Settings("x", host=host).is_exposed
    assert Settings("x", host=host, hosts=("atlas.example",)).is_exposed


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.168.0.1", "example.com", "", "localhost.evil.example"]
)
def test_any_other_address_can_be_reached_by_others(host: str) -> None:
    assert Settings("x", host=host).is_exposed


@pytest.mark.parametrize(
    ("variable", "text", "problem"),
    [
        ("BUILDATLAS_PORT", "http", "'http' is not a whole number"),
        ("BUILDATLAS_PORT", "-1", "must be at least 0, not -1"),
        ("BUILDATLAS_PORT", "65536", "must be at most 65535, not 65536"),
        ("BUILDATLAS_WORKERS", "0", "must be at least 1, not 0"),
        ("BUILDATLAS_WORKERS", "257", "must be at most 256, not 257"),
        ("BUILDATLAS_CATCH_UP_SECONDS", "-1", "must be at least 0, not -1"),
        ("BUILDATLAS_EVENTS_KEPT", "0", "must be at least 1, not 0"),
        ("BUILDATLAS_EVENTS_DAYS", "0", "must be at least 1, not 0"),
        ("BUILDATLAS_BODY_LIMIT", "1", "must be at least 1024, not 1"),
        ("BUILDATLAS_MESSAGE_LIMIT", "1", "must be at least 1024, not 1"),
        ("BUILDATLAS_SOCKET_LIMIT", "-1", "must be at least 0, not -1"),
        ("BUILDATLAS_LOG_LEVEL", "loud", "'LOUD' is not one of DEBUG, INFO, WARNING, ERROR"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_the_name_of_its_variable(
    variable: str, text: str, problem: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        settings({variable: text})

    assert str(refused.value) == f"{variable}: {problem}"


def test_an_empty_database_url_means_the_default() -> None:
    assert Path(settings({"BUILDATLAS_DATABASE_URL": ""}).database_url) == default_database()
