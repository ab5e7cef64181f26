// One rule: making it, changing it, deleting it; or reading it, for those who may not.

import { useState } from "preact/hooks";
import { may } from "../../api/session.ts";
import { useMutation, useQuery } from "../../api/use.ts";
import { AlertRulesDocument, DeleteAlertRuleDocument, type ShownRuleFragment } from "../../generated.ts";
import { address, go, place } from "../../routing.ts";
import { Answered, Badge, Empty, Page, Problem } from "../../ui/parts.tsx";
import { metricAddress } from "./metrics.ts";
import { BLOCKED_BUILDS, conditionOf, lasting } from "./rules.ts";
import { RuleForm } from "./RuleForm.tsx";

export function Rule() {
  const name = place.value.query.get("name");
  const answer = useQuery(AlertRulesDocument, {});
  return (
    <Page title={name ?? "New alert rule"} lead={<a href={address(["alerts", "rules"])}>All rules</a>}>
      <Answered answer={answer}>
        {({ alertRules }) => {
          const rule = alertRules.find((each) => each.name === name);
          if (name && !rule) return <Empty><p>No rule has this name: it was deleted, or never there.</p></Empty>;
          return <Opened key={rule?.id ?? ""} rule={rule} names={alertRules.map((each) => each.name)} />;
        }}
      </Answered>
    </Page>
  );
}

function Opened({ rule, names }: { rule: ShownRuleFragment | undefined; names: readonly string[] }) {
  if (!may("admin")) return rule ? <Read rule={rule} /> : <Empty><p>Only an administrator may make rules.</p></Empty>;
  return (
    <>
      <RuleForm rule={rule} names={names} />
      {rule && <Deletion name={rule.name} />}
    </>
  );
}

function Read({ rule }: { rule: ShownRuleFragment }) {
  const pairs = rule.labels.map(({ key, value }) => `${key}=${value}`);
  return (
    <section class="panel">
      <p><Badge state={rule.severity} /> {!rule.enabled && <span class="badge">disabled</span>}</p>
      <p>{conditionOf(rule)} {lasting(rule)}, of <span class="mono">{rule.metric}</span> {pairs.join(", ")}</p>
      {rule.metric !== BLOCKED_BUILDS && <p><a href={metricAddress(rule.metric, { aggregate: rule.aggregate, label: pairs })}>See what it looks at</a></p>}
      <p class="note">{rule.webhook ? `It tells ${rule.webhook}.` : "It tells nobody."} Only an administrator may change it.</p>
    </section>
  );
}

function Deletion({ name }: { name: string }) {
  const [isSure, setSure] = useState(false);
  const deletion = useMutation(DeleteAlertRuleDocument);
  const remove = async () => {
    if (await deletion.run({ name })) go(address(["alerts", "rules"]));
  };
  return (
    <section class="panel rule-end">
      <h2>Delete this rule</h2>
      <p class="note">Its alerts go with it, and receivers are not told that these are over. Disable it first where they should be.</p>
      {deletion.error && <Problem error={deletion.error} />}
      <div class="controls">
        {!isSure && <button type="button" class="danger" onClick={() => setSure(true)}>Delete…</button>}
        {isSure && <button type="button" class="danger" disabled={deletion.isRunning} onClick={() => void remove()}>Delete {name}</button>}
        {isSure && <button type="button" onClick={() => setSure(false)}>Keep it</button>}
      </div>
    </section>
  );
}
