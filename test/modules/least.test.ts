import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { newId } from '../../src/shared/kernel/context/index.ts';
import { testModule } from '../../src/shared/kernel/testing/index.ts';
import notes from './least/module.ts';

it('opens and serves a module of at most 40 lines in three files, with data, a command and a query', async () => {
  const { write, read } = await testModule(notes);
  const note = { id: newId(), text: 'Sharpen the saw' };
  await write({ ...note, text: 'Sharpen' });
  await write(note);
  expect(await read({ id: note.id })).toEqual({ note });
  expect(await read({ id: newId() })).toEqual({ note: null });

  const files = readdirSync(join(import.meta.dirname, 'least')).sort();
  expect(files).toEqual(['contract.ts', 'module.json', 'module.ts']);
  const lines = files.map((file) =>
    readFileSync(join(import.meta.dirname, 'least', file), 'utf8')
      .trimEnd()
      .split('\n'),
  );
  expect(lines.flat().length).toBeLessThanOrEqual(40);
});
