// A run of which only the id is known, by its number.

import { useQuery } from "../../api/use.ts";
import { RunNumberDocument } from "../../generated.ts";
import { RunLink } from "../../ui/parts.tsx";

export function RunNamed({ id }: { id: string }) {
  const { data } = useQuery(RunNumberDocument, { id });
  return data?.run ? <RunLink id={id} number={data.run.number} /> : <>one run</>;
}
