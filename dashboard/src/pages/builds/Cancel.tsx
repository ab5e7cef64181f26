// Calling something off, with the reason that others will read.

import { useRef, useState } from "preact/hooks";
import type { Refused } from "../../api/ask.ts";
import { Problem } from "../../ui/parts.tsx";

interface CancelProps {
  /** What is called off: "this run". */
  what: string;
  /** What that leads to. */
  note: string;
  error?: Refused | undefined;
  isRunning: boolean;
  onCancel: (reason: string | null) => Promise<boolean>;
}

export function Cancel({ what, note, error, isRunning, onCancel }: CancelProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [reason, setReason] = useState("");
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (await onCancel(reason.trim() || null)) dialog.current?.close();
  };
  return (
    <>
      <button type="button" class="danger" onClick={() => dialog.current?.showModal()}>Cancel {what}</button>
      <dialog ref={dialog} class="cancel" aria-labelledby="cancel-title">
        <form onSubmit={(event) => void submit(event)}>
          <h2 id="cancel-title">Cancel {what}?</h2>
          <p class="note">{note}</p>
          <div class="field">
            <label for="cancel-reason">Reason, which everyone sees</label>
            <input id="cancel-reason" type="text" value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
          </div>
          {error && <Problem error={error} />}
          <div class="actions">
            <button type="submit" class="danger" disabled={isRunning}>Cancel {what}</button>
            <button type="button" onClick={() => dialog.current?.close()}>Keep it going</button>
          </div>
        </form>
      </dialog>
    </>
  );
}
