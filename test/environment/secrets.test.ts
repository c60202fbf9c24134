/** What counts as a secret, and what does not. */
import { describe, expect, test } from 'vitest'
import { isSecretPath, SecretMask } from '../../src/environment/secrets.ts'

test.each([
  ['.env', true],
  ['a/b/.env.local', true],
  ['.ENV', true],
  ['.envrc', true],
  ['.env.d/prod', true],
  ['server.pem', true],
  ['keys/server.KEY', true],
  ['id_rsa', true],
  ['id_rsa.old', true],
  ['home/id_ed25519', true],
  ['secrets.key.ts', false],
  ['env', false],
  ['environment.ts', false],
  ['a.env', false],
  ['keyboard.ts', false],
  ['my_id_rsa.ts', false],
])('%s is a file for secrets: %s', (path, isSecret) => {
  expect(isSecretPath(path)).toBe(isSecret)
})

describe('of a command', () => {
  test.each<[words: string[], masked: string[], count: number]>([
    [['run', 'job.ts', '--ncores', '2'], ['run', 'job.ts', '--ncores', '2'], 0],
    [['--set', 'db.password=hunter2'], ['--set', 'db.password=***'], 1],
    [['--set=db.password=hunter2'], ['--set=db.password=***'], 1],
    [['--explore', 'api_token=a,b'], ['--explore', 'api_token=***'], 1],
    [['--api-key', 'abc', 'x'], ['--api-key', '***', 'x'], 1],
    [['--apiKey=a b'], ['--apiKey=***'], 1],
    [['--token', '--verbose'], ['--token', '--verbose'], 0],
    [['--set', 'max_tokens=100'], ['--set', 'max_tokens=100'], 0],
    [['--set', 'tokenizer=bert'], ['--set', 'tokenizer=bert'], 0],
    [['--set', 'keyboard=qwerty', 'passage=1'], ['--set', 'keyboard=qwerty', 'passage=1'], 0],
    [['https://me:pass@host/x'], ['https://me:***@host/x'], 1],
    [['https://tok@host/x', 'ssh://git@host/x'], ['https://***@host/x', 'ssh://git@host/x'], 1],
    [['https://host/x?a=1&token=abc&b=2'], ['https://host/x?a=1&token=***&b=2'], 1],
    [['Authorization: Bearer abc.def-1'], ['Authorization: Bearer ***'], 1],
    [['Authorization: Basic dXNlcjpwYXNz'], ['Authorization: Basic ***'], 1],
    [[`x=ghp_${'a1'.repeat(18)}`], ['x=***'], 1],
    [['AKIAIOSFODNN7EXAMPLE'], ['***'], 1],
    [['{"user":"me","password":"a\\"b"}'], ['{"user":"me","password":"***"}'], 1],
    [['with password=x and token=y'], ['with password=*** and token=***'], 2],
    [['say "hello" to bearers: 3'], ['say "hello" to bearers: 3'], 0],
  ])('%j becomes %j, with %i masked', (words, masked, count) => {
    const mask = new SecretMask()
    expect([mask.words(words), mask.count]).toEqual([masked, count])
    // What is masked is left as it is.
    expect(new SecretMask().words(masked)).toEqual(masked)
  })
})

test('of a value, texts are masked at any depth, and the rest is as it was', () => {
  const mask = new SecretMask()
  const value = { a: [1, null, 'Bearer abcdef'], password: 'x', deep: { apiKey: 'y', n: 2 }, ok: true }
  expect(mask.value(value)).toEqual({
    a: [1, null, 'Bearer ***'],
    password: '***',
    deep: { apiKey: '***', n: 2 },
    ok: true,
  })
  expect(mask.count).toBe(3)
})
