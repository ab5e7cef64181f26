"""Questions to the solver: pins, conflicts and what would work, what if."""

import json
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.dashboard.pages import check_accessible, open_at
from tests.dashboard.publishing import publish, version


@pytest.fixture
def teas(address: str) -> str:
    """The address of a server on which the newest pot and the newest cup cannot go together."""
    publish(
        address,
        version("clay", "1.0"),
        version("clay", "2.0"),
        version("pot", "1.0", {"clay": "==1.*"}),
        version("pot", "2.0", {"clay": "==2.*"}),
        version("cup", "1.0", {"clay": "==1.*"}),
        version("hen", "1.0", {"egg": ""}),
        version("egg", "1.0", {"hen": ""}),
    )
    return address


def pins(page: Page) -> Locator:
    return page.get_by_role("table", name="Pins by name").locator("tbody tr")


def pin(page: Page, package: str) -> Locator:
    return pins(page).filter(has=page.get_by_role("rowheader", name=package, exact=True))


def test_a_link_asks_its_question(page: Page, teas: str) -> None:
    open_at(page, "/resolve?r=pot&r=cup&c=clay+<3&strategy=LOWEST")

    expect(pins(page)).to_have_count(3)
    expect(pins(page).nth(2)).to_contain_text("pot1.0")
    expect(page.get_by_label("Pick")).to_have_value("LOWEST")
    expect(page.get_by_label("Constraint on clay")).to_have_value("<3")
    check_accessible(page)


def test_a_conflict_leads_by_a_relaxation_to_pins(page: Page, teas: str) -> None:
    open_at(page, "/resolve?r=pot+>=2&r=cup&r=hen")

    answer = page.get_by_role("region", name="Answer")
    expect(answer.get_by_role("heading", name="Conflict")).to_be_visible()
    expect(answer).to_contain_text("No version of clay suits both.")
    question = page.get_by_role("form", name="Question")
    marked = question.get_by_role("listitem").filter(has_text="in conflict")
    expect(marked).to_have_count(2)
    expect(question.get_by_role("listitem").filter(has_text="hen")).not_to_contain_text("in conflict")
    check_accessible(page)

    page.get_by_role("button", name=re.compile("Widen pot")).click()
    expect(pin(page, "pot")).to_contain_text("1.0")
    expect(question.get_by_text("in conflict")).to_have_count(0)

    page.go_back()
    expect(answer.get_by_role("heading", name="Conflict")).to_be_visible()


def test_causes_of_a_step_lead_to_it(page: Page, teas: str) -> None:
    open_at(page, "/resolve?r=pot+>=2&r=cup")
    steps = page.get_by_role("list", name="Derivation").get_by_role("listitem")

    steps.last.get_by_role("link", name="Step 1").click()

    expect(steps.first).to_be_focused()
    expect(page).to_have_url(re.compile("step=1"))


def test_an_invalid_constraint_is_marked_at_its_field(page: Page, teas: str) -> None:
    open_at(page, "/resolve?r=cup&r=pot")
    field = page.get_by_label("Constraint on pot")

    field.fill(">=1,<")
    field.press("Enter")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(re.compile(r"At character 6, expected a version"))
    expect(page.get_by_label("Constraint on cup")).not_to_have_attribute("aria-invalid", "true")
    check_accessible(page)

    field.fill("1.0")
    field.press("Enter")
    expect(field).to_have_accessible_description(re.compile(r"At character 1, .* as in ==1\.0 or \^1\.0\."))

    field.fill(">=1")
    field.press("Enter")
    expect(pins(page)).to_have_count(3)
    expect(field).not_to_have_attribute("aria-invalid", "true")


def test_what_is_supposed_shows_what_would_change(page: Page, teas: str) -> None:
    open_at(page, "/resolve?r=pot")
    expect(pin(page, "pot")).to_contain_text("2.0")
    page.get_by_text("What if").click()

    page.get_by_role("combobox", name="Package", exact=True).fill("pot")
    page.get_by_label("Version", exact=True).fill("3.0")
    page.get_by_label("What it would need").fill("clay <2\ncup")
    page.get_by_role("combobox", name="Package", exact=True).press("Enter")
    page.get_by_role("button", name="Suppose published").click()

    changes = page.get_by_role("list", name="Differences").get_by_role("listitem")
    expect(changes).to_have_text(["downclay 2.0 → 1.0", "uppot 2.0 → 3.0", "addedcup 1.0"])
    check_accessible(page)

    page.reload()
    expect(changes).to_have_count(3)
    page.get_by_role("button", name="Do not suppose pot 3.0").click()
    expect(page.get_by_role("heading", name="What would change")).to_have_count(0)
    expect(pin(page, "pot")).to_contain_text("2.0")


def test_supposing_what_leaves_no_answer_says_so(page: Page, teas: str) -> None:
    open_at(page, "/resolve?r=cup&yank=cup+1.0")

    expect(page.get_by_text("With what is supposed, none do.")).to_be_visible()
    expect(page.get_by_role("heading", name="Conflict")).to_be_visible()


def test_pins_are_shown_as_tree_and_picture_with_their_cycles(page: Page, teas: str) -> None:
    open_at(page, "/resolve?r=hen&r=pot&view=tree")
    page.get_by_role("button", name="What hen needs").click()
    page.get_by_role("button", name="What egg needs").click()
    expect(page.get_by_text("as above: a cycle")).to_be_visible()
    expect(page.get_by_role("heading", name="One cycle among them")).to_be_visible()
    check_accessible(page)

    page.get_by_role("navigation", name="Show the pins as").get_by_role("link", name="Picture").click()
    expect(page.locator("svg a", has_text="clay")).to_be_visible()
    check_accessible(page)


def test_pins_are_copied_and_lead_to_a_plan(page: Page, teas: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_at(page, "/resolve?r=pot+<2&strategy=LOWEST")

    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_text("Copied as text")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "clay==1.0\npot==1.0\n"
    page.get_by_role("button", name="Copy JSON").click()
    expect(page.get_by_text("Copied as JSON")).to_be_visible()
    copied = json.loads(page.evaluate("navigator.clipboard.readText()"))
    assert copied[1] == {"package": "pot", "version": "1.0"}
    expect(page.get_by_role("link", name="Build these")).to_have_attribute(
        "href", "#/plan?r=pot+%3C2&strategy=LOWEST&resolve=1"
    )


def test_pins_are_locked_against_what_is_newer(page: Page, teas: str) -> None:
    open_at(page, "/resolve?r=pot")
    expect(pins(page)).to_have_count(2)
    page.get_by_role("button", name="Lock these").click()
    expect(page.get_by_label("Version of pot")).to_have_value("2.0")

    publish(teas, version("pot", "9.0"))
    page.get_by_role("button", name="Resolve again").click()
    page.reload()
    expect(pin(page, "pot")).to_contain_text("2.0")
    page.get_by_role("button", name="Remove pot").last.click()
    expect(pin(page, "pot")).to_contain_text("9.0")


def test_giving_up_is_not_taken_for_an_answer(page: Page, teas: str) -> None:
    gave_up = {"message": "gave up", "extensions": {"code": "GAVE_UP", "conflicts": 7, "decisions": 1200}}
    page.route("**/graphql?*Resolve*", lambda route: route.fulfill(json={"errors": [gave_up], "data": None}))
    open_at(page, "/resolve?r=pot")

    expect(page.get_by_text("This says nothing about whether there are any.")).to_be_visible()
    expect(page.get_by_text("1,200 decisions, 7 conflicts")).to_be_visible()
    check_accessible(page)


def test_a_question_is_asked_and_changed_by_the_keyboard_alone(page: Page, teas: str) -> None:
    open_at(page, "/resolve")
    page.get_by_role("combobox", name="Add a requirement").focus()
    page.keyboard.type("po")
    expect(page.get_by_role("option", name="pot")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Constraint on pot")).to_be_focused()
    expect(pins(page)).to_have_count(2)

    page.keyboard.type("<2")
    page.keyboard.press("Enter")
    expect(pin(page, "pot")).to_contain_text("1.0")

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Add what you require")).to_be_visible()
    expect(page.get_by_role("combobox", name="Add a requirement")).to_be_focused()


def test_a_name_is_found_while_its_constraint_is_typed(page: Page, teas: str) -> None:
    open_at(page, "/resolve")
    box = page.get_by_role("combobox", name="Add a requirement")

    box.fill("po>=2")
    found = page.get_by_role("listbox", name="Add a requirement").get_by_role("option")
    expect(found).to_have_text(["pot2.0"])
    expect(page.get_by_text("Enter adds po >=2.")).to_be_visible()
    box.press("ArrowDown")
    expect(page.get_by_text("Enter adds pot >=2.")).to_be_visible()
    box.press("Enter")

    expect(page.get_by_label("Constraint on pot")).to_have_value(">=2")


def test_no_line_of_an_explanation_ends_within_a_constraint(page: Page, teas: str) -> None:
    publish(teas, version("lid", "1.0", {"clay": ">=1.0.0,!=1.1.1,<1.9.9"}))
    question = "/resolve?r=lid&r=pot+>=2.0.0,!=2.1.1,<2.9.9"
    open_at(page, question)
    constraints = page.get_by_role("list", name="Derivation").locator("span", has_text=",!=")
    expect(constraints.first).to_be_visible()

    for width in range(320, 620, 20):
        page.set_viewport_size({"width": width, "height": 844})
        heights = constraints.evaluate_all("all => all.map(each => each.getBoundingClientRect().height)")
        assert heights
        assert max(heights) < 30
