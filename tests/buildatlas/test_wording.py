import pytest

from buildatlas.wording import lasting, one_line


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 ms"),
        (0.34, "340 ms"),
        (12.54, "12.5 s"),
        (60, "1 min"),
        (200.4, "3 min 20 s"),
        (3_600, "1 h"),
        (7_499, "2 h 5 min"),
        (90_000, "1 d 1 h"),
        (86_400 * 1_234, "1,234 d"),
    ],
)
def test_a_length_of_time_is_told_in_the_units_that_matter(seconds: float, said: str) -> None:
    assert lasting(seconds) == said


def test_a_text_is_made_one_line_that_controls_no_terminal() -> None:
    assert one_line("\x1b[31mlink failed\r\n\tsee log  ") == "[31mlink failed see log"
