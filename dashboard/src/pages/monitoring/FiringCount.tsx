// How many alerts fire, beside the way to them.

import { may } from "../../api/session.ts";
import { useQuery } from "../../api/use.ts";
import { FiringAlertsDocument } from "../../generated.ts";
import { grouped } from "../../ui/figures.tsx";

const EVERY = 20_000;

export function FiringCount() {
  const { data } = useQuery(FiringAlertsDocument, {}, { every: EVERY, paused: !may("read") });
  const count = data?.alerts.totalCount ?? 0;
  return count > 0 ? <>{" "}<span class="badge bad places-count">{grouped(count)}<span class="away"> firing</span></span></> : null;
}
