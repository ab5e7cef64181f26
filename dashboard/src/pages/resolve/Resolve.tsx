import { Page } from "../../ui/parts.tsx";

export default function Resolve() {
  return <Page title="Resolve">{null}</Page>;
}
