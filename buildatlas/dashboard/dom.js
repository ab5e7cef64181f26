// Making elements, and asking the server: what the other modules share.

/** Make an element. Properties are set as such, attributes with a dash or `role` as attributes. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (name in element && !name.includes("-")) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** An answer that is not data: what went wrong, and what to do about it. */
export class Refused extends Error {
  constructor(message, code) {
    super(message);
    this.code = code;
  }
}

/** Run one operation and return its data, or throw Refused. An aborted request throws AbortError. */
export async function ask(query, variables, signal) {
  let response;
  try {
    response = await fetch("graphql", {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/graphql-response+json" },
      body: JSON.stringify({ query, variables }),
      signal,
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused("The server does not answer. See whether it still runs, then try again.", "UNREACHABLE");
  }
  const answer = await response.json().catch(() => {
    throw new Refused(`The server answered ${response.status} with something that is not JSON.`, "UNREACHABLE");
  });
  if (answer.errors?.length) {
    throw new Refused(answer.errors.map((error) => error.message).join("\n"), answer.errors[0].extensions?.code);
  }
  return answer.data;
}

/** Show why something cannot be shown. */
export function problem(error) {
  return h("div", { className: "problem", role: "alert" },
    h("p", {}, error.message),
    error.code ? h("p", { className: "note" }, error.code) : null);
}

/** Return a function that runs `action` once calls have stopped coming for `milliseconds`. */
export function settled(action, milliseconds) {
  let timer;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => action(...given), milliseconds);
  };
}

/** "1 package", "2,000 packages". */
export function counted(number, word) {
  return `${number.toLocaleString("en")} ${word}${number === 1 ? "" : "s"}`;
}

/** A word in a pill; unremarkable states have none. */
export function badge(status) {
  return ["ACTIVE", "PUBLISHED"].includes(status) ? null : h("span", { className: "badge" }, status.toLowerCase());
}

/** Show seconds the way a reader would say them. */
export function seconds(value) {
  return value < 1 ? `${(value * 1000).toFixed(value < 0.01 ? 1 : 0)} ms` : `${value.toFixed(2)} s`;
}
