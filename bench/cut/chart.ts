/** The data of the chart: the duration of each order, and the relocations. Times are milliseconds since the beginning. */
export interface Timeline {
  readonly orders: readonly { readonly at: number; readonly ms: number; readonly failed: boolean }[];
  readonly moves: readonly { readonly at: number; readonly ms: number; readonly label: string }[];
  readonly endsAt: number;
}

const columns = 110;
const blocks = ' ▁▂▃▄▅▆▇█';

/** Draws the chart for a terminal: the slowest order of each time slot, and below it the relocations. */
export function inTerminal({ orders, moves, endsAt }: Timeline): string {
  const worst = new Array<number>(columns).fill(0);
  const moved = new Array<string>(columns).fill('·');
  const column = (at: number) => Math.min(columns - 1, Math.max(0, Math.floor((at / endsAt) * columns)));
  for (const { at, ms } of orders) worst[column(at)] = Math.max(worst[column(at)] ?? 0, ms);
  for (const { at } of moves) moved[column(at)] = '|';
  const top = Math.max(1, ...worst);
  const bars = worst.map((ms) => blocks[Math.ceil((ms / top) * (blocks.length - 1))]).join('');
  return [
    `  longest order, up to ${Math.round(top)} ms`,
    `  ${bars}`,
    `  ${moved.join('')}`,
    `  0 … ${Math.round(endsAt / 1_000)} s, | is a move`,
  ].join('\n');
}

const [width, height, margin] = [1_200, 320, 40];

/** Draws the chart as SVG: a dot for each order, a band for each relocation. */
export function asSvg({ orders, moves, endsAt }: Timeline): string {
  const top = Math.max(50, ...orders.map(({ ms }) => ms));
  const x = (at: number) => (margin + (at / endsAt) * (width - 2 * margin)).toFixed(1);
  const y = (ms: number) => (height - margin - (ms / top) * (height - 2 * margin)).toFixed(1);
  const bands = moves.map(
    ({ at, ms, label }) =>
      `<rect x="${x(at)}" y="${margin}" width="${Math.max(1, (ms / endsAt) * (width - 2 * margin)).toFixed(1)}" height="${height - 2 * margin}" fill="#f4a261" fill-opacity="0.35"><title>${label}</title></rect>`,
  );
  const dots = orders.map(
    ({ at, ms, failed }) => `<circle cx="${x(at)}" cy="${y(ms)}" r="1.5" fill="${failed ? '#d00000' : '#264653'}"/>`,
  );
  const grid = [0, 0.25, 0.5, 0.75, 1].map(
    (part) =>
      `<text x="4" y="${y(top * part)}" font-size="11">${Math.round(top * part)} ms</text><line x1="${margin}" x2="${width - margin}" y1="${y(top * part)}" y2="${y(top * part)}" stroke="#ddd"/>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif">`,
    '<rect width="100%" height="100%" fill="white"/>',
    `<text x="${margin}" y="20" font-size="14">Orders while modules move: a dot is an order, a band is a move (0 … ${Math.round(endsAt / 1_000)} s)</text>`,
    ...[...grid, ...bands, ...dots],
    '</svg>',
  ].join('\n');
}
