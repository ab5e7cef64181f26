"""For each field that gives objects, an operation that reaches it from as many parents as a `Crowd` has."""

from collections.abc import Mapping
from typing import Final

PAGE_INFO: Final = "pageInfo { hasNextPage endCursor }"

# By type: by what query many objects of it are reached, and what is then asked of each. Of what ends for want of something,
# `blockedBy` and `blockers` read the dependencies run by run where runs follow different kinds of them, with two statements for
# each combination of `kinds` and `includeOptional`; here all runs are alike.
NESTED: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "Package": (
        "{ packages(first: 1000) { nodes { ...Asked } } }",
        {
            "labels": "labels { key value }",
            "latestVersion": "latestVersion { version dependencies { id } }",
            "version": 'version(version: "1.0") { version dependencies { id } }',
            "versions": "versions(first: 1) { totalCount nodes { version } }",
            "dependencies": "dependencies(transitive: true) { totalCount nodes { name latestVersion { id } } }",
            "dependents": "dependents { totalCount nodes { name latestVersion { id } } }",
            "builds": "builds(first: 2) { totalCount nodes { id packageVersion { id } } }",
        },
    ),
    "PackageConnection": (
        "{ packages(first: 1000) { nodes { dependencies(transitive: true) { ...Asked } } } }",
        {
            "edges": "edges { cursor node { name } }",
            "nodes": "nodes { name }",
            "pageInfo": PAGE_INFO,
        },
    ),
    "PackageEdge": (
        "{ packages(first: 1000) { edges { ...Asked } } }",
        {"node": "node { name latestVersion { id } }"},
    ),
    "PackageVersion": (
        "{ packages(first: 1000) { nodes { versions { nodes { ...Asked } } } } }",
        {
            "labels": "labels { key value }",
            "package": "package { name latestVersion { id } }",
            "dependencies": "dependencies { packageName package { id } }",
            "latestBuild": "latestBuild { id run { id } }",
        },
    ),
    "PackageVersionConnection": (
        "{ packages(first: 1000) { nodes { versions { ...Asked } } } }",
        {
            "edges": "edges { cursor node { version } }",
            "nodes": "nodes { version }",
            "pageInfo": PAGE_INFO,
        },
    ),
    "PackageVersionEdge": (
        "{ packages(first: 1000) { nodes { versions { edges { ...Asked } } } } }",
        {"node": "node { version package { id } }"},
    ),
    "Dependency": (
        "{ packages(first: 1000) { nodes { versions { nodes { dependencies { ...Asked } } } } } }",
        {
            "version": "version { version package { id } }",
            "package": "package { name latestVersion { id } }",
            "candidates": "candidates(first: 2) { version package { id } }",
        },
    ),
    "Build": (
        "{ builds(first: 1000) { nodes { ...Asked } } }",
        {
            "workerLabels": "workerLabels { key value }",
            "run": "run { id total }",
            "packageVersion": "packageVersion { version package { id } }",
            "attempts": "attempts { number }",
            "log": "log(first: 1) { nodes { text } }",
            "artifacts": "artifacts { name }",
            "dependencies": "dependencies { totalCount nodes { id packageVersion { id } } }",
            "dependents": "dependents { totalCount nodes { id packageVersion { id } } }",
            "blockedBy": "blockedBy { kind path }",
            "transitions": "transitions { nodes { to } }",
        },
    ),
    "BuildConnection": (
        "{ builds(first: 1000) { nodes { dependencies { ...Asked } } } }",
        {
            "edges": "edges { cursor node { id } }",
            "nodes": "nodes { id }",
            "pageInfo": PAGE_INFO,
        },
    ),
    "BuildEdge": ("{ builds(first: 1000) { edges { ...Asked } } }", {"node": "node { id run { id } }"}),
    "LogConnection": (
        "{ builds(first: 1000) { nodes { log { ...Asked } } } }",
        {"nodes": "nodes { text }", "pageInfo": PAGE_INFO},
    ),
    "StateTransitionConnection": (
        "{ builds(first: 1000) { nodes { transitions { ...Asked } } } }",
        {
            "edges": "edges { cursor node { to } }",
            "nodes": "nodes { to }",
            "pageInfo": PAGE_INFO,
        },
    ),
    "StateTransitionEdge": (
        "{ builds(first: 1000) { nodes { transitions { edges { ...Asked } } } } }",
        {"node": "node { to }"},
    ),
    "BuildRun": (
        "{ runs(first: 1000) { nodes { ...Asked } } }",
        {
            "labels": "labels { key value }",
            "workerLabels": "workerLabels { key value }",
            "cutEdges": "cutEdges { dependent dependency }",
            "counts": "counts { status count }",
            "builds": "builds { totalCount nodes { id packageVersion { id } } }",
        },
    ),
    "BuildRunConnection": (
        "{ runs(first: 1000) { ...Asked } }",
        {
            "edges": "edges { cursor node { id total } }",
            "nodes": "nodes { id total }",
            "pageInfo": "pageInfo { endCursor } nodes { id }",
        },
    ),
    "BuildRunEdge": (
        "{ runs(first: 1000) { edges { ...Asked } } }",
        {"node": "node { id counts { count } }"},
    ),
    "ErrorGroupConnection": (
        "{ errors(first: 1000) { ...Asked } }",
        {
            "edges": "edges { cursor node { id } }",
            "nodes": "nodes { id }",
            "pageInfo": "pageInfo { endCursor } nodes { id }",
        },
    ),
    "ErrorGroupEdge": ("{ errors(first: 1000) { edges { ...Asked } } }", {"node": "node { id sample }"}),
    "MetricSeries": (
        "query($load: MetricQuery!) { metrics(query: $load) { ...Asked } }",
        {"labels": "labels { key value }", "points": "points { at value }"},
    ),
    "AlertConnection": (
        "{ alerts(first: 1000) { ...Asked } }",
        {
            "edges": "edges { cursor node { id rule { name } } }",
            "nodes": "nodes { id rule { name } }",
            "pageInfo": "pageInfo { endCursor } nodes { id }",
        },
    ),
    "AlertEdge": ("{ alerts(first: 1000) { edges { ...Asked } } }", {"node": "node { id rule { name } }"}),
    "Alert": (
        "{ alerts(first: 1000) { nodes { ...Asked } } }",
        {
            "labels": "labels { key value }",
            "rule": "rule { name webhook }",
            "deliveries": "deliveries { attempt message }",
        },
    ),
    "AlertRule": ("{ alertRules { ...Asked } }", {"labels": "labels { key value }"}),
    "AlertRulePayload": (
        "mutation($rule: SetAlertRuleInput!) { setAlertRule(input: $rule) { ...Asked } }",
        {"rule": "rule { id labels { key } }"},
    ),
    "AlertPayload": (
        "mutation($alert: ID!) { acknowledgeAlert(input: { id: $alert }) { ...Asked } }",
        {"alert": "alert { id deliveries { id } }"},
    ),
    "Blocker": ("{ blockers { ...Asked } }", {"build": "build { id packageVersion { id } }"}),
    "CycleList": ("{ cycles { ...Asked } }", {"nodes": "nodes { packages }"}),
    "DependencyCycle": (
        "{ cycles { nodes { ...Asked } } }",
        {"suggestedBreaks": "suggestedBreaks { dependent }"},
    ),
    "Impact": ('{ impact(packages: ["hub"]) { ...Asked } }', {"dependents": "dependents { package }"}),
    "PathGraph": (
        '{ paths(from: "top", to: "hub") { ...Asked } }',
        {"edges": "edges { dependent }", "shortest": "shortest { packages } nodes"},
    ),
    "Subgraph": (
        "query($all: [String!]!) { subgraph(packages: $all) { ...Asked } }",
        {"nodes": "nodes { package }", "edges": "edges { dependent }"},
    ),
    "Resolution": (
        '{ resolve(input: { requirements: [{ package: "top" }] }) { ...Asked } }',
        {
            "pins": "pins { package packageVersion { id package { id } } }",
            "edges": "edges { dependency }",
            "statistics": "statistics { decisions } pins { package }",
            "cycles": "cycles { packages }",
        },
    ),
    "Pin": (
        '{ resolve(input: { requirements: [{ package: "top" }] }) { ... on Resolution { pins { ...Asked } } } }',
        {"packageVersion": "packageVersion { version dependencies { id } }"},
    ),
    "ResolutionConflict": (
        "query($wrong: [RequirementInput!]!) { resolve(input: { requirements: $wrong }) { ...Asked } }",
        {
            "steps": "steps { text }",
            "core": "core { package }",
            "relaxations": "relaxations { description }",
            "statistics": "statistics { conflicts } core { package }",
        },
    ),
    "Relaxation": (
        """query($wrong: [RequirementInput!]!) { resolve(input: { requirements: $wrong }) {
            ... on ResolutionConflict { relaxations { ...Asked } } } }""",
        {"entry": "entry { package }"},
    ),
    "Simulation": (
        "query($simulate: SimulateInput!) { simulate(input: $simulate) { ...Asked } }",
        {
            "before": "before { ... on Resolution { pins { packageVersion { id } } } }",
            "after": "after { ... on Resolution { pins { packageVersion { id } } } }",
            "diff": "diff { added { packageVersion { id } } changed { to } }",
        },
    ),
    "ResolutionDiff": (
        "query($simulate: SimulateInput!) { simulate(input: $simulate) { diff { ...Asked } } }",
        {
            "added": "added { packageVersion { id package { id } } }",
            "removed": "removed { packageVersion { id package { id } } }",
            "changed": "changed { from to }",
        },
    ),
    "BuildPlan": (
        "query($all: [String!]!) { buildPlan(input: { packages: $all, kinds: [RUNTIME] }) { ...Asked } }",
        {
            "waves": "waves { package }",
            "cutEdges": "cutEdges { dependent }",
            "cycles": "cycles { packages }",
        },
    ),
    "RunPreview": (
        "query($all: [String!]!) { previewRun(input: { plan: { packages: $all } }) { ...Asked } }",
        {
            "counts": "counts { count } builds { package }",
            "cutEdges": "cutEdges { dependent }",
            "builds": "builds { package status }",
        },
    ),
    # Each of these mutations has been made before, and changes nothing: what it answers is read.
    "PackagePayload": (
        "mutation($update: UpdatePackageInput!) { updatePackage(input: $update) { ...Asked } }",
        {"package": "package { dependencies(transitive: true) { nodes { latestVersion { id } } } }"},
    ),
    "PackageVersionPayload": (
        "mutation($top: PublishVersionInput!) { publishVersion(input: $top) { ...Asked } }",
        {"version": "version { dependencies { package { id } } }"},
    ),
    "PublishVersionsPayload": (
        "mutation($items: [PublishVersionInput!]!) { publishVersions(input: { versions: $items }) { ...Asked } }",
        {"results": "results { version { package { id } dependencies { id } } }"},
    ),
    "RunPayload": (
        "mutation($start: StartRunInput!) { startRun(input: $start) { ...Asked } }",
        {"run": "run { builds { nodes { id packageVersion { id } } } }"},
    ),
    "BuildPayload": (
        "mutation($log: AppendLogInput!) { appendLog(input: $log) { ...Asked } }",
        {"build": "build { run { builds { nodes { id packageVersion { id } } } } }"},
    ),
    "ClaimBuildsPayload": (
        "mutation($claim: ClaimBuildsInput!) { claimBuilds(input: $claim) { ...Asked } }",
        {"claims": "claims { lease build { packageVersion { id } } }"},
    ),
    "ClaimedBuild": (
        "mutation($claim: ClaimBuildsInput!) { claimBuilds(input: $claim) { claims { ...Asked } } }",
        {"build": "build { run { id } packageVersion { package { id } } }"},
    ),
}

# Fields of which an operation has one only, each as a whole.
SINGLE: Final[Mapping[str, str]] = {
    "Query.build": "query($build: ID!) { build(id: $build) { run { builds { nodes { id } } } } }",
    "Query.builds": "{ builds(first: 1000) { totalCount nodes { id } } }",
    "Query.run": "query($run: ID!) { run(id: $run) { builds { nodes { id packageVersion { id } } } } }",
    "Query.runs": "{ runs(first: 1000) { totalCount nodes { id } } }",
    "Query.alerts": "{ alerts(first: 1000) { totalCount nodes { id } } }",
    "Query.alertRules": "{ alertRules { id labels { key } } }",
    "Query.errors": "{ errors(first: 1000) { totalCount nodes { id } } }",
    "Query.metrics": "query($load: MetricQuery!) { metrics(query: $load) { name points { value } } }",
    "Query.blockers": "{ blockers { kind package } }",
    "Query.previewRun": """query($all: [String!]!) { previewRun(input: { plan: { packages: $all } }) {
        ... on RunPreview { builds { package } } } }""",
    "Query.node": """query($run: ID!) { node(id: $run) { ... on BuildRun { builds { nodes { id } } } } }""",
    "Query.nodes": """query($ids: [ID!]!) { nodes(ids: $ids) {
        ... on Build { packageVersion { id } } ... on BuildRun { total } } }""",
    "Query.server": "{ server { packages versions } packages(first: 1000) { nodes { name } } }",
    "Query.package": '{ package(name: "hub") { dependents(transitive: true) { nodes { id latestVersion { id } } } } }',
    "Query.packages": "{ packages(first: 1000) { totalCount nodes { name } } }",
    "Query.packageVersion": """{ packageVersion(package: "top", version: "1") {
        dependencies { package { latestVersion { id } } } } }""",
    "Query.resolve": """{ resolve(input: { requirements: [{ package: "top" }] }) {
        ... on Resolution { pins { package } } } }""",
    "Query.simulate": """query($simulate: SimulateInput!) { simulate(input: $simulate) {
        diff { changed { package } } } }""",
    "Query.cycles": "{ cycles { nodes { packages } } }",
    "Query.path": 'query($last: String!) { path(from: $last, to: "hub") { packages } }',
    "Query.paths": '{ paths(from: "top", to: "hub") { nodes } }',
    "Query.subgraph": "query($all: [String!]!) { subgraph(packages: $all) { nodes { package } } }",
    "Query.impact": '{ impact(packages: ["hub"]) { dependents { package } } }',
    "Query.stateTransitions": "{ stateTransitions(first: 1000) { nodes { to } } }",
    "Query.buildPlan": """query($all: [String!]!) { buildPlan(input: { packages: $all, kinds: [RUNTIME] }) {
        ... on BuildPlan { waves { package } } } }""",
    "RunPayload.conflict": """mutation($wrong: [RequirementInput!]!) {
        startRun(input: { plan: { resolve: { requirements: $wrong } } }) { conflict { core { package } } } }""",
    "PublishVersionResult.version": """mutation($items: [PublishVersionInput!]!) {
        publishVersions(input: { versions: $items }) { results { version { package { id } latestBuild { id } } } } }""",
    "PublishVersionResult.error": """mutation($bad: [PublishVersionInput!]!) {
        publishVersions(input: { versions: $bad, atomic: false }) { results { error { message } } } }""",
}

# What is delivered message by message. What is asked of a build or a run beyond its own row, each message reads: it tells
# how that is when it is delivered.
STREAMED: Final[Mapping[str, str]] = {
    "Subscription.events": 'events(after: "0", filter: { kinds: [BUILD_CHANGED] }) { ... on Event { cursor } }',
    "Subscription.buildStatus": 'buildStatus(after: "0") { ... on Event { build { status } } }',
    "Event.transition": 'events(after: "0", filter: { kinds: [BUILD_CHANGED] }) { ... on Event { transition { to } } }',
    "Event.build": 'events(after: "0", filter: { kinds: [BUILD_CHANGED] }) { ... on Event { build { status } } }',
    "Event.alert": 'events(after: "0", filter: { kinds: [ALERT_CHANGED] }) { ... on Event { alert { state } } }',
    "Event.run": 'events(after: "0", filter: { kinds: [BUILD_CHANGED] }) { ... on Event { run { status } } }',
}

SNAPSHOT: Final[Mapping[str, str]] = {
    "BuildSnapshot.builds": """subscription { buildStatus { ... on BuildSnapshot {
        builds { run { id } packageVersion { package { id } } } } } }""",
}

# The solver reads what declares a conflict where its search comes to it, a statement for each step, and keeps that for all
# who ask later: it cannot know before what will be in the way, and all of it may be a whole catalogue. So these are counted
# when they are asked again.
SEARCHING: Final = frozenset(
    {
        "Query.simulate",
        "Relaxation.entry",
        "ResolutionConflict.core",
        "ResolutionConflict.relaxations",
        "ResolutionConflict.statistics",
        "ResolutionConflict.steps",
        "ResolutionDiff.added",
        "ResolutionDiff.changed",
        "ResolutionDiff.removed",
        "RunPayload.conflict",
        "Simulation.after",
        "Simulation.before",
        "Simulation.diff",
    }
)


def answered() -> Mapping[str, str]:
    """Return every operation that is answered at once, by the field that it is about."""
    nested = {
        f"{kind}.{name}": f"{route} fragment Asked on {kind} {{ {selection} }}"
        for kind, (route, fields) in NESTED.items()
        for name, selection in fields.items()
    }
    return {**nested, **SINGLE}


def streamed() -> Mapping[str, str]:
    """Return every subscription to a log that is there already, by the field that it is about."""
    return {name: f"subscription {{ {selection} }}" for name, selection in STREAMED.items()}
