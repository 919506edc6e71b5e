/**
 * For the bundler: characters beyond Latin-1 are written as escapes. One of them alone would have a process keep the whole
 * program in two bytes for each character.
 */
export const oneByte = {
  name: 'one-byte',
  renderChunk: (code) =>
    code.replace(/[^\0-\xff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
};
