// A question to the solver as the address holds it: what is there can be sent to somebody as a link.

import type {
  DependencyKind, PrereleasePolicy, PublishVersionInput, RelaxationKind, RequirementSource, ResolutionStrategy, ResolveInput, SimulateInput,
} from "../../generated.ts";
import type { Query } from "../../routing.ts";

export interface Entry { package: string; constraint: string }
export interface Pinned { package: string; version: string }
export interface Supposed extends Pinned { dependencies: Entry[] }

/** The lists of a question that hold packages with constraints, by their names in the API. */
export type EntryList = "requirements" | "constraints" | "overrides";

export interface Question extends Record<EntryList, Entry[]> {
  locked: Pinned[];
  kinds: DependencyKind[];
  includeOptional: boolean;
  strategy: ResolutionStrategy;
  prereleases: PrereleasePolicy;
  /** A moment with its zone, or empty for now. */
  asOf: string;
  publish: Supposed[];
  yank: Pinned[];
}

export const KINDS: DependencyKind[] = ["RUNTIME", "BUILD", "TEST", "DEV", "PEER"];
export const STRATEGIES: ResolutionStrategy[] = ["HIGHEST", "LOWEST", "LOWEST_DIRECT"];
export const POLICIES: PrereleasePolicy[] = ["IF_NECESSARY", "ALLOW", "DISALLOW"];

/** Read the question that an address asks. */
export function questionIn(query: URLSearchParams): Question {
  const entries = (name: string) => query.getAll(name).map(entryOf).filter((each) => each.package);
  const pins = (name: string) => query.getAll(name).map(pinOf).filter((each) => each.package);
  const kinds = KINDS.filter((each) => query.getAll("kinds").includes(each));
  return {
    requirements: entries("r"), constraints: entries("c"), overrides: entries("o"), locked: pins("l"),
    kinds: kinds.length ? kinds : ["RUNTIME"],
    includeOptional: query.has("optional"),
    strategy: STRATEGIES.find((each) => each === query.get("strategy")) ?? "HIGHEST",
    prereleases: POLICIES.find((each) => each === query.get("prereleases")) ?? "IF_NECESSARY",
    asOf: query.get("asOf") ?? "",
    publish: query.getAll("publish").map(supposedOf).filter((each) => each.package),
    yank: pins("yank"),
  };
}

/** Return a question as the query of an address; what is as by default is left out. */
export function queryOf(question: Question): Query {
  const { kinds, includeOptional, strategy, prereleases, asOf } = question;
  return {
    r: question.requirements.map(textOf), c: question.constraints.map(textOf), o: question.overrides.map(textOf),
    l: question.locked.map(pinText),
    kinds: kinds.length === 1 && kinds[0] === "RUNTIME" ? [] : kinds,
    optional: includeOptional ? "1" : null,
    strategy: strategy === "HIGHEST" ? null : strategy,
    prereleases: prereleases === "IF_NECESSARY" ? null : prereleases,
    asOf,
    publish: question.publish.map(({ dependencies, ...pin }) => [pinText(pin), ...dependencies.map(textOf)].join(";")),
    yank: question.yank.map(pinText),
  };
}

/** Return what the solver is asked. */
export function inputOf(question: Question): ResolveInput {
  const { requirements, constraints, overrides, locked, kinds, includeOptional, strategy, prereleases, asOf } = question;
  return { requirements, constraints, overrides, locked, kinds, includeOptional, strategy, prereleases, asOf: asOf || null };
}

/** Return what the solver is asked with what is supposed. */
export function simulationOf(question: Question): SimulateInput {
  const publish: PublishVersionInput[] = question.publish;
  return { resolve: inputOf(question), publish, yank: question.yank };
}

export function isSupposing({ publish, yank }: Question): boolean {
  return publish.length + yank.length > 0;
}

/** Read "Flux >=0.14", "Flux>=0.14" or "Flux". A name holds no operator. */
export function entryOf(text: string): Entry {
  const [, name = "", constraint = ""] = /^\s*([^\s<>=!~^*;,|]+)\s*([^;]*)$/.exec(text) ?? [];
  return { package: name, constraint: constraint.trim() };
}

/** Read "Flux 0.14.1" or "Flux==0.14.1". */
export function pinOf(text: string): Pinned {
  const { package: name, constraint } = entryOf(text);
  return { package: name, version: constraint.replace(/^={2,3}\s*/, "") };
}

function supposedOf(text: string): Supposed {
  const [pin = "", ...needs] = text.split(";");
  return { ...pinOf(pin), dependencies: needs.map(entryOf).filter((each) => each.package) };
}

export function textOf({ package: name, constraint }: Entry): string {
  return constraint ? `${name} ${constraint}` : name;
}

export function pinText({ package: name, version }: Pinned): string {
  return `${name} ${version}`;
}

const LISTS: Record<RequirementSource, EntryList> = { REQUIREMENT: "requirements", CONSTRAINT: "constraints", OVERRIDE: "overrides" };

/** An entry of a question, and the list that holds it. */
export interface Sourced extends Entry { source: RequirementSource }

export function isSame(entry: Entry, list: EntryList, sourced: Sourced): boolean {
  return LISTS[sourced.source] === list && entry.package === sourced.package && entry.constraint === sourced.constraint;
}

export interface Change { kind: RelaxationKind; constraint: string | null; asOf: string | null; entry: Sourced | null }

/** Return the question with one change that the solver has found to help. */
export function relaxed(question: Question, { kind, constraint, asOf, entry }: Change): Question {
  if (kind === "ALLOW_PRERELEASES") return { ...question, prereleases: "ALLOW" };
  if (kind === "LATER_AS_OF") return { ...question, asOf: asOf ?? "" };
  if (!entry) return question;
  const list = LISTS[entry.source];
  const changed = question[list].flatMap((each) => {
    if (!isSame(each, list, entry)) return [each];
    return kind === "DROP" ? [] : [{ ...each, constraint: constraint ?? "" }];
  });
  return { ...question, [list]: changed };
}
