// Signing in: the token goes to the server once, and comes back as a cookie that no script can read.

import { useState } from "preact/hooks";
import type { Refused } from "../../api/ask.ts";
import { signIn } from "../../api/session.ts";
import { asRefused } from "../../api/use.ts";
import { address, go, place } from "../../routing.ts";
import { Page, Problem } from "../../ui/parts.tsx";

export function SignIn() {
  const [error, setError] = useState<Refused>();
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const token = String(new FormData(event.currentTarget as HTMLFormElement).get("token")).trim();
    setBusy(true);
    try {
      await signIn(token);
      if (place.value.path[0] === "sign-in") go(address([]));
    } catch (problem) {
      setError(asRefused(problem));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Page title="Sign in" lead="This server wants a token before it shows anything.">
      <form class="sign-in" onSubmit={(event) => void submit(event)}>
        <div class="field">
          <label for="token">Token</label>
          <input id="token" name="token" type="password" required autocomplete="current-password" spellcheck={false} aria-describedby="token-note" />
        </div>
        <p id="token-note" class="note">
          Whoever runs the server makes one by <code>buildatlas token create NAME --scope read</code>. It is kept by your
          browser as a cookie that pages cannot read, until you sign out or close the browser.
        </p>
        {error && <Problem error={error} />}
        <button type="submit" class="primary" disabled={isBusy}>Sign in</button>
      </form>
    </Page>
  );
}
