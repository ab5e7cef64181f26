"""The enumerations of the API."""

from enum import Enum

import strawberry
from strawberry import enum_value


@strawberry.enum(description="Life cycle of a package (PEP 792 project status).")
class PackageStatus(Enum):
    ACTIVE = enum_value("ACTIVE", description="In ordinary use.")
    DEPRECATED = enum_value("DEPRECATED", description="Still there, but to be replaced; solved last.")
    ARCHIVED = enum_value("ARCHIVED", description="No longer maintained; solved last.")
    QUARANTINED = enum_value("QUARANTINED", description="Held as unsafe; never solved.")


@strawberry.enum(
    description="Life cycle of one version. YANKED resolves only when pinned exactly or already locked; "
    "DRAFT and QUARANTINED never."
)
class VersionStatus(Enum):
    DRAFT = enum_value("DRAFT", description="Not yet published; its dependencies may still change.")
    PUBLISHED = enum_value("PUBLISHED", description="Released.")
    DEPRECATED = enum_value("DEPRECATED", description="Released, and picked only after all others.")
    YANKED = enum_value("YANKED", description="Withdrawn: picked only when pinned exactly or already locked.")
    QUARANTINED = enum_value("QUARANTINED", description="Held as unsafe; never picked.")


@strawberry.enum(description="What a dependency is needed for. One dependency may have several kinds.")
class DependencyKind(Enum):
    RUNTIME = enum_value("RUNTIME", description="Needed to run.")
    BUILD = enum_value("BUILD", description="Needed to build.")
    TEST = enum_value("TEST", description="Needed to test.")
    DEV = enum_value("DEV", description="Needed to develop.")
    PEER = enum_value("PEER", description="Restricts a version chosen by others, without requiring it.")


@strawberry.enum(
    description="Which versions make the package graph: LATEST the edges of each latestVersion, "
    "ALL those of every PUBLISHED, DEPRECATED or YANKED version."
)
class GraphScope(Enum):
    LATEST = enum_value("LATEST", description="The edges of each package's latestVersion.")
    ALL = enum_value("ALL", description="The edges of every PUBLISHED, DEPRECATED or YANKED version.")


@strawberry.enum(description="What packages can be ordered by.")
class PackageOrderField(Enum):
    NAME = enum_value("NAME", description="The name, by code point.")
    CREATED_AT = enum_value("CREATED_AT", description="When the package was registered.")
    UPDATED_AT = enum_value("UPDATED_AT", description="When the package last changed.")


@strawberry.enum(description="Which way an order runs.")
class OrderDirection(Enum):
    ASC = enum_value("ASC", description="Smallest, first or oldest first.")
    DESC = enum_value("DESC", description="Largest, last or newest first.")


@strawberry.enum(description="Which of several versions that would do is picked.")
class ResolutionStrategy(Enum):
    HIGHEST = enum_value("HIGHEST", description="The newest.")
    LOWEST = enum_value("LOWEST", description="The oldest.")
    LOWEST_DIRECT = enum_value(
        "LOWEST_DIRECT", description="The oldest of what is required directly, the newest of the rest."
    )


@strawberry.enum(description="When a pre-release such as 2.0rc1 may be picked.")
class PrereleasePolicy(Enum):
    IF_NECESSARY = enum_value(
        "IF_NECESSARY",
        description="When a package has no final version, or something names one of its pre-releases.",
    )
    ALLOW = enum_value("ALLOW", description="Always, after all final versions.")
    DISALLOW = enum_value("DISALLOW", description="Never.")


@strawberry.enum(description="Which way the version of a package moves.")
class PinChangeDirection(Enum):
    UPGRADE = enum_value("UPGRADE", description="To a newer version.")
    DOWNGRADE = enum_value("DOWNGRADE", description="To an older version.")


@strawberry.enum(description="What a step of an explanation rests on.")
class DerivationKind(Enum):
    ROOT_REQUIREMENT = enum_value("ROOT_REQUIREMENT", description="A requirement that was given.")
    DEPENDENCY = enum_value("DEPENDENCY", description="A dependency that versions declare.")
    NO_VERSIONS = enum_value(
        "NO_VERSIONS", description="No version that may be picked satisfies a constraint."
    )
    UNKNOWN_PACKAGE = enum_value("UNKNOWN_PACKAGE", description="Nothing of that name is registered.")
    CONSTRAINT = enum_value("CONSTRAINT", description="A constraint that was given.")
    DERIVED = enum_value("DERIVED", description="A conclusion from the steps it names as causes.")


@strawberry.enum(description="In which part of a question something is asked.")
class RequirementSource(Enum):
    REQUIREMENT = enum_value("REQUIREMENT", description="Among `requirements`.")
    CONSTRAINT = enum_value("CONSTRAINT", description="Among `constraints`.")
    OVERRIDE = enum_value("OVERRIDE", description="Among `overrides`.")


@strawberry.enum(description="What a relaxation does to a question.")
class RelaxationKind(Enum):
    WIDEN = enum_value("WIDEN", description="Give one entry another constraint, which allows more.")
    DROP = enum_value("DROP", description="Leave out one entry.")
    ALLOW_PRERELEASES = enum_value("ALLOW_PRERELEASES", description="Set `prereleases` to ALLOW.")
    LATER_AS_OF = enum_value("LATER_AS_OF", description="Ask as of a later moment.")


@strawberry.enum(description="Where a build is. COMPLETED has a conclusion; nothing else has.")
class BuildStatus(Enum):
    BLOCKED = enum_value("BLOCKED", description="It waits for what it depends on, or is held.")
    QUEUED = enum_value("QUEUED", description="A worker may claim it, after `notBefore`.")
    ASSIGNED = enum_value("ASSIGNED", description="A worker has claimed it.")
    PREPARING = enum_value("PREPARING", description="Its worker fetches what it needs.")
    RUNNING = enum_value("RUNNING", description="Its worker builds it.")
    FINALIZING = enum_value("FINALIZING", description="Its worker puts away what it produced.")
    CANCELING = enum_value(
        "CANCELING", description="Its worker is told to stop, and has until its lease ends."
    )
    COMPLETED = enum_value("COMPLETED", description="It has ended: see `conclusion`.")


@strawberry.enum(description="What a worker can tell of the build that it holds.")
class ReportedStatus(Enum):
    PREPARING = enum_value("PREPARING", description="It fetches what the build needs.")
    RUNNING = enum_value("RUNNING", description="It builds.")
    FINALIZING = enum_value("FINALIZING", description="It puts away what was produced.")
    COMPLETED = enum_value("COMPLETED", description="It is done, with a conclusion.")


@strawberry.enum(
    description="How it ended. FAILURE is the package's fault; INFRA_ERROR is ours, and the only one retried by itself."
)
class BuildConclusion(Enum):
    SUCCESS = enum_value("SUCCESS", description="It was built.")
    FAILURE = enum_value("FAILURE", description="It cannot be built as it is.")
    DEP_FAILED = enum_value("DEP_FAILED", description="Something that it needs failed.")
    UNRESOLVABLE = enum_value(
        "UNRESOLVABLE", description="A dependency has no registered version that satisfies."
    )
    TIMED_OUT = enum_value("TIMED_OUT", description="It took longer than it may.")
    INFRA_ERROR = enum_value("INFRA_ERROR", description="Whatever ran it broke.")
    CANCELED = enum_value("CANCELED", description="Someone called it off.")
    SKIPPED = enum_value("SKIPPED", description="Its worker found that there is nothing to do.")
    UNCHANGED = enum_value("UNCHANGED", description="What it depends on came out as it was.")
    SUPERSEDED = enum_value("SUPERSEDED", description="A newer run builds the same.")


@strawberry.enum(description="Why a build was asked for.")
class BuildTrigger(Enum):
    NEW = enum_value("NEW", description="Its version is new.")
    SOURCE_CHANGE = enum_value("SOURCE_CHANGE", description="Its source has changed.")
    DEPENDENCY_CHANGE = enum_value(
        "DEPENDENCY_CHANGE", description="Something that it depends on is built anew."
    )
    RETRY = enum_value("RETRY", description="It was built before, and is tried again.")
    MANUAL = enum_value("MANUAL", description="Someone wanted it.")


@strawberry.enum(description="What keeps a build from running.")
class BlockReasonKind(Enum):
    DEP_BUILDING = enum_value("DEP_BUILDING", description="Something that it needs is not built yet.")
    DEP_FAILED = enum_value("DEP_FAILED", description="Something that it needs failed.")
    DEP_MISSING = enum_value("DEP_MISSING", description="Something that it needs is not registered.")
    UNRESOLVABLE = enum_value("UNRESOLVABLE", description="Of something that it needs no version satisfies.")
    CYCLE = enum_value("CYCLE", description="It is part of a dependency cycle.")
    BACKOFF = enum_value("BACKOFF", description="It met an INFRA_ERROR, and is tried again after a while.")
    NO_WORKER = enum_value("NO_WORKER", description="No worker seen of late offers its `workerLabels`.")
    POLICY = enum_value("POLICY", description="A package that is quarantined or archived is not built.")


@strawberry.enum(description="Where a run is.")
class RunStatus(Enum):
    RUNNING = enum_value("RUNNING", description="Some of its builds have not ended.")
    CANCELING = enum_value(
        "CANCELING", description="It was called off, and workers still hold some of its builds."
    )
    COMPLETED = enum_value("COMPLETED", description="Each of its builds has ended. A retry reopens it.")


@strawberry.enum(description="How a run ended.")
class RunConclusion(Enum):
    SUCCESS = enum_value("SUCCESS", description="Everything was built, or need not be.")
    FAILURE = enum_value("FAILURE", description="Something could not be built.")
    CANCELED = enum_value(
        "CANCELED", description="It, or something in it, was called off, and nothing failed."
    )
    SUPERSEDED = enum_value(
        "SUPERSEDED", description="A newer run builds something of it, and nothing failed."
    )


@strawberry.enum(description="What an event tells of.")
class EventKind(Enum):
    PACKAGE_CHANGED = enum_value("PACKAGE_CHANGED", description="A package was registered or changed.")
    PACKAGE_DELETED = enum_value("PACKAGE_DELETED", description="A package was deleted, with its versions.")
    VERSION_PUBLISHED = enum_value("VERSION_PUBLISHED", description="A version was published.")
    VERSION_CHANGED = enum_value("VERSION_CHANGED", description="A version changed its status.")
    DEPENDENCIES_CHANGED = enum_value(
        "DEPENDENCIES_CHANGED", description="The dependencies of a version were replaced."
    )
    RUN_CHANGED = enum_value("RUN_CHANGED", description="A run was started, or changed its state.")
    BUILD_CHANGED = enum_value("BUILD_CHANGED", description="A build was created, or changed its state.")
    ALERT_CHANGED = enum_value("ALERT_CHANGED", description="An alert was raised, or changed its state.")


@strawberry.enum(description="Why a request was refused; in `errors[].extensions.code`.")
class ErrorCode(Enum):
    BAD_USER_INPUT = enum_value("BAD_USER_INPUT", description="An argument has a value it may not have.")
    GRAPHQL_PARSE_FAILED = enum_value("GRAPHQL_PARSE_FAILED", description="The document is not GraphQL.")
    GRAPHQL_VALIDATION_FAILED = enum_value(
        "GRAPHQL_VALIDATION_FAILED", description="The document does not fit this schema."
    )
    INVALID_VERSION = enum_value("INVALID_VERSION", description="A text is not a PEP 440 version.")
    INVALID_CONSTRAINT = enum_value("INVALID_CONSTRAINT", description="A text is not a version constraint.")
    NOT_FOUND = enum_value("NOT_FOUND", description="What is to be changed does not exist.")
    ALREADY_EXISTS = enum_value("ALREADY_EXISTS", description="The name is taken, by something else.")
    CONFLICT = enum_value("CONFLICT", description="The present state of the object does not allow it.")
    DEPENDENCY_CYCLE = enum_value(
        "DEPENDENCY_CYCLE", description="The version would close a forbidden cycle."
    )
    STILL_REQUIRED = enum_value("STILL_REQUIRED", description="Other packages require what is to be deleted.")
    ILLEGAL_TRANSITION = enum_value(
        "ILLEGAL_TRANSITION", description="The state cannot be reached from the present one."
    )
    LEASE_LOST = enum_value(
        "LEASE_LOST", description="The build is not held under this lease any more: stop working on it."
    )
    LIMIT_EXCEEDED = enum_value("LIMIT_EXCEEDED", description="More was asked for than a limit allows.")
    GAVE_UP = enum_value(
        "GAVE_UP", description="A budget ran out before there was an answer; says nothing about the answer."
    )
    UNAUTHENTICATED = enum_value("UNAUTHENTICATED", description="No token was shown, or none that is valid.")
    FORBIDDEN = enum_value("FORBIDDEN", description="The token that was shown does not allow it.")
    SLOW_CONSUMER = enum_value(
        "SLOW_CONSUMER",
        description="Too many messages were waiting to be read: resume after the last cursor.",
    )
    UNAVAILABLE = enum_value("UNAVAILABLE", description="The database cannot be used now; try again later.")
    INTERNAL_SERVER_ERROR = enum_value(
        "INTERNAL_SERVER_ERROR", description="A fault of the server, logged under `extensions.requestId`."
    )
