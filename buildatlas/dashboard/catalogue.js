// The left half: finding a package, and what is known of it.

import { ask, badge, counted, h, problem, settled } from "./dom.js";
import { packageAddress, place } from "./place.js";
import { requireAndEdit } from "./resolve.js";

const SEARCH = `query Search($text: String!) {
  begin: packages(filter: { nameStartsWith: $text }, first: 12) { nodes { ...Found } }
  hold: packages(filter: { nameContains: $text }, first: 12) { totalCount nodes { ...Found } }
}
fragment Found on Package { name status latestVersion { version } }`;

const PACKAGE = `query Package($name: String!, $after: String) {
  package(name: $name) {
    name description status statusReason
    latestVersion { version dependencies { packageName constraint kinds optional marker package { id } } }
    versions(first: 12, after: $after) {
      totalCount pageInfo { hasNextPage endCursor }
      nodes { version status statusReason releasedAt }
    }
    dependents(first: 40) { totalCount truncated nodes { name } }
  }
}`;

const found = document.querySelector("#found");
const results = document.querySelector("#results");
const search = document.querySelector("#search");
const view = document.querySelector("#package");
let searching = new AbortController();
let showing = new AbortController();

/** Make the search box work. */
export function watchSearch() {
  search.addEventListener("input", settled(() => find(search.value.trim()), 150));
  search.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") step(event, results.querySelector("a"));
  });
  results.addEventListener("keydown", (event) => {
    const item = event.target.closest("li");
    if (event.key === "ArrowDown") step(event, item?.nextElementSibling?.querySelector("a"));
    if (event.key === "ArrowUp") step(event, item?.previousElementSibling?.querySelector("a") ?? search);
  });
  search.addEventListener("focus", () => !results.childElementCount && find(search.value.trim()));
  results.addEventListener("click", (event) => event.target.closest("a") && chosen());
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !event.target.closest("input, select")) step(event, search);
  });
}

function step(event, target) {
  event.preventDefault();
  target?.focus();
}

/** The list has done its work: make room for the package, and go on reading there. */
function chosen() {
  results.replaceChildren();
  found.textContent = "";
  view.focus();
}

async function find(text) {
  searching.abort();
  searching = new AbortController();
  if (!text) {
    found.textContent = "";
    results.replaceChildren();
    return;
  }
  try {
    const { begin, hold } = await ask(SEARCH, { text }, searching.signal);
    const shown = likeliest(text, [...begin.nodes, ...hold.nodes]);
    found.textContent = summary(hold.totalCount, shown.length, text);
    results.replaceChildren(...shown.map(result));
  } catch (error) {
    if (error.name === "AbortError") return;
    found.textContent = "";
    results.replaceChildren(h("li", {}, problem(error)));
  }
}

/** The name itself first, then those that begin with the text, shorter ones first, then those that hold it. */
function likeliest(text, packages) {
  const begins = (each) => each.name.toLowerCase().startsWith(text.toLowerCase());
  const unique = [...new Map(packages.map((each) => [each.name, each])).values()];
  return unique
    .sort((one, other) => begins(other) - begins(one) || (begins(one) ? one.name.length - other.name.length : 0))
    .slice(0, 12);
}

function summary(total, shown, text) {
  if (total === 0) return `No package has “${text}” in its name. Try a shorter part of it.`;
  return shown < total
    ? `${counted(total, "package")}, ${shown} shown. Type more to narrow them down.`
    : counted(total, "package");
}

function result(each) {
  return h("li", {}, h("a", { href: packageAddress(each.name) },
    h("span", { className: "name" }, each.name), " ",
    h("span", { className: "version" }, each.latestVersion?.version ?? "no release"), badge(each.status)));
}

/** Show the package that the address names. */
export async function showPackage() {
  const name = place().package;
  showing.abort();
  showing = new AbortController();
  if (!name) {
    view.replaceChildren(h("p", { className: "note" }, "Choose a package to see its versions, what it needs and who needs it."));
    return;
  }
  view.setAttribute("aria-busy", "true");
  try {
    const data = await ask(PACKAGE, { name }, showing.signal);
    view.replaceChildren(...(data.package ? details(data.package) : [unknown(name)]));
  } catch (error) {
    if (error.name === "AbortError") return;
    view.replaceChildren(problem(error));
  }
  view.removeAttribute("aria-busy");
}

function unknown(name) {
  return h("p", { className: "note" }, `No package is named “${name}”. Names are case-sensitive: try the search above.`);
}

function details(each) {
  return [
    h("div", { className: "title" },
      h("h3", {}, each.name, " ", badge(each.status)),
      h("button", { type: "button", onclick: () => requireAndEdit(each.name, "") }, "Add to resolve")),
    each.statusReason ? h("p", { className: "note" }, each.statusReason) : null,
    each.description ? h("p", {}, each.description) : null,
    versions(each),
    needs(each.latestVersion),
    neededBy(each.dependents),
  ].filter(Boolean);
}

function versions(each) {
  const body = h("tbody", {}, each.versions.nodes.map((version) => versionRow(each.name, version)));
  const more = h("button", { type: "button", className: "quiet" }, "More versions");
  let page = each.versions.pageInfo;
  more.hidden = !page.hasNextPage;
  more.onclick = async () => {
    try {
      const data = await ask(PACKAGE, { name: each.name, after: page.endCursor }, showing.signal);
      page = data.package.versions.pageInfo;
      body.append(...data.package.versions.nodes.map((version) => versionRow(each.name, version)));
      more.hidden = !page.hasNextPage;
    } catch (error) {
      if (error.name !== "AbortError") more.replaceWith(problem(error));
    }
  };
  return h("section", {},
    h("h4", {}, counted(each.versions.totalCount, "version")),
    each.versions.totalCount === 0 ? h("p", { className: "note" }, "Nothing is published yet.") : h("table", {}, body),
    more);
}

function versionRow(name, each) {
  return h("tr", {},
    h("td", { className: "version" }, each.version),
    h("td", {}, badge(each.status), each.statusReason ? ` ${each.statusReason}` : ""),
    h("td", { className: "note" }, each.releasedAt ? each.releasedAt.slice(0, 10) : ""),
    h("td", { className: "end" }, h("button", {
      type: "button", className: "quiet", "aria-label": `Resolve ${name} ${each.version} exactly`,
      onclick: () => requireAndEdit(name, `==${each.version}`),
    }, "pin")));
}

function needs(latest) {
  if (!latest) return null;
  const rows = latest.dependencies.map((each) => h("tr", {},
    h("td", {}, each.package
      ? h("a", { href: packageAddress(each.packageName) }, each.packageName)
      : h("span", { className: "missing", title: "Nothing of that name is registered" }, each.packageName)),
    h("td", { className: "version" }, each.constraint || "any"),
    h("td", { className: "note" }, kinds(each))));
  return h("section", {},
    h("h4", {}, `${latest.version} needs ${rows.length ? counted(rows.length, "package") : "nothing"}`),
    rows.length ? h("table", {}, h("tbody", {}, rows)) : null);
}

function kinds(dependency) {
  const words = dependency.kinds.filter((kind) => kind !== "RUNTIME").map((kind) => kind.toLowerCase());
  return [...words, dependency.optional ? "optional" : "", dependency.marker ?? ""].filter(Boolean).join(", ");
}

function neededBy(dependents) {
  const more = dependents.totalCount - dependents.nodes.length;
  const heading = dependents.totalCount === 0 ? "Nothing registered needs it"
    : `Needed by ${dependents.truncated ? "at least " : ""}${counted(dependents.totalCount, "package")}`;
  return h("section", {},
    h("h4", {}, heading),
    h("ul", { className: "names" },
      dependents.nodes.map((each) => h("li", {}, h("a", { href: packageAddress(each.name) }, each.name))),
      more > 0 ? h("li", { className: "note" }, `and ${more.toLocaleString("en")} more`) : null));
}
