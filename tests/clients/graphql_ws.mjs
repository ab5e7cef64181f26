// graphql-ws, over one WebSocket.
import { createClient } from "graphql-ws";
import WebSocket from "ws";

import { operate, retrying } from "./operations.mjs";

const [address] = process.argv.slice(2);

operate(
  createClient({
    url: `${address.replace("http", "ws")}/graphql`,
    webSocketImpl: WebSocket,
    lazy: false,
    // Also when nobody answers; by default it connects again only after a connection that was closed.
    shouldRetry: () => true,
    retryAttempts: retrying.retryAttempts,
    retryWait: retrying.wait,
  }),
);
