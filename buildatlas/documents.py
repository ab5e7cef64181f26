"""The GraphQL operations that the command line sends, one for each of its questions."""

from typing import Final

_EDGE: Final = "{ dependent dependency kinds optional }"
_CYCLE: Final = f"{{ packages example suggestedBreaks {_EDGE} }}"
_STATISTICS: Final = "{ decisions conflicts packagesConsidered durationSeconds }"

_CONFLICT: Final = f"""
    ... on ResolutionConflict {{
      message
      steps {{ index kind text causes package versions dependency constraint }}
      statistics {_STATISTICS}
    }}
"""

RESOLVE: Final = f"""
query Resolve($input: ResolveInput!) {{
  resolve(input: $input) {{
    __typename
    ... on Resolution {{
      pins {{ package version direct }}
      edges {{ dependent dependency constraint }}
      cycles {_CYCLE}
      fingerprint
      statistics {_STATISTICS}
    }}
    {_CONFLICT}
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
      cutEdges {_EDGE}
      criticalPath
    }}
    {_CONFLICT}
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
