import { Page } from "../../ui/parts.tsx";

export default function Monitoring() {
  return <Page title="Monitoring">{null}</Page>;
}
