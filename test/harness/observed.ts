// A running system that a private Prometheus observes, by the settings to deploy.
import { mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PrivateServer, startServer } from '../../scripts/services/index.ts';
import { eventually, freePort, type Kerf } from './kerf.ts';
import { Scraper } from './metrics.ts';
import { queryPrometheus } from './prometheus.ts';
import type { Shop } from './shop.ts';

/** Reads one of the files for Prometheus that are to be deployed. */
export function deployed(name: string): string {
  return readFileSync(join('deploy', 'prometheus', name), 'utf8');
}

export interface Observing {
  /** The address of a private Alertmanager. */
  readonly alertmanager?: string;
  /** Changes the alerts for a test. */
  readonly alerts?: (text: string) => string;
}

/**
 * Starts a Prometheus that finds and scrapes the processes of the system each second. Its recording rules have windows of eight seconds. Resolves
 * when it has read all processes.
 */
export async function observe(
  kerf: Kerf,
  { alertmanager = 'http://127.0.0.1:1', alerts = (text) => text }: Observing = {},
): Promise<PrivateServer> {
  const folder = mkdtempSync(join(tmpdir(), 'kerf-prometheus-'));
  const prometheus = await startServer('prometheus', { port: await freePort(), folder });
  const settings = deployed('prometheus.yml')
    .replaceAll('15s', '1s')
    .replace('http://127.0.0.1:3001', kerf.announced.internal)
    .replace('127.0.0.1:9093', new URL(alertmanager).host);
  symlinkSync(join(kerf.dataDir, 'metrics-token'), join(folder, 'metrics-token'));
  writeFileSync(join(folder, 'prometheus.yml'), settings);
  writeFileSync(join(folder, 'recording.yml'), deployed('recording.yml').replace(/\[\w+\]/g, '[8s]'));
  writeFileSync(join(folder, 'alerts.yml'), alerts(deployed('alerts.yml')));
  const reloaded = await fetch(`${prometheus.url}/-/reload`, { method: 'POST' });
  if (!reloaded.ok) throw new Error(`Prometheus refuses its settings: ${await reloaded.text()}`);
  const targets = (await new Scraper(kerf).targets()).length;
  const enough = ({ length }: readonly unknown[]) => length === targets;
  await queryPrometheus('up{job="kerf"} == 1', { at: prometheus.url, enough });
  return prometheus;
}

/** Looks at products and orders all the time, whatever the answers. Returns the function that ends it. */
export function customers(member: Shop): () => Promise<unknown> {
  let isOpen = true;
  const repeat = async (task: () => Promise<unknown>) => {
    while (isOpen) {
      await task().catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  const all = [repeat(() => member.get('/products')), repeat(() => member.order('WAX', 1, { wait: 1 }))];
  return () => {
    isOpen = false;
    return Promise.all(all);
  };
}

/** Stops the process of a module without ending it. Returns the function that lets it go on. */
export async function freeze(kerf: Kerf, module: string): Promise<() => Promise<boolean>> {
  const pid = await eventually(async () => (await kerf.pidOf(module)) ?? false, `a process of ${module}`);
  process.kill(pid, 'SIGSTOP');
  return async () => process.kill(pid, 'SIGCONT');
}

/** Kills the process of a module whenever there is one. Returns the function that ends it. */
export function killAgainAndAgain(kerf: Kerf, module: string): () => Promise<void> {
  const pause = () => new Promise((resolve) => setTimeout(resolve, 100));
  let isOpen = true;
  const killing = (async () => {
    for (; isOpen; await pause()) {
      const pid = await kerf.pidOf(module);
      if (pid !== null) kill(pid);
    }
  })();
  return () => {
    isOpen = false;
    return killing;
  };
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
