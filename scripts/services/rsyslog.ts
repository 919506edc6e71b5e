import { globSync } from 'node:fs';
import type { Program } from './kind.ts';
import { installPackages } from './packages.ts';
import { find } from './processes.ts';

/** Ships log files. A test runs it by itself, with the settings that it tests. */
export const rsyslog: Program = {
  name: 'rsyslog',
  installed: () => find('rsyslogd') !== undefined && globSync('/usr/lib/{,*/}rsyslog/omelasticsearch.so').length > 0,
  install: () => installPackages('rsyslog', ['rsyslog', 'rsyslog-elasticsearch'], { inCompose: false }),
};
