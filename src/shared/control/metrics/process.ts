import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { Contract } from '../../kernel/contract/index.ts';
import type { MetricFamily, Sample } from '../parts/index.ts';
import type { Relocations } from '../relocation/index.ts';
import { Series } from './series.ts';

/** Reads the free space and the size of the disk that holds the data folder. */
export async function readDisk(folder: string): Promise<MetricFamily[]> {
  const { bavail, blocks, bsize } = await statfs(folder);
  const gauge = (name: string, help: string, value: number): MetricFamily => ({
    ...{ name, help, samples: [{ labels: {}, value }] },
    type: 'gauge',
  });
  return [
    gauge('kerf_data_disk_free_bytes', 'Free space on the disk of the data folder.', bavail * bsize),
    gauge('kerf_data_disk_size_bytes', 'Size of the disk of the data folder.', blocks * bsize),
  ];
}

/** Reads the moves of modules since the start. */
export function readRelocations({ current, ended }: Pick<Relocations, 'current' | 'ended'>): MetricFamily[] {
  const [moves, seconds] = [new Series(), new Series()];
  for (const [module, { moved, failed, ms }] of ended) {
    moves.add({ module, outcome: 'moved' }, moved);
    moves.add({ module, outcome: 'failed' }, failed);
    seconds.add({ module }, ms / 1_000);
  }
  const inFlight: Sample[] = current ? [{ labels: { module: current.module }, value: 1 }] : [];
  return [
    {
      name: 'kerf_relocations_total',
      help: 'Moves of modules that have ended.',
      type: 'counter',
      samples: moves.samples,
    },
    { name: 'kerf_relocation_seconds_total', help: 'Time of those moves.', type: 'counter', samples: seconds.samples },
    { name: 'kerf_relocation_in_flight', help: 'The module that moves now.', type: 'gauge', samples: inFlight },
  ];
}

/** Describes the program: the hash of its file, and the versions of the events in its contracts. */
export class BuildInfo {
  #artifact: Promise<string> | undefined;
  private readonly contracts: readonly Contract[];

  constructor(contracts: readonly Contract[]) {
    this.contracts = contracts;
  }

  async families(): Promise<MetricFamily[]> {
    this.#artifact ??= hashOf(process.argv[1]).catch(() => 'unknown');
    const versions = this.contracts.flatMap(({ name: module, events }) =>
      Object.values(events).map(({ name: event, version }) => ({
        labels: { module, event, version: String(version) },
        value: 1,
      })),
    );
    const build = { labels: { artifact: await this.#artifact, node: process.version }, value: 1 };
    return [
      { name: 'kerf_build_info', help: 'The program: the hash of its file.', type: 'gauge', samples: [build] },
      { name: 'kerf_event_info', help: 'The versions of events in contracts.', type: 'gauge', samples: versions },
    ];
  }
}

/** Returns the first 12 digits of the hash of a file. */
async function hashOf(file = ''): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex').slice(0, 12);
}
