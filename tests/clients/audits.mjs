// The audits of graphql-http: a line for each.
import { serverAudits } from "graphql-http";

const [address] = process.argv.slice(2);

for (const audit of serverAudits({ url: `${address}/graphql` })) {
  const { id, name, status, reason } = await audit.fn();
  process.stdout.write(`${JSON.stringify({ id, name, status, reason })}\n`);
}
