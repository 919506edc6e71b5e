import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { editorSchemas } from '../../scripts/schemas/generate.ts';

interface Schema {
  readonly description?: string;
  readonly properties: Readonly<Record<string, Schema>>;
}

describe('the schemas by which editors complete module.json and topology.yaml', () => {
  it.each(Object.entries(editorSchemas()))('schemas/%s is what npx kerf schemas writes', (file, text) => {
    expect(readFileSync(`schemas/${file}`, 'utf8')).toBe(text);
  });

  it.each(Object.entries(editorSchemas()))('schemas/%s explains each of its fields', (_file, text) => {
    const { properties } = JSON.parse(text) as Schema;
    const silent = Object.entries(properties).filter(([, { description }]) => description === undefined);
    expect(silent.map(([name]) => name)).toEqual([]);
  });

  it('are named in the settings of the editor and in topology.yaml', () => {
    const settings = JSON.parse(readFileSync('.vscode/settings.json', 'utf8'));
    const named = [settings['json.schemas'][0].url, ...Object.keys(settings['yaml.schemas'])];
    expect(named).toEqual(Object.keys(editorSchemas()).map((file) => `./schemas/${file}`));
    expect(readFileSync('topology.yaml', 'utf8')).toContain('$schema=schemas/topology.schema.json');
  });
});
