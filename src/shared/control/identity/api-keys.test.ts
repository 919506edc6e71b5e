import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { AccessControl } from './access-control.ts';
import { ApiKeys } from './api-keys.ts';
import { Credentials } from './credentials.ts';
import { FileKeyRing } from './key-ring.ts';
import { SessionTokens } from './session-tokens.ts';
import { SignedOut } from './signed-out.ts';

const minutes = 60_000;
let folder: string;
let now: number;
let keys: ApiKeys;
const open = () => new ApiKeys(join(folder, 'api-keys'), () => now);
const editor = { name: 'Import', roles: ['editor'] };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kerf-api-keys-'));
  now = Date.UTC(2026, 0, 1);
  keys = open();
});

describe('an API key', () => {
  it('is shown once, and stored as a hash that only the owner of the folder can read', () => {
    const { id, token, ...shown } = keys.create({ ...editor, roles: ['editor', 'clerk', 'editor'] });
    expect(token).toMatch(/^kerf_[0-9a-f]{16}_[\w-]{43}$/);
    expect(shown).toEqual({ name: 'Import', roles: ['clerk', 'editor'], createdAt: '2026-01-01T00:00:00.000Z' });
    expect(JSON.stringify(keys.all())).not.toContain(token.slice(-43));
    const file = join(folder, 'api-keys', `${id}.json`);
    const text = readFileSync(file, 'utf8');
    expect(text).toContain(createHash('sha256').update(token).digest('hex'));
    expect(text).not.toContain(token.slice(-43));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(new Set(Array.from({ length: 100 }, () => keys.create(editor).token)).size).toBe(100);
  });

  it('is accepted by every process with the folder, also after a restart', () => {
    const { id, token } = keys.create(editor);
    const session = { id: `api-key ${id}`, apiKey: id, roles: ['editor'], expiresAt: 4_102_444_800 };
    for (const each of [keys, open(), open()]) expect(each.verify(token)).toEqual(session);
  });

  it('is refused in every process from its revocation on', () => {
    const others = [open(), open()];
    const [kept, { id, token }] = [keys.create(editor), keys.create(editor)];
    for (const each of [keys, ...others]) expect(each.verify(token)).toBeDefined();
    expect(others[0]!.revoke(id)).toBe(true);
    for (const each of [keys, ...others, open()]) expect(each.verify(token)).toBeUndefined();
    expect(keys.revoke(id)).toBe(false);
    expect(keys.all().map((each) => each.id)).toEqual([kept.id]);
    expect(readdirSync(join(folder, 'api-keys')).filter((file) => file.startsWith(id))).toEqual([]);
  });

  it('ends at its expiry', () => {
    const { token, expiresAt } = keys.create({ ...editor, expiresAt: now + minutes });
    expect(expiresAt).toBe('2026-01-01T00:01:00.000Z');
    now += minutes - 1;
    expect(keys.verify(token)).toBeDefined();
    now += 1;
    expect(keys.verify(token)).toBeUndefined();
    expect(keys.all()).toHaveLength(1);
  });

  it('records its last use, to ten minutes', () => {
    const { token } = keys.create(editor);
    const lastUse = () => open().all()[0]!.lastUsedAt;
    expect(lastUse()).toBeUndefined();
    keys.verify(token);
    expect(lastUse()).toBe('2026-01-01T00:00:00.000Z');
    now += 9 * minutes;
    keys.verify(token);
    expect(lastUse()).toBe('2026-01-01T00:00:00.000Z');
    now += minutes;
    keys.verify(token);
    expect(lastUse()).toBe('2026-01-01T00:10:00.000Z');
  });

  it('does not record the use of a wrong key', () => {
    const { token } = keys.create(editor);
    keys.verify(`${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`);
    expect(keys.all()[0]!.lastUsedAt).toBeUndefined();
  });

  it('is refused when it is not exactly the one that was made', () => {
    const [{ id, token }, other] = [keys.create(editor), keys.create(editor)];
    const secret = token.slice(-43);
    const last = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const wrong = [
      ...[...last].map((letter) => `${token.slice(0, -1)}${letter}`).filter((each) => each !== token),
      ...[`kerf_${other.id}_${secret}`, `kerf_${id.toUpperCase()}_${secret}`, `KERF_${id}_${secret}`],
      ...[
        `kerf_${id}_`,
        `kerf_${id}`,
        'kerf_',
        `kerf_${id}_${secret}=`,
        `kerf_${id}_${secret}A`,
        ` ${token}`,
        `${token}\n`,
      ],
      ...[`kerf_../${id}_${secret}`, `kerf_${id.slice(1)}/_${secret}`, `kerf_${'0'.repeat(16)}_${secret}`],
      ...[
        `kerf_${id}_${secret.replace(/.$/, '\u0430')}`,
        `kerf\uff3f${id}_${secret}`,
        token.normalize('NFD').concat('\u0301'),
      ],
      ...[createHash('sha256').update(token).digest('hex'), `kerf_${id}_${'x'.repeat(1_000_000)}`],
    ];
    expect(wrong.filter((each) => keys.verify(each))).toEqual([]);
    expect(keys.verify(token)).toBeDefined();
  });

  it('cannot be revoked by a path', () => {
    keys.create(editor);
    writeFileSync(join(folder, 'sessions.json'), '{}');
    for (const id of ['../sessions', '..', '', '*', 'sessions', '%2e%2e%2fsessions'])
      expect(keys.revoke(id)).toBe(false);
    expect([keys.all().length, readFileSync(join(folder, 'sessions.json'), 'utf8')]).toEqual([1, '{}']);
  });

  it('works while its use cannot be noted', () => {
    const { id, token } = keys.create(editor);
    // A link to itself: no user can write it, not even root.
    symlinkSync(`${id}.used`, join(folder, 'api-keys', `${id}.used`));
    expect(keys.verify(token)).toBeDefined();
  });
});

describe('a request with an API key', () => {
  function credentialsWith(...roles: string[]) {
    const access = new AccessControl(folder);
    access.add(roles);
    const tokens = new SessionTokens(new FileKeyRing(join(folder, 'k.json')), new SignedOut(join(folder, 'out')));
    return { access, tokens, credentials: new Credentials(tokens, access) };
  }

  it('has the roles that endpoints still ask for, and no member', async () => {
    const { access, credentials } = credentialsWith('editor');
    const { token } = access.apiKeys.create({ name: 'Import', roles: ['editor', 'of-an-older-release'] });
    const session = await credentials.verify(token);
    expect([session?.roles, session?.member]).toEqual([['editor'], undefined]);
    const only = access.apiKeys.create({ name: 'Old', roles: ['of-an-older-release'] });
    expect(await credentials.verify(only.token)).toBeUndefined();
  });

  it('is never tried as another kind of token', async () => {
    const { tokens, credentials } = credentialsWith('editor');
    const verify = vi.spyOn(tokens, 'verify');
    expect(await credentials.verify(`kerf_${'0'.repeat(16)}_${'x'.repeat(43)}`)).toBeUndefined();
    expect(verify).not.toHaveBeenCalled();
  });

  it('is refused with 503 when the stored key is damaged', async () => {
    const { access, credentials } = credentialsWith('editor');
    const { id, token } = access.apiKeys.create(editor);
    const file = join(folder, 'api-keys', `${id}.json`);
    const { hash, ...record } = JSON.parse(readFileSync(file, 'utf8'));
    for (const damaged of [
      '',
      '{}',
      JSON.stringify({ ...record, hash: '' }),
      JSON.stringify({ ...record, hash, roles: [] }),
    ]) {
      writeFileSync(file, damaged);
      await expect(credentials.verify(token)).rejects.toMatchObject({ code: 'unavailable' });
    }
  });
});
