// An EventSource of the operation in its address: Node's own where that is switched on, else the package's.
import { createInterface } from "node:readline";

const Source = globalThis.EventSource ?? (await import("eventsource")).EventSource;
const [address] = process.argv.slice(2);
const tell = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

const source = new Source(address);
source.addEventListener("open", () => tell({ open: true }));
source.addEventListener("next", ({ data, lastEventId }) => tell({ id: lastEventId, next: JSON.parse(data) }));
source.addEventListener("complete", () => {
  // It would ask again.
  source.close();
  tell({ complete: true });
});
createInterface({ input: process.stdin }).on("close", () => source.close());
