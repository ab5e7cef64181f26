/** @jsxImportSource react */
// The GraphQL IDE: GraphiQL on this server, with its subscriptions, in the session of the dashboard.

import "graphiql/setup-workers/vite";
import "graphiql/style.css";
import "./ide.css";
import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { GraphiQL } from "graphiql";
import { createClient } from "graphql-ws";
import { createRoot } from "react-dom/client";

const FIRST_DOCUMENT = `# Everything that this server can be asked.
# Ctrl-Space completes, Ctrl-Enter runs.

query LargestCycles {
  cycles(first: 3) {
    totalCount
    nodes { packages example }
  }
}

query Newest {
  packages(first: 5, orderBy: { field: UPDATED_AT, direction: DESC }) {
    nodes { name latestVersion { version releasedAt } }
  }
}

subscription Watch {
  events { ... on Event { cursor at kind package version } }
}
`;

const socket = new URL("graphql", document.baseURI);
socket.protocol = socket.protocol.replace("http", "ws");

const fetcher = createGraphiQLFetcher({
  url: "graphql",
  wsClient: createClient({ url: socket.href, lazy: true }),
});

/** Whether the server tells who asks what it can be asked; else there is nothing to do here before signing in. */
async function isLet(): Promise<boolean> {
  const response = await fetch("session");
  if (!response.ok) return false;
  const { scopes } = await response.json();
  return scopes.length > 0;
}

function Locked() {
  return (
    <main className="ide-locked">
      <h1>Sign in first</h1>
      <p>This server wants a token before it answers. <a href="./#/sign-in">Sign in on the dashboard</a>, then come back.</p>
    </main>
  );
}

// A link may bring a document: `/graphql#query=…&variables=…`. It is run by nobody but the reader.
const given = new URLSearchParams(location.hash.slice(1));

const root = createRoot(document.getElementById("ide")!);
const isOpen = await isLet().catch(() => false);
root.render(
  isOpen ? (
    <GraphiQL
      fetcher={fetcher} defaultQuery={FIRST_DOCUMENT} defaultEditorToolsVisibility="variables"
      initialQuery={given.get("query") ?? undefined} initialVariables={given.get("variables") ?? undefined}
    >
      <GraphiQL.Logo><a className="ide-home" href="./">Buildatlas</a></GraphiQL.Logo>
    </GraphiQL>
  ) : <Locked />,
);
