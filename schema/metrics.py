"""Measurements: asked for as series of points, and recorded."""

from datetime import datetime
from functools import partial
from typing import Annotated

import strawberry
from strawberry import argument

from resolvers import metrics
from schema.context import Info
from schema.fields import field, mutation
from schema.metric_inputs import MetricQuery, RecordMetricsInput
from schema.node import Label, labels
from schema.threads import now, show, write
from storage.monitoring_tables import Scope


@strawberry.type(description="One number for a bucket of time.")
class MetricPoint:
    at: datetime = strawberry.field(description="When the bucket begins.")
    value: float = strawberry.field(description="What was asked for of all values in it.")


@strawberry.type(description="What was measured under one name and one set of labels.")
class MetricSeries:
    name: str = strawberry.field(description="What was measured.")
    unit: str = strawberry.field(description="Of the values, such as `s`; a COUNT has none.")
    labels: list[Label] = strawberry.field(description="What tells it from other series of the name.")
    points: list[MetricPoint] = strawberry.field(
        description="Oldest first; none for a bucket in which nothing was measured."
    )

    @classmethod
    def of(cls, series: metrics.Series) -> "MetricSeries":
        """Show a series."""
        return cls(
            name=series.name,
            unit=series.unit,
            labels=labels(series.labels),
            points=[MetricPoint(at=point.at, value=point.value) for point in series.points],
        )


@strawberry.type(description="What became of a recording.")
class RecordMetricsPayload:
    recorded: int = strawberry.field(description="How many measurements were recorded.")


@strawberry.type
class MetricQueries:
    @field(
        "What was measured, by the server or outside producers: the series of a name, ordered by their labels."
    )
    async def metrics(
        self, info: Info, query: Annotated[MetricQuery, argument(description="What of it.")]
    ) -> list[MetricSeries]:
        find = partial(metrics.query, info.context.atlas.database, query.to_request(), now=now())
        return await show(info.context, find, lambda found: [MetricSeries.of(series) for series in found])


@strawberry.type
class MetricMutations:
    @mutation(Scope.WRITE, "Record what was measured elsewhere. It writes no event.")
    async def record_metrics(
        self, info: Info, input: Annotated[RecordMetricsInput, argument(description="The measurements.")]
    ) -> RecordMetricsPayload:
        moment = now()
        change = partial(metrics.record, samples=input.to_samples(moment), now=moment)
        return RecordMetricsPayload(recorded=await write(info.context, change))
