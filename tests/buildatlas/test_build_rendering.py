"""What does not come up in the small catalogues of the commands' own tests."""

from io import StringIO

from rich.console import Console

from buildatlas import build_rendering
from buildatlas.rendering import Data, Show


def shown(show: Show, data: object) -> list[str]:
    file = StringIO()
    show(Console(file=file, width=120), data)
    return file.getvalue().splitlines()


def count(number: int, status: str, conclusion: str | None = None) -> Data:
    return {"status": status, "conclusion": conclusion, "count": number}


def build(**fields: object) -> Data:
    return {
        "id": "b1",
        "status": "COMPLETED",
        "conclusion": "FAILURE",
        "attempt": 2,
        "maxAttempts": 3,
        "worker": "w1",
        "durationSeconds": 75.0,
        "message": "no rule to make\ntarget 'all'",
        "reason": None,
        "packageVersion": {"version": "1.0", "package": {"name": "[b]app"}},
        "run": {"id": "r1"},
        **fields,
    }


WHOLE = build(
    trigger="MANUAL",
    priority=1200,
    workerLabels=[{"key": "arch", "value": "arm64"}],
    timeoutSeconds=3600,
    expectedSeconds=60.5,
    outputDigest="sha256:1",
    createdAt="2026-01-01T00:00:00Z",
    queuedAt="2026-01-01T00:00:01.123456Z",
    notBefore=None,
    startedAt="2026-01-01T00:00:02Z",
    leaseExpiresAt=None,
    completedAt="2026-01-01T00:01:17Z",
    blockedBy=[
        {"kind": "DEP_FAILED", "package": "zlib", "path": ["app", "lib", "zlib"], "message": "zlib 1 failed"}
    ],
    attempts=[
        {
            "number": 1,
            "worker": "w0",
            "startedAt": "2026-01-01T00:00:00Z",
            "completedAt": None,
            "conclusion": None,
            "message": None,
        },
        {
            "number": 2,
            "worker": "w1",
            "startedAt": None,
            "completedAt": "2026-01-01T00:01:17Z",
            "conclusion": "FAILURE",
            "message": "no rule",
        },
    ],
    artifacts=[
        {"name": "app.whl", "uri": "s3://bin/app.whl", "digest": None, "sizeBytes": 123456.0},
        {"name": "log", "uri": "file:///log", "digest": "sha256:2", "sizeBytes": None},
    ],
    transitions={
        "nodes": [
            {
                "at": "2026-01-01T00:00:00Z",
                "from": None,
                "to": "QUEUED",
                "conclusion": None,
                "attempt": None,
                "actor": "ann",
                "reason": None,
            },
            {
                "at": "2026-01-01T00:01:17Z",
                "from": "RUNNING",
                "to": "COMPLETED",
                "conclusion": "FAILURE",
                "attempt": 2,
                "actor": None,
                "reason": "no rule",
            },
        ]
    },
)


def test_one_build_is_shown_with_all_that_is_known_of_it() -> None:
    assert shown(build_rendering.build, WHOLE) == [
        "[b]app 1.0  FAILURE",
        "  build           b1",
        "  run             r1",
        "  trigger         MANUAL",
        "  message         no rule to make target 'all'",
        "  attempt         2/3",
        "  worker          w1",
        "  worker labels   arch=arm64",
        "  priority        1,200",
        "  took            1 min 15 s",
        "  expected        1 min",
        "  may take        1 h",
        "  created         2026-01-01 00:00:00",
        "  queued          2026-01-01 00:00:01",
        "  started         2026-01-01 00:00:02",
        "  ended           2026-01-01 00:01:17",
        "  output digest   sha256:1",
        "",
        "why it is not running",
        "  DEP_FAILED zlib 1 failed  app → lib → zlib",
        "",
        "attempts",
        "number  ended as  started (UTC)        ended (UTC)          worker  message",
        "     1            2026-01-01 00:00:00                       w0",
        "     2  FAILURE                        2026-01-01 00:01:17  w1      no rule",
        "",
        "artifacts",
        "name        size  uri               digest",
        "app.whl  123,456  s3://bin/app.whl",
        "log               file:///log       sha256:2",
        "",
        "history",
        "at (UTC)             from     to       attempt  by   reason",
        "2026-01-01 00:00:00           QUEUED            ann",
        "2026-01-01 00:01:17  RUNNING  FAILURE        2       no rule",
    ]


def test_what_there_is_nothing_of_is_not_mentioned() -> None:
    lone = {
        **WHOLE,
        "run": None,
        "blockedBy": [],
        "attempts": [],
        "artifacts": [],
        "transitions": {"nodes": []},
    }

    lines = shown(build_rendering.build, lone)

    assert lines[-1] == "  output digest   sha256:1"
    assert not any(line.startswith("  run ") for line in lines)


def test_a_list_of_builds_says_how_each_stands_and_how_many_it_leaves_out() -> None:
    waiting = build(
        id="b2", conclusion=None, status="BLOCKED", worker=None, durationSeconds=None, message=None
    )
    waiting = {**waiting, "blockedBy": [{"kind": "NO_WORKER", "message": "none is there", "path": ["app"]}]}

    lines = shown(build_rendering.builds, {"totalCount": 1202, "nodes": [build(), waiting]})

    assert lines == [
        "id  package  version  state    attempt  worker        time  message",
        "b1  [b]app   1.0      FAILURE      2/3  w1      1 min 15 s  no rule to make target 'all'",
        "b2  [b]app   1.0      BLOCKED      2/3",
        "    NO_WORKER none is there",
        "1,202 builds, 1,200 of them not listed: --first tells how many are",
    ]


def test_a_run_says_why_it_was_called_off_and_counts_what_has_ended_first() -> None:
    run = {
        "id": "r1",
        "status": "CANCELING",
        "conclusion": None,
        "reason": "not\nneeded",
        "total": 1163,
        "counts": [
            count(40, "BLOCKED"),
            count(1120, "COMPLETED", "SUCCESS"),
            count(3, "COMPLETED", "FAILURE"),
        ],
    }

    assert shown(build_rendering.run, run) == [
        "run r1: CANCELING, 1,163 builds: not needed",
        "  1,120 SUCCESS, 3 FAILURE, 40 BLOCKED",
    ]


def test_a_run_of_nothing_has_nothing_to_count() -> None:
    run: Data = {
        "id": "r1",
        "status": "COMPLETED",
        "conclusion": "SUCCESS",
        "reason": None,
        "total": 0,
        "counts": [],
    }

    assert shown(build_rendering.run, run) == ["run r1: SUCCESS, 0 builds"]


def test_a_preview_tells_what_would_stand_still_be_put_an_end_to_and_be_cut() -> None:
    lacking = [
        {
            "package": f"p{number}",
            "version": "1",
            "wave": number % 2,
            "conclusion": "UNRESOLVABLE",
            "reason": "nothing satisfies x>=9" if number else None,
        }
        for number in range(23)
    ]
    lacking.sort(key=lambda each: str(each["wave"]))

    lines = shown(
        build_rendering.preview,
        {
            "total": 23,
            "counts": [count(23, "COMPLETED", "UNRESOLVABLE")],
            "builds": lacking,
            "supersedes": 1200,
            "cutEdges": [{"dependent": "a", "dependency": "b"}, {"dependent": "[b]", "dependency": "a"}],
            "criticalPath": ["p0", "p1"],
            "criticalPathSeconds": 7500.0,
        },
    )

    assert lines[1:3] == [
        "    1       12  p0, p2, p4, p6, p8, p10, p12, p14 and 4 more",
        "    2       11  p1, p3, p5, p7, p9, p11, p13, p15 and 3 more",
    ]
    assert lines[3:6] == [
        "23 builds: 23 UNRESOLVABLE",
        "  UNRESOLVABLE p0 1",
        "  UNRESOLVABLE p2 1: nothing satisfies x>=9",
    ]
    assert lines[-5:] == [
        "  … and 3 more UNRESOLVABLE; --json has them all",
        "1,200 builds of other runs would end as SUPERSEDED",
        "2 dependencies left out to open cycles: a → b, [b] → a",
        "critical path, 2 builds, 2 h 5 min: p0 → p1",
        "nothing was started",
    ]


def test_a_preview_of_what_can_be_built_tells_no_more_than_its_order() -> None:
    builds = [{"package": "a", "version": "1", "wave": 0, "conclusion": None}]

    lines = shown(
        build_rendering.preview,
        {
            "total": 1,
            "counts": [count(1, "QUEUED")],
            "builds": builds,
            "supersedes": 0,
            "cutEdges": [],
            "criticalPath": ["a"],
            "criticalPathSeconds": None,
        },
    )

    assert lines == [
        " wave   builds  packages",
        "    1        1  a",
        "1 build: 1 QUEUED",
        "critical path, 1 build: a",
        "nothing was started",
    ]


def test_blockers_tell_what_each_holds_up() -> None:
    blockers = [
        {
            "kind": "DEP_FAILED",
            "package": "zlib",
            "build": {"id": "b1"},
            "blockedBuilds": 1400,
            "remainingSeconds": 7500.0,
            "message": "zlib 1 failed:\nno compiler",
        },
        {
            "kind": "POLICY",
            "package": "old",
            "build": None,
            "blockedBuilds": 1,
            "remainingSeconds": 3.0,
            "message": "archived",
        },
    ]

    assert shown(build_rendering.blockers, blockers) == [
        "what        package  build  holds up  remaining  message",
        "DEP_FAILED  zlib     b1        1,400  2 h 5 min  zlib 1 failed: no compiler",
        "POLICY      old                    1      3.0 s  archived",
    ]
