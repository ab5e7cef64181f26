// A package that is not there, and those that are spelled like it.

import type { Refused } from "../api/ask.ts";
import { useQuery } from "../api/use.ts";
import { NearNamesDocument } from "../generated.ts";
import { address } from "../routing.ts";
import { Empty, Loading } from "./parts.tsx";

interface MissingProps {
  name: string;
  /** Where a near name leads: without this, to that package. */
  to?: (near: string) => string;
}

/** Whether an answer was refused for a package that is not there. */
export function isMissing({ error }: { error?: Refused }): boolean {
  return error?.code === "NOT_FOUND";
}

/** Says so of a package that is not there, and nothing of one that is. */
export function Missing({ name, to = (near) => address(["packages", near]) }: MissingProps) {
  const { error, isLoading } = useQuery(NearNamesDocument, { name });
  if (isLoading) return <Loading />;
  if (error?.code !== "NOT_FOUND") return null;
  const near = error.facts["suggestions"] as string[];
  return (
    <Empty>
      <p>No package is named {name}. Names tell capitals from small letters.</p>
      {near.length > 0 && <p>Close to it: {near.map((each, index) => <span key={each}>{index > 0 && ", "}<a class="name" href={to(each)}>{each}</a></span>)}.</p>}
      <a class="button" href={address(["packages"])}>All packages</a>
    </Empty>
  );
}
