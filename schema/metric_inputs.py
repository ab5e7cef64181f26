"""What is asked of measurements, and given as such."""

from datetime import datetime
from enum import Enum

import strawberry

from resolvers import metrics
from schema.inputs import LabelInput, label_pairs
from storage import monitoring_tables
from storage.monitoring_tables import MetricFields


@strawberry.enum(description="How what was measured in a bucket becomes one number.")
class MetricAggregate(Enum):
    COUNT = strawberry.enum_value("COUNT", description="How many values there are.")
    SUM = strawberry.enum_value("SUM", description="What they add up to.")
    MEAN = strawberry.enum_value("MEAN", description="Their sum by their count.")
    MIN = strawberry.enum_value("MIN", description="The smallest.")
    MAX = strawberry.enum_value("MAX", description="The largest.")
    P50 = strawberry.enum_value("P50", description="The median, nearly.")
    P95 = strawberry.enum_value("P95", description="What 95 of 100 values are below, nearly.")
    P99 = strawberry.enum_value("P99", description="What 99 of 100 values are below, nearly.")


@strawberry.input(description="Which series, of what time, and in what form. At most 11,000 points.")
class MetricQuery:
    name: str = strawberry.field(
        description="What was measured, such as `resolve.seconds` or what `recordMetrics` was given."
    )
    labels: list[LabelInput] = strawberry.field(
        default_factory=list, description="Only series that have all of these, perhaps besides others."
    )
    since: datetime | None = strawberry.field(
        default=None, description="From when on. Null: an hour before `until`."
    )
    until: datetime | None = strawberry.field(default=None, description="Until before when. Null: now.")
    bucket_seconds: int = strawberry.field(
        default=60,
        description="Seconds to a point: a multiple of 60. Points are at multiples of it since 1970, and each tells of all "
        "of its bucket. What is long past is kept by the hour, then by the day, and comes in these at the finest.",
    )
    aggregate: MetricAggregate = strawberry.field(
        default=MetricAggregate.MEAN, description="What each point tells."
    )
    by: list[str] | None = strawberry.field(
        default=None,
        description="Labels that tell series apart, such as `operation`; those that differ in others alone are added up, and an "
        "empty list gives one of all. Null: by every label.",
    )

    def to_request(self) -> metrics.MetricRequest:
        """Return the use case's form of it."""
        return metrics.MetricRequest(
            name=self.name,
            labels=label_pairs(self.labels),
            since=self.since,
            until=self.until,
            bucket_seconds=self.bucket_seconds,
            aggregate=monitoring_tables.MetricAggregate[self.aggregate.name],
            by=None if self.by is None else frozenset(self.by),
        )


@strawberry.input(description="One measurement.")
class MetricInput:
    name: str = strawberry.field(description="What was measured.")
    value: float = strawberry.field(description="A finite number.")
    unit: str = strawberry.field(
        default="", description="Such as `s` or `By`; of a series the same each time."
    )
    labels: list[LabelInput] = strawberry.field(
        default_factory=list, description="What tells its series from others of the name: few values each."
    )
    at: datetime | None = strawberry.field(default=None, description="When, within the last day. Null: now.")


@strawberry.input(description="At most 1,000 measurements.")
class RecordMetricsInput:
    metrics: list[MetricInput] = strawberry.field(description="All of them are recorded, or none.")

    def to_samples(self, now: datetime) -> list[MetricFields]:
        """Return the use case's form of them. Raises BadInput and LimitExceeded."""
        metrics.check_number(len(self.metrics))
        return [
            metrics.sample_of(
                index,
                each.name,
                each.value,
                unit=each.unit,
                labels=label_pairs(each.labels),
                at=each.at or now,
            )
            for index, each in enumerate(self.metrics)
        ]
