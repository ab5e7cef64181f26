"""What the rules of alerts look at: for each set of labels one value, of measurements or of what holds up builds."""

import hashlib
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from resolvers import metrics
from resolvers.blockers import Blocker, blockers
from resolvers.reasons import BlockReasonKind
from resolvers.scrubbing import scrubbed
from storage.columns import MAX_TEXT, labels_text
from storage.database import Database
from storage.monitoring_rows import AlertRuleRow
from storage.monitoring_tables import Comparison, MetricAggregate

BLOCKED_BUILDS: Final = "blocked_builds"
"""The metric that is not measured: by root cause, the builds that it holds up now."""

# Of root causes: enough to never leave one out that is there.
_ALL: Final = 1_000_000

# Characters of worker labels within a label, of which a key takes only so many bytes.
_LONGEST: Final = 300


@dataclass(frozen=True, slots=True)
class Reading:
    """What a rule sees of one set of labels."""

    labels: Mapping[str, str]
    value: float
    message: str
    blocked_builds: int | None = None

    @property
    def key(self) -> str:
        """What tells it from the others of its rule."""
        return labels_text(self.labels)


def readings(database: Database, rule: AlertRuleRow, now: datetime) -> list[Reading]:
    """Return what a rule sees now: of each series that has all of its labels, or of each root cause that does.

    Of nothing that was measured, COUNT and SUM are 0, under the rule's own labels; anything else is not there.
    """
    if rule.metric == BLOCKED_BUILDS:
        return _of_causes(rule, blockers(database, None, first=_ALL, now=now))
    with database.read() as connection:
        found = metrics.aggregated(
            connection,
            rule.metric,
            labels=rule.labels,
            since=now - timedelta(seconds=rule.window_seconds),
            until=now,
            aggregate=rule.aggregate,
        )
    if not found and rule.aggregate in {MetricAggregate.COUNT, MetricAggregate.SUM}:
        found = [(rule.labels, 0.0)]
    return [Reading(labels, value, _told(rule, value)) for labels, value in found]


def holds(rule: AlertRuleRow, value: float) -> bool:
    """Whether a rule's condition is true of a value."""
    return _COMPARE[rule.comparison](value, rule.threshold)


_COMPARE: Final[Mapping[Comparison, Callable[[float, float], bool]]] = {
    Comparison.GT: operator.gt,
    Comparison.GTE: operator.ge,
    Comparison.LT: operator.lt,
    Comparison.LTE: operator.le,
}
_WORDS: Final[Mapping[Comparison, str]] = {
    Comparison.GT: "above",
    Comparison.GTE: "at or above",
    Comparison.LT: "below",
    Comparison.LTE: "at or below",
}


def _told(rule: AlertRuleRow, value: float) -> str:
    bound = f"{_WORDS[rule.comparison]} {rule.threshold:g}"
    return (
        f"{rule.metric}: {rule.aggregate} over {rule.window_seconds} s is {value:g}; alerts are due {bound}"
    )


def _of_causes(rule: AlertRuleRow, causes: Iterable[Blocker]) -> list[Reading]:
    """Return a reading for each cause that has the rule's labels. Causes with equal labels are one, and count together."""
    found: dict[str, Reading] = {}
    for cause in causes:
        labels = _labels_of(cause)
        if rule.labels.items() <= labels.items():
            key = labels_text(labels)
            others = found[key].blocked_builds or 0 if key in found else 0
            found[key] = _of_cause(labels, cause, others + cause.blocked_builds)
    return list(found.values())


def _of_cause(labels: Mapping[str, str], cause: Blocker, blocked: int) -> Reading:
    some = "1 build is" if blocked == 1 else f"{blocked:,} builds are"
    # A worker has said it, and receivers of webhooks may be anybody's.
    said = scrubbed(cause.message)[: MAX_TEXT - 100]
    return Reading(labels, float(blocked), f"{said}: {some} held up", blocked)


def _labels_of(cause: Blocker) -> dict[str, str]:
    """Return what stays the same for as long as there is the cause, whichever builds it comes to hold up."""
    if cause.kind is BlockReasonKind.NO_WORKER and cause.build is not None:
        return {"cause": cause.kind, "worker_labels": _short(labels_text(cause.build.worker_labels))}
    return {"cause": cause.kind, "package": cause.package}


def _short(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    return f"{text[:_LONGEST]}… {hashlib.sha256(text.encode()).hexdigest()[:12]}"
