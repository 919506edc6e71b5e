import { z } from 'zod';
import { maxInstances, vias } from '../../src/shared/control/admin-contract/index.ts';
import { kernelSettings, topologyFileSchema } from '../../src/shared/control/topology/index.ts';
import { manifestSchema } from '../../src/shared/kernel/module/index.ts';

/** Returns the text of each JSON Schema in schemas/, by file. They follow from the schemas by which Kerf reads these files. */
export function editorSchemas(): Record<string, string> {
  return {
    'module.schema.json': written('What a module is, whom it calls and to whom it listens', manifestSchema),
    'topology.schema.json': written('What runs where, and how it is reached', topology()),
  };
}

/** Returns the schema of topology.yaml with the parts that Kerf reads by other means: the placements and the settings. */
function topology(): z.ZodType {
  const placement = z.union([
    z.string().describe('in-process, http, grpc, queue, or the address of a process that you start'),
    z.array(z.string()).describe('the addresses of processes that you start'),
    z
      .strictObject({
        via: z.enum(vias).describe('how it is called'),
        instances: z
          .int()
          .min(1)
          .max(maxInstances)
          .optional()
          .describe('the number of its processes; 1 is the default'),
        port: z.int().min(1).max(65_535).optional().describe('the port of its process; a free one is the default'),
        artifact: z
          .string()
          .optional()
          .describe('the entry file of a release; the program of the home process is the default'),
      })
      .describe('processes of its own, which the home process starts'),
  ]);
  const settings = kernelSettings.partial().catchall(z.unknown());
  return topologyFileSchema.extend({
    bus: z.string().optional().describe('what carries events: mitt, http, or the address of a broker'),
    modules: z.record(z.string(), placement).nullish().describe('where each module runs; in-process is the default'),
    settings: settings.nullish().describe('settings of Kerf and of modules; the environment overrides them'),
  });
}

function written(title: string, schema: z.ZodType): string {
  const { $schema, ...rest } = z.toJSONSchema(schema, { target: 'draft-7', io: 'input', unrepresentable: 'any' });
  return `${JSON.stringify({ $schema, title, ...rest }, null, 2)}\n`;
}
