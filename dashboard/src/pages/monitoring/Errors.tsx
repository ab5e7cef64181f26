import { Page } from "../../ui/parts.tsx";

export default function Errors() {
  return <Page title="Errors">{null}</Page>;
}
