// Loaded into a measured process before the application (`node --import`). The first SIGUSR2 begins a CPU profile, and the next one
// writes it to PROBE_DIR/cpu.json.
import { renameSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { join } from 'node:path';

let session;
process.on('SIGUSR2', () => {
  if (session) return session.post('Profiler.stop', written);
  session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.start');
});

function written(error, { profile }) {
  if (error) throw error;
  const file = join(process.env.PROBE_DIR, 'cpu.json');
  writeFileSync(`${file}.new`, JSON.stringify(profile));
  renameSync(`${file}.new`, file);
}
