/** How callers reach a module that the home process starts: directly, or by request and reply over the broker. */
export const vias = ['http', 'grpc', 'queue'] as const;
export type Via = (typeof vias)[number];

/** The names of wires among them, and all of them in a sentence: `http, grpc or queue`. */
export const wires = vias.filter((via) => via !== 'queue');
export const viaChoice = `${wires.join(', ')} or queue`;

export function isVia(text: unknown): text is Via {
  return vias.some((via) => via === text);
}

/** Maximum number of processes that a home process starts for one module. */
export const maxInstances = 64;
