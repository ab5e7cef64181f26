from graph.difference import PinChange, PinChangeDirection, ResolutionDiff, difference


def test_pins_are_added_removed_or_moved_by_the_order_of_versions_not_of_texts() -> None:
    before = {"old": "1", "up": "9", "down": "2.0", "same": "1"}
    after = {"up": "10", "down": "2.0rc1", "same": "1", "new": "1"}

    assert difference(before, after) == ResolutionDiff(
        added=("new",),
        removed=("old",),
        changed=(
            PinChange("down", "2.0", "2.0rc1", PinChangeDirection.DOWNGRADE),
            PinChange("up", "9", "10", PinChangeDirection.UPGRADE),
        ),
    )


def test_another_spelling_of_a_version_is_no_difference() -> None:
    assert not difference({"lib": "1.0"}, {"lib": "v1.0.0"})
    assert difference({"lib": "1.0"}, {"lib": "1.0.post1"})
    assert difference({"lib": "1.0"}, {})
    assert difference({}, {"lib": "1.0"})
