// What whoever published something attached to it.

export function Labels({ labels }: { labels: readonly { key: string; value: string }[] }) {
  return (
    <ul class="cat-labels">
      {labels.map(({ key, value }) => <li key={key}><span class="note">{key}</span> {value}</li>)}
    </ul>
  );
}
