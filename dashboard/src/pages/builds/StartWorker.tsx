// How a worker is started that builds what waits here.

interface StartWorkerProps { labels?: readonly { key: string; value: string }[] }

export function StartWorker({ labels = [] }: StartWorkerProps) {
  const offers = labels.map(({ key, value }) => ` --label ${quoted(`${key}=${value}`)}`).join("");
  return (
    <>
      <p>Start one; COMMAND is what builds a package:</p>
      <pre>buildatlas worker --url {server()}{offers} -- COMMAND</pre>
    </>
  );
}

function quoted(word: string): string {
  return /^[\w.,:=/@+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

// Where the dashboard is, the API is.
function server(): string {
  return new URL(".", location.href).href;
}
