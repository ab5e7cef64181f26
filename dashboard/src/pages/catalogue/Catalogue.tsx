import { Page } from "../../ui/parts.tsx";

export default function Catalogue() {
  return <Page title="Catalogue">{null}</Page>;
}
