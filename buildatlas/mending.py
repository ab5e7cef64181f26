"""The doctor as the command line calls it: what was looked at, what is wrong, and what was done about it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.status import Status

from buildatlas.wording import counted
from resolvers import doctor
from resolvers.doctor import Look, Mended
from storage.checks.findings import Finding
from storage.database import Database


def examined(database: Database, *, repair: bool, console: Console) -> dict[str, Any]:
    """Examine `database`, with `repair` also mend it, and return the report. The progress is shown on a terminal."""
    with console.status("") as status:
        tell = _telling(status)
        if repair:
            mended = doctor.repair(database, now=datetime.now(UTC), progress=tell)
        else:
            mended = Mended(Counter(), {}, doctor.examine(database, tell))
    return _report(database.location, mended)


def _telling(status: Status) -> Any:
    return lambda check: status.update(f"looking at {check}")


def _report(location: str, mended: Mended) -> dict[str, Any]:
    return {
        "database": location,
        "wrong": mended.left.wrong,
        "mended": dict(mended.mended),
        "refused": mended.refused,
        "checks": [_check(look) for look in mended.left.looks],
    }


def _check(look: Look) -> dict[str, Any]:
    return {
        "check": look.check,
        "lookedAt": look.found.looked_at,
        "total": look.found.total,
        "seconds": look.seconds,
        "findings": [_finding(finding) for finding in look.found.findings],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "subject": finding.subject,
        "problem": finding.problem,
        "remedy": finding.remedy,
        "mendable": finding.is_mendable,
    }


def show(console: Console, report: Mapping[str, Any]) -> None:
    """Print a line for each check, with what it has found, and what was mended."""
    for check in report["checks"]:
        _show_check(console, check)
    for check, many in report["mended"].items():
        _print(console, f"mended {counted(many, 'thing')} of {check}", style="green")
    for check, said in report["refused"].items():
        _print(console, f"could not mend {check}: {said}", style="red")
    _print(console, _summary(report), style="bold")


def _show_check(console: Console, check: Mapping[str, Any]) -> None:
    total = check["total"]
    verdict = f"{total:,} wrong" if total else "content"
    _print(
        console,
        f"{check['check']:<18}{check['lookedAt']:>12,} looked at  {verdict}",
        style="yellow" if total else None,
    )
    for finding in check["findings"]:
        _print(console, f"  {finding['subject']} {finding['problem']}")
        _print(
            console,
            f"    {'--repair ' if finding['mendable'] else 'by hand: '}{finding['remedy']}",
            style="dim",
        )
    if total > len(check["findings"]):
        _print(console, f"  … and {total - len(check['findings']):,} more")


def _summary(report: Mapping[str, Any]) -> str:
    checks: Sequence[Mapping[str, Any]] = report["checks"]
    seconds = sum(check["seconds"] for check in checks)
    verdict = f"{counted(report['wrong'], 'thing')} wrong" if report["wrong"] else "nothing wrong"
    return f"{counted(len(checks), 'check')}, {verdict} ({seconds:.1f} s)"


def _print(console: Console, line: str, style: str | None = None) -> None:
    console.print(line, style=style, markup=False, highlight=False, soft_wrap=True)
