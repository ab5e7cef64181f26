// The catalogue: its packages, one package, one version.

import "./catalogue.css";
import { PackageIn } from "./PackageIn.tsx";
import { Packages } from "./Packages.tsx";
import { VersionIn } from "./VersionIn.tsx";

export default function Catalogue({ parts: [name, version] }: { parts: string[] }) {
  if (name === undefined) return <Packages />;
  return version === undefined ? <PackageIn name={name} /> : <VersionIn name={name} version={version} />;
}
