"""The GraphQL operations that the command line sends, one for each of its questions."""

from typing import Final

EDGE: Final = "{ dependent dependency kinds optional }"
_CYCLE: Final = f"{{ packages example suggestedBreaks {EDGE} }}"
_STATISTICS: Final = "{ decisions conflicts packagesConsidered durationSeconds }"

CONFLICT: Final = f"""
    ... on ResolutionConflict {{
      message
      steps {{ index kind text causes package versions dependency constraint }}
      core {{ package constraint source }}
      coreIsMinimal
      relaxations {{ kind description package constraint asOf }}
      statistics {_STATISTICS}
    }}
"""

# What holds pins back is told from the latest version of each: what it is, and what it needs.
_LATEST: Final = """packageVersion @include(if: $explain) { package { latestVersion {
        version releasedAt dependencies { packageName constraint kinds optional }
      } } }"""

_ANSWER: Final = f"""
    __typename
    ... on Resolution {{
      pins {{ package version direct {_LATEST} }}
      edges {{ dependent dependency constraint }}
      cycles {_CYCLE}
      fingerprint
      statistics {_STATISTICS}
    }}
    {CONFLICT}
"""

RESOLVE: Final = f"""
query Resolve($input: ResolveInput!, $explain: Boolean! = false) {{
  resolve(input: $input) {{ {_ANSWER} }}
}}
"""

SIMULATE: Final = f"""
query Simulate($input: SimulateInput!, $explain: Boolean! = false) {{
  simulate(input: $input) {{
    before {{ {_ANSWER} }}
    after {{ {_ANSWER} }}
    diff {{
      added {{ package version direct }}
      removed {{ package version direct }}
      changed {{ package from to direction }}
    }}
  }}
}}
"""

PLAN: Final = f"""
query Plan($input: BuildPlanInput!) {{
  buildPlan(input: $input) {{
    __typename
    ... on BuildPlan {{
      totalBuilds
      waves {{ package version wave component }}
      cycles {_CYCLE}
      cutEdges {EDGE}
      criticalPath
      criticalPathSeconds
    }}
    {CONFLICT}
  }}
}}
"""

CYCLES: Final = f"""
query Cycles($kinds: [DependencyKind!], $scope: GraphScope!, $includeOptional: Boolean!, $first: Int!) {{
  cycles(kinds: $kinds, scope: $scope, includeOptional: $includeOptional, first: $first) {{
    totalCount
    truncated
    nodes {_CYCLE}
  }}
}}
"""

PATH: Final = """
query Path($from: String!, $to: String!, $kinds: [DependencyKind!], $scope: GraphScope!, $includeOptional: Boolean!) {
  path(from: $from, to: $to, kinds: $kinds, scope: $scope, includeOptional: $includeOptional) { packages length }
}
"""

IMPACT: Final = """
query Impact(
  $packages: [String!]!, $kinds: [DependencyKind!], $scope: GraphScope!, $includeOptional: Boolean!, $first: Int!
) {
  impact(packages: $packages, kinds: $kinds, scope: $scope, includeOptional: $includeOptional, first: $first) {
    totalCount
    truncated
    dependents { package distance via }
  }
}
"""
