// The test servers of metrics and alerts. A test adds its targets, rules and webhooks to those of other tests, and removes them.
import { randomUUID } from 'node:crypto';
import { accessSync, constants, copyFileSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { json } from 'node:stream/consumers';
import { parse } from 'yaml';
import { alertmanagerFile, alertmanagerSettings } from '../../scripts/services/alertmanager.ts';
import { eventually } from './kerf.ts';
import { type ServerName, urlOf } from './servers.ts';
import { ask, type Reading, read, request } from './telemetry-servers.ts';

/** Undoes an addition. */
export type Remove = () => Promise<void>;

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** An alert as Alertmanager posts it to a webhook. */
export interface Alert {
  readonly status: 'firing' | 'resolved';
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * Lets Prometheus scrape targets (`127.0.0.1:9100`) each second, at `/metrics` or the label `__metrics_path__`. Resolves when each has
 * been scraped once, also without success. Throws when Prometheus is down or reads the settings of another machine.
 */
export async function scrape(
  targets: readonly string[],
  { labels = {}, at = urlOf('prometheus') }: { labels?: Record<string, string>; at?: string } = {},
): Promise<Remove> {
  const file = join(await folderOfPrometheus(at), 'targets', `${randomUUID()}.json`);
  putTargets(file, { targets, labels });
  await eventually(
    async () => {
      const scraped = await scrapedBy(at);
      return targets.every((target) => scraped.has(target));
    },
    `the first scrape of ${targets.join(', ')}`,
  );
  return async () => {
    putTargets(file, { targets: [] });
    await eventually(
      async () => {
        const scraped = await scrapedBy(at);
        return !targets.some((target) => scraped.has(target));
      },
      `the end of scraping ${targets.join(', ')}`,
    );
    rmSync(file);
  };
}

async function scrapedBy(at: string): Promise<Set<string>> {
  type Target = { discoveredLabels: Record<string, string>; health: 'up' | 'down' | 'unknown' };
  const { data } = await ask<{ data: { activeTargets: Target[] } }>(`${at}/api/v1/targets?state=active`);
  const scraped = data.activeTargets.filter(({ health }) => health !== 'unknown');
  return new Set(scraped.map(({ discoveredLabels }) => discoveredLabels.__address__ ?? ''));
}

/** Lets Prometheus evaluate the rules of these files. Resolves when it has loaded them. Throws with its message when it refuses one. */
export async function rules(files: readonly string[], at = urlOf('prometheus')): Promise<Remove> {
  const folder = join(await folderOfPrometheus(at), 'rules');
  const copies = files.map((file) => join(folder, `${randomUUID()}-${basename(file)}`));
  const remove = async () => {
    for (const copy of copies) rmSync(copy);
    await reload(at);
  };
  for (const [index, copy] of copies.entries()) copyFileSync(files[index]!, copy);
  await reload(at).catch(async (error) => {
    await remove();
    throw error;
  });
  return remove;
}

/** Resolves with the samples of an instant query, by default as soon as there are any. */
export async function queryPrometheus(query: string, reading: Reading<Sample> = {}): Promise<Sample[]> {
  type Found = { metric: Record<string, string>; value: [number, string] };
  return read('prometheus', query, reading, async (url) => {
    const words = new URLSearchParams({ query });
    const { data } = await ask<{ data: { result: Found[] } }>(`${url}/api/v1/query?${words}`);
    return data.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
  });
}

/** Lets Prometheus send its alerts to a private Alertmanager too. */
export async function sendAlertsTo(alertmanager: string, at = urlOf('prometheus')): Promise<Remove> {
  const { host } = new URL(alertmanager);
  const file = join(await folderOfPrometheus(at), 'alertmanagers', `${randomUUID()}.json`);
  putTargets(file, { targets: [host] });
  return async () => rmSync(file);
}

/** A webhook that Alertmanager posts to. */
export interface Webhook {
  /** All alerts, in the order in which they came, with those of other tests. */
  readonly received: readonly Alert[];
  /** Resolves with the first alert that has these labels and status, also one that has come before. Throws after a minute. */
  alert(labels: Alert['labels'], status: Alert['status']): Promise<Alert>;
  close: Remove;
}

/** Opens a webhook and adds it to the settings of Alertmanager. Resolves when Alertmanager has loaded them. */
export async function openWebhook(at = urlOf('alertmanager')): Promise<Webhook> {
  const received: Alert[] = [];
  const server = createServer(async (request, response) => {
    const { alerts } = (await json(request)) as { alerts: Alert[] };
    received.push(...alerts);
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  await changeWebhooks(at, (urls) => [...urls.filter((each) => each !== url), url]);
  return {
    received,
    alert: (labels, status) =>
      eventually(
        async () => received.find((alert) => alert.status === status && hasLabels(alert, labels)),
        `the alert ${JSON.stringify(labels)} (${status})`,
      ),
    async close() {
      await changeWebhooks(at, (urls) => urls.filter((each) => each !== url));
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function hasLabels(alert: Alert, labels: Alert['labels']): boolean {
  return Object.entries(labels).every(([name, value]) => alert.labels[name] === value);
}

/** Changes the settings again when another test has overwritten them. */
async function changeWebhooks(at: string, change: (urls: string[]) => string[]): Promise<void> {
  const { folder } = await loadedBy(at);
  const file = alertmanagerFile(folder);
  checkWritable('alertmanager', file);
  await eventually(async () => {
    const { receivers } = JSON.parse(readFileSync(file, 'utf8'));
    put(file, alertmanagerSettings(folder, change(urlsIn(receivers))));
    await reload(at);
    const { webhooks } = await loadedBy(at);
    return change(webhooks).length === webhooks.length;
  }, 'the change of webhooks');
}

/** Returns the webhooks that Alertmanager has loaded, and the folder of its settings. */
async function loadedBy(at: string): Promise<{ webhooks: string[]; folder: string }> {
  const { config } = await ask<{ config: { original: string } }>(`${at}/api/v2/status`);
  const { receivers, templates } = parse(config.original);
  return { webhooks: urlsIn(receivers), folder: dirname(templates[0]) };
}

function urlsIn([receiver]: { webhook_configs?: { url: string }[] }[]): string[] {
  return (receiver?.webhook_configs ?? []).map(({ url }) => url);
}

async function folderOfPrometheus(at: string): Promise<string> {
  const { data } = await ask<{ data: { yaml: string } }>(`${at}/api/v1/status/config`);
  const [file] = parse(data.yaml).scrape_configs[0].file_sd_configs[0].files;
  const folder = dirname(dirname(file));
  checkWritable('prometheus', folder);
  return folder;
}

function putTargets(file: string, group: { targets: readonly string[]; labels?: Record<string, string> }): void {
  put(file, JSON.stringify([group]));
}

/** Replaces a whole file, because others read it at any time. */
function put(file: string, text: string): void {
  writeFileSync(`${file}.${process.pid}`, text);
  renameSync(`${file}.${process.pid}`, file);
}

function checkWritable(name: ServerName, path: string): void {
  try {
    accessSync(path, constants.W_OK);
  } catch (cause) {
    const remedy = `stop that one and run: npx kerf services up ${name}`;
    throw new Error(`${name} reads its settings from ${path}, where this test cannot write; ${remedy}`, { cause });
  }
}

async function reload(at: string): Promise<void> {
  const answer = await request(`${at}/-/reload`, { method: 'POST' });
  if (!answer.ok) throw new Error(`${at} does not accept its new settings: ${await answer.text()}`);
}
