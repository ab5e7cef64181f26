// One alert: what is so, since when, what it is about, and what can be done.

import { may } from "../../api/session.ts";
import { useMutation } from "../../api/use.ts";
import { AcknowledgeAlertDocument, type ShownAlertFragment } from "../../generated.ts";
import { address, changed, go, place } from "../../routing.ts";
import { Ago, Elapsed, counted } from "../../ui/figures.tsx";
import { Badge, PackageLink, Problem } from "../../ui/parts.tsx";
import { Deliveries } from "./Deliveries.tsx";
import { metricAddress } from "./metrics.ts";
import { BLOCKED_BUILDS, conditionOf, valueOf } from "./rules.ts";

interface CardProps { alert: ShownAlertFragment; onChange: () => void }

export function AlertCard({ alert, onChange }: CardProps) {
  const acknowledge = useMutation(AcknowledgeAlertDocument);
  const take = async () => {
    if (await acknowledge.run({ id: alert.id })) onChange();
  };
  const { rule } = alert;
  return (
    <li class="panel alert">
      <div class="panel-head">
        <h2><Badge state={alert.severity} /> <a href={address(["alerts", "rule"], { name: rule.name })}>{rule.name}</a></h2>
        <div class="actions">
          <Badge state={alert.state} />
          {alert.state === "FIRING" && may("write") && (
            <button type="button" disabled={acknowledge.isRunning} aria-label={`Acknowledge ${rule.name}`} onClick={() => void take()}>Acknowledge</button>
          )}
        </div>
      </div>
      {acknowledge.error && <Problem error={acknowledge.error} />}
      <p class="alert-message">{alert.message}</p>
      <dl class="alert-facts">
        <div><dt>Value</dt><dd class="figure">{valueOf(rule, alert.value)}</dd></div>
        <div><dt>Due</dt><dd class="figure">{conditionOf(rule)}</dd></div>
        <Times alert={alert} />
        {alert.blockedBuilds !== null && (
          <div><dt>Holds up</dt><dd><a href={address(["blockers"])}>{counted(alert.blockedBuilds, "build")}</a></dd></div>
        )}
        <About alert={alert} />
      </dl>
      {rule.webhook !== null && <DeliveriesOf alert={alert} />}
    </li>
  );
}

function Times({ alert }: { alert: ShownAlertFragment }) {
  return (
    <>
      <div><dt>Since</dt><dd><Ago at={alert.startedAt} /></dd></div>
      {alert.acknowledgedAt && <div><dt>Taken on</dt><dd><Ago at={alert.acknowledgedAt} /></dd></div>}
      {alert.resolvedAt && <div><dt>Lasted</dt><dd><Elapsed from={alert.startedAt} to={alert.resolvedAt} /></dd></div>}
    </>
  );
}

function About({ alert: { labels, rule } }: { alert: ShownAlertFragment }) {
  const measured = metricAddress(rule.metric, { aggregate: rule.aggregate, label: labels.map(({ key, value }) => `${key}=${value}`) });
  return (
    <>
      {labels.map(({ key, value }) => (
        <div key={key}><dt>{key}</dt><dd>{key === "package" && value ? <PackageLink name={value} /> : value || "(empty)"}</dd></div>
      ))}
      {rule.metric !== BLOCKED_BUILDS && (
        <div><dt>Metric</dt><dd><a class="mono" href={measured}>{rule.metric}</a></dd></div>
      )}
    </>
  );
}

function DeliveriesOf({ alert }: { alert: ShownAlertFragment }) {
  const isOpen = place.value.query.get("open") === alert.id;
  const turn = () => go(changed({ open: isOpen ? null : alert.id }), { replace: true });
  return (
    <div>
      <button type="button" class="quiet alert-open" aria-expanded={isOpen} onClick={turn}>
        {isOpen ? "Hide deliveries" : "Deliveries"}<span class="away"> of {alert.rule.name}</span>
      </button>
      {isOpen && <Deliveries alert={alert.id} state={alert.state} />}
    </div>
  );
}
