import { Page } from "../../ui/parts.tsx";

export default function Runs() {
  return <Page title="Runs">{null}</Page>;
}
