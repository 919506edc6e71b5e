import type { Attributes } from '@opentelemetry/api';
import { type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';

/** A line of the log as a record of OpenTelemetry. */
export interface LineRecord extends ReadableLogRecord {
  /** The length of the line, in characters. */
  readonly size: number;
}

/** The numbers of OpenTelemetry for the levels of lines. */
const severities: Readonly<Record<string, number>> = { debug: 5, info: 9, warn: 13, error: 17 };

/** Fields of a line that its record has elsewhere: in the resource, or in fields of the record itself. */
const elsewhere = new Set([
  ...['@timestamp', 'log.level', 'message', 'trace.id', 'span.id', 'kerf', 'error', 'ecs.version'],
  ...['service.name', 'event.dataset', 'service.node.name', 'host.hostname', 'process.pid'],
]);

/** OpenTelemetry's name of each field of an error. */
const errorNames: Readonly<Record<string, string>> = {
  type: 'exception.type',
  message: 'exception.message',
  stack_trace: 'exception.stacktrace',
  code: 'error.code',
};

const instrumentationScope = { name: 'kerf' };

type Fields = Readonly<Record<string, unknown>>;

/** Reads finished lines of the log into records. A line is masked already, so its record has nothing that the line does not have. */
export class LineReader {
  readonly #resources = new Map<string, Resource>();
  private readonly process: Attributes;

  /** `process` has the attributes of this process. The service of a record is the module that logged it. */
  constructor(process: Attributes) {
    this.process = process;
  }

  /** `isSampled`: whether the trace that the line names is sampled. */
  read(line: string, isSampled: boolean): LineRecord {
    const fields = JSON.parse(line) as Fields;
    const at = Date.parse(String(fields['@timestamp']));
    const hrTime: [number, number] = [Math.floor(at / 1_000), (at % 1_000) * 1_000_000];
    const level = String(fields['log.level']);
    const traceId = fields['trace.id'];
    return {
      size: line.length,
      hrTime,
      hrTimeObserved: hrTime,
      severityText: level,
      severityNumber: severities[level] ?? 0,
      body: String(fields.message),
      ...(traceId !== undefined && {
        spanContext: { traceId: String(traceId), spanId: String(fields['span.id']), traceFlags: isSampled ? 1 : 0 },
      }),
      attributes: attributesOf(fields),
      droppedAttributesCount: 0,
      resource: this.#resourceOf(String(fields['service.name'])),
      instrumentationScope,
    };
  }

  #resourceOf(service: string): Resource {
    let resource = this.#resources.get(service);
    if (!resource) {
      resource = resourceFromAttributes({ ...this.process, 'service.name': service });
      this.#resources.set(service, resource);
    }
    return resource;
  }
}

function attributesOf(fields: Fields): ReadableLogRecord['attributes'] {
  const attributes: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) if (!elsewhere.has(name)) attributes[name] = value;
  for (const [name, value] of Object.entries((fields.kerf ?? {}) as Fields)) attributes[`kerf.${name}`] = value;
  for (const [name, value] of Object.entries((fields.error ?? {}) as Fields))
    attributes[errorNames[name] ?? `error.${name}`] = value;
  return attributes as ReadableLogRecord['attributes'];
}
