"""Asking a server from beside the browser, and measurements to give it."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx

RECORD: Final = (
    "mutation($metrics: [MetricInput!]!) { recordMetrics(input: { metrics: $metrics }) { recorded } }"
)


def ask(address: str, query: str, **variables: object) -> Any:
    """Return the data of the answer, which must have no errors."""
    body = {"query": query, "variables": variables}
    answer = httpx.post(f"{address}/graphql", json=body, timeout=60).json()
    assert "errors" not in answer, answer
    return answer["data"]


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
