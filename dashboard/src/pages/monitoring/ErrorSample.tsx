// The last error of a group: what is known of it, and what it said.

import { useQuery } from "../../api/use.ts";
import { ErrorSampleDocument, NewestBuildOfDocument } from "../../generated.ts";
import { address } from "../../routing.ts";
import { Answered, BuildLink, Empty, PackageLink, VersionLink } from "../../ui/parts.tsx";

// As the server writes them, a line each, before the text.
const FACT = /^(request|at|package|attempt|worker): (.+)$/;

export function ErrorSample({ id }: { id: string }) {
  const answer = useQuery(ErrorSampleDocument, { id });
  return (
    <Answered answer={answer}>
      {({ node }) => (node && "sample" in node ? <Sample code={node.code} text={node.sample} /> : <Empty><p>It is no longer kept.</p></Empty>)}
    </Answered>
  );
}

function Sample({ code, text }: { code: string; text: string }) {
  const lines = text.split("\n");
  const end = lines.findIndex((line) => !FACT.test(line));
  const facts = (end < 0 ? lines : lines.slice(0, end)).map((line) => FACT.exec(line)!);
  return (
    <div class="errors-sample">
      <dl class="alert-facts">{facts.map(([, name, value]) => <div key={name}><dt>{name}</dt><dd><Fact code={code} name={name!} value={value!} /></dd></div>)}</dl>
      {end >= 0 && <pre tabIndex={0} aria-label="The last error">{lines.slice(end).join("\n")}</pre>}
    </div>
  );
}

function Fact({ code, name, value }: { code: string; name: string; value: string }) {
  if (name === "request") return <code>{value}</code>;
  if (name !== "package") return value;
  const at = value.lastIndexOf(" ");
  return <Failed name={value.slice(0, at)} version={value.slice(at + 1)} conclusion={code} />;
}

/** What failed, and the ways to its log: the sample names no build. */
function Failed({ name, version, conclusion }: { name: string; version: string; conclusion: string }) {
  const { data } = useQuery(NewestBuildOfDocument, { package: name, version });
  const newest = data?.packageVersion?.latestBuild;
  return (
    <>
      <PackageLink name={name} /> <VersionLink name={name} version={version} />,{" "}
      {newest && <><BuildLink id={newest.id}>its newest build and log</BuildLink>, </>}
      <a href={address(["builds"], { package: name, conclusion })}>all that ended so</a>
    </>
  );
}
