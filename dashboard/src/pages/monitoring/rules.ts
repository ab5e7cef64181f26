// What a rule of alerts says, in words.

import type { AlertSeverity, Comparison, MetricAggregate } from "../../generated.ts";
import { said, unitOf } from "../../ui/units.ts";
import { AGGREGATES } from "./metrics.ts";

/** What is looked at that is not measured: by root cause, the builds that it holds up. */
export const BLOCKED_BUILDS = "blocked_builds";

export const COMPARISONS: Record<Comparison, string> = { GT: "above", GTE: "at or above", LT: "below", LTE: "at or below" };
export const SEVERITIES: AlertSeverity[] = ["INFO", "WARNING", "CRITICAL"];

interface Judged { metric: string; aggregate: MetricAggregate; comparison: Comparison; threshold: number }

/** "P95 above 5 s". */
export function conditionOf(rule: Judged): string {
  return `${AGGREGATES[rule.aggregate]} ${COMPARISONS[rule.comparison]} ${valueOf(rule, rule.threshold)}`;
}

/** A value that a rule saw: a name tells the unit of what the server measures by itself. */
export function valueOf({ metric, aggregate }: Judged, value: number): string {
  if (aggregate === "COUNT") return said(value, "1");
  if (metric.endsWith(".seconds")) return said(value, "s");
  return said(value, metric.endsWith(".bytes") ? "By" : unitOf(metric, "1"));
}

/** "over 5 min, for 1 min". */
export function lasting({ windowSeconds, forSeconds }: { windowSeconds: number; forSeconds: number }): string {
  return `over ${said(windowSeconds, "s")}${forSeconds ? `, for ${said(forSeconds, "s")}` : ", at once"}`;
}
