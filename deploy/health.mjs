// Ends with 0 when the process of this container says that it is well: on its public listener, or where a module has none, on its
// internal one.
import { readFileSync } from 'node:fs';
import { get } from 'node:https';

const { MODULE, PORT, INTERNAL_PORT, INTERNAL_TLS_CERT, INTERNAL_TLS_KEY } = process.env;
const port = MODULE ? INTERNAL_PORT || 3001 : PORT || 3000;

async function well() {
  if (!MODULE || !INTERNAL_TLS_CERT) return (await fetch(`http://127.0.0.1:${port}/healthz`)).ok;
  // The one asked is this very container, whatever its certificate is for; it may want to see one as well.
  const [cert, key] = [INTERNAL_TLS_CERT, INTERNAL_TLS_KEY].map((file) => readFileSync(file));
  const where = { port, path: '/healthz', cert, key, rejectUnauthorized: false };
  const { statusCode } = await new Promise((resolve, reject) => get(where, resolve).once('error', reject));
  return statusCode === 200;
}

process.exit((await well().catch(() => false)) ? 0 : 1);
