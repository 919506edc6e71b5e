import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { ZipkinSpan } from './telemetry-servers.ts';
import { fromZipkin, inZipkin, treeOf } from './traces.ts';

/** Takes spans like Zipkin. For a test that needs the spans of processes that have ended. */
export class ZipkinCollector {
  readonly #spans: ZipkinSpan[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', async (request, response) => {
      this.#spans.push(...((await json(request)) as ZipkinSpan[]));
      response.writeHead(202).end();
    });
  }

  static async open(): Promise<ZipkinCollector> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new ZipkinCollector(server);
  }

  /** The value of `OTEL_EXPORTER_ZIPKIN_ENDPOINT`. */
  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/api/v2/spans`;
  }

  /** Returns the tree of a trace, as far as its spans have arrived. */
  treeOf(traceId: string): string {
    return inZipkin(treeOf(fromZipkin(this.#spans.filter((span) => span.traceId === traceId))));
  }

  /** Returns the ids of the traces that begin with a span of this name. */
  tracesNamed(name: string): string[] {
    return this.#spans.filter((span) => span.name === name && !span.parentId).map(({ traceId }) => traceId);
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
