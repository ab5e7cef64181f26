// The words that were attached to something.

export function Labels({ labels }: { labels: readonly { key: string; value: string }[] }) {
  if (labels.length === 0) return null;
  return (
    <ul class="labels">
      {labels.map(({ key, value }) => <li key={key}>{key}{value && <>=<b>{value}</b></>}</li>)}
    </ul>
  );
}
