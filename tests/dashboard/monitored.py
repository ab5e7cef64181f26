"""Measurements to give a server."""

from datetime import UTC, datetime, timedelta
from typing import Final

from tests.dashboard.asking import ask

RECORD: Final = (
    "mutation($metrics: [MetricInput!]!) { recordMetrics(input: { metrics: $metrics }) { recorded } }"
)


def record(
    address: str, name: str, *values: float, unit: str = "", minutes_ago: int = 0, **labels: str
) -> None:
    """Record values, each a minute after the one before; the last of them `minutes_ago`."""
    last = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    pairs = [{"key": key, "value": value} for key, value in labels.items()]
    metrics = [
        {
            "name": name,
            "value": value,
            "unit": unit,
            "labels": pairs,
            "at": (last - timedelta(minutes=before)).isoformat(),
        }
        for before, value in enumerate(reversed(values))
    ]
    assert ask(address, RECORD, metrics=metrics) == {"recordMetrics": {"recorded": len(values)}}
