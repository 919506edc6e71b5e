import type { ModuleUnit } from 'kerf/module';
import { put } from './store.ts';

const goods: [sku: string, name: string, description: string, amount: number][] = [
  ['SAW-RIP', 'Rip saw', 'Coarse teeth that follow the grain, 600 mm', 48_000],
  ['SAW-CROSS', 'Crosscut saw', 'Fine teeth for cuts across the grain, 550 mm', 46_000],
  ['SAW-DOVETAIL', 'Dovetail saw', 'Stiff back and a thin kerf for joints', 62_000],
  ['SAW-COPING', 'Coping saw', 'Curves in thin stock, with five blades', 21_000],
  ['SAW-BOW', 'Bow saw', 'Green wood and firewood, 760 mm', 33_000],
  ['PLANE-BLOCK', 'Block plane', 'Low angle, for end grain', 71_000],
  ['PLANE-SMOOTH', 'Smoothing plane', 'The last shaving before the finish', 118_000],
  ['CHISEL-06', 'Chisel 6 mm', 'Bevel edge, hornbeam handle', 24_000],
  ['CHISEL-12', 'Chisel 12 mm', 'Bevel edge, hornbeam handle', 26_000],
  ['CHISEL-25', 'Chisel 25 mm', 'Bevel edge, hornbeam handle', 31_000],
  ['MALLET', 'Mallet', 'Beech head, drives a chisel without hurting it', 29_000],
  ['MARKING-GAUGE', 'Marking gauge', 'Wheel cutter and brass face', 37_000],
  ['SQUARE', 'Try square', 'Rosewood and steel, 150 mm', 34_000],
  ['CLAMP-300', 'Bar clamp 300 mm', 'Holds what the glue does not yet', 19_000],
  ['CLAMP-900', 'Bar clamp 900 mm', 'For table tops and doors', 38_000],
  ['GLUE', 'Hide glue', 'Reversible, 250 ml', 15_000],
  ['OIL', 'Linseed oil', 'Boiled, dries overnight, 500 ml', 18_000],
  ['WAX', 'Beeswax polish', 'With carnauba, 200 g', 22_000],
  ['STONE-1000', 'Whetstone 1000', 'For a keen edge', 41_000],
  ['STONE-6000', 'Whetstone 6000', 'For the mirror after it', 67_000],
  ['WORKBENCH', 'Workbench', 'Beech, with two vises', 890_000],
  ['LIMITED-1', 'Anniversary saw', 'Five were made; number and signature on the blade', 250_000],
];

export async function seed(unit: ModuleUnit): Promise<void> {
  for (const [sku, name, description, amount] of goods) {
    await put({ sku, name, description, price: { amount, currency: 'KRW' } }, unit);
  }
}
