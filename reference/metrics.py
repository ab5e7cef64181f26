"""The page of what is measured: the names within the service, and those by which Prometheus reads them."""

from collections.abc import Iterator
from typing import Final

from buildatlas.prometheus import ALERTS, FAMILIES, PREFIX, Distribution, Family, Level, Total
from reference.markdown import code, page, paragraph, plain, sentence, table
from resolvers.measurements import BYTES, MEASUREMENTS, ONE, SECONDS

_INTRODUCTION: Final = (
    "The query [`metrics`](graphql/queries.md#metrics), the rules of alerts and `buildatlas metrics` know them by the "
    "first name, and [`/metrics`](http.md#metrics) by the second, in the text form of Prometheus. A name without a second "
    "one is not exported. Whoever has the scope `build` may record others, by "
    "[`recordMetrics`](graphql/mutations.md#recordMetrics)."
)
_UNITS: Final = {SECONDS: "seconds", BYTES: "bytes", ONE: "a number", "": "any"}


def undocumented() -> Iterator[str]:
    """Yield names that are measured and of which nothing is told, and exported ones that are not measured."""
    yield from (name for name, measured in MEASUREMENTS.items() if not measured.tells)
    yield from FAMILIES.keys() - MEASUREMENTS.keys()


def metrics_page() -> str:
    """Return the page."""
    rows = (
        [
            code(name),
            "<br>".join(_exported(family) for family in FAMILIES.get(name, ())),
            _UNITS[measured.unit],
            ", ".join(map(code, measured.labels)),
            plain(sentence(measured.tells)),
        ]
        for name, measured in sorted(MEASUREMENTS.items())
    )
    alerts = (
        f"Besides, `{PREFIX}{ALERTS}` is a gauge of the alerts that are not resolved, by `state` and `severity`. A gauge "
        "that is a process's own bears its `pid` where several processes answer at one address."
    )
    head = ["measured", "exported", "unit", "labels", "what"]
    return page("Metrics", paragraph(_INTRODUCTION), table(head, rows), paragraph(alerts))


def _exported(family: Family) -> str:
    labels = (
        f" by {', '.join(map(code, family.labels))}"
        if not isinstance(family, Level) and family.labels
        else ""
    )
    return f"{code(PREFIX + family.name)}, {_kind(family)}{labels}"


def _kind(family: Family) -> str:
    match family:
        case Distribution():
            return "histogram"
        case Total():
            return "counter"
        case Level():
            return "gauge"
