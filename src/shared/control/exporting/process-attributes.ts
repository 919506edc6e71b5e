import { hostname } from 'node:os';
import type { Attributes } from '@opentelemetry/api';

/** Describes this process by OpenTelemetry's conventions. `OTEL_RESOURCE_ATTRIBUTES` adds to it: `deployment.environment.name=test`. */
export function processAttributes({
  OTEL_RESOURCE_ATTRIBUTES: given = '',
}: Readonly<Record<string, string | undefined>>): Attributes {
  const added = given.split(',').flatMap((pair) => {
    const [, key = '', value = ''] = /^\s*([^=]+?)\s*=(.*)$/.exec(pair) ?? [];
    return key ? [[key, decoded(value.trim())] as const] : [];
  });
  return {
    'service.namespace': 'kerf',
    'service.instance.id': `${hostname()}:${process.pid}`,
    'host.name': hostname(),
    'process.pid': process.pid,
    ...Object.fromEntries(added),
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
