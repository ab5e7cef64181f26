// Trying a build again that has ended badly.

import { seen } from "../../api/ask.ts";
import { may } from "../../api/session.ts";
import { useMutation } from "../../api/use.ts";
import { RetryBuildDocument, type BuildConclusion } from "../../generated.ts";
import { Problem } from "../../ui/parts.tsx";

const FOR_GOOD = new Set(["SUCCESS", "SKIPPED", "UNCHANGED", "SUPERSEDED"]);

interface RetryProps {
  build: { id: string; conclusion: BuildConclusion | null };
  /** Of which package, where several can be tried again. */
  name?: string;
  class?: string;
  onDone?: () => void;
}

/** A button, where there is anything to try again and the viewer may. */
export function Retry({ build: { id, conclusion }, name, class: kind = "", onDone }: RetryProps) {
  const { run, error, isRunning } = useMutation(RetryBuildDocument);
  if (!may("build") || conclusion === null || FOR_GOOD.has(conclusion)) return null;
  const onClick = async () => {
    const data = await run({ input: { id } });
    if (!data) return;
    seen(data.retryBuild.cursor);
    onDone?.();
  };
  return (
    <>
      {error && <Problem error={error} />}
      <button type="button" class={kind} disabled={isRunning} onClick={() => void onClick()}>
        Try again{name && <span class="away"> with {name}</span>}
      </button>
    </>
  );
}
