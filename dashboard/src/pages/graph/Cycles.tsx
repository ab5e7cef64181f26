import { Page } from "../../ui/parts.tsx";

export default function Cycles() {
  return <Page title="Cycles">{null}</Page>;
}
