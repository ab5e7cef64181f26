// The rules by which alerts are due.

import "./monitoring.css";
import { may } from "../../api/session.ts";
import { useQuery } from "../../api/use.ts";
import { AlertRulesDocument, type ShownRuleFragment } from "../../generated.ts";
import { address } from "../../routing.ts";
import { Answered, Badge, Empty, Page } from "../../ui/parts.tsx";
import { metricAddress } from "./metrics.ts";
import { BLOCKED_BUILDS, conditionOf, lasting } from "./rules.ts";

const EVERY = 30_000;

export function Rules() {
  const answer = useQuery(AlertRulesDocument, {}, { every: EVERY });
  return (
    <Page
      title="Alert rules" lead={<>Each is looked at every few seconds, and has an alert for each set of labels of which it holds. <a href={address(["alerts"])}>See the alerts.</a></>}
      actions={may("admin") && <a class="button primary" href={address(["alerts", "rule"])}>New rule</a>}
    >
      <Answered answer={answer}>
        {({ alertRules }) => (alertRules.length ? <Table rules={alertRules} /> : <Empty><p>There are no rules, so nothing can fire. {may("admin") ? "Make one." : "An administrator can make one."}</p></Empty>)}
      </Answered>
    </Page>
  );
}

function Table({ rules }: { rules: readonly ShownRuleFragment[] }) {
  return (
    <div class="panel scroll">
      <table class="monitoring-rows">
        <thead>
          <tr><th scope="col">Rule</th><th scope="col">Severity</th><th scope="col">Metric</th><th scope="col">Due when</th><th scope="col">Tells</th></tr>
        </thead>
        <tbody>
          {rules.map((rule) => (
            <tr key={rule.id}>
              <th scope="row"><a class="name" href={address(["alerts", "rule"], { name: rule.name })}>{rule.name}</a>{!rule.enabled && <> <span class="badge">disabled</span></>}</th>
              <td><Badge state={rule.severity} /></td>
              <td><Metric rule={rule} /></td>
              <td class="monitoring-due">{conditionOf(rule)} <span class="note">{lasting(rule)}</span></td>
              <td class="note">{rule.webhook ? new URL(rule.webhook).host : "nobody"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Metric({ rule: { metric, aggregate, labels } }: { rule: ShownRuleFragment }) {
  const pairs = labels.map(({ key, value }) => `${key}=${value}`);
  if (metric === BLOCKED_BUILDS) return <a class="mono" href={address(["blockers"])}>{metric}</a>;
  return <><a class="mono" href={metricAddress(metric, { aggregate, label: pairs })}>{metric}</a> <span class="note">{pairs.join(", ")}</span></>;
}
