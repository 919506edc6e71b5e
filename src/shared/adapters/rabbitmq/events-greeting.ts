import { connect } from 'node:net';
import { StartError } from '../../kernel/errors/index.ts';
import { shownAddress } from '../../kernel/ports/index.ts';

const patienceMs = 1_000;
const header = Buffer.from('AMQP\0\0\x09\x01', 'latin1');
const methodFrame = 1;

/**
 * Throws a `StartError` when another server answers at the address, such as RabbitMQ's web page: the client library would read the
 * answer as a frame of a gigabyte. Accepts an address without an answer, or with TLS: the connection itself reports errors there.
 */
export async function refuseStrangers(url: URL): Promise<void> {
  if (url.protocol !== 'amqp:') return;
  const answer = await greet(url.hostname, Number(url.port || 5672));
  if (!answer || answer[0] === methodFrame || answer.subarray(0, 4).equals(header.subarray(0, 4))) return;
  throw new StartError(`setting BUS: what answers at ${shownAddress(url)} does not speak AMQP 0-9-1; correct the port`);
}

/** Sends the protocol header. Resolves with the first bytes of the answer, or undefined without an answer. */
function greet(host: string, port: number): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: patienceMs }, () => socket.write(header));
    const end = (answer?: Buffer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('data', end);
    for (const event of ['timeout', 'error', 'close'] as const) socket.once(event, () => end());
  });
}
