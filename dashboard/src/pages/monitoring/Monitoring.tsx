// How the service and its builds fare over time; with the name of a metric, that alone.

import "./monitoring.css";
import { address, place } from "../../routing.ts";
import { zone } from "../../ui/figures.tsx";
import { Page } from "../../ui/parts.tsx";
import { BuildPlots } from "./BuildPlots.tsx";
import { Explorer } from "./Explorer.tsx";
import { MetricPicker } from "./MetricPicker.tsx";
import { Operations } from "./Operations.tsx";
import { ServicePlots } from "./ServicePlots.tsx";
import { SpanPicker } from "./SpanPicker.tsx";
import { span } from "./span.ts";

export default function Monitoring({ parts: [metric] }: { parts: string[] }) {
  return metric ? <Explorer name={metric} /> : <Overview />;
}

function Overview() {
  const shown = span();
  return (
    <Page
      title="Monitoring" actions={<SpanPicker span={shown} />}
      lead={<>Drag over a plot to look at a part of it. Times are in {zone()}.{shown.name ? "" : <> This window stands still: <a href={address(place.value.path)}>back to the last hour</a>.</>}</>}
    >
      <h2 class="monitoring-part">Builds</h2>
      <BuildPlots span={shown} />
      <h2 class="monitoring-part">Service</h2>
      <ServicePlots span={shown} />
      <Operations span={shown} />
      <MetricPicker />
    </Page>
  );
}
