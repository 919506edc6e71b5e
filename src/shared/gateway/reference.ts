import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Hono } from 'hono';
import { refusal } from '../errors/index.ts';
import { problemResponse, type Resources } from '../routes/index.ts';
import { describeApi } from './openapi.ts';

const assets: Record<string, string> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
};

/** The page allows itself styles in place, which Swagger UI needs, and nothing from elsewhere. */
const policy =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'";

const page = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Kerf API reference</title><link rel="stylesheet" href="/docs/swagger-ui.css"></head>
<body><div id="reference"></div><script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></body>
</html>
`;
const start = "SwaggerUIBundle({ url: '/openapi.json', dom_id: '#reference', deepLinking: true });\n";

/** `GET /openapi.json` and the page to browse it, all from this process. */
export function mountReference(app: Hono, resources: readonly Resources[]): void {
  let document: string | undefined;
  app.get('/openapi.json', (c) => {
    document ??= JSON.stringify(describeApi(resources));
    return c.body(document, 200, { 'content-type': 'application/json' });
  });
  app.get('/docs', (c) =>
    c.body(page, 200, { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy }),
  );
  app.get('/docs/start.js', (c) => c.body(start, 200, { 'content-type': 'text/javascript; charset=utf-8' }));
  app.get('/docs/:file', (c) => {
    const file = basename(c.req.param('file'));
    const type = assets[file];
    const path = type && findAsset(file);
    if (!type || !path) return problemResponse(refusal('not-found'));
    return c.body(readFileSync(path), 200, { 'content-type': type, 'cache-control': 'public, max-age=3600' });
  });
}

/** The build copies the assets beside the bundle; from the sources they come from the package. */
function findAsset(file: string): string | undefined {
  const here = dirname(fileURLToPath(import.meta.url));
  return [join(here, 'docs', file), join('node_modules', 'swagger-ui-dist', file)].find((path) => existsSync(path));
}
