"""What can be set, and what is refused."""

import dataclasses
import inspect
from pathlib import Path

import pytest

from buildatlas.settings import Settings, SettingsError, default_database, settings


def test_without_anything_set_the_defaults_hold() -> None:
    assert settings({}) == Settings(database_url=str(default_database()))
    assert default_database().name == "buildatlas.db"


def test_every_setting_is_read_from_the_environment() -> None:
    environment = {
        "BUILDATLAS_DATABASE_URL": "sqlite:///x.db",
        "BUILDATLAS_HOST": "::1",
        "BUILDATLAS_PORT": "9000",
        "BUILDATLAS_WORKERS": "4",
        "BUILDATLAS_CATCH_UP_SECONDS": "2",
        "BUILDATLAS_CONNECTIONS": "8",
        "BUILDATLAS_EVENTS_KEPT": "1000",
        "BUILDATLAS_EVENTS_DAYS": "7",
        "BUILDATLAS_RECOVERY_SECONDS": "3",
        "BUILDATLAS_BACKOFF_SECONDS": "1",
        "BUILDATLAS_LONGEST_BACKOFF_SECONDS": "9",
        "BUILDATLAS_LOG_LIMIT": "512",
        "BUILDATLAS_BODY_LIMIT": "2048",
        "BUILDATLAS_MESSAGE_LIMIT": "4096",
        "BUILDATLAS_SOCKET_LIMIT": "7",
        "BUILDATLAS_QUEUE_LIMIT": "9",
        "BUILDATLAS_LOG_LEVEL": "debug",
    }

    assert settings(environment) == Settings(
        "sqlite:///x.db", "::1", 9000, 4, 2, 8, 1000, 7, 3, 1, 9, 512, 2048, 4096, 7, 9, "DEBUG"
    )


def test_every_setting_is_documented_with_its_variable() -> None:
    source = inspect.getsource(Settings)

    for field in dataclasses.fields(Settings):
        assert f'"""`BUILDATLAS_{field.name.upper()}`: ' in source


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "localhost", "::1", "[::1]"])
def test_loopback_addresses_are_accepted(host: str) -> None:
    assert Settings("x", host=host).host == host


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.168.0.1", "example.com", "", "localhost.evil.example"]
)
def test_any_other_address_is_refused_with_the_reason(host: str) -> None:
    with pytest.raises(SettingsError, match="no access tokens"):
        Settings("x", host=host)


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
