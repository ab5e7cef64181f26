import itertools
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from graph.answer import cycles_among
from graph.dependencies import Kind
from graph.errors import GaveUp, InvalidConstraint, InvalidVersion
from graph.problem import Problem
from graph.resolution import (
    Conflict,
    Pin,
    PrereleasePolicy,
    Question,
    Requirement,
    Resolution,
    ResolutionEdge,
    Strategy,
)
from graph.solver import solve
from tests.graph.universe import Universe, pigeons, pins, universe, wants


def picked(index: Universe, question: Question) -> dict[str, str]:
    result = solve(index, question)
    assert isinstance(result, Resolution), result
    return {pin.package: pin.version for pin in result.pins}


def is_unsolvable(index: Universe, question: Question) -> bool:
    return isinstance(solve(index, question), Conflict)


def test_the_newest_versions_are_picked() -> None:
    index = universe("""
        app 1 needs lib
        app 2 needs lib
        lib 1
        lib 10
        lib 9
    """)

    assert pins(index, "app") == {"app": "2", "lib": "10"}


def test_an_older_release_is_chosen_when_the_newest_needs_too_much() -> None:
    index = universe("""
        app 1 needs lib >=1
        lib 2 needs zlib >=9
        lib 1
        zlib 8
    """)

    assert pins(index, "app") == {"app": "1", "lib": "1"}


def test_a_choice_made_early_is_taken_back_when_it_leads_nowhere() -> None:
    index = universe("""
        left 2 needs shared >=2
        left 1
        right 1 needs shared <2
        shared 2
        shared 1
    """)

    assert pins(index, "left", "right") == {"left": "1", "right": "1", "shared": "1"}


def test_a_resolution_says_who_required_whom() -> None:
    index = universe("""
        app 1 needs lib >=1
        lib 1
    """)

    result = solve(index, Question(wants("app")))

    assert isinstance(result, Resolution)
    assert result.pins == (Pin("app", "1", direct=True), Pin("lib", "1", direct=False))
    assert result.edges == (ResolutionEdge(None, "app", ""), ResolutionEdge("app", "lib", ">=1"))
    assert cycles_among(result) == []


def test_packages_that_need_each_other_are_picked_and_named_as_a_cycle() -> None:
    index = universe("""
        a 1 needs b
        b 1 needs a
    """)

    result = solve(index, Question(wants("a")))

    assert isinstance(result, Resolution)
    assert [cycle.packages for cycle in cycles_among(result)] == [("a", "b")]


def test_mutually_exclusive_choices_end_the_search() -> None:
    """A backtracking resolver without learning runs for ever on this one."""
    index = universe("""
        a 1 needs b ==1
        a 2 needs b ==2
        b 1 needs a ==2
        b 2 needs a ==1
    """)

    assert is_unsolvable(index, Question(wants("a")))


def test_a_version_that_needs_another_version_of_its_own_package_is_passed_over() -> None:
    index = universe("""
        a 2 needs a ==1
        a 1 needs a >=1
    """)

    assert pins(index, "a") == {"a": "1"}


def test_nothing_required_is_answered_with_nothing() -> None:
    result = solve(universe(""), Question(()))

    assert isinstance(result, Resolution)
    assert (result.pins, result.edges) == ((), ())


def test_a_package_required_twice_must_satisfy_both() -> None:
    index = universe("""
        lib 1
        lib 2
        lib 3
    """)

    assert pins(index, "lib >=2", "lib <3") == {"lib": "2"}
    assert is_unsolvable(index, Question(wants("lib >=3", "lib <3")))


def test_two_declarations_on_one_package_must_both_hold() -> None:
    index = universe("""
        app 1 needs lib >=2; lib <3
        lib 1
        lib 2
        lib 3
    """)

    assert pins(index, "app") == {"app": "1", "lib": "2"}


def test_every_declared_constraint_has_an_edge_also_when_it_is_overridden() -> None:
    index = universe("app 1 needs lib >=2; lib <3\nlib 2\nlib 9")

    result = solve(index, Question(wants("app"), overrides=wants("lib")))

    assert isinstance(result, Resolution)
    assert [edge.constraint for edge in result.edges if edge.dependent == "app"] == ["<3", ">=2"]


def test_versions_that_need_different_unknown_packages_are_all_ruled_out() -> None:
    index = universe("""
        a 1
        p 1 needs ghost
        p 2 needs phantom
    """)

    assert is_unsolvable(index, Question(wants("a", "p")))


def test_names_that_differ_in_case_are_different_packages() -> None:
    index = universe("""
        Lib 1
        lib 2
    """)

    assert pins(index, "Lib", "lib") == {"Lib": "1", "lib": "2"}


def test_a_version_is_published_under_one_text_only() -> None:
    index = universe("lib 1.0")

    assert pins(index, "lib ===1.0") == {"lib": "1.0"}
    assert is_unsolvable(index, Question(wants("lib ===1.0.0")))
    assert is_unsolvable(index, Question(wants("lib ===1.0,===1.0.0")))


class TestStrategy:
    INDEX = """
        app 1 needs lib >=2
        app 2 needs lib >=2
        lib 1
        lib 2
        lib 3
    """

    @pytest.mark.parametrize(
        ("strategy", "expected"),
        [
            (Strategy.HIGHEST, {"app": "2", "lib": "3"}),
            (Strategy.LOWEST, {"app": "1", "lib": "2"}),
            (Strategy.LOWEST_DIRECT, {"app": "1", "lib": "3"}),
        ],
    )
    def test_the_strategy_orders_what_would_do(self, strategy: Strategy, expected: dict[str, str]) -> None:
        assert picked(universe(self.INDEX), Question(wants("app"), strategy=strategy)) == expected


class TestPrereleases:
    INDEX = """
        lib 1.0
        lib 2.0rc1
    """

    @pytest.mark.parametrize(
        ("policy", "expected"),
        [
            (PrereleasePolicy.IF_NECESSARY, "1.0"),
            (PrereleasePolicy.DISALLOW, "1.0"),
            (PrereleasePolicy.ALLOW, "2.0rc1"),
        ],
    )
    def test_finals_come_first_unless_prereleases_are_allowed(
        self, policy: PrereleasePolicy, expected: str
    ) -> None:
        assert picked(universe(self.INDEX), Question(wants("lib"), prereleases=policy)) == {"lib": expected}

    def test_a_package_with_nothing_else_offers_its_prereleases(self) -> None:
        assert pins(universe("lib 2.0rc1"), "lib") == {"lib": "2.0rc1"}

    def test_naming_one_lets_them_in_whoever_names_it(self) -> None:
        index = universe("""
            lib 1.0
            lib 2.0rc1
            app 1 needs lib >=2.0a1
        """)

        assert pins(index, "app") == {"app": "1", "lib": "2.0rc1"}
        assert pins(index, "lib >=2.0a1") == {"lib": "2.0rc1"}
        assert picked(index, Question(wants("lib"), constraints=wants("lib >1.0,>=2.0a1"))) == {
            "lib": "2.0rc1"
        }

    def test_a_dependency_that_is_not_followed_names_nothing(self) -> None:
        index = universe("""
            lib 1.0
            lib 2.0rc1
            app 1 needs [TEST] lib >=2.0a1
        """)

        assert is_unsolvable(index, Question(wants("lib >=2.0")))

    def test_a_dependency_declared_later_than_the_moment_asked_about_names_nothing(self) -> None:
        index = universe("""
            lib 1.0 2024-01-01
            lib 2.0rc1 2024-01-01
            app 1 2025-01-01 needs lib >=2.0a1
        """)
        question = Question(wants("lib >1.0"), as_of=datetime(2024, 6, 1, tzinfo=UTC))

        assert is_unsolvable(index, question)
        assert picked(index, replace(question, as_of=None)) == {"lib": "2.0rc1"}

    def test_disallowed_means_never(self) -> None:
        question = Question(wants("lib ==2.0rc1"), prereleases=PrereleasePolicy.DISALLOW)

        assert is_unsolvable(universe(self.INDEX), question)


class TestStatus:
    INDEX = """
        lib 3 yanked
        lib 2 deprecated
        lib 1
        lib 4 draft
        lib 5 quarantined
    """

    def test_published_comes_before_deprecated_and_the_rest_is_left_out(self) -> None:
        assert pins(universe(self.INDEX), "lib") == {"lib": "1"}
        assert pins(universe(self.INDEX), "lib >1") == {"lib": "2"}
        assert is_unsolvable(universe(self.INDEX), Question(wants("lib >2")))

    @pytest.mark.parametrize("constraint", ["==3", "===3"])
    def test_a_yanked_version_is_picked_when_pinned(self, constraint: str) -> None:
        assert pins(universe(self.INDEX), f"lib {constraint}") == {"lib": "3"}

    def test_a_yanked_version_is_picked_when_any_version_of_the_catalogue_pins_it(self) -> None:
        index = universe(self.INDEX + "\napp 1 needs lib ==3")

        assert pins(index, "app") == {"app": "1", "lib": "3"}
        assert pins(index, "app", "lib >=1") == {"app": "1", "lib": "3"}

    def test_a_wildcard_does_not_pin(self) -> None:
        assert is_unsolvable(universe(self.INDEX), Question(wants("lib ==3.*")))

    @pytest.mark.parametrize("version", ["4", "5"])
    def test_drafts_and_quarantined_versions_are_not_picked_even_when_pinned(self, version: str) -> None:
        question = Question(wants(f"lib =={version}"), locked=(("lib", version),))

        assert is_unsolvable(universe(self.INDEX), question)

    def test_nothing_of_a_quarantined_package_is_picked(self) -> None:
        index = universe("""
            package lib quarantined
            lib 1
        """)

        assert is_unsolvable(index, Question(wants("lib")))

    def test_an_archived_package_still_resolves(self) -> None:
        index = universe("""
            package lib archived
            lib 1
        """)

        assert pins(index, "lib") == {"lib": "1"}


class TestTime:
    INDEX = """
        lib 1
        lib 2 2024-01-01
        lib 3 2025-01-01
    """

    def test_later_releases_are_hidden_and_undated_ones_stay(self) -> None:
        index = universe(self.INDEX)

        assert picked(index, Question(wants("lib"), as_of=datetime(2024, 6, 1, tzinfo=UTC))) == {"lib": "2"}
        assert picked(index, Question(wants("lib"), as_of=datetime(2023, 6, 1, tzinfo=UTC))) == {"lib": "1"}


class TestLocks:
    INDEX = """
        app 1 needs lib
        lib 1
        lib 2
        lib 3 yanked
        lib 4rc1
    """

    @pytest.mark.parametrize("version", ["1", "1.0", "3", "4rc1"])
    def test_a_locked_version_is_kept(self, version: str) -> None:
        question = Question(wants("app"), locked=(("lib", version),))

        assert picked(universe(self.INDEX), question)["lib"] == version.removesuffix(".0")

    def test_a_lock_yields_to_a_requirement(self) -> None:
        question = Question(wants("app", "lib >=2"), locked=(("lib", "1"),))

        assert picked(universe(self.INDEX), question)["lib"] == "2"

    def test_a_lock_on_what_is_not_registered_is_ignored(self) -> None:
        question = Question(wants("app"), locked=(("lib", "9"), ("ghost", "1")))

        assert picked(universe(self.INDEX), question)["lib"] == "2"


class TestConstraintsAndOverrides:
    INDEX = """
        app 1 needs lib <3
        lib 1
        lib 2
        lib 3
    """

    def test_a_constraint_restricts_without_requiring(self) -> None:
        index = universe(self.INDEX)

        assert picked(index, Question(wants("app"), constraints=wants("lib <2"))) == {"app": "1", "lib": "1"}
        assert picked(index, Question((), constraints=wants("lib <2"))) == {}
        assert is_unsolvable(index, Question(wants("app"), constraints=wants("lib >=3")))

    def test_an_override_replaces_what_is_declared(self) -> None:
        index = universe(self.INDEX)

        assert picked(index, Question(wants("app"), overrides=wants("lib >=3"))) == {"app": "1", "lib": "3"}
        assert picked(index, Question(wants("lib <2"), overrides=wants("lib ==2"))) == {"lib": "2"}

    def test_what_is_overridden_names_no_prerelease(self) -> None:
        index = universe("lib 1\nlib 2rc1")

        assert picked(index, Question(wants("lib >=2rc1"), overrides=wants("lib"))) == {"lib": "1"}

    def test_a_constraint_holds_for_what_is_overridden(self) -> None:
        question = Question(wants("app"), overrides=wants("lib"), constraints=wants("lib !=3"))

        assert picked(universe(self.INDEX), question) == {"app": "1", "lib": "2"}


class TestKinds:
    INDEX = """
        app 1 needs lib; [TEST] checker; [optional] plugin; [PEER] host <2
        lib 1
        checker 1
        plugin 1
        host 1
        host 2
    """

    def test_only_the_kinds_asked_for_are_followed(self) -> None:
        index = universe(self.INDEX)

        assert pins(index, "app") == {"app": "1", "lib": "1"}
        assert picked(index, Question(wants("app"), kinds=Kind.TEST)) == {"app": "1", "checker": "1"}

    def test_optional_dependencies_are_followed_on_request(self) -> None:
        question = Question(wants("app"), include_optional=True)

        assert picked(universe(self.INDEX), question) == {"app": "1", "lib": "1", "plugin": "1"}

    def test_a_peer_restricts_without_requiring(self) -> None:
        index = universe(self.INDEX)
        kinds = Kind.RUNTIME | Kind.PEER

        assert picked(index, Question(wants("app"), kinds=kinds)) == {"app": "1", "lib": "1"}
        assert picked(index, Question(wants("app", "host"), kinds=kinds))["host"] == "1"


class TestEffort:
    @pytest.mark.parametrize("holes", [2, 3, 4, 5])
    def test_pigeons_fit_when_there_are_as_many_holes_and_else_do_not(self, holes: int) -> None:
        """Proofs of this need incompatibilities of many terms."""
        birds = [f"bird{b}" for b in range(1, holes + 2)]

        assert len(pins(pigeons(holes, holes), *birds[:-1])) == 2 * holes
        assert is_unsolvable(pigeons(holes + 1, holes), Question(wants(*birds)))

    def test_the_catalogue_is_asked_in_batches(self) -> None:
        wide = [f"p{i} 1 needs q{i}\nq{i} 1" for i in range(100)]
        index = universe("app 1 needs " + "; ".join(f"p{i}" for i in range(100)) + "\n" + "\n".join(wide))

        pins(index, "app")

        assert index.calls <= 10

    def test_many_requirements_are_read_together(self) -> None:
        index = universe("\n".join(f"p{i} 1" for i in range(100)))

        pins(index, *(f"p{i}" for i in range(100)))

        assert index.calls <= 4

    def test_a_chain_beside_many_waiting_packages_is_read_without_looking_at_all_of_them_again(self) -> None:
        wide = "\n".join(f"w{i} 1\nw{i} 2" for i in range(300))
        chain = "\n".join(f"c{i} 1 needs c{i + 1}" for i in range(300))
        index = universe(
            f"{wide}\n{chain}\nc300 1\nroot 1 needs c0; " + "; ".join(f"w{i}" for i in range(300))
        )

        pins(index, "root")

        assert index.versions_read == 602

    def test_versions_that_are_ruled_out_one_by_one_count_against_the_budget(self) -> None:
        registry = "\n".join(f"a {i} needs ghost{i}" for i in range(1, 50))
        looks = itertools.count()

        solve(universe(registry), Question(wants("a")), should_stop=lambda: next(looks) < 0)

        assert next(looks) > 40

    def test_running_out_of_budget_is_not_an_answer(self) -> None:
        index = universe("""
            a 1 needs b ==1
            a 2 needs b ==2
            b 1 needs a ==2
            b 2 needs a ==1
        """)

        with pytest.raises(GaveUp, match="not known"):
            solve(index, Question(wants("a")), should_stop=lambda: True)

    def test_a_chain_of_ten_thousand_packages_is_followed_to_its_end(self) -> None:
        index = Universe()
        text = "\n".join(f"p{i} 1 needs p{i + 1}" for i in range(10_000))
        index = universe(text + "\np10000 1")

        assert len(pins(index, "p0")) == 10_001


@pytest.mark.parametrize(
    "question",
    [
        Question((Requirement("lib", "1.0"),)),
        Question((), constraints=(Requirement("lib", "~"),)),
        Question((), overrides=(Requirement("lib", "oops"),)),
    ],
)
def test_a_question_with_a_constraint_that_does_not_parse_is_refused(question: Question) -> None:
    with pytest.raises(InvalidConstraint):
        solve(universe("lib 1"), question)


def test_a_question_with_a_lock_that_does_not_parse_is_refused() -> None:
    with pytest.raises(InvalidVersion):
        solve(universe("lib 1"), Question((), locked=(("lib", "one"),)))


def test_the_fingerprint_depends_on_the_answer_alone() -> None:
    index = universe("lib 1\nlib 2")
    same = universe("lib 2\nother 1\nlib 1")

    one, other = solve(index, Question(wants("lib"))), solve(same, Question(wants("lib")))
    third = solve(index, Question(wants("lib <2")))

    assert isinstance(one, Resolution)
    assert isinstance(other, Resolution)
    assert isinstance(third, Resolution)
    assert one.fingerprint == other.fingerprint != third.fingerprint


def test_what_one_version_declares_twice_is_one_need_beside_those_of_other_versions() -> None:
    index = universe("""
        app 1 needs lib >=1
        app 2 needs lib >=2; lib <3
        lib 1
        lib 2
        lib 3
    """)
    problem = Problem(index, Question(wants("app")))
    groups = problem.groups(problem.number("app"))[problem.number("lib")]

    assert {mask: group.versions for mask, group in groups.items()} == {0b1110: 0b010, 0b0100: 0b100}
