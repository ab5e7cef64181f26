"""The derivation in a proof: what follows from what, in an order to be told in."""

from collections.abc import Iterable, Iterator, Sequence

from graph.terms import Fact, Incompatibility, Needs, Restricted


def causes_first(proof: Incompatibility) -> Iterator[Incompatibility]:
    """Yield every derived incompatibility that `proof` rests on, and it last, each after its causes.

    Without recursion: a derivation may be thousands of causes deep.
    """
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
        stack.extend((cause, False) for cause in reversed(derived_causes(incompatibility)))


def _causes(incompatibility: Incompatibility) -> tuple[Incompatibility, ...]:
    """Return the causes of a derived incompatibility; a bare fact that proves all by itself is its own cause."""
    return incompatibility.cause if isinstance(incompatibility.cause, tuple) else (incompatibility,)


def derived_causes(incompatibility: Incompatibility) -> list[Incompatibility]:
    """Return those of the causes that are conclusions themselves."""
    return [cause for cause in _causes(incompatibility) if isinstance(cause.cause, tuple)]


def facts_of(incompatibility: Incompatibility) -> list[Fact]:
    """Return the facts among the causes, in the order in which they are best read: what is asked comes last."""
    facts = [cause.cause for cause in _causes(incompatibility) if not isinstance(cause.cause, tuple)]
    return sorted(_merged(facts), key=lambda fact: not isinstance(fact, Needs))


def all_facts(proof: Incompatibility) -> list[Fact]:
    """Return every fact that `proof` rests on, each once, in the order in which they are told."""
    found = (fact for incompatibility in causes_first(proof) for fact in facts_of(incompatibility))
    return list(dict.fromkeys(found))


def chains(needs: Sequence[Needs]) -> Iterator[list[Needs]]:
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
            link = following if following is not None and _links_up(link, following) else None
        if chain:
            yield chain


def _links_up(link: Needs, following: Needs) -> bool:
    """Whether all that the one allows needs the other, which is not about a package's need of itself."""
    is_other = following.dependency != following.dependent
    return is_other and link.admitted != 0 and not link.admitted & ~following.versions


def is_hopeless(fact: Fact) -> bool:
    """Whether nothing that may be picked satisfies it, which is then a fact of its own."""
    return fact.admitted == 0 and not isinstance(fact, Restricted)


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
