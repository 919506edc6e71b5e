import { createHash, X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync, statfsSync } from 'node:fs';
import { hostname } from 'node:os';
import type { z } from 'zod';
import type { Contract } from '../../kernel/contract/index.ts';
import type { OpenModule } from '../../kernel/module/index.ts';
import type { TlsMaterial } from '../../kernel/ports/index.ts';
import type { processAnswer } from '../admin-contract/index.ts';
import type { Identity } from '../identity/index.ts';
import { describeContract } from '../releases/index.ts';
import type { Topology } from '../topology/index.ts';
import { oldestEvents } from './conditions.ts';

export interface ProcessFactsDependencies {
  readonly topology: Topology;
  readonly definitions: readonly { readonly contract: Contract }[];
  readonly open: ReadonlyMap<string, Pick<OpenModule, 'name' | 'database'>>;
  readonly identity: Pick<Identity, 'until'>;
  readonly tls: TlsMaterial;
  readonly loopDelay: { readonly longestMs: number };
}

/** Describes this process for operators. It shows no value of a setting but the data folder and names of files. */
export async function processFacts(parts: ProcessFactsDependencies): Promise<z.input<typeof processAnswer>> {
  const receivedAt = Date.now();
  const { topology, definitions, open, identity, tls, loopDelay } = parts;
  const { settings, only } = topology;
  const modules = [...open.values()].map(async (module) => ({
    name: module.name,
    oldestEvents: await oldestEvents(module).catch(() => []),
  }));
  return {
    name: only?.join(',') ?? 'home',
    host: hostname(),
    pid: process.pid,
    node: process.version,
    receivedAt,
    steppedMs: Math.round(Date.now() - performance.timeOrigin - performance.now()),
    loopDelayMs: loopDelay.longestMs,
    memory: { usedBytes: process.memoryUsage.rss(), limitBytes: process.constrainedMemory() },
    files: openFiles(),
    disk: diskOf(settings.DATA_DIR),
    certificates: certificatesOf(tls),
    identity: identity.until === undefined ? null : { until: identity.until, file: settings.INTERNAL_IDENTITY },
    exporters: exporters(),
    contracts: Object.fromEntries(definitions.map(({ contract }) => [contract.name, digest(contract)])),
    modules: await Promise.all(modules),
    sentAt: Date.now(),
  };
}

/** Counts the open files, and reads their limit. Only Linux has both at hand. */
function openFiles() {
  try {
    const [, limit = ''] = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return { open: readdirSync('/proc/self/fd').length, limit: Number(limit) || Number.MAX_SAFE_INTEGER };
  } catch {
    return null;
  }
}

function diskOf(folder: string) {
  const { bavail, bsize, ffree, files } = statfsSync(folder);
  return { folder, freeBytes: bavail * bsize, freeFiles: ffree, files };
}

function certificatesOf({ cert, ca }: TlsMaterial) {
  const named = [
    { setting: 'INTERNAL_TLS_CERT', pem: cert },
    { setting: 'INTERNAL_TLS_CA', pem: ca },
  ];
  return named.flatMap(({ setting, pem }) =>
    pem ? [{ setting, until: new X509Certificate(pem).validToDate.getTime() }] : [],
  );
}

/** Returns names alone: the values may hold secrets. */
function exporters(): string[] {
  return Object.keys(process.env)
    .filter((name) => /^OTEL_.*(EXPORTER|ENDPOINT)$/.test(name) && process.env[name] && process.env[name] !== 'none')
    .sort();
}

const digests = new WeakMap<Contract, string>();

/** Returns a digest of what others may rely on in a contract: equal digests mean equal contracts. */
function digest(contract: Contract): string {
  const known = digests.get(contract);
  if (known !== undefined) return known;
  const made = createHash('sha256')
    .update(JSON.stringify(describeContract(contract)))
    .digest('hex')
    .slice(0, 12);
  digests.set(contract, made);
  return made;
}
