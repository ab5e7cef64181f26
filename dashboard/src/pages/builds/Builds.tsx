import { Page } from "../../ui/parts.tsx";

export default function Builds() {
  return <Page title="Builds">{null}</Page>;
}
