import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Kerf } from './kerf.ts';

/** A series with its value. */
export interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Target {
  readonly targets: readonly [string];
  readonly labels: { readonly process: string };
}

/** Reads the metrics of a running system, like Prometheus. */
export class Scraper {
  readonly token: string;
  private readonly home: string;

  constructor({ announced, dataDir }: Pick<Kerf, 'announced' | 'dataDir'>) {
    this.home = announced.internal;
    this.token = readFileSync(join(dataDir, 'metrics-token'), 'utf8').trim();
  }

  async targets(): Promise<Target[]> {
    return (await this.#get(`${this.home}/metrics/targets`)).json() as Promise<Target[]>;
  }

  /** Resolves with the text of one process, by default of the home process. */
  async text(host = new URL(this.home).host, accept = 'text/plain'): Promise<string> {
    return (await this.#get(`http://${host}/metrics`, accept)).text();
  }

  /** Resolves with the series of all processes, each with the label `process`. */
  async scrape(): Promise<Series[]> {
    const all = (await this.targets()).map(async ({ targets: [host], labels }) =>
      parse(await this.text(host)).map((each) => ({ ...each, labels: { ...each.labels, ...labels } })),
    );
    return (await Promise.all(all)).flat();
  }

  #get(url: string, accept = '*/*'): Promise<Response> {
    return fetch(url, { headers: { authorization: `Bearer ${this.token}`, accept } });
  }
}

function parse(text: string): Series[] {
  return [...text.matchAll(/^(\w+)(?:\{(.*)\})? (\S+)$/gm)].map(([, name = '', labels = '', value]) => ({
    name,
    labels: Object.fromEntries([...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, word]) => [key, word])),
    value: Number(value),
  }));
}

/** Adds up the series of a name that have these labels. */
export function sum(series: readonly Series[], name: string, labels: Record<string, string> = {}): number {
  const has = (each: Series) => each.name === name && Object.entries(labels).every(([k, v]) => each.labels[k] === v);
  return series.filter(has).reduce((total, { value }) => total + value, 0);
}
