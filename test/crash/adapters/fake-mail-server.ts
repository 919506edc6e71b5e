import { createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

export interface Received {
  readonly to: string;
  readonly messageId: string;
}

/** A minimal SMTP server with the failures that a sender meets. */
export class FakeMailServer {
  readonly received: Received[] = [];
  /** Number of mails that the server accepts, but whose connection it closes before the answer. */
  dropAfterTaking = 0;
  /** Error answers by recipient. */
  readonly refusals = new Map<string, string>();
  /** The only valid password. Without it, every password is valid. */
  password: string | undefined;
  /** Number of sign-in attempts. */
  attempts = 0;
  #server: Server | undefined;
  readonly #open = new Set<Socket>();

  /** Listens on `port`, or on a free port. Resolves with the port. */
  async open(port = 0): Promise<number> {
    this.#server = createServer((socket) => this.#serve(socket));
    await new Promise<void>((resolve) => this.#server!.listen(port, '127.0.0.1', resolve));
    return (this.#server.address() as { port: number }).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    await new Promise((resolve) => this.#server!.close(resolve));
  }

  #serve(socket: Socket): void {
    this.#open.add(socket);
    socket.on('close', () => this.#open.delete(socket)).on('error', () => {});
    const say = (line: string) => socket.write(`${line}\r\n`);
    let to = '';
    let content: string[] | undefined;
    say('220 fake');
    createInterface({ input: socket }).on('line', (line) => {
      if (content && line !== '.') return void content.push(line);
      if (content) {
        this.#take(socket, to, content);
        content = undefined;
        return;
      }
      const verb = line.slice(0, 4).toUpperCase();
      if (verb === 'RCPT') to = /<(.*)>/.exec(line)![1]!;
      if (verb === 'DATA') content = [];
      say(this.#answer(verb, line, to));
    });
  }

  #answer(verb: string, line: string, to: string): string {
    if (verb === 'EHLO') return '250-fake\r\n250 AUTH PLAIN';
    if (verb === 'AUTH') {
      this.attempts += 1;
      const given = Buffer.from(line.split(' ')[2] ?? '', 'base64')
        .toString()
        .split('\0')[2];
      return this.password === undefined || given === this.password ? '235 welcome' : '535 wrong password';
    }
    if (verb === 'RCPT') return this.refusals.get(to) ?? '250 ok';
    return verb === 'DATA' ? '354 go on' : verb === 'QUIT' ? '221 bye' : '250 ok';
  }

  #take(socket: Socket, to: string, content: string[]): void {
    const messageId = content.find((line) => /^message-id:/i.test(line))!.split(/:\s*/)[1]!;
    this.received.push({ to, messageId });
    if (this.dropAfterTaking > 0) {
      this.dropAfterTaking -= 1;
      socket.destroy();
    } else socket.write('250 taken\r\n');
  }
}
