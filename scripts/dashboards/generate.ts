import { LegendDisplayMode, LegendPlacement, VizLegendOptionsBuilder } from '@grafana/grafana-foundation-sdk/common';
import {
  DashboardBuilder,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import type { Board, Panel } from './boards.ts';

const source = { type: 'prometheus', uid: '$datasource' };
const columns = 24;
const legend = new VizLegendOptionsBuilder()
  .showLegend(true)
  .displayMode(LegendDisplayMode.List)
  .placement(LegendPlacement.Bottom);
const size = { width: 12, height: 8 };

/** Returns the JSON of a dashboard, as Grafana imports it. */
export function jsonOf({ uid, title, about, byModule, rows }: Board): string {
  const board = new DashboardBuilder(title)
    .uid(uid)
    .description(about)
    .tags(['kerf'])
    .refresh('30s')
    .time({ from: 'now-1h', to: 'now' });
  board.withVariable(new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'));
  if (byModule) board.withVariable(moduleChoice());
  let y = 0;
  for (const [name, panels] of Object.entries(rows)) {
    board.withRow(new RowBuilder(name).gridPos({ x: 0, y, w: columns, h: 1 }));
    y += 1;
    for (const [index, panel] of panels.entries()) {
      const isLeft = index % 2 === 0;
      board.withPanel(panelOf(panel).gridPos({ x: isLeft ? 0 : size.width, y, w: size.width, h: size.height }));
      if (!isLeft || index === panels.length - 1) y += size.height;
    }
  }
  return `${JSON.stringify(board.build(), undefined, 2)}\n`;
}

function panelOf({ title, unit, queries }: Panel): PanelBuilder {
  const panel = new PanelBuilder().title(title).unit(unit).min(0).datasource(source).legend(legend);
  for (const [index, [name, expr]] of Object.entries(queries).entries()) {
    const refId = String.fromCharCode('A'.charCodeAt(0) + index);
    panel.withTarget(
      new DataqueryBuilder()
        .refId(refId)
        .expr(expr)
        .legendFormat(name)
        .exemplar(expr.includes('_bucket'))
        .datasource(source),
    );
  }
  return panel;
}

function moduleChoice(): QueryVariableBuilder {
  return new QueryVariableBuilder('module')
    .label('Module')
    .datasource(source)
    .query('label_values(kerf_module_reachable, module)')
    .multi(true)
    .includeAll(true)
    .allValue('.*');
}
