// A dashboard: how many builds stand how, kept up to date. It runs in a browser and in Node.js 18 or later.
//
//     node examples/clients/dashboard.mjs http://127.0.0.1:8000

const RUNS = "{ runs(first: 5) { nodes { status conclusion total counts { status conclusion count } } } }";
const EVENTS =
  "subscription { events(filter: { kinds: [BUILD_CHANGED, RUN_CHANGED] }) { ... on Event { cursor kind } ... on EventGap { resumeFrom } } }";

const inBrowser = typeof document !== "undefined";
const [address, token] = inBrowser ? [location.origin] : [process.argv[2], process.env.BUILDATLAS_TOKEN];
if (!address) {
  console.error("give the address of a server, such as http://127.0.0.1:8000");
  process.exit(1);
}
const headers = token ? { authorization: `Bearer ${token}` } : {};

let etag = "";

// What has changed since it was last asked for, or null: then the server has not executed the query.
async function ask(query) {
  const answer = await fetch(`${address}/graphql?query=${encodeURIComponent(query)}`, {
    headers: { ...headers, "if-none-match": etag },
    cache: "no-store",
  });
  if (answer.status === 304) return null;
  const { data, errors } = await answer.json();
  if (errors) throw new Error(errors.map(({ message }) => message).join("; "));
  etag = answer.headers.get("etag") ?? "";
  return data;
}

const tell = (problem) => console.error(`${problem.cause?.code ?? problem.message}: trying again`);
const pause = () => new Promise((resolve) => setTimeout(resolve, 1000));

// Server-sent events, read as EventSource does: Node.js has none of its own yet, and a browser's takes no token.
// `after` is where to go on from, so that nothing is missed before the first connection nor after a break.
async function* events(query, after) {
  for (;;) {
    try {
      const answer = await fetch(`${address}/graphql/stream?query=${encodeURIComponent(query)}`, {
        headers: { ...headers, accept: "text/event-stream", "last-event-id": after },
      });
      let text = "";
      for await (const piece of answer.body.pipeThrough(new TextDecoderStream())) {
        text += piece;
        const messages = text.split(/\r?\n\r?\n/);
        text = messages.pop();
        for (const message of messages) {
          const fields = Object.fromEntries(message.split(/\r?\n/).map((line) => line.split(/: ?(.*)/s)));
          if (fields.event === "next") yield JSON.parse(fields.data);
          if (fields.id) after = fields.id;
        }
      }
    } catch (problem) {
      tell(problem);
    }
    await pause();
  }
}

function show(data) {
  const text = data.runs.nodes
    .map(({ status, conclusion, total, counts }) => {
      const parts = counts.map((each) => `${each.count} ${each.conclusion ?? each.status}`);
      return `${conclusion ?? status}, ${total} ${total === 1 ? "build" : "builds"}: ${parts.join(", ")}`;
    })
    .join("\n");
  if (inBrowser) document.body.innerText = text;
  else console.log(text || "no runs");
}

async function refresh() {
  const data = await ask(RUNS);
  if (data) show(data);
  return data;
}

async function follow() {
  etag = "";
  const { server } = await ask("{ server { cursor } }");
  await refresh();
  if ((await refresh()) === null) console.log("nothing has changed");
  for await (const { data } of events(EVENTS, server.cursor)) {
    if (data) await refresh();
  }
}

for (;;) {
  await follow().catch(tell);
  await pause();
}
