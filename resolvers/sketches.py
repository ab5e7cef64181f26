"""Many values as one: their count, sum and extremes, and a t-digest, from which quantiles are estimated.

A t-digest (Dunning and Ertl, https://arxiv.org/abs/1902.04023) keeps clusters of neighbouring values, smaller ones towards the
extremes, and two of them make one for the values of both. The error of a quantile is bounded by rank, not by value.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import fastdigest
from fastdigest import TDigest

from storage.monitoring_rows import BucketRow, MetricRow

# Clusters by the seconds of a roll-up. 16 bytes each: there are 60 times as many minutes as hours, and each of them has fewer
# values. Measured by benchmarks/monitoring.py.
CLUSTERS: Final = {60: 100, 300: 64, 3_600: 200, 86_400: 500}


@dataclass(slots=True)
class Summary:
    """What is known of some values; of at least one."""

    count: int
    total: float
    minimum: float
    maximum: float
    digest: TDigest | None = None
    """None when all values are the same, or quantiles are not wanted."""

    def quantile(self, rank: float) -> float:
        """Return the value below which the share `rank` of the values lies, from 0 to 1."""
        if self.digest is None:
            return self.minimum
        return min(max(self.digest.quantile(rank), self.minimum), self.maximum)

    def row(self, name: str, unit: str, labels: dict[str, str], at: datetime, seconds: int) -> MetricRow:
        """Return it as the roll-up of a bucket."""
        sketch = None if self.digest is None else self.digest.to_bytes()
        figures = (self.count, self.total, self.minimum, self.maximum)
        return MetricRow(name, unit, labels, at, seconds, *figures, sketch)


def summary_of(values: Sequence[float]) -> Summary | None:
    """Return what is known of `values`, but for those that are no numbers; None when nothing is left."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return None
    least, most = min(finite), max(finite)
    digest = None if least == most else TDigest.from_values(finite, max_centroids=CLUSTERS[60])
    return Summary(len(finite), sum(finite), least, most, digest)


def summary(row: MetricRow | BucketRow) -> Summary:
    """Return what a row tells, with what quantiles need if it has that."""
    digest = None if row.sketch is None else TDigest.from_bytes(row.sketch)
    return Summary(row.count, row.total, row.minimum, row.maximum, digest)


def added_up(parts: Iterable[Summary], *, clusters: int | None = None) -> Summary:
    """Return one summary of the values of all `parts`, of which there is one at least.

    `clusters` is how fine its digest is to be; None: there is to be none.
    """
    known = list(parts)
    whole = Summary(
        sum(part.count for part in known),
        # Not by `sum`, whose result depends on the order where values differ much.
        math.fsum(part.total for part in known),
        min(part.minimum for part in known),
        max(part.maximum for part in known),
    )
    if clusters is not None and whole.minimum < whole.maximum:
        whole.digest = _digest(known, clusters)
    return whole


def _digest(parts: Sequence[Summary], clusters: int) -> TDigest:
    digests = [part.digest for part in parts if part.digest is not None]
    alike = [part for part in parts if part.digest is None]
    if alike:
        values, weights = zip(*((part.minimum, float(part.count)) for part in alike), strict=True)
        digests.append(TDigest.from_values(values, weights, max_centroids=clusters))
    return fastdigest.merge_all(digests, max_centroids=clusters)
