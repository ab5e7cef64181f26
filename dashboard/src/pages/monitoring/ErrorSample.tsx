// The last error of a group: what is known of it, and what it said.

import { useQuery } from "../../api/use.ts";
import { ErrorSampleDocument } from "../../generated.ts";
import { address } from "../../routing.ts";
import { Answered, Empty, PackageLink, VersionLink } from "../../ui/parts.tsx";

// As the server writes them, a line each, before the text.
const FACT = /^(request|at|package|attempt|worker): (.+)$/;

export function ErrorSample({ id }: { id: string }) {
  const answer = useQuery(ErrorSampleDocument, { id });
  return (
    <Answered answer={answer}>
      {({ node }) => (node && "sample" in node ? <Sample text={node.sample} /> : <Empty><p>It is no longer kept.</p></Empty>)}
    </Answered>
  );
}

function Sample({ text }: { text: string }) {
  const lines = text.split("\n");
  const end = lines.findIndex((line) => !FACT.test(line));
  const facts = (end < 0 ? lines : lines.slice(0, end)).map((line) => FACT.exec(line)!);
  return (
    <div class="errors-sample">
      <dl class="alert-facts">{facts.map(([, name, value]) => <div key={name}><dt>{name}</dt><dd><Fact name={name!} value={value!} /></dd></div>)}</dl>
      {end >= 0 && <pre tabIndex={0} aria-label="The last error">{lines.slice(end).join("\n")}</pre>}
    </div>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  if (name === "request") return <code>{value}</code>;
  if (name !== "package") return value;
  const at = value.lastIndexOf(" ");
  const [packageName, version] = [value.slice(0, at), value.slice(at + 1)];
  return (
    <>
      <PackageLink name={packageName} /> <VersionLink name={packageName} version={version} />, <a href={address(["builds"], { package: packageName })}>its builds</a>
    </>
  );
}
