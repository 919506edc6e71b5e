import { NODATA, NOTFOUND, type RecordWithTtl } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import type { Clock } from '../../kernel/context/index.ts';
import { StartError } from '../../kernel/errors/index.ts';
import {
  type Discovery,
  type DnsName,
  PolledAddresses,
  readAddress,
  type Sighting,
  type Source,
} from '../../kernel/ports/index.ts';
import type { Log } from '../../kernel/telemetry/index.ts';

export type DnsDependencies = DnsName & {
  /** DNS server, such as `127.0.0.1:8600`. Defaults to the servers of the machine. */
  readonly server?: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
};

/** Timeout of a query in real time, because the resolver measures it. The resolver repeats an unanswered query once, then fails. */
const questionTimeoutMs = 2_000;
const shortestTtlMs = 1_000;
/** Maximum TTLs. Node does not report the TTL of an SRV record, so the TTL of its targets applies, with a lower maximum. */
const longestTtlMs = { a: 300_000, srv: 30_000 };

/** Discovers the instances that DNS lists. Queries again after the TTL of the records. Throws a `StartError` for an invalid `server`. */
export function dnsAddresses({ clock, log, server, ...name }: DnsDependencies): Discovery {
  return new PolledAddresses(new Dns(name, server), clock, log);
}

class Dns implements Source {
  readonly name: string;
  readonly #resolver = new Resolver({ timeout: questionTimeoutMs, tries: 2 });
  private readonly wanted: DnsName;

  constructor(wanted: DnsName, server: string | undefined) {
    this.wanted = wanted;
    this.name = `dns ${wanted.name}${server ? ` at ${server}` : ''}`;
    try {
      if (server) this.#resolver.setServers([server]);
    } catch (cause) {
      const message = `"${server}" is not a DNS server; write its IP address and port, such as 127.0.0.1:8600`;
      throw new StartError(message, { cause });
    }
  }

  ask(): Promise<Sighting[]> {
    const { wanted } = this;
    return wanted.kind === 'a' ? this.#hosts(wanted.name, wanted.port, 0) : this.#services(wanted.name);
  }

  cancel(): void {
    this.#resolver.cancel();
  }

  async #services(name: string): Promise<Sighting[]> {
    const records = await together([this.#resolver.resolveSrv(name)]);
    // The root as a target means that the service does not exist (RFC 2782).
    const targets = records.filter((record) => record.name !== '' && record.name !== '.');
    return together(targets.map((record) => this.#hosts(record.name, record.port, record.priority)));
  }

  async #hosts(host: string, port: number, priority: number): Promise<Sighting[]> {
    const { protocol, kind } = this.wanted;
    const records = await together<RecordWithTtl>([
      this.#resolver.resolve4(host, { ttl: true }),
      this.#resolver.resolve6(host, { ttl: true }),
    ]);
    return records.map(({ address, ttl }) => ({
      address: readAddress(`${protocol}://${address.includes(':') ? `[${address}]` : address}:${port}`),
      ttlMs: Math.min(Math.max(ttl * 1_000, shortestTtlMs), longestTtlMs[kind]),
      priority,
    }));
  }
}

/**
 * Combines the records of several queries. A missing name or record counts as an empty answer. Rejects with a failure only when no
 * query found a record: servers that fail on AAAA are common, and one broken target must not hide the others.
 */
async function together<T>(asked: Promise<readonly T[]>[]): Promise<T[]> {
  const answers = await Promise.allSettled(asked);
  const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  const failure = answers.find((answer) => answer.status === 'rejected' && !saysNone(answer.reason));
  if (failure?.status === 'rejected' && found.length === 0) throw failure.reason;
  return found;
}

function saysNone({ code }: NodeJS.ErrnoException): boolean {
  return code === NODATA || code === NOTFOUND;
}
