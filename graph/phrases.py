"""Versions, facts and conclusions in words."""

from collections.abc import Iterable, Sequence

from graph.constraints import both, either, ranges_of
from graph.problem import Problem
from graph.ranges import Ranges
from graph.terms import NOT_SELECTED, Fact, Needs, Required, Restricted, Term, bits

# A set of versions that falls into more pieces than this is cut short: nobody reads on.
_MOST_RUNS = 3
# The union of what many versions declare may be longer than the versions it allows.
_LONGEST_CONSTRAINT = 40
_MOST_DECLARED = 50
_MOST_REASONS = 16
_MOST_NEIGHBOURS = 4
_MOST_LINKS = 6
_LONGEST_LINE = 300


def listed(parts: Sequence[str], word: str = "and") -> str:
    """Join as in a sentence: "a, b and c"."""
    return f" {word} ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def reasons(parts: Sequence[str], *, most: int = _MOST_REASONS) -> str:
    """Join clauses, which may hold commas of their own: "a, which needs b; c; and d". More than `most` are cut short."""
    if len(parts) > most:
        parts = [*parts[:most], counted(len(parts) - most, "more reason")]
    return "; ".join((*parts[:-1], f"and {parts[-1]}")) if len(parts) > 2 else " and ".join(parts)


def few(parts: Sequence[str]) -> list[str]:
    """Cut a long list short."""
    left = len(parts) - _MOST_REASONS
    return [*parts[:_MOST_REASONS], f"{left:,} more"] if left > 1 else list(parts)


def counted(number: int, one: str = "reason") -> str:
    """Return such as "1 reason" or "2,000 reasons"."""
    return f"{number:,} {one}{'' if number == 1 else 's'}"


def cut(text: str) -> str:
    """Return a line that is not too long to be read, with a sign where its end is missing."""
    if len(text) <= _LONGEST_LINE:
        return text
    kept = text[:_LONGEST_LINE]
    at_word = kept.rpartition(" ")[0]
    return f"{at_word if len(at_word) > _LONGEST_LINE // 2 else kept} …"


def sentence(text: str) -> str:
    """Return a clause as a sentence. A package's name keeps its first letter as it is."""
    return f"{'N' if text.startswith('no ') else text[0]}{text[1:]}."


def neighbours(problem: Problem, package: int, wanted: Ranges) -> str:
    """Say which versions there are, or of many those closest to the first of `wanted`, none of which exists."""
    candidates, name = problem.candidates[package], problem.names[package]
    assert candidates is not None, "there are no versions to be close"
    texts = [version.text for version in candidates.versions]
    if len(texts) <= _MOST_NEIGHBOURS:
        return f"{name} has {', '.join(texts)}"
    below = sum(version.key < wanted.points[0] for version in candidates.versions)
    nearest = texts[max(below - 1, 0) : below + 1]
    return f"the nearest {'is' if len(nearest) == 1 else 'are'} {listed(nearest)}"


def versions(problem: Problem, package: int, mask: int) -> str:
    """Describe the versions in `mask` by real version numbers, without the name; "any" for all that may be picked."""
    admitted = problem.admitted_bits(package)
    wanted = [bit for bit in admitted if mask >> bit & 1]
    if len(wanted) == len(admitted) and len(wanted) > 1:
        return "any"
    runs = _runs(admitted, mask)
    shown = [_run_text(problem, package, run, admitted) for run in runs[:_MOST_RUNS]]
    if len(runs) > _MOST_RUNS:
        shown.append(f"{sum(map(len, runs[_MOST_RUNS:]))} more")
    return listed(shown, "or")


def _runs(admitted: Iterable[int], mask: int) -> list[list[int]]:
    """Group what is in `mask` by neighbourhood among what may be picked."""
    runs: list[list[int]] = []
    is_open = False
    for bit in admitted:
        inside = bool(mask >> bit & 1)
        if inside and is_open:
            runs[-1].append(bit)
        elif inside:
            runs.append([bit])
        is_open = inside
    return runs


def _run_text(problem: Problem, package: int, run: Sequence[int], admitted: Sequence[int]) -> str:
    first, last = problem.version(package, run[0]).text, problem.version(package, run[-1]).text
    if len(run) == 1:
        return first
    if run[-1] == admitted[-1]:
        return f"{first} and newer"
    if run[0] == admitted[0]:
        return f"{last} and older"
    return f"{first} and {last}" if len(run) == 2 else f"{first} to {last}"


def selection(problem: Problem, package: int, mask: int) -> str:
    """Name a package with some of its versions, as the subject of a sentence."""
    described = versions(problem, package, mask)
    name = problem.names[package]
    return f"every version of {name}" if described == "any" else f"{name} {described}"


def required(facts: Sequence[Required]) -> str:
    """Say what the question requires, in one breath."""
    asked = sorted(str(fact.requirement) for fact in facts if not fact.is_override)
    held = sorted(str(fact.requirement) for fact in facts if fact.is_override)
    parts = [
        *([f"you require {listed(asked)}"] if asked else []),
        *([f"you override to {listed(held)}"] if held else []),
    ]
    return listed(parts)


def restricted(fact: Restricted) -> str:
    """Say what the question restricts."""
    return f"your constraint allows only {fact.requirement}"


def needs(problem: Problem, fact: Needs) -> str:
    """Say what some versions declare."""
    subject = selection(problem, fact.dependent, fact.versions)
    verb = _verb(problem, fact.dependent, fact.versions)
    if fact.admitted & NOT_SELECTED:
        # It restricts without requiring.
        verb = "works only with" if verb == "needs" else "work only with"
    return f"{subject} {verb} {_needed(problem, fact)}"


def _verb(problem: Problem, package: int, mask: int) -> str:
    """Return "needs" for a 1 and for every version of a, but "need" for a 1 and newer."""
    is_one = mask.bit_count() == 1 or versions(problem, package, mask) == "any"
    return "needs" if is_one else "need"


def chain(problem: Problem, facts: Sequence[Needs]) -> str:
    """Say what versions declare of which each is what the one before needs. Of a long chain the middle is left out."""
    links = [needs(problem, facts[0]), *(_needed(problem, fact) for fact in facts[1:])]
    if len(links) > _MOST_LINKS:
        left = len(links) - _MOST_LINKS + 1
        links[_MOST_LINKS - 2 : -1] = [f"… {left:,} more …"]
    return ", which needs ".join(links)


def _needed(problem: Problem, fact: Needs) -> str:
    return f"{problem.names[fact.dependency]}{_constraint(problem, fact)}"


def _constraint(problem: Problem, fact: Needs) -> str:
    override = problem.override(fact.dependency)
    overridden = "" if override is None else f", which you override to {both(override) or '*'}"
    text = _declared(problem, fact)
    return f"{text and ' '}{text}{overridden}"


def _declared(problem: Problem, fact: Needs) -> str:
    """Say what is declared; where versions declare too many different things for that, what comes of it."""
    is_many = len(fact.declared) > _MOST_DECLARED
    text = "" if is_many else either(fact.declared)
    if len(fact.declared) == 1 or (len(text) <= _LONGEST_CONSTRAINT and not is_many):
        return text
    if fact.admitted & ~NOT_SELECTED:
        return versions(problem, fact.dependency, fact.admitted).removeprefix("any")
    return f"{both(fact.declared[0])} or the like" if is_many else text


def fact(problem: Problem, told: Fact) -> str:
    """Say a declared fact in words."""
    if isinstance(told, Required):
        return required([told])
    return restricted(told) if isinstance(told, Restricted) else needs(problem, told)


def constraint_of(problem: Problem, told: Fact) -> str:
    """Say what constraint a fact puts on a package, that of the question where it overrides."""
    if not isinstance(told, Needs):
        return told.requirement.constraint or "*"
    override = problem.override(told.dependency)
    return (_declared(problem, told) if override is None else both(override)) or "*"


def ranges_of_fact(problem: Problem, told: Fact) -> Ranges | None:
    """Return the versions that the constraint in a fact lets in; None where `===` compares texts."""
    if isinstance(told, Restricted):
        return ranges_of([(told.requirement.constraint,)])
    package = told.dependency if isinstance(told, Needs) else told.package
    override = problem.override(package)
    if override is not None:
        return ranges_of([override])
    return ranges_of(told.declared if isinstance(told, Needs) else [(told.requirement.constraint,)])


def absence_of(problem: Problem, told: Fact) -> str:
    """Say why nothing satisfies a fact."""
    package = told.dependency if isinstance(told, Needs) else told.package
    matching = 0 if isinstance(told, Restricted) else told.matching
    return absence(problem, package, matching, constraint_of(problem, told))


def absence(problem: Problem, package: int, matching: int, constraint: str) -> str:
    """Say why no version of `package` will do where `matching` would be let in by the constraint alone."""
    candidates = problem.candidates[package]
    name = problem.names[package]
    if candidates is None:
        close = problem.close_names(package)
        hint = f" (did you mean {listed(close, 'or')}?)" if close else ""
        return f"no package named {name} is registered{hint}"
    if not candidates.versions:
        return f"{name} has no versions"
    reasons = exclusions(problem, package, matching)
    if reasons:
        return f"{listed(reasons)}, and no other version of {name} matches"
    if not problem.admissions[package].admitted:
        return f"no version of {name} may be picked: {listed(exclusions(problem, package, candidates.everything))}"
    newest = problem.version(package, problem.admissions[package].admitted.bit_length() - 1).text
    return f"no version of {name} matches {constraint} (its newest is {newest})"


def exclusions(problem: Problem, package: int, mask: int) -> list[str]:
    """Name the versions within `mask` that may not be picked, each group with its reason."""
    found = []
    for reason, excluded in problem.admissions[package].excluded.items():
        texts = [problem.version(package, bit).text for bit in bits(excluded & mask)]
        if texts:
            shown = (
                texts
                if len(texts) <= _MOST_RUNS
                else [*texts[:_MOST_RUNS], f"{len(texts) - _MOST_RUNS} more"]
            )
            is_one = len(texts) == 1
            said = f"is {reason}" if is_one else f"are {reason.plural}"
            found.append(f"{problem.names[package]} {listed(shown)} {said}")
    return found


def conclusion(problem: Problem, terms: Sequence[Term]) -> str:
    """Say what an incompatibility forbids or demands."""
    given = [selection(problem, package, mask) for package, mask in terms if not mask & NOT_SELECTED]
    demanded = [
        f"{problem.names[package]} {versions(problem, package, problem.universe[package] & ~mask)}".removesuffix(
            " any"
        )
        for package, mask in terms
        if mask & NOT_SELECTED
    ]
    if not given and not demanded:
        return "your requirements cannot be met"
    if not demanded:
        together = "" if len(given) == 1 else " together"
        return f"{listed(given)} cannot be used{together}"
    if not given:
        return f"{listed(demanded, 'or')} must be used"
    if len(given) > 1:
        return f"{listed(given)} together need {listed(demanded, 'or')}"
    verb = next(_verb(problem, package, mask) for package, mask in terms if not mask & NOT_SELECTED)
    return f"{given[0]} {verb} {listed(demanded, 'or')}"
