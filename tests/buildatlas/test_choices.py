from enum import Enum

import pytest

import graph.dependencies
import graph.resolution
import resolvers.transfer
import schema.enums
import storage.dependencies
import storage.monitoring_tables
from buildatlas import choices


@pytest.mark.parametrize(
    ("offered", "meant"),
    [
        (choices.DependencyKind, graph.dependencies.Kind),
        (choices.GraphScope, storage.dependencies.GraphScope),
        (choices.Strategy, graph.resolution.Strategy),
        (choices.PrereleasePolicy, graph.resolution.PrereleasePolicy),
        (choices.BuildTrigger, schema.enums.BuildTrigger),
        (choices.MetricAggregate, storage.monitoring_tables.MetricAggregate),
        (choices.OnError, resolvers.transfer.OnError),
    ],
)
def test_what_options_offer_is_what_there_is(offered: type[Enum], meant: type[Enum]) -> None:
    assert list(offered.__members__) == list(meant.__members__)
