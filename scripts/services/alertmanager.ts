import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readyOverHttp } from './http.ts';
import type { Kind } from './kind.ts';
import { installPackages } from './packages.ts';
import { find, pathOf } from './processes.ts';

/** The file with the settings of an Alertmanager. */
export const alertmanagerFile = (folder: string) => join(folder, 'alertmanager.yml');

/**
 * Settings of an Alertmanager that posts alerts to the webhooks at once. There are no templates: their folder tells a test where
 * this file is, in `/api/v2/status`.
 */
export function alertmanagerSettings(folder: string, webhooks: readonly string[]): string {
  const configs = webhooks.map((url) => ({ url, send_resolved: true }));
  return JSON.stringify({
    route: { receiver: 'webhooks', group_by: ['...'], group_wait: '0s', group_interval: '1s', repeat_interval: '1h' },
    receivers: [{ name: 'webhooks', webhook_configs: configs }],
    templates: [join(folder, '*.tmpl')],
  });
}

/** Passes alerts on to the webhooks that tests name. */
export const alertmanager: Kind = {
  name: 'alertmanager',
  port: 19093,
  variable: 'SERVER_ALERTMANAGER_URL',
  url: (port) => `http://127.0.0.1:${port}`,

  installed: () => find('prometheus-alertmanager') !== undefined,
  install: () => installPackages('alertmanager', ['prometheus-alertmanager'], { inCompose: false }),

  prepare({ folder }) {
    mkdirSync(join(folder, 'data'), { recursive: true });
    writeFileSync(alertmanagerFile(folder), alertmanagerSettings(folder, []));
  },
  commands({ port, folder }) {
    const words = [
      `--config.file=${alertmanagerFile(folder)}`,
      `--storage.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
      '--log.level=warn',
    ];
    return [{ program: pathOf('prometheus-alertmanager'), words, env: process.env }];
  },

  ...readyOverHttp('/-/ready'),
  stopSignal: 'SIGTERM',
};
