// Hooks that ask, and keep asking.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { TypedDocumentString } from "../generated.ts";
import { Refused, ask } from "./ask.ts";

export interface Answer<Result> {
  /** The last answer; the one to earlier variables stays until the next one is there. */
  data?: Result;
  error?: Refused;
  /** What is shown is not yet what was asked for; asking the same again is not told of. */
  isLoading: boolean;
  reload: () => void;
}

interface Options {
  /** Milliseconds after which to ask again. The browser is told 304 when nothing has changed. */
  every?: number;
  /** Ask nothing for the time being. */
  paused?: boolean;
}

/** Ask a query, and again whenever its variables change. */
export function useQuery<Result, Variables>(
  document: TypedDocumentString<Result, Variables>,
  variables: Variables,
  { every, paused = false }: Options = {},
): Answer<Result> {
  const [state, setState] = useState<{ data?: Result; error?: Refused; isLoading: boolean }>({ isLoading: !paused });
  const [turn, setTurn] = useState(0);
  const key = JSON.stringify(variables);
  const answered = useRef<string>(undefined);
  useEffect(() => {
    if (paused) return undefined;
    const abort = new AbortController();
    setState((before) => ({ ...before, isLoading: answered.current !== key }));
    ask(document, variables, abort.signal).then(
      (data) => {
        if (abort.signal.aborted) return;
        answered.current = key;
        setState({ data, isLoading: false });
      },
      (error: unknown) => abort.signal.aborted || setState((before) => ({ data: before.data, error: asRefused(error), isLoading: false })),
    );
    return () => abort.abort();
  }, [document, key, turn, paused]);
  const reload = useCallback(() => setTurn((before) => before + 1), []);
  useEffect(() => {
    if (every === undefined || paused) return undefined;
    const timer = setInterval(() => globalThis.document.hidden || reload(), every);
    return () => clearInterval(timer);
  }, [every, paused]);
  return { ...state, reload };
}

interface Action<Variables, Result> {
  run: (variables: Variables) => Promise<Result | undefined>;
  error?: Refused;
  isRunning: boolean;
}

/** Write something when it is asked for; what is refused is kept to be shown. */
export function useMutation<Result, Variables>(document: TypedDocumentString<Result, Variables>): Action<Variables, Result> {
  const [state, setState] = useState<{ error?: Refused; isRunning: boolean }>({ isRunning: false });
  const run = useCallback(async (variables: Variables) => {
    setState({ isRunning: true });
    try {
      const data = await ask(document, variables);
      setState({ isRunning: false });
      return data;
    } catch (error) {
      setState({ isRunning: false, error: asRefused(error) });
      return undefined;
    }
  }, [document]);
  return { ...state, run };
}

/** What was thrown, as what can be shown. */
export function asRefused(error: unknown): Refused {
  return error instanceof Refused ? error : new Refused(String(error), "UNKNOWN");
}
