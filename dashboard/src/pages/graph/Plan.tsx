import { Page } from "../../ui/parts.tsx";

export default function Plan() {
  return <Page title="Plan">{null}</Page>;
}
