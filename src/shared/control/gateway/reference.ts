import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Hono } from 'hono';
import { refusal } from '../../kernel/errors/index.ts';
import { isKnown, problemResponse, type Resources } from '../../kernel/http-api/index.ts';
import { describeApi } from './openapi.ts';
import { answerOtherMethods } from './other-methods.ts';

const assetTypes: Record<string, string> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
};

/** Allows inline styles, which Swagger UI needs, and nothing from other origins. */
const policy =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'";

const page = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Kerf API reference</title><link rel="stylesheet" href="/docs/swagger-ui.css"></head>
<body><div id="reference"></div><script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></body>
</html>
`;
const start = "SwaggerUIBundle({ url: '/openapi.json', dom_id: '#reference', deepLinking: true });\n";

/** Serves `GET /openapi.json` and a page to browse it, all from this process. Reads every file once. */
export function mountReference(app: Hono, resources: readonly Resources[]): void {
  serveFile(app, '/openapi.json', () => ({
    bytes: Buffer.from(JSON.stringify(describeApi(resources))),
    headers: { 'content-type': 'application/json', 'cache-control': 'no-cache' },
  }));
  serveFile(app, '/docs', () => ({
    bytes: Buffer.from(page),
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': policy,
      'cache-control': 'no-cache',
    },
  }));
  serveFile(app, '/docs/start.js', () => ({
    bytes: Buffer.from(start),
    headers: { 'content-type': 'text/javascript; charset=utf-8', 'cache-control': 'no-cache' },
  }));
  for (const [name, type] of Object.entries(assetTypes)) {
    serveFile(app, `/docs/${name}`, () => {
      const path = findAsset(name);
      if (!path) return undefined;
      return { bytes: readFileSync(path), headers: { 'content-type': type, 'cache-control': 'public, max-age=3600' } };
    });
  }
}

interface File {
  readonly bytes: Buffer<ArrayBuffer>;
  readonly headers: Record<string, string>;
}

/** Serves the file that `read` returns and keeps it. Answers 304 to a client that already has the file. */
function serveFile(app: Hono, path: string, read: () => File | undefined): void {
  let kept: File | undefined;
  app.get(path, (c) => {
    kept ??= tagged(read());
    if (!kept) return problemResponse(refusal('not-found'));
    const known = c.req
      .header('if-none-match')
      ?.split(',')
      .map((tag) => tag.trim());
    if (known && isKnown(known, kept.headers.etag)) return c.body(null, 304, kept.headers);
    return c.body(kept.bytes, 200, kept.headers);
  });
  answerOtherMethods(app, path, new Set(['GET']));
}

function tagged(file: File | undefined): File | undefined {
  if (!file) return undefined;
  const etag = `"${createHash('sha256').update(file.bytes).digest('base64url').slice(0, 22)}"`;
  return { ...file, headers: { ...file.headers, etag } };
}

/** Finds an asset beside the bundle, where the build copies it, or in the npm package when the sources run. */
function findAsset(file: string): string | undefined {
  const here = dirname(fileURLToPath(import.meta.url));
  return [join(here, 'docs', file), join('node_modules', 'swagger-ui-dist', file)].find((path) => existsSync(path));
}
