import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { newDataDir } from '../harness/kerf.ts';
import { openWebhook, queryPrometheus, type Remove, rules, scrape, sendAlertsTo } from '../harness/prometheus.ts';
import { describeWith, privateServer } from '../harness/servers.ts';

describeWith('prometheus', 'Prometheus', () => {
  const undo: Remove[] = [];
  afterAll(async () => {
    for (const remove of undo.reverse()) await remove();
  });
  const open = async () => {
    const exporter = await openExporter();
    undo.push(exporter.close);
    return exporter;
  };

  it.concurrent('scrapes the targets of a test until the test removes them', async () => {
    const exporter = await open();
    const remove = await scrape([exporter.target], { labels: { suite: 'scrape' } });
    expect(await queryPrometheus('depth{suite="scrape"}')).toMatchObject([
      { labels: { instance: exporter.target }, value: 0 },
    ]);
    exporter.depth = 7;
    const isSeven = ([sample]: readonly { value: number }[]) => sample?.value === 7;
    expect(await queryPrometheus('depth{suite="scrape"}', { enough: isSeven })).toHaveLength(1);
    await remove();
    const isEmpty = ({ length }: readonly unknown[]) => length === 0;
    expect(await queryPrometheus('depth{suite="scrape"}', { enough: isEmpty })).toEqual([]);
  });

  it.concurrent('refuses a wrong rule and keeps its other rules; when it is down, a query says so', async () => {
    const prometheus = await privateServer('prometheus');
    const { url } = prometheus;
    await rules([ruleFile('vector(1)')], url);
    await expect(rules([ruleFile('sum(')], url)).rejects.toThrow('does not accept its new settings');
    expect(await queryPrometheus('ALERTS{alertname="Deep"}', { at: url })).toHaveLength(1);
    await prometheus.stop();
    await expect(queryPrometheus('up', { at: url })).rejects.toThrow(`${url}/api/v1/query?query=up cannot be reached`);
  });

  describeWith('alertmanager', 'with Alertmanager', () => {
    it.concurrent('fires an alert to the webhook of a test, and resolves it', async () => {
      const exporter = await open();
      const webhook = await openWebhook();
      const other = await openWebhook();
      undo.push(webhook.close, other.close);
      exporter.depth = 100;
      const labels = { suite: randomUUID() };
      undo.push(await scrape([exporter.target], { labels }));
      undo.push(await rules([ruleFile(`depth{suite="${labels.suite}"} > 50`)]));
      await webhook.alert(labels, 'firing');
      exporter.depth = 0;
      await webhook.alert(labels, 'resolved');
      await other.alert(labels, 'resolved');
      expect(webhook.received.filter(({ labels: { suite } }) => suite === labels.suite)).toMatchObject([
        { status: 'firing', labels: { alertname: 'Deep', instance: exporter.target } },
        { status: 'resolved' },
      ]);
    });

    it.concurrent('sends alerts to a private Alertmanager too', async () => {
      const alertmanager = await privateServer('alertmanager');
      undo.push(() => alertmanager.stop());
      const webhook = await openWebhook(alertmanager.url);
      undo.push(webhook.close);
      undo.push(await sendAlertsTo(alertmanager.url));
      undo.push(await rules([ruleFile('vector(1)', 'Private')]));
      expect(await webhook.alert({ alertname: 'Private' }, 'firing')).toBeDefined();
    });
  });
});

function ruleFile(expr: string, alert = 'Deep'): string {
  const file = join(newDataDir(), 'rules.yml');
  writeFileSync(file, JSON.stringify({ groups: [{ name: 'test', rules: [{ alert, expr }] }] }));
  return file;
}

interface Exporter {
  depth: number;
  readonly target: string;
  close(): Promise<void>;
}

/** Opens a listener with one gauge. */
async function openExporter(): Promise<Exporter> {
  const server: Server = createServer((_, response) => response.end(`depth ${exporter.depth}\n`));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const exporter = {
    depth: 0,
    target: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  return exporter;
}
