"""The explanation of a conflict: its derivation as steps, and as prose.

How it works: what was learned last has no terms and is the root of a graph of
causes whose leaves are declared facts. The graph is laid out so that causes come
first, without recursion, since a derivation may be thousands of causes deep.
Prose has one line a conclusion; a line that rests on the line before it goes on
with "And because", one that is needed again later gets a number.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from graph import phrases
from graph.constraints import either
from graph.problem import Problem
from graph.resolution import Conflict, DerivationKind, DerivationStep, Statistics
from graph.terms import NOT_SELECTED, Fact, Incompatibility, Needs, Required, Restricted

# Nobody reads on; the steps hold everything.
_MOST_LINES = 12


def explain(problem: Problem, proof: Incompatibility, statistics: Statistics) -> Conflict:
    """Return the derivation of `proof`, an incompatibility without terms."""
    derived = list(_causes_first(proof))
    steps = _Steps(problem)
    for incompatibility in derived:
        steps.add_derived(incompatibility)
    told = list(_Prose(problem, derived).lines())
    lines = [_verdict(steps.facts), *_shortened(told), *_left_out(problem, steps.facts)]
    message = "\n".join(lines)
    return Conflict(message, tuple(steps.steps), statistics)


def _causes_first(proof: Incompatibility) -> Iterator[Incompatibility]:
    """Yield every derived incompatibility that `proof` rests on, and it last, each after its causes."""
    done: set[int] = set()
    stack = [(proof, False)]
    while stack:
        incompatibility, is_expanded = stack.pop()
        if id(incompatibility) in done:
            continue
        if is_expanded:
            done.add(id(incompatibility))
            yield incompatibility
            continue
        stack.append((incompatibility, True))
        stack.extend((cause, False) for cause in reversed(_derived_causes(incompatibility)))


def _causes(incompatibility: Incompatibility) -> tuple[Incompatibility, ...]:
    """Return the causes of a derived incompatibility; a bare fact that proves all by itself is its own cause."""
    return incompatibility.cause if isinstance(incompatibility.cause, tuple) else (incompatibility,)


def _derived_causes(incompatibility: Incompatibility) -> list[Incompatibility]:
    return [cause for cause in _causes(incompatibility) if isinstance(cause.cause, tuple)]


def _facts(incompatibility: Incompatibility) -> list[Fact]:
    """Return the facts among the causes, in the order in which they are best read: what is asked comes last."""
    facts = [cause.cause for cause in _causes(incompatibility) if not isinstance(cause.cause, tuple)]
    return sorted(_merged(facts), key=lambda fact: not isinstance(fact, Needs))


def _merged(facts: Iterable[Fact]) -> list[Fact]:
    """Say once what several versions of one package need of another, where it comes to the same."""
    merged: dict[object, Fact] = {}
    for fact in facts:
        key = (fact.dependent, fact.dependency, fact.admitted) if isinstance(fact, Needs) else fact
        earlier = merged.get(key)
        if isinstance(fact, Needs) and isinstance(earlier, Needs):
            merged[key] = _together(earlier, fact)
        else:
            merged[key] = fact
    return list(merged.values())


def _together(one: Needs, other: Needs) -> Needs:
    return Needs(
        one.dependent,
        one.versions | other.versions,
        one.dependency,
        one.admitted,
        one.matching | other.matching,
        tuple(dict.fromkeys((*one.declared, *other.declared))),
    )


# Steps


class _Steps:
    """The derivation laid out, causes before what follows from them."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._index: dict[Fact | int, int] = {}
        self._said: list[str] = []
        """What each step comes to, in short, for the steps that rest on it."""
        self.steps: list[DerivationStep] = []
        self.facts: list[Fact] = []

    def add_derived(self, incompatibility: Incompatibility) -> None:
        causes = [self._index[id(cause)] for cause in _derived_causes(incompatibility)]
        for fact in _facts(incompatibility):
            causes.extend(self._add_fact(fact))
        reasons = phrases.reasons([self._said[cause] for cause in causes])
        concluded = phrases.conclusion(self._problem, incompatibility.terms)
        self._index[id(incompatibility)] = len(self.steps)
        text = f"Because {reasons}, {concluded}"
        step = DerivationStep(len(self.steps), DerivationKind.DERIVED, text, tuple(causes))
        self._append(step, concluded)

    def _append(self, step: DerivationStep, said: str) -> None:
        self.steps.append(step)
        self._said.append(said)

    def _add_fact(self, fact: Fact) -> list[int]:
        """Return the index of the fact, and that of why nothing satisfies it where that is so."""
        if fact in self._index:
            index = self._index[fact]
            return [index, index + 1] if _is_hopeless(fact) else [index]
        self.facts.append(fact)
        index = self._index[fact] = len(self.steps)
        step = self._step(fact, index)
        self._append(step, step.text)
        if not _is_hopeless(fact):
            return [index]
        absence = self._absence(fact, index + 1)
        self._append(absence, absence.text)
        return [index, index + 1]

    def _step(self, fact: Fact, index: int) -> DerivationStep:
        text = fact_text(self._problem, fact)
        if isinstance(fact, Needs):
            return DerivationStep(
                index,
                DerivationKind.DEPENDENCY,
                text,
                package=self._problem.names[fact.dependent],
                versions=phrases.versions(self._problem, fact.dependent, fact.versions),
                dependency=self._problem.names[fact.dependency],
                constraint=either(fact.constraints),
            )
        is_required = isinstance(fact, Required)
        kind = DerivationKind.ROOT_REQUIREMENT if is_required else DerivationKind.CONSTRAINT
        asked = fact.requirement
        return DerivationStep(index, kind, text, dependency=asked.package, constraint=asked.constraint)

    def _absence(self, fact: Fact, index: int) -> DerivationStep:
        package = fact.dependency if isinstance(fact, Needs) else fact.package
        is_known = self._problem.candidates[package] is not None
        return DerivationStep(
            index,
            DerivationKind.NO_VERSIONS if is_known else DerivationKind.UNKNOWN_PACKAGE,
            _absence_text(self._problem, fact),
            dependency=self._problem.names[package],
            constraint=_constraint_text(self._problem, fact),
        )


def fact_text(problem: Problem, fact: Fact) -> str:
    """Say a declared fact in words."""
    if isinstance(fact, Required):
        return phrases.required([fact])
    return phrases.restricted(fact) if isinstance(fact, Restricted) else phrases.needs(problem, fact)


def _is_hopeless(fact: Fact) -> bool:
    """Whether nothing that may be picked satisfies it, which is then a fact of its own."""
    return fact.admitted == 0 and not isinstance(fact, Restricted)


def _absence_text(problem: Problem, fact: Fact) -> str:
    package = fact.dependency if isinstance(fact, Needs) else fact.package
    matching = 0 if isinstance(fact, Restricted) else fact.matching
    return phrases.absence(problem, package, matching, _constraint_text(problem, fact))


def _constraint_text(problem: Problem, fact: Fact) -> str:
    if not isinstance(fact, Needs):
        return fact.requirement.constraint or "*"
    override = problem.override(fact.dependency)
    return (either(fact.constraints) if override is None else override) or "*"


# Prose


def _verdict(facts: Sequence[Fact]) -> str:
    required = sorted({str(fact.requirement) for fact in facts if isinstance(fact, Required)})
    restricted = sorted({str(fact.requirement) for fact in facts if isinstance(fact, Restricted)})
    parts = [
        f"your {noun}{'' if len(asked) == 1 else 's'} {phrases.listed(asked)}"
        for noun, asked in (("requirement", required), ("constraint", restricted))
        if asked
    ]
    return f"No versions satisfy {phrases.listed(parts)}."


def _shortened(lines: Sequence[str]) -> Sequence[str]:
    """Keep the end, which concludes; whoever wants to check the rest finds it in the steps."""
    if len(lines) <= _MOST_LINES:
        return lines
    left = len(lines) - _MOST_LINES
    return [f"… {left:,} conclusions that lead to these are told in the steps.", *lines[left:]]


class _Prose:
    """One line a conclusion."""

    def __init__(self, problem: Problem, derived: Sequence[Incompatibility]) -> None:
        self._problem = problem
        self._derived = derived
        self._numbers = self._numbered()

    def _numbered(self) -> dict[int, int]:
        """Number the lines that are cited from anywhere but the next line."""
        position = {id(incompatibility): i for i, incompatibility in enumerate(self._derived)}
        cited: Counter[int] = Counter()
        for i, incompatibility in enumerate(self._derived):
            for cause in {id(cause) for cause in _derived_causes(incompatibility)}:
                cited[cause] += 1 if position[cause] == i - 1 else 2
        ordered = sorted((cause for cause, times in cited.items() if times > 1), key=position.__getitem__)
        return {cause: number for number, cause in enumerate(ordered, start=1)}

    def lines(self) -> Iterator[str]:
        previous: Incompatibility | None = None
        for incompatibility in self._derived:
            yield self._line(incompatibility, previous)
            previous = incompatibility

    def _line(self, incompatibility: Incompatibility, previous: Incompatibility | None) -> str:
        causes = _derived_causes(incompatibility)
        goes_on = previous is not None and any(cause is previous for cause in causes)
        reasons = [self._cited(cause) for cause in causes if cause is not previous]
        reasons.extend(_reasons(self._problem, _facts(incompatibility)))
        concluded = phrases.conclusion(self._problem, incompatibility.terms)
        opening = "And because" if goes_on else "Because"
        sentence = f"{opening} {phrases.reasons(reasons)}, {concluded}." if reasons else f"So {concluded}."
        number = self._numbers.get(id(incompatibility))
        return sentence if number is None else f"({number}) {sentence}"

    def _cited(self, cause: Incompatibility) -> str:
        number = self._numbers.get(id(cause))
        concluded = phrases.conclusion(self._problem, cause.terms)
        return concluded if number is None else f"{concluded} ({number})"


def _reasons(problem: Problem, facts: Sequence[Fact]) -> Iterator[str]:
    """Say facts so that each leads on to the next where it can, what is asked last."""
    for chain in _chains([fact for fact in facts if isinstance(fact, Needs)]):
        yield phrases.chain(problem, chain)
        if _is_hopeless(chain[-1]):
            yield _absence_text(problem, chain[-1])
    required = [fact for fact in facts if isinstance(fact, Required)]
    if required:
        yield phrases.required(required)
    for fact in facts:
        if isinstance(fact, Restricted):
            yield phrases.restricted(fact)
        elif isinstance(fact, Required) and _is_hopeless(fact):
            yield _absence_text(problem, fact)


def _chains(needs: Sequence[Needs]) -> Iterator[list[Needs]]:
    """Group into "a needs b, which needs c": each link holds for all that the one before it allows."""
    by_dependent = {fact.dependent: fact for fact in reversed(needs)}
    needed = {fact.dependency for fact in needs}
    starts_first = sorted(needs, key=lambda fact: fact.dependent in needed)
    said: set[int] = set()
    for fact in starts_first:
        chain: list[Needs] = []
        link: Needs | None = fact
        while link is not None and id(link) not in said:
            said.add(id(link))
            chain.append(link)
            following = by_dependent.get(link.dependency)
            links_up = following is not None and link.admitted and not link.admitted & ~following.versions
            link = following if links_up else None
        if chain:
            yield chain


def _left_out(problem: Problem, facts: Sequence[Fact]) -> Iterator[str]:
    """Name versions that constraints in the derivation would allow, were they not ruled out beforehand."""
    near: dict[int, int] = {}
    for fact in facts:
        if not isinstance(fact, Restricted) and fact.admitted & ~NOT_SELECTED:
            package = fact.dependency if isinstance(fact, Needs) else fact.package
            near[package] = near.get(package, 0) | fact.matching
    reasons = [
        r for package, mask in sorted(near.items()) for r in phrases.exclusions(problem, package, mask)
    ]
    if reasons:
        yield f"Left out beforehand: {phrases.listed(reasons)}."
