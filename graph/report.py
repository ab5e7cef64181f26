"""The derivation of a conflict as steps, causes before what follows from them."""

from graph import phrases
from graph.constraints import MAX_SPECIFIERS, either
from graph.derivation import causes_first, derived_causes, facts_of, is_hopeless
from graph.problem import Problem
from graph.refutation import Refutation
from graph.resolution import DerivationKind, DerivationStep
from graph.terms import Fact, Incompatibility, Needs, Required


def derivation_steps(refutation: Refutation) -> tuple[DerivationStep, ...]:
    """Return the derivation: the last step concludes that there is no solution, and every other one serves it.

    Of a proof beyond telling only what the question says is among the steps, and the last one says so.
    """
    steps = _Steps(refutation.problem)
    if refutation.is_beyond_telling:
        steps.add_untold(refutation)
        return tuple(steps.steps)
    for incompatibility in causes_first(refutation.proof):
        steps.add_derived(incompatibility)
    return tuple(steps.steps)


class _Steps:
    """The derivation laid out, causes before what follows from them."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._index: dict[Fact | int, int] = {}
        self._said: list[str] = []
        """What each step comes to, in short, for the steps that rest on it."""
        self.steps: list[DerivationStep] = []

    def add_derived(self, incompatibility: Incompatibility) -> None:
        causes = [self._index[id(cause)] for cause in derived_causes(incompatibility)]
        for fact in facts_of(incompatibility):
            causes.extend(self._add_fact(fact))
        reasons = phrases.reasons([self._said[cause] for cause in causes])
        concluded = phrases.conclusion(self._problem, incompatibility.terms)
        self._index[id(incompatibility)] = len(self.steps)
        text = f"Because {reasons}, {concluded}"
        step = DerivationStep(len(self.steps), DerivationKind.DERIVED, text, tuple(causes))
        self._append(step, concluded)

    def add_untold(self, refutation: Refutation) -> None:
        """Conclude from facts that are too many to be told."""
        asked = [fact for fact in refutation.facts if not isinstance(fact, Needs)]
        causes = [index for fact in asked for index in self._add_fact(fact)]
        reasons = phrases.reasons([self._said[cause] for cause in causes])
        text = (
            f"Because {reasons}, and no combination of the versions of {len(refutation.needing):,} packages that they "
            "lead to satisfies what all of them need, as a SAT solver has found, your requirements cannot be met"
        )
        step = DerivationStep(len(self.steps), DerivationKind.DERIVED, text, tuple(causes))
        self._append(step, text)

    def _append(self, step: DerivationStep, said: str) -> None:
        self.steps.append(step)
        self._said.append(said)

    def _add_fact(self, fact: Fact) -> list[int]:
        """Return the index of the fact, and that of why nothing satisfies it where that is so."""
        if fact in self._index:
            index = self._index[fact]
            return [index, index + 1] if is_hopeless(fact) else [index]
        index = self._index[fact] = len(self.steps)
        step = self._step(fact, index)
        self._append(step, step.text)
        if not is_hopeless(fact):
            return [index]
        absence = self._absence(fact, index + 1)
        self._append(absence, absence.text)
        return [index, index + 1]

    def _step(self, fact: Fact, index: int) -> DerivationStep:
        text = phrases.fact(self._problem, fact)
        if isinstance(fact, Needs):
            return DerivationStep(
                index,
                DerivationKind.DEPENDENCY,
                text,
                package=self._problem.names[fact.dependent],
                versions=phrases.versions(self._problem, fact.dependent, fact.versions),
                dependency=self._problem.names[fact.dependency],
                constraint=_declared(fact),
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
            phrases.absence_of(self._problem, fact),
            dependency=self._problem.names[package],
            constraint=self._constraint(fact),
        )

    def _constraint(self, fact: Fact) -> str | None:
        """Return what is to be satisfied, as a constraint; None where it would be too long for one."""
        if isinstance(fact, Needs) and self._problem.override(fact.dependency) is None:
            declared = _declared(fact)
            return "*" if declared == "" else declared
        return phrases.constraint_of(self._problem, fact)


def _declared(fact: Needs) -> str | None:
    return either(fact.declared) if len(fact.declared) <= MAX_SPECIFIERS else None
