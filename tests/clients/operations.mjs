// Has a client do what is asked for in lines of JSON, and prints what it delivers in such lines.
import { createInterface } from "node:readline";

export const tell = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

// At once, as a break of a test is short; as often as a server may take to start.
export const retrying = {
  retryAttempts: 400,
  wait: () => new Promise((resolve) => setTimeout(resolve, 50)),
};

export function operate(client) {
  const ends = new Map();
  const start = ({ id, ...request }) => {
    const sink = {
      next: (result) => {
        // Both clients send the request as it is by then when they connect again.
        const cursor = result.data?.events?.cursor;
        if (cursor) request.variables.after = cursor;
        tell({ id, next: result });
      },
      error: (error) => tell({ id, error: error instanceof Error ? error.message : error }),
      complete: () => tell({ id, complete: true }),
    };
    ends.set(id, client.subscribe(request, sink));
  };
  createInterface({ input: process.stdin })
    .on("line", (line) => {
      const order = JSON.parse(line);
      if (order.complete) ends.get(order.id)();
      else start(order);
    })
    .on("close", () => client.dispose());
}
