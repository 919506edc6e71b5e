export { sqlite } from './adapter.ts';
export { openSqlite } from './sqlite.ts';
