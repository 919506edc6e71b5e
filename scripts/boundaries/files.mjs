import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Every file under a folder, from the root of the project, with slashes. */
export function filesUnder(root, folder) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(root.length + 1)
        .replaceAll('\\', '/'),
    )
    .sort();
}

/** Files that the check did not read: no rule can have seen what they do. */
export function unread(files, cruised) {
  const seen = new Set(cruised);
  const notes = /\.md$|^src\/modules\/[^/]+\/module\.json$/;
  return files
    .filter((file) => !seen.has(file) && !notes.test(file))
    .map((from) => ({
      rule: 'every-file-is-read',
      from,
      why: 'The check could not read this file, so no rule holds in it. Under src/ there is TypeScript (.ts), module.json and notes (.md); put anything else outside.',
    }));
}

const hidden = /\bcreateRequire\b|\bimport\.meta\.resolve\b|\brequire\(|\bimport\(\s*(?!['"\s])/;

/** Imports that no tool can follow. */
export function hiddenImports(root, files) {
  return files
    .filter((file) => file.endsWith('.ts') && hidden.test(readFileSync(join(root, file), 'utf8')))
    .map((from) => ({
      rule: 'imports-can-be-followed',
      from,
      why: "It imports by a computed name, createRequire or import.meta.resolve, which no check can follow. Write the name out: import('./that-file.ts').",
    }));
}
