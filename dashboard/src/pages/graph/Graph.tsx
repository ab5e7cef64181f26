import { Page } from "../../ui/parts.tsx";

export default function Graph() {
  return <Page title="Graph">{null}</Page>;
}
