"""Global ids."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.errors import InvalidId
from schema.identifiers import GlobalId, global_id, read_id


@given(st.sampled_from(["Package", "PackageVersion", "Dependency"]), st.integers(0, 2**63 - 1))
def test_an_id_is_read_back_as_what_it_was_made_of(type_name: str, row: int) -> None:
    assert read_id(global_id(type_name, row)) == GlobalId(type_name, row)


@given(st.text(max_size=30))
def test_any_text_is_either_the_one_spelling_of_an_id_or_refused(text: str) -> None:
    try:
        found = read_id(text)
    except InvalidId:
        return
    assert global_id(found.type_name, found.row) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Package:1",
        "UGFja2FnZTox=",
        "UGFja2FnZTow MQ",
        global_id("Package", 2**63),
        global_id("Package", -1),
        "AAAA",
        "é",
    ],
)
def test_what_this_server_did_not_give_out_is_refused(text: str) -> None:
    with pytest.raises(InvalidId, match="ids are opaque"):
        read_id(text)
