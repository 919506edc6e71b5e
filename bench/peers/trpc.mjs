import { createTRPCClient, httpBatchLink } from '@trpc/client';
import { initTRPC } from '@trpc/server';
import { createHTTPServer } from '@trpc/server/adapters/standalone';
import { close, listen } from './listen.mjs';
import { inputSchema, outputSchema } from './schemas.mjs';
import { price } from './work.mjs';

export async function open() {
  const { router, procedure } = initTRPC.create();
  const pricing = router({
    price: procedure
      .input(inputSchema)
      .output(outputSchema)
      .query(({ input }) => price(input)),
  });
  const server = createHTTPServer({ router: pricing, allowMethodOverride: true });
  // Uses POST, because a batch of a hundred inputs exceeds Node's limit for a request line.
  const link = httpBatchLink({ url: `http://127.0.0.1:${await listen(server)}`, methodOverride: 'POST' });
  const client = createTRPCClient({ links: [link] });
  return [{ name: 'trpc, http batch', call: (input) => client.price.query(input), close: () => close(server) }];
}
