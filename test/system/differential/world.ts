import type { Kerf } from '../../harness/kerf.ts';
import { quiet } from '../../harness/quiet.ts';
import { type Answer, Shop } from '../../harness/shop.ts';

export interface Asked {
  method: 'GET' | 'POST';
  path: string;
  token?: string;
  body?: unknown;
  headers?: Record<string, string>;
}

/** A system with the public API that can report when nothing is in flight. */
export interface World {
  readonly name: string;
  send<T>(asked: Asked): Promise<Answer<T>>;
  settle(): Promise<void>;
}

export function worldOf(name: string, kerf: Kerf): World {
  return {
    name,
    send: ({ method, path, token, body, headers }) => new Shop(kerf.url, token).send(method, path, body, headers),
    settle: () => quiet(kerf),
  };
}
