import express, { type Express } from 'express';
import type { EmbeddedProduct } from 'kerf/control/host';

/** An application with Express that takes Kerf in. */
export function expressWith(kerf: EmbeddedProduct): Express {
  const app = express();
  app.use(kerf.handle);
  app.use(express.json());
  app.post('/old', (request, response) => void response.json({ old: request.body }));
  return app;
}
