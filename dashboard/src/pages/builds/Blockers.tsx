import { Page } from "../../ui/parts.tsx";

export default function Blockers() {
  return <Page title="Blockers">{null}</Page>;
}
