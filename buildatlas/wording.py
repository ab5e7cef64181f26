"""How numbers of things are said."""


def counted(number: int, one: str, many: str = "") -> str:
    """Return such as "1 package" or "2,000 packages"; `many` is for plurals without a plain s."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
