// How the receiver of an alert was told of it, and telling it once more.

import { may } from "../../api/session.ts";
import { useMutation, useQuery } from "../../api/use.ts";
import { AlertDeliveriesDocument, RedeliverAlertDocument, type AlertDeliveriesQuery } from "../../generated.ts";
import { Ago } from "../../ui/figures.tsx";
import { Answered, Empty, Problem } from "../../ui/parts.tsx";

const EVERY = 5_000;

type Delivery = Extract<NonNullable<AlertDeliveriesQuery["node"]>, { deliveries: unknown }>["deliveries"][number];

export function Deliveries({ alert, state }: { alert: string; state: string }) {
  const answer = useQuery(AlertDeliveriesDocument, { id: alert }, { every: EVERY });
  const again = useMutation(RedeliverAlertDocument);
  const redeliver = async () => {
    if (await again.run({ id: alert })) answer.reload();
  };
  return (
    <div class="alert-deliveries">
      {again.error && <Problem error={again.error} />}
      <Answered answer={answer}>
        {({ node }) => {
          const deliveries = node && "deliveries" in node ? node.deliveries : [];
          if (deliveries.length) return <Attempts deliveries={deliveries} />;
          return <Empty><p>{state === "PENDING" ? "Its receiver is told once it fires." : "Its receiver has not been told yet."}</p></Empty>;
        }}
      </Answered>
      {may("write") && state !== "PENDING" && <button type="button" disabled={again.isRunning} onClick={() => void redeliver()}>Deliver again</button>}
    </div>
  );
}

function Attempts({ deliveries }: { deliveries: readonly Delivery[] }) {
  return (
    <table>
      <thead><tr><th scope="col">When</th><th scope="col" class="end">Attempt</th><th scope="col">Outcome</th></tr></thead>
      <tbody>
        {deliveries.map(({ id, at, attempt, delivered, status, message }) => (
          <tr key={id}>
            <td class="figure"><Ago at={at} /></td>
            <td class="end">{attempt}</td>
            <td>
              <span class={`badge ${delivered ? "good" : "bad"}`}>{delivered ? "delivered" : "failed"}</span> {status ?? "no answer"}
              {message && <span class="note"> {message}</span>}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
