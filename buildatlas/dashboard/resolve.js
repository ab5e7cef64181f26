// The right half: what is required, and the answer: pins, or why there are none.

import { ask, counted, h, problem, seconds } from "./dom.js";
import { go, packageAddress, place, require } from "./place.js";

const RESOLVE = `query Resolve($input: ResolveInput!) {
  resolve(input: $input) {
    __typename
    ... on Resolution {
      pins { package version direct }
      edges { dependent dependency constraint }
      cycles { packages example }
      statistics { decisions conflicts packagesConsidered durationSeconds }
    }
    ... on ResolutionConflict {
      message
      steps { index text causes }
      relaxations { kind description package constraint entry { constraint source } }
      statistics { decisions conflicts packagesConsidered durationSeconds }
    }
  }
}`;

const answer = document.querySelector("#answer");
const form = document.querySelector("#requirements");
const rows = document.querySelector("#rows");
const none = document.querySelector("#no-rows");
const newPackage = document.querySelector("#add-package");
const newConstraint = document.querySelector("#add-constraint");
const strategy = document.querySelector("#strategy");
const prereleases = document.querySelector("#prereleases");
let solving = new AbortController();
let edited = null;
let asked = null;

/** Make the form work. */
export function watchForm() {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (newPackage.value.trim()) add();
    solve();
  });
  document.querySelector("#add").addEventListener("click", add);
  for (const field of [newPackage, newConstraint]) {
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !newPackage.value.trim()) return;
      event.preventDefault();
      add();
    });
  }
  strategy.addEventListener("change", () => go({ strategy: strategy.value }));
  prereleases.addEventListener("change", () => go({ prereleases: prereleases.value }));
}

/** Require a package that is shown elsewhere on the page, and go to its constraint. */
export function requireAndEdit(name, constraint) {
  const before = location.hash;
  edited = name;
  require(name, constraint);
  if (location.hash === before) showRequirements();
}

function add() {
  if (!newPackage.value.trim()) {
    newPackage.focus();
    return;
  }
  require(newPackage.value.trim(), newConstraint.value.trim());
  newPackage.value = newConstraint.value = "";
  newPackage.focus();
}

/** Show the requirements that the address holds. */
export function showRequirements() {
  const { requirements, ...options } = place();
  strategy.value = options.strategy;
  prereleases.value = options.prereleases;
  none.hidden = requirements.length > 0;
  // Rows of the same packages stay, and with them the place of the keyboard.
  const packages = requirements.map((each) => each.package).join(" ");
  if (rows.dataset.packages !== packages) {
    rows.dataset.packages = packages;
    rows.replaceChildren(...requirements.map((each, index) => row(each.package, index)));
  }
  rows.querySelectorAll("input").forEach((input, index) => { input.value = requirements[index].constraint; });
  rows.querySelectorAll("input")[requirements.findIndex((each) => each.package === edited)]?.focus();
  edited = null;
}

function row(name, index) {
  return h("li", {},
    h("a", { href: packageAddress(name), className: "name" }, name),
    h("input", {
      spellcheck: false, placeholder: "any version", "aria-label": `Constraint on ${name}`,
      onchange: (event) => go({ requirements: place().requirements.with(
        index, { package: name, constraint: event.target.value.trim() }) }),
    }),
    h("button", {
      type: "button", className: "quiet", "aria-label": `Remove ${name}`,
      onclick: () => {
        go({ requirements: place().requirements.toSpliced(index, 1) });
        newPackage.focus();
      },
    }, "remove"));
}

/** Resolve what the address holds, and show the answer. */
export async function solve() {
  const { requirements, strategy, prereleases } = place();
  asked = question();
  solving.abort();
  solving = new AbortController();
  if (!requirements.length) {
    answer.replaceChildren();
    newPackage.focus();
    return;
  }
  answer.setAttribute("aria-busy", "true");
  try {
    const { resolve } = await ask(RESOLVE, { input: { requirements, strategy, prereleases } }, solving.signal);
    answer.replaceChildren(...(resolve.__typename === "Resolution" ? resolution(resolve) : conflict(resolve)));
  } catch (error) {
    if (error.name === "AbortError") return;
    answer.replaceChildren(problem(error));
  }
  answer.removeAttribute("aria-busy");
}

/** Take away the answer when the address holds another question by now. */
export function clearOldAnswer() {
  if (question() === asked) return;
  asked = null;
  solving.abort();
  answer.removeAttribute("aria-busy");
  answer.replaceChildren();
}

function question() {
  const { requirements, strategy, prereleases } = place();
  return JSON.stringify([requirements, strategy, prereleases]);
}

function statistics(each) {
  return `${seconds(each.durationSeconds)}, ${counted(each.decisions, "decision")}, ` +
    `${counted(each.conflicts, "conflict")} on the way, ${counted(each.packagesConsidered, "package")} considered`;
}

function resolution(each) {
  const panels = [table(each), tree(each)];
  const choose = (shown) => panels.forEach((panel, index) => { panel.hidden = index !== shown; });
  choose(0);
  return [
    h("div", { className: "verdict good" },
      h("h3", {}, `${counted(each.pins.length, "package")} picked`),
      h("p", { className: "note" }, statistics(each.statistics))),
    each.cycles.length ? h("p", { className: "note" },
      `Among them ${counted(each.cycles.length, "dependency cycle")}: `,
      each.cycles.map((cycle) => cycle.example.join(" → ")).join("; ")) : null,
    h("fieldset", { className: "choice" },
      h("legend", { className: "away" }, "Show as"),
      ["Table", "Tree"].map((word, index) => h("label", {},
        h("input", { type: "radio", name: "shown", checked: index === 0, onchange: () => choose(index) }), word))),
    ...panels,
  ].filter(Boolean);
}

function table(each) {
  const requiredBy = grouped(each.edges, (edge) => edge.dependency);
  return h("table", { className: "pins" },
    h("thead", {}, h("tr", {}, ["Package", "Version", "Required by"].map((word) => h("th", { scope: "col" }, word)))),
    h("tbody", {}, each.pins.map((pin) => h("tr", {},
      h("td", {}, h("a", { href: packageAddress(pin.package) }, pin.package)),
      h("td", { className: "version" }, pin.version),
      h("td", { className: "note" }, requirers(requiredBy.get(pin.package) ?? []))))));
}

function grouped(items, key) {
  const groups = new Map();
  for (const item of items) {
    if (!groups.has(key(item))) groups.set(key(item), []);
    groups.get(key(item)).push(item);
  }
  return groups;
}

function requirers(edges) {
  const said = edges.slice(0, 4).map((edge) => `${edge.dependent ?? "you"}${edge.constraint ? ` (${edge.constraint})` : ""}`);
  return said.join(", ") + (edges.length > 4 ? ` and ${edges.length - 4} more` : "");
}

function tree(each) {
  const version = new Map(each.pins.map((pin) => [pin.package, pin.version]));
  const needs = grouped(each.edges.filter((edge) => version.has(edge.dependency)), (edge) => edge.dependent);
  const roots = [...new Set((needs.get(null) ?? []).map((edge) => edge.dependency))];
  return h("ul", { className: "tree" }, roots.map((name) => branch(name, version, needs, true)));
}

/** One package and, once it is opened, what it needs: a tree of a thousand pins costs nothing until it is looked at. */
function branch(name, version, needs, open) {
  const children = [...new Set((needs.get(name) ?? []).map((edge) => edge.dependency))].sort();
  const label = [h("span", { className: "name" }, name), " ", h("span", { className: "version" }, version.get(name))];
  if (!children.length) return h("li", {}, label);
  const inside = h("ul", {});
  const fill = () => {
    if (!inside.childElementCount) inside.append(...children.map((child) => branch(child, version, needs, false)));
  };
  const details = h("details", { open, ontoggle: () => details.open && fill() }, h("summary", {}, label), inside);
  if (open) fill();
  return h("li", {}, details);
}

/** Buttons for the changes to what the address holds that were tried and work. */
function ways(relaxations) {
  const changes = relaxations.map((each) => [each.description, changed(each)]).filter(([, change]) => change);
  if (!changes.length) {
    return h("p", { className: "note" }, "Loosen or remove one of the requirements it names, then resolve again.");
  }
  return h("fieldset", { className: "choice" },
    h("legend", { className: "note" }, "What would work, each tried:"),
    changes.map(([description, change]) => h("button", {
      type: "button", className: "quiet", onclick: () => { go(change); solve(); },
    }, description)));
}

function changed({ kind, package: name, constraint, entry }) {
  if (kind === "ALLOW_PRERELEASES") return { prereleases: "ALLOW" };
  const { requirements } = place();
  const index = requirements.findIndex((each) => each.package === name && each.constraint === entry?.constraint);
  if (index < 0 || entry.source !== "REQUIREMENT") return null;
  return { requirements: kind === "WIDEN"
    ? requirements.with(index, { package: name, constraint })
    : requirements.toSpliced(index, 1) };
}

function conflict(each) {
  return [
    h("div", { className: "verdict bad" },
      h("h3", {}, "No versions satisfy all of this"),
      h("p", { className: "note" }, statistics(each.statistics))),
    h("div", { className: "message" }, each.message.split("\n").map((line) => h("p", {}, line || "\u00a0"))),
    ways(each.relaxations),
    h("details", {},
      h("summary", {}, `The derivation in ${counted(each.steps.length, "step")}`),
      h("ol", { className: "steps", start: 0 }, each.steps.map((step) => h("li", { id: `step-${step.index}` },
        step.text,
        step.causes.length ? h("span", { className: "note" }, ` from ${step.causes.join(" and ")}`) : null)))),
  ];
}
