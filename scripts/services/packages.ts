// Installs packages of the distribution as root. Prints the command for any other user.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { find } from './processes.ts';

const policy = '/usr/sbin/policy-rc.d';
let updated = false;

/** Installs packages without starting their services. Throws when the installation fails, or with the command for another user. */
export function installPackages(name: string, packages: readonly string[], { inCompose = true } = {}): void {
  const command = `apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  if (process.getuid?.() !== 0 || !find('apt-get')) {
    const docker = inCompose ? `   (or, with Docker: docker compose up -d ${name})` : '';
    throw new Error(`${name} is not installed; run: sudo ${command}${docker}`);
  }
  const ours = !existsSync(policy);
  if (ours) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    if (!updated) aptGet(['update', '-qq']);
    updated = true;
    aptGet(command.split(' ').slice(1));
  } finally {
    if (ours) rmSync(policy);
  }
}

function aptGet(words: readonly string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  // Waits for the lock, because a new machine may be installing updates.
  const options = ['-o', 'DPkg::Lock::Timeout=120'];
  const { status, stdout, stderr } = spawnSync('apt-get', [...options, ...words], {
    env,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  if (status !== 0) throw new Error(`"apt-get ${words.join(' ')}" failed:\n${stdout}${stderr}`);
}
