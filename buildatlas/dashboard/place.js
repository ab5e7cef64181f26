// The address after the #: the package that is shown and the requirements, so that a link opens the same page.

/** Read the address: `#p=Flux&r=Flux >=0.14&r=DataFrames`. */
export function place() {
  const parameters = new URLSearchParams(location.hash.slice(1));
  return {
    package: parameters.get("p"),
    requirements: parameters.getAll("r").filter((text) => text.trim()).map((text) => {
      const [name, ...constraint] = text.trim().split(/\s+/);
      return { package: name, constraint: constraint.join(" ") };
    }),
    strategy: parameters.get("s") ?? "HIGHEST",
    prereleases: parameters.get("pre") ?? "IF_NECESSARY",
  };
}

/** Return the address of a place. */
export function address(there) {
  const parameters = new URLSearchParams();
  if (there.package) parameters.set("p", there.package);
  for (const each of there.requirements) parameters.append("r", `${each.package} ${each.constraint}`.trim());
  if (there.strategy !== "HIGHEST") parameters.set("s", there.strategy);
  if (there.prereleases !== "IF_NECESSARY") parameters.set("pre", there.prereleases);
  return `#${parameters}`;
}

/** Return the address of a package, leaving the requirements as they are. */
export function packageAddress(name) {
  return address({ ...place(), package: name });
}

/** Go to a changed place. */
export function go(changes) {
  location.hash = address({ ...place(), ...changes });
}

/** Add a requirement, or replace the one on the same package. */
export function require(name, constraint = "") {
  const others = place().requirements.filter((each) => each.package !== name);
  go({ requirements: [...others, { package: name, constraint }] });
}
