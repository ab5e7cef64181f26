"""The GraphQL operations about runs and builds that the command line sends."""

from typing import Final

from buildatlas.documents import CONFLICT, EDGE

_COUNTS: Final = "counts { status conclusion count }"
_RUN: Final = f"""{{
    id status conclusion reason trigger priority maxAttempts timeoutSeconds createdAt completedAt
    total {_COUNTS}
    labels {{ key value }}
    workerLabels {{ key value }}
}}"""
_STARTED: Final = f"{_RUN.removesuffix('}')} cutEdges {EDGE} }}"
_REASONS: Final = "{ kind package path transient message }"

# What a line tells of a build.
_LINE: Final = """
    id status conclusion attempt maxAttempts worker durationSeconds message reason
    packageVersion { version package { name } }
"""

START_RUN: Final = f"""
mutation StartRun($input: StartRunInput!) {{
  startRun(input: $input) {{
    created
    cursor
    run {_STARTED}
    conflict {{ __typename {CONFLICT} }}
  }}
}}
"""

PREVIEW_RUN: Final = f"""
query PreviewRun($input: StartRunInput!) {{
  previewRun(input: $input) {{
    __typename
    ... on RunPreview {{
      total
      {_COUNTS}
      supersedes
      cutEdges {EDGE}
      criticalPath
      criticalPathSeconds
      builds(first: 100000) {{ package version wave status conclusion reason trigger expectedSeconds }}
    }}
    {CONFLICT}
  }}
}}
"""

RUN: Final = f"query Run($id: ID!) {{ run(id: $id) {_RUN} }}"

RUNS: Final = f"""
query Runs($first: Int!) {{
  runs(first: $first) {{ totalCount nodes {_RUN} }}
}}
"""

BUILDS: Final = f"""
query Builds($filter: BuildFilter!, $first: Int!, $why: Boolean!) {{
  builds(filter: $filter, first: $first) {{
    totalCount
    nodes {{ {_LINE} run {{ id }} blockedBy @include(if: $why) {_REASONS} }}
  }}
}}
"""

BUILD: Final = f"""
query Build($id: ID!) {{
  build(id: $id) {{
    {_LINE}
    run {{ id }}
    trigger priority workerLabels {{ key value }} timeoutSeconds expectedSeconds outputDigest
    createdAt queuedAt notBefore startedAt leaseExpiresAt completedAt
    blockedBy {_REASONS}
    attempts {{ number worker startedAt completedAt conclusion message }}
    artifacts {{ name uri digest sizeBytes }}
    transitions(first: 1000) {{ nodes {{ at from to conclusion attempt actor reason }} }}
  }}
}}
"""

LOG: Final = """
query Log($id: ID!, $after: String) {
  build(id: $id) {
    log(first: 1000, after: $after) {
      nodes { sequence attempt at text }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""

KIND: Final = "query Kind($id: ID!) { node(id: $id) { __typename } }"

CANCEL_RUN: Final = f"""
mutation CancelRun($input: CancelRunInput!) {{ cancelRun(input: $input) {{ cursor run {_RUN} }} }}
"""

CANCEL_BUILD: Final = f"""
mutation CancelBuild($input: CancelBuildInput!) {{ cancelBuild(input: $input) {{ cursor build {{ {_LINE} }} }} }}
"""

RETRY_BUILD: Final = f"""
mutation RetryBuild($input: RetryBuildInput!) {{ retryBuild(input: $input) {{ cursor build {{ {_LINE} }} }} }}
"""

BLOCKERS: Final = """
query Blockers($run: ID, $first: Int!) {
  blockers(run: $run, first: $first) {
    kind package message blockedBuilds remainingSeconds
    build { id status conclusion }
  }
}
"""

_WATCHED: Final = f"{{ {_LINE} startedAt completedAt run {{ id }} }}"
WATCH: Final = f"""
subscription Watch($filter: BuildFilter!, $after: String) {{
  buildStatus(filter: $filter, after: $after) {{
    __typename
    ... on BuildSnapshot {{ cursor complete builds {_WATCHED} }}
    ... on Event {{
      cursor at kind subject package version
      transition {{ from to conclusion attempt reason actor }}
      build {_WATCHED}
    }}
    ... on EventGap {{ requested resumeFrom }}
  }}
}}
"""
