import { chmodSync, mkdirSync, mkdtempSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { AccessControl } from './access-control.ts';
import { Credentials } from './credentials.ts';
import { FileKeyRing } from './key-ring.ts';
import { RecordFolder } from './record-folder.ts';
import { SessionTokens } from './session-tokens.ts';
import { SignedOut } from './signed-out.ts';

const newFolder = () => mkdtempSync(join(tmpdir(), 'kerf-access-'));

/** Opens the access control of a process that shares `folder`, with an endpoint that asks for `editor` or `clerk`. */
function openOn(folder: string) {
  const access = new AccessControl(folder);
  access.add(['editor', 'clerk']);
  const tokens = new SessionTokens(new FileKeyRing(join(folder, 'k.json')), new SignedOut(join(folder, 'out')));
  return { access, credentials: new Credentials(tokens, access) };
}

describe('the roles of a member', () => {
  it('change in every process at once, also for a token that was verified before', async () => {
    const folder = newFolder();
    const [here, there] = [openOn(folder), openOn(folder)];
    const { token } = await here.credentials.issue('ann');
    const roles = async () =>
      Promise.all([here, there].map(async (each) => (await each.credentials.verify(token))?.roles));
    expect(await roles()).toEqual([undefined, undefined]);
    here.access.memberRoles.set('ann', ['editor', 'editor', 'clerk']);
    expect(await roles()).toEqual([
      ['editor', 'clerk'],
      ['editor', 'clerk'],
    ]);
    there.access.memberRoles.set('ann', ['clerk']);
    expect(await roles()).toEqual([['clerk'], ['clerk']]);
    here.access.memberRoles.set('ann', []);
    expect(await roles()).toEqual([undefined, undefined]);
    expect(here.access.memberRoles.all()).toEqual([]);
  });

  it('belong to exactly this member', () => {
    const { access } = openOn(newFolder());
    const members = ['ann', 'Ann', 'ann ', '../ann', 'a\u0301nn', '\u00e1nn', 'x'.repeat(255), '\0'];
    for (const member of members) {
      access.memberRoles.set(member, ['editor']);
      expect(access.memberRoles.all().map((each) => each.member)).toEqual([member]);
      for (const other of members) expect(access.rolesOf(other)).toEqual(other === member ? ['editor'] : []);
      access.memberRoles.set(member, []);
    }
  });

  it('are readable only by their owner, and travel only while an endpoint asks for them', () => {
    const folder = newFolder();
    openOn(folder).access.memberRoles.set('ann', ['editor']);
    const [file] = readdirSync(join(folder, 'roles'));
    expect(statSync(join(folder, 'roles', file!)).mode & 0o777).toBe(0o600);
    expect(new AccessControl(folder).rolesOf('ann')).toEqual([]);
  });

  it('refuse the request when they cannot be read', async () => {
    const folder = newFolder();
    const { access, credentials } = openOn(folder);
    const { token } = await credentials.issue('ann');
    access.memberRoles.set('ann', ['editor']);
    const [file] = readdirSync(join(folder, 'roles'));
    for (const text of ['', '{', '{"member":"ann","roles":"editor"}']) {
      writeFileSync(join(folder, 'roles', file!), text);
      await expect(credentials.verify(token)).rejects.toMatchObject({ code: 'unavailable' });
    }
  });

  it('must have a name', () => {
    for (const role of ['', ' editor', 'a,b', 'a b', '-a', 'r\u043ele', 'x'.repeat(65)])
      expect(() => new AccessControl(newFolder()).add([role])).toThrow(`an endpoint asks for the role "${role}"`);
  });
});

describe('a folder of records', () => {
  const schema = z.object({ n: z.number() });

  it('ignores files that are none of its own, such as one that another process is writing', () => {
    const folder = newFolder();
    const records = new RecordFolder(folder, schema);
    records.put('a', { n: 1 });
    for (const name of ['a.json.5f0c', 'B.json', '.json', 'x.txt']) writeFileSync(join(folder, name), 'half');
    mkdirSync(join(folder, 'sub'));
    expect(records.all()).toEqual([['a', { n: 1 }]]);
  });

  it('refuses a name that leads elsewhere', () => {
    const records = new RecordFolder(newFolder(), schema);
    for (const name of ['', '..', '../a', 'a/b', 'a\0', 'A', 'x'.repeat(65)])
      expect(() => records.get(name)).toThrow('is not the name of a record');
  });

  it('says so when a record cannot be written', () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'file'), '');
    chmodSync(folder, 0o700);
    expect(() => new RecordFolder(join(folder, 'file'), schema).put('a', { n: 1 })).toThrow('cannot be replaced');
  });
});
