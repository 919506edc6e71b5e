import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';

type Type = 'A' | 'AAAA' | 'SRV';

const numbers: Record<Type, number> = { A: 1, AAAA: 28, SRV: 33 };
const types = new Map(Object.entries(numbers).map(([type, number]) => [number, type]));
const answer = 0x8580;

/** A minimal DNS server on the loopback, for the tests of discovery. */
export class DnsServer {
  /** The received questions, in order, such as `A payments.internal`. */
  readonly asked: string[] = [];
  /** Response code of every answer from now on (2 is SERVFAIL). `silent` sends no answer. */
  trouble: number | 'silent' = 0;
  readonly #records = new Map<string, { ttl: number; data: Buffer }[]>();
  readonly #socket: Socket = createSocket('udp4');

  static async open(): Promise<DnsServer> {
    const server = new DnsServer();
    server.#socket.on('message', (message, from) => {
      const reply = server.#answer(message);
      if (reply) server.#socket.send(reply, from.port, from.address);
    });
    server.#socket.bind(0, '127.0.0.1');
    await once(server.#socket, 'listening');
    return server;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** Sets records: an IPv4 address for A, sixteen bytes in hex for AAAA, `priority weight port target` for SRV. */
  set(type: Type, name: string, ttl: number, ...records: string[]): void {
    this.#records.set(
      `${type} ${name}`,
      records.map((record) => ({ ttl, data: encode[type](record) })),
    );
  }

  /** Removes all records. */
  forget(): void {
    this.#records.clear();
  }

  /** Resolves when the next question arrives. */
  async nextQuestion(): Promise<void> {
    await once(this.#socket, 'message');
  }

  /** Counts the sockets of this machine that are connected to the server, from the list of Linux. */
  openSockets(): number {
    const there = `0100007F:${this.#port.toString(16).toUpperCase().padStart(4, '0')}`;
    const lines = readFileSync('/proc/self/net/udp', 'utf8').split('\n');
    return lines.filter((line) => line.trim().split(/\s+/)[2] === there).length;
  }

  async close(): Promise<void> {
    this.#socket.close();
    await once(this.#socket, 'close');
  }

  get #port(): number {
    return (this.#socket.address() as AddressInfo).port;
  }

  #answer(message: Buffer): Buffer | undefined {
    const end = message.indexOf(0, 12) + 5;
    const name = decodeName(message.subarray(12, end - 4));
    const type = message.readUInt16BE(end - 4);
    this.asked.push(`${types.get(type)} ${name}`);
    if (this.trouble === 'silent') return undefined;
    const known = [...this.#records.keys()].some((key) => key.endsWith(` ${name}`));
    const records = this.trouble ? [] : (this.#records.get(`${types.get(type)} ${name}`) ?? []);
    const noSuchName = 3;
    const head = [
      message.readUInt16BE(0),
      answer | (this.trouble || (known ? 0 : noSuchName)),
      1,
      records.length,
      0,
      0,
    ];
    const body = records.flatMap(({ ttl, data }) => [shorts(0xc00c, type, 1, 0, ttl, data.length), data]);
    return Buffer.concat([shorts(...head), message.subarray(12, end), ...body]);
  }
}

const encode: Record<Type, (record: string) => Buffer> = {
  A: (record) => Buffer.from(record.split('.').map(Number)),
  AAAA: (record) => Buffer.from(record, 'hex'),
  SRV(record) {
    const [priority, weight, port, target] = record.split(' ');
    return Buffer.concat([shorts(Number(priority), Number(weight), Number(port)), encodeName(target!)]);
  },
};

function shorts(...values: number[]): Buffer {
  return Buffer.from(values.flatMap((value) => [value >> 8, value & 0xff]));
}

function encodeName(name: string): Buffer {
  const labels = name === '.' ? [] : name.split('.');
  return Buffer.concat([
    ...labels.map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`)),
    Buffer.of(0),
  ]);
}

function decodeName(bytes: Buffer): string {
  const labels: string[] = [];
  for (let at = 0; bytes[at]; at += bytes[at]! + 1) labels.push(bytes.toString('latin1', at + 1, at + 1 + bytes[at]!));
  return labels.join('.').toLowerCase();
}
