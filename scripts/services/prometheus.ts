import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { alertmanager } from './alertmanager.ts';
import { readyOverHttp } from './http.ts';
import { addressOf, type Kind } from './kind.ts';
import { installPackages } from './packages.ts';
import { find, pathOf } from './processes.ts';

/**
 * The folders from which it reads: a test finds them in `/api/v1/status/config`, and puts its own files there. It reads them again
 * each second, because a reload may lose the event of a change.
 */
const settings = (folder: string) => `
global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: [${JSON.stringify(join(folder, 'rules', '*.yml'))}]
alerting:
  alertmanagers:
    - file_sd_configs: [{ files: [${JSON.stringify(join(folder, 'alertmanagers', '*.json'))}], refresh_interval: 1s }]
scrape_configs:
  - job_name: kerf
    file_sd_configs: [{ files: [${JSON.stringify(join(folder, 'targets', '*.json'))}], refresh_interval: 1s }]
`;

/** Metrics. Sends alerts to the shared Alertmanager. */
export const prometheus: Kind = {
  name: 'prometheus',
  port: 19090,
  variable: 'SERVER_PROMETHEUS_URL',
  url: (port) => `http://127.0.0.1:${port}`,

  installed: () => find('prometheus') !== undefined,
  install: () => installPackages('prometheus', ['prometheus'], { inCompose: false }),

  prepare({ folder }) {
    for (const name of ['rules', 'alertmanagers', 'targets']) mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, 'prometheus.yml'), settings(folder));
    const { host } = new URL(addressOf(alertmanager));
    writeFileSync(join(folder, 'alertmanagers', 'shared.json'), JSON.stringify([{ targets: [host] }]));
  },
  commands({ port, folder }) {
    const words = [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--web.enable-lifecycle',
      '--enable-feature=exemplar-storage',
      // A reload drops the alerts of the next seconds. By default it repeats them after a minute.
      '--rules.alert.resend-delay=1s',
      '--log.level=warn',
    ];
    return [{ program: pathOf('prometheus'), words, env: process.env }];
  },

  ...readyOverHttp('/-/ready'),
  stopSignal: 'SIGTERM',
};
