// Programs for Java, from their jars in the Maven repository.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { messageOf } from '../setup.mjs';
import { downloadFolder } from './downloads.ts';
import { installPackages } from './packages.ts';

const repository = 'https://repo.maven.apache.org/maven2';
const atOnce = 8;
const maxAttempts = 5;

/** Options of Java for a small server that starts fast. */
export const javaOptions = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

interface Jar {
  readonly hash: string;
  readonly path: string;
}

/** The jars of one server. */
export class Jars {
  readonly #server: string;
  readonly #list: string;
  readonly #folder: string;
  readonly #jars: readonly Jar[];

  /** `list` is a file in this folder; each line has the SHA-256 of a jar and its path in the repository. */
  constructor(server: string, version: string, list: string) {
    this.#server = server;
    this.#list = list;
    this.#folder = downloadFolder(`${server}-${version}`);
    const lines = readFileSync(new URL(list, import.meta.url), 'utf8')
      .trim()
      .split('\n');
    this.#jars = lines.map((line) => {
      const [hash = '', path = ''] = line.split('  ');
      return { hash, path };
    });
  }

  /** The paths of the jars on this machine. */
  get files(): string[] {
    return this.#jars.map((jar) => this.#file(jar));
  }

  /** Returns whether all jars and Java 17 or later are on this machine. */
  installed(): boolean {
    return hasJava() && this.files.every((file) => existsSync(file));
  }

  /** Fetches the missing jars, and installs Java. Throws when the repository cannot be reached or has another file. */
  async install(): Promise<void> {
    if (!hasJava()) installPackages(this.#server, ['default-jre-headless']);
    if (!hasJava())
      throw new Error(`${this.#server} needs Java 17 or later, and "java -version" tells of an older one`);
    mkdirSync(this.#folder, { recursive: true });
    const waiting = [...this.#jars];
    const fetchNext = async () => {
      for (let jar = waiting.pop(); jar; jar = waiting.pop()) await this.#fetchPatiently(jar);
    };
    await Promise.all(Array.from({ length: atOnce }, fetchNext));
  }

  /** Among a hundred files, some downloads fail: a repository refuses connections for some seconds. */
  async #fetchPatiently(jar: Jar): Promise<void> {
    for (let attempt = 1; attempt < maxAttempts; attempt++) {
      try {
        return await this.#fetch(jar);
      } catch {
        await setTimeout(attempt * 1_000);
      }
    }
    await this.#fetch(jar);
  }

  #file({ path }: Jar): string {
    return join(this.#folder, basename(path));
  }

  async #fetch(jar: Jar): Promise<void> {
    const file = this.#file(jar);
    if (existsSync(file)) return;
    const url = `${repository}/${jar.path}`;
    const answer = await fetch(url).catch((cause: Error) => {
      const why = messageOf(cause.cause ?? cause);
      throw new Error(`${repository} cannot be reached to fetch ${this.#server}: ${why}`, { cause });
    });
    if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
    const bytes = Buffer.from(await answer.arrayBuffer());
    if (createHash('sha256').update(bytes).digest('hex') !== jar.hash) {
      throw new Error(`${url} is not the file that scripts/services/${this.#list} names`);
    }
    writeFileSync(`${file}.${process.pid}`, bytes);
    renameSync(`${file}.${process.pid}`, file);
  }
}

function hasJava(): boolean {
  const { stderr } = spawnSync('java', ['-version'], { encoding: 'utf8' });
  return Number(stderr?.match(/version "(\d+)/)?.[1] ?? 0) >= 17;
}
