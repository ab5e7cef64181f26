// graphql-sse, with a connection for each operation.
import { createClient } from "graphql-sse";

import { operate, retrying } from "./operations.mjs";

const [address] = process.argv.slice(2);

operate(
  createClient({
    url: `${address}/graphql/stream`,
    singleConnection: false,
    retryAttempts: retrying.retryAttempts,
    retry: retrying.wait,
  }),
);
