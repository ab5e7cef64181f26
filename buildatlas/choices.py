"""What options may be set to: the names alone, so that `--help` need not load what knows their meaning."""

from enum import StrEnum


class DependencyKind(StrEnum):
    """What a dependency is needed for."""

    RUNTIME = "RUNTIME"
    BUILD = "BUILD"
    TEST = "TEST"
    DEV = "DEV"
    PEER = "PEER"


class GraphScope(StrEnum):
    """Whose dependencies make the graph."""

    LATEST = "LATEST"
    ALL = "ALL"


class Strategy(StrEnum):
    """Which of several versions that would do is preferred."""

    HIGHEST = "HIGHEST"
    LOWEST = "LOWEST"
    LOWEST_DIRECT = "LOWEST_DIRECT"


class PrereleasePolicy(StrEnum):
    """When a pre-release may be picked."""

    IF_NECESSARY = "IF_NECESSARY"
    ALLOW = "ALLOW"
    DISALLOW = "DISALLOW"


class BuildTrigger(StrEnum):
    """Why a build is asked for."""

    NEW = "NEW"
    SOURCE_CHANGE = "SOURCE_CHANGE"
    DEPENDENCY_CHANGE = "DEPENDENCY_CHANGE"
    RETRY = "RETRY"
    MANUAL = "MANUAL"


class OnError(StrEnum):
    """What a bad line does to an import."""

    STOP = "stop"
    SKIP = "skip"


class MetricAggregate(StrEnum):
    """How what was measured in a bucket becomes one number."""

    COUNT = "COUNT"
    SUM = "SUM"
    MEAN = "MEAN"
    MIN = "MIN"
    MAX = "MAX"
    P50 = "P50"
    P95 = "P95"
    P99 = "P99"
