import { Page } from "../../ui/parts.tsx";

export default function Alerts() {
  return <Page title="Alerts">{null}</Page>;
}
