/**
 * What bad input gets: one message with the place, what was expected, what was found and the next step;
 * exit code 2; nothing started, nothing touched, nothing left behind.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { fileTree } from '../experiment/file-tree.ts'
import { type Ended, pypet, treeOf } from './pypet.ts'

const TOO_LARGE = 'The largest number is 1.7976931348623157e+308; write inf for infinity.'

const JOB = `import { defineExperiment, cartesianProduct, integer } from 'pypet-ts'
export default defineExperiment({
  name: 'demo',
  parameters: { x: 1, y: 2, neuron: { tau: 20, kind: 'lif' }, n: integer(3), on: true },
  explore: cartesianProduct({ x: [1, 2, 3] }),
  run(traj) { traj.addResult('z', traj.par.x * traj.par.y) },
})
`

/** The job with one part replaced. */
function jobWith(part: string, replacement: string): Readonly<Record<string, string>> {
  expect(JOB).toContain(part)
  return { 'job.ts': JOB.replace(part, replacement) }
}

interface Refused {
  readonly words: readonly string[]
  readonly files?: Readonly<Record<string, string>>
  readonly env?: NodeJS.ProcessEnv
}

/** Runs the command and checks what every refusal has in common. Returns its lines, the folder as `~`. */
async function refused({ words, files = {}, env = {} }: Refused): Promise<string[]> {
  const folder = fileTree({ 'job.ts': JOB, ...files })
  const before = treeOf(folder)
  const ended = await pypet(folder, words, env)
  expectRefusal(ended)
  expect(treeOf(folder)).toEqual(before)
  return linesOf(ended.stderr, folder)
}

function expectRefusal({ exitCode, stdout, stderr, temporaries }: Ended): void {
  expect({ exitCode, stdout }, stderr).toEqual({ exitCode: 2, stdout: '' })
  expect(stderr).toMatch(/^error: .*\n/)
  expect(stderr).toMatch(/^ {2}hint: ./m)
  expect(temporaries).toEqual([])
}

function linesOf(stderr: string, folder: string): string[] {
  return stderr.replaceAll(folder, '~').trimEnd().split('\n')
}

const run = (...flags: readonly string[]): Refused => ({ words: ['run', 'job.ts', ...flags] })
const runOf = (job: string, text: string): Refused => ({ words: ['run', job], files: { [job]: text } })
const runWith = (part: string, replacement: string): Refused => ({
  ...run(),
  files: jobWith(part, replacement),
})
const config = (name: string, text: string): Refused => ({
  ...run('--config', name),
  files: { [name]: text },
})

type Case = readonly [title: string, given: Refused, error: string, hint: string]

const JOBS: readonly Case[] = [
  [
    'a missing job',
    { words: ['run', 'jbo.ts'] },
    'cannot load the job ~/jbo.ts: the file does not exist',
    'Did you mean ~/job.ts?',
  ],
  ['a folder', { words: ['run', '.'] }, 'cannot load the job ~: it is a folder', 'Did you mean ~/job.ts?'],
  [
    'a file of another kind',
    runOf('job.py', 'x = 1'),
    'cannot load the job ~/job.py: it has the extension .py',
    'A job is a file that ends in .ts, .mts, .cts, .js, .mjs, .cjs.',
  ],
  [
    'a job without a function',
    runOf('none.ts', 'export const a = 1'),
    'the job ~/none.ts has no function to run: it exports a (a number)',
    'Write: export default defineExperiment({ parameters: { x: 1 }, run(traj) { … } })',
  ],
  [
    'a function under another name',
    runOf('named.ts', 'export function simulate() {}'),
    'the job ~/named.ts has no function to run: it exports simulate (a function)',
    'Write: export default simulate (in CommonJS: module.exports = simulate)',
  ],
  [
    'a job that throws while it loads',
    runOf('throws.ts', '\n\nthrow new Error("boom")'),
    'cannot load the job ~/throws.ts:3:7: it threw Error: boom',
    'The job must load without an error; --verbose shows the stack.',
  ],
  [
    'a plain object with an option that is none',
    runOf('plain.ts', 'export default { parameters: { x: 1 }, explor: { x: [1] }, run() {} }'),
    '~/plain.ts: defineExperiment: there is no option "explor"',
    'Did you mean explore?',
  ],
  [
    'a plain object whose run is none',
    runOf('plain.ts', 'export default { parameters: { x: 1 }, run: 3 }'),
    '~/plain.ts: defineExperiment: run is not a function',
    'Write run(traj) { … }.',
  ],
  [
    'the parts of an experiment, exported one by one',
    runOf('parts.ts', 'export const parameters = { x: 1 }\nexport function run() {}'),
    'the job ~/parts.ts has no function to run: it exports parameters (an object), run (a function)',
    'Export them together: export default { parameters, run }',
  ],
  [
    'a promise of a job',
    runOf('later.ts', 'export default Promise.resolve(() => 1)'),
    'the job ~/later.ts has no function to run: it exports default (a promise)',
    'Write: export default await …',
  ],
  [
    'an unknown option of the experiment',
    runWith("name: 'demo'", "naem: 'demo'"),
    '~/job.ts:2:16: defineExperiment: there is no option "naem"',
    'The options are: name, comment, parameters, dynamicImports, explore, run, postprocess.',
  ],
  [
    'a name with a slash',
    runWith("name: 'demo'", "name: 'de/mo'"),
    '~/job.ts:2:16: name: "de/mo" is not a legal name: it contains "/"',
    'Use letters, digits, "_" and "-", not starting with "_"; dots separate groups.',
  ],
  [
    'a parameter whose name holds a space',
    runWith('y: 2', '"y y": 2'),
    '~/job.ts:2:16: parameters.y y: "y y" is not a legal name: it contains " "',
    'Use letters, digits, "_" and "-", not starting with "_"; dots separate groups.',
  ],
  [
    'a parameter whose name starts with _',
    runWith('y: 2', '_y: 2'),
    '~/job.ts:2:16: parameters._y: "_y" is not a legal name: "_y" starts with "_"',
    'Use letters, digits, "_" and "-", not starting with "_"; dots separate groups.',
  ],
  [
    'a parameter declared twice',
    runWith('y: 2', "'neuron.tau': 2"),
    '~/job.ts:2:16: parameters.neuron.tau is declared twice: as a parameter both times',
    'Rename one of the two.',
  ],
  [
    'a default that cannot be stored',
    runWith('tau: 20', 'tau: () => 20'),
    '~/job.ts:2:16: parameters.neuron.tau cannot be stored: found a function',
    'Allowed here: a number, integer(n), bigint, boolean, string, null, Date, { re, im }, typed array, { data, shape }, { indptr, indices, data, shape }, a list of one type, a record or a table of such.',
  ],
]

const EXPLORATIONS: readonly Case[] = [
  [
    'an unknown parameter in the job',
    runWith('x: [1, 2, 3]', "'neuron.tua': [1]"),
    '~/job.ts: explore.neuron.tua: there is no parameter neuron.tua',
    'Did you mean neuron.tau?',
  ],
  [
    'an empty range in the job',
    runWith('x: [1, 2, 3]', 'x: []'),
    '~/job.ts:5:12: explore.x is empty: no value to explore',
    'Give at least one value, or leave the parameter out.',
  ],
  [
    'another type than the default in the job',
    runWith('x: [1, 2, 3]', 'x: [1, 2, "a"]'),
    '~/job.ts: explore.x[2]: x is a float64 (default 1), found "a"',
    'Give numbers.',
  ],
  [
    'ranges of unequal length in the config',
    config('c.json', '{"explore": {"x": [1, 2], "y": [1, 2, 3]}}'),
    '~/c.json: explore: x has 2 values but y has 3 values, and they advance together',
    'Give both the same length, or combine them with cartesianProduct.',
  ],
  [
    'an empty range in the config',
    config('c.json', '{"explore": {"x": []}}'),
    '~/c.json: explore.x is empty: no value to explore',
    'Give at least one value, or leave the parameter out.',
  ],
  [
    'another type than the default in the config',
    config('c.json', '{"explore": {"neuron": {"tau": [1, 2, 3, "a"]}}}'),
    '~/c.json: explore.neuron.tau[3]: neuron.tau is a float64 (default 20), found "a"',
    'Give numbers.',
  ],
  [
    'an unknown parameter in the config',
    config('c.json', '{"explore": {"product": {"neuron": {"tua": [1]}}}}'),
    '~/c.json: explore.product.neuron.tua: there is no parameter neuron.tua',
    'Did you mean neuron.tau?',
  ],
  [
    'an unknown parameter',
    run('--explore', 'tau=1,2'),
    '--explore tau=1,2: there is no parameter tau',
    'Did you mean neuron.tau?',
  ],
  [
    'no values',
    run('--explore', 'x='),
    '--explore x=: no value to explore',
    "Give at least one, as in --explore 'x=1,2,3'.",
  ],
  [
    'no equals sign',
    run('--explore', 'x'),
    '--explore x: there is no "="',
    "Write --explore 'x=1,2,3' or --explore 'x=0:1:0.1'.",
  ],
  [
    'a comma too many',
    run('--explore', 'x=1,,2'),
    '--explore x=1,,2: a value is missing between two commas or at an end',
    'Remove the comma. Write "" for an empty string.',
  ],
  [
    'a word for a number',
    run('--explore', 'x=1,a'),
    '--explore x=1,a: x is a float64, found "a"',
    'Write a number, like 10, 0.5 or 1e-3.',
  ],
  [
    'a number that no float64 holds',
    run('--explore', 'x=1,1e400'),
    '--explore x=1,1e400: x is a float64, found "1e400"',
    TOO_LARGE,
  ],
  [
    'a step of 0',
    run('--explore', 'x=0:1:0'),
    '--explore x=0:1:0: 0:1:0 (start:stop:step) needs finite numbers and a step other than 0',
    'Give a step that leads from the start to the stop.',
  ],
  [
    'a step in the wrong direction',
    run('--explore', 'x=5:1'),
    '--explore x=5:1: 5:1 (start:stop:step) holds no value: the stop is excluded',
    'Change the sign of the step: 5:1:-1.',
  ],
  [
    'one parameter in two flags',
    run('--explore', 'x=1', '--explore', 'x=2'),
    '--explore x=2: another --explore already explores x',
    "Give all values in one flag, as in --explore 'x=1,2,3'.",
  ],
]

const PRESETS: readonly Case[] = [
  [
    'a number that no float64 holds',
    run('--set', 'y=1e400'),
    '--set y=1e400: y is a float64, found "1e400"',
    TOO_LARGE,
  ],
  [
    'a whole number beyond those that are exact',
    run('--set', 'n=99999999999999999999'),
    '--set n=99999999999999999999: n is an int64, found "99999999999999999999"',
    'Write one up to 9007199254740991. For values up to 9223372036854775807, declare a bigint in the job, like 3n.',
  ],
  [
    'an unknown parameter',
    run('--set', 'neuron.tua=1'),
    '--set neuron.tua=1: there is no parameter neuron.tua',
    'Did you mean neuron.tau?',
  ],
  ['no equals sign', run('--set', 'x'), '--set x: there is no "="', 'Write --set neuron.tau=10.'],
  [
    'a word for a number',
    run('--set', 'neuron.tau=abc'),
    '--set neuron.tau=abc: neuron.tau is a float64, found "abc"',
    'Write a number, like 10, 0.5 or 1e-3.',
  ],
  [
    'a fraction for an integer',
    run('--set', 'n=1.5'),
    '--set n=1.5: n is an int64, found "1.5"',
    'Write a whole number.',
  ],
  [
    'a word for a boolean',
    run('--set', 'on=maybe'),
    '--set on=maybe: on is a bool, found "maybe"',
    'Write true or false.',
  ],
]

const FLAGS: readonly Case[] = [
  ['an unknown flag', run('--ncoers', '2'), "unknown option '--ncoers'", 'Did you mean --ncores?'],
  [
    'a flag without its value',
    run('--ncores'),
    '--ncores: expected a value, found nothing',
    'Write --ncores <n>.',
  ],
  [
    'a word for a number',
    run('--ncores', 'two'),
    '--ncores: expected a whole number >= 0, found "two"',
    'Write --ncores 8. Number of runs at the same time; 0 uses all cores.',
  ],
  [
    'a negative number',
    run('--ncores', '-1'),
    '--ncores: expected a whole number >= 0, found "-1"',
    'Write --ncores 8. Number of runs at the same time; 0 uses all cores.',
  ],
  [
    'a value that is no choice',
    run('--log-level', 'loud'),
    '--log-level: expected one of error, warn, info, debug, found "loud"',
    'Write --log-level debug. Minimum log level: error, warn, info or debug.',
  ],
  [
    'a flag like no other',
    run('--quiet', '--json-lines'),
    "unknown option '--json-lines'",
    'See: pypet-ts run --help',
  ],
  [
    'an illegal name',
    run('--name', 'a b'),
    '--name: "a b" is not a legal name: it contains " "',
    'Use letters, digits, "_" and "-", not starting with "_"; dots separate groups.',
  ],
  [
    'an empty name, also with the time',
    run('--name', '', '--add-time'),
    '--name: "" is not a legal name: it is empty',
    'Use letters, digits, "_" and "-", not starting with "_"; dots separate groups.',
  ],
  [
    'an empty path',
    run('--file', ''),
    '--file: expected a path, found ""',
    'Write --file ./folder. HDF5 file to write, or a folder: then <folder>/<name>.h5. Default: ./hdf5/<name>.h5.',
  ],
  [
    'a second argument',
    run('--explore', 'x=1,', '2'),
    'expected one file, found 2 arguments: job.ts 2',
    'Remove 2, or quote a value that contains spaces.',
  ],
  [
    'a second parameter after one option',
    run('--explore', 'x=1,2', 'y=3,4'),
    'expected one file, found 2 arguments: job.ts y=3,4',
    'Remove y=3,4, or write its option again, as in --explore y=3,4',
  ],
  ['no job', { words: ['run'] }, "missing required argument 'job'", 'See: pypet-ts run --help'],
  ['an unknown command', { words: ['rnu', 'job.ts'] }, "unknown command 'rnu'", 'Did you mean run?'],
  [
    'a variable with a wrong value',
    { ...run(), env: { PYPET_NCORES: 'x' } },
    'PYPET_NCORES: expected a whole number >= 0, found "x"',
    'Write PYPET_NCORES=8. Number of runs at the same time; 0 uses all cores.',
  ],
]

const ABOUT_SEEDS = "Seed of the runs' random numbers, which also depend on the parameters of each run."
const RANGE_OF_SEEDS = 'a whole number from 0 to 9007199254740991'
const seedCase = (title: string, value: string): Case => [
  title,
  run('--seed', value),
  `--seed: expected ${RANGE_OF_SEEDS}, found "${value}"`,
  `Write --seed 8. ${ABOUT_SEEDS}`,
]
const pointCase = (title: string, value: string): Case => [
  title,
  run('--point', value),
  `--point: the exploration has points 0 to 2, found "${value}"`,
  'See all points: pypet-ts plan job.ts',
]
const wrongSeed = (title: string, text: string): Case => [
  title,
  run('--sample', text, '--explore', 'x=0:1'),
  `--sample ${text}: "${text.split(':')[2]}" is not a whole number`,
  'Write --sample sobol:100, lhs:100 or random:100; a seed may follow, as in random:100:7.',
]

const SEEDS_AND_POINTS: readonly Case[] = [
  seedCase('a seed that is a fraction', '1.5'),
  seedCase('a seed that is a text', 'text'),
  seedCase('a negative seed', '-1'),
  seedCase('a seed beyond its range', '9007199254740992'),
  seedCase('a seed far beyond its range', '1e400'),
  seedCase('an empty seed', ''),
  [
    'a fraction as the seed of a variable',
    { ...run(), env: { PYPET_SEED: '1.5' } },
    `PYPET_SEED: expected ${RANGE_OF_SEEDS}, found "1.5"`,
    `Write PYPET_SEED=8. ${ABOUT_SEEDS}`,
  ],
  [
    'a fraction as the seed of a config file',
    config('c.json', '{"seed": 1.5}'),
    `seed in ~/c.json: expected ${RANGE_OF_SEEDS}, found 1.5`,
    "Write 8 there. Seed of the runs' random numbers, which also depend on the parameters of each run.",
  ],
  [
    'a text as the seed of a config file',
    config('c.json', '{"seed": "7"}'),
    `seed in ~/c.json: expected ${RANGE_OF_SEEDS}, found "7"`,
    "Write 8 there. Seed of the runs' random numbers, which also depend on the parameters of each run.",
  ],
  pointCase('the point after the last', '3'),
  pointCase('a negative point', '-1'),
  pointCase('a point that is a fraction', '1.5'),
  pointCase('a point that is a text', 'text'),
  pointCase('an empty point', ''),
  [
    'a point without its value',
    run('--point'),
    '--point: expected a value, found nothing',
    'Write --point <n>.',
  ],
  [
    'a point that is printed and kept quiet',
    run('--point', '1', '--quiet'),
    "option '--point <n>' cannot be used with option '--quiet'",
    'Leave out one of them.',
  ],
  wrongSeed('a sample whose seed is a fraction', 'sobol:8:1.5'),
  wrongSeed('a sample whose seed is a text', 'lhs:8:x'),
  wrongSeed('a sample whose seed is negative', 'random:8:-1'),
  [
    'a sample whose seed is beyond its range',
    run('--sample', 'sobol:8:9007199254740992', '--explore', 'x=0:1'),
    '--sample sobol:8:9007199254740992: seed is 9007199254740992',
    'Give a whole number from 0 to 2^53 - 1.',
  ],
]

const CONFIGS: readonly Case[] = [
  [
    'a missing file',
    run('--config', 'c.json'),
    'cannot read the config file ~/c.json: the file does not exist',
    "Name an existing file, or none, to search for pypet.config.* from the job's folder upwards.",
  ],
  [
    'a missing file beside another',
    { ...run('--config', 'pypet.cofnig.json'), files: { 'pypet.config.json': '{}' } },
    'cannot read the config file ~/pypet.cofnig.json: the file does not exist',
    'Did you mean ~/pypet.config.json?',
  ],
  [
    'an unknown key',
    config('c.json', '{"ncoers": 2}'),
    '~/c.json: there is no option "ncoers"',
    'Did you mean ncores?',
  ],
  [
    'a key that is a flag',
    config('c.json', '{"log-folder": "a"}'),
    '~/c.json: there is no option "log-folder"',
    'Did you mean logFolder?',
  ],
  [
    'an unknown key of a group',
    config('c.json', '{"overviews": {"result": true}}'),
    '~/c.json: there is no option "overviews.result"',
    'Did you mean overviews.results?',
  ],
  [
    'a wrong type',
    config('c.json', '{"ncores": "four"}'),
    'ncores in ~/c.json: expected a whole number >= 0, found "four"',
    'Write 8 there. Number of runs at the same time; 0 uses all cores.',
  ],
  [
    'a wrong type in a file that was found',
    { ...run(), files: { 'pypet.config.toml': 'overwrite = 1' } },
    'overwrite in ~/pypet.config.toml: expected true or false, found 1',
    'Write true there. Replace an existing HDF5 file. Otherwise, the trajectory is added to it.',
  ],
  [
    'an unknown parameter',
    config('c.json', '{"parameters": {"neuron": {"tua": 3}}}'),
    '~/c.json: parameters.neuron.tua: there is no parameter neuron.tua',
    'Did you mean neuron.tau?',
  ],
  [
    'another type than the default',
    config('c.json', '{"parameters": {"x": "a"}}'),
    '~/c.json: parameters.x: expected a value of the type of x, a number, found a string',
    'Give x a number, or declare it with another default.',
  ],
]

describe.each([
  ['job', JOBS],
  ['exploration', EXPLORATIONS],
  ['--set', PRESETS],
  ['flags', FLAGS],
  ['seed or point', SEEDS_AND_POINTS],
  ['config file', CONFIGS],
])('%s', (_, cases) => {
  test.each(cases)('%s is refused', async (_title, given, error, hint) => {
    const lines = await refused(given)
    expect(lines.filter((line) => !line.startsWith('  where: '))).toEqual([
      `error: ${error}`,
      `  hint: ${hint}`,
    ])
  })
})

describe('a file that cannot be parsed is shown where it is wrong', () => {
  test.each([
    [
      'job.ts',
      'export default function (traj) {\n  return traj.par.x +\n}\n',
      [
        'error: cannot load the job ~/job.ts:3:1: Unexpected "}"',
        '  3 | }',
        '      ^',
        '  hint: Fix the line. The extension of the file tells whether it is TypeScript or JavaScript.',
      ],
    ],
    [
      'job.ts',
      "import './absent.ts'\nexport default () => {}\n",
      [
        'error: cannot load the job ~/job.ts:1:8: Could not resolve "./absent.ts"',
        "  1 | import './absent.ts'",
        '             ^',
        '  hint: Check the path. It is relative to the file that imports it.',
      ],
    ],
    [
      'job.ts',
      "import 'no-such-package'\nexport default () => {}\n",
      [
        'error: cannot load the job ~/job.ts:1:8: Could not resolve "no-such-package"',
        "  1 | import 'no-such-package'",
        '             ^',
        '  hint: Install it next to the file: npm install no-such-package',
      ],
    ],
    [
      'pypet.config.ts',
      'export default { ncores: 2, }}\n',
      [
        'error: cannot load the config file ~/pypet.config.ts:1:30: Unexpected "}"',
        '  1 | export default { ncores: 2, }}',
        '                                   ^',
        '  hint: Fix the line. The extension of the file tells whether it is TypeScript or JavaScript.',
      ],
    ],
  ])('%s', async (file, text, expected) => {
    expect(await refused({ ...run(), files: { [file]: text } })).toEqual(expected)
  })

  test.each([
    [
      'pypet.config.json',
      '{\n  "ncores": 2,\n  "name" "a"\n}\n',
      /^error: cannot read the config file ~\/pypet\.config\.json:3:10: (Unexpected string|Expected ':' after property name.*)$/,
      '  3 |   "name" "a"',
    ],
    [
      'pypet.config.json',
      '{ "ncores": 2\n',
      /^error: cannot read the config file ~\/pypet\.config\.json:\d:\d+: Expected ',' or '}'/,
      '^',
    ],
    [
      'pypet.config.yaml',
      'ncores: [1,\n',
      /^error: cannot read the config file ~\/pypet\.config\.yaml: unexpected end/,
      'ncores: [1,',
    ],
    [
      'pypet.config.toml',
      'name = "a"\nncores = \n',
      /^error: cannot read the config file ~\/pypet\.config\.toml: invalid value$/,
      '2:  ncores = ',
    ],
  ])('%s', async (file, text, first, excerpt) => {
    const lines = await refused({ ...run(), files: { [file]: text } })
    expect(lines[0]).toMatch(first)
    expect(lines.join('\n')).toContain(excerpt)
    expect(lines.at(-1)).toBe('  hint: Fix this line, or name another file with --config.')
    expect(lines.join('\n').match(/pypet\.config/g)).toHaveLength(1)
  })
})

describe('the HDF5 file', () => {
  test.each([
    [
      'a file that is not HDF5',
      ['--file', 'notes.txt'],
      "cannot read ~/notes.txt as HDF5: it has no HDF5 signature ('\\x89HDF')",
      'Choose a file that pypet-ts or pypet wrote.',
    ],
    [
      'a file that is not HDF5, to be replaced',
      ['--file', 'job.ts', '--overwrite'],
      'cannot replace ~/job.ts: it is not an HDF5 file',
      'Name another file with --file, or remove this one yourself.',
    ],
    [
      'a folder that is a file',
      ['--file', 'notes.txt/a.h5'],
      'cannot write ~/notes.txt/a.h5: its folder cannot be created: file already exists (EEXIST)',
      'Check the folder, its permissions and the free space, or choose another file (--file).',
    ],
    [
      'a log folder that is a file',
      ['--log-folder', 'notes.txt'],
      'cannot write ~/notes.txt/demo: ~/notes.txt is not a folder',
      'Choose another folder with --log-folder, or make this one writable.',
    ],
  ])('%s is refused', async (_, flags, error, hint) => {
    const lines = await refused({ ...run(...flags), files: { 'notes.txt': 'my notes' } })
    expect(lines.filter((line) => !line.startsWith('  where: '))).toEqual([
      `error: ${error}`,
      `  hint: ${hint}`,
    ])
  })

  test.runIf(existsSync('/proc/self')).each([
    ['run', 'job.ts', '--log-folder', '/proc/x/y'],
    ['run', 'job.ts', '--file', '/proc/x/y.h5'],
    ['init', '/proc/x/y'],
  ])('a folder that takes no folders ends the command at once: %s %s %s', async (...words) => {
    const { exitCode, stderr } = await pypet(fileTree({ 'job.ts': JOB }), words)
    expect([exitCode, stderr]).toEqual([2, expect.stringMatching(/^error: .*\/proc\/x/)])
  })

  test.skipIf(process.getuid?.() === 0)('a folder that may not be written is refused', async () => {
    const folder = fileTree({ 'job.ts': JOB })
    mkdirSync(join(folder, 'locked'), 0o555)
    const ended = await pypet(folder, ['run', 'job.ts', '--file', 'locked/'])
    chmodSync(join(folder, 'locked'), 0o755)
    expectRefusal(ended)
    expect(ended.stderr).toContain('locked')
  })

  test('a trajectory that exists is refused, a file that is cut short too; neither changes', async () => {
    const folder = fileTree({ 'job.ts': JOB })
    expect((await pypet(folder, ['run', 'job.ts', '--quiet'])).exitCode).toBe(0)
    const before = treeOf(folder)
    const again = await pypet(folder, ['run', 'job.ts', '--ncores', '2'])
    expectRefusal(again)
    expect(linesOf(again.stderr, folder)).toEqual([
      'error: ~/hdf5/demo.h5 already holds a trajectory named demo',
      '  hint: Run it under another name, or replace the file and everything in it:',
      '        pypet-ts run job.ts --ncores 2 --add-time',
      '        pypet-ts run job.ts --ncores 2 --name demo_2',
      '        pypet-ts run job.ts --ncores 2 --overwrite',
    ])
    expect(treeOf(folder)).toEqual(before)
    const whole = readFileSync(join(folder, 'hdf5/demo.h5'))
    writeFileSync(join(folder, 'cut.h5'), whole.subarray(0, whole.length / 2))
    const withCut = treeOf(folder)
    const cut = await pypet(folder, ['run', 'job.ts', '--file', 'cut.h5'])
    expectRefusal(cut)
    expect(linesOf(cut.stderr, folder)[0]).toMatch(/^error: cannot read ~\/cut\.h5 as HDF5: truncated file/)
    expect(treeOf(folder)).toEqual(withCut)
    // The other name would fit into the file; the flag that is wrong must be found before it is opened.
    const wrong = await pypet(folder, [
      'run',
      'job.ts',
      '--file',
      'hdf5/demo.h5',
      '--name',
      'b',
      '--set',
      'w=1',
    ])
    expectRefusal(wrong)
    expect(treeOf(folder)).toEqual(withCut)
  })
})

describe('overview', () => {
  test.each([
    [
      ['overview', 'notes.txt'],
      "cannot read notes.txt as HDF5: it has no HDF5 signature ('\\x89HDF')",
      'Choose a file that pypet-ts or pypet wrote.',
    ],
    [
      ['overview', 'absent.h5'],
      'cannot open absent.h5: the file does not exist',
      'Check the path. `pypet-ts run` prints it when it ends.',
    ],
    [
      ['overview', '.'],
      'cannot read . as HDF5: it is a directory',
      'Give the path of the .h5 file inside it.',
    ],
    [['overview'], "missing required argument 'file'", 'See: pypet-ts overview --help'],
    [['overview', 'a.h5', '--trajetory', 'b'], "unknown option '--trajetory'", 'Did you mean --trajectory?'],
  ])('%j is refused', async (words, error, hint) => {
    const lines = await refused({ words, files: { 'notes.txt': 'my notes' } })
    expect(lines).toEqual([`error: ${error}`, `  hint: ${hint}`])
  })
})

test('with --json a refusal is one line of JSON, also when commander refuses', async () => {
  const folder = fileTree({ 'job.ts': JOB })
  for (const [flags, message] of [
    [['--ncores', 'two'], '--ncores: expected a whole number >= 0, found "two"'],
    [['--quiet'], "option '--quiet' cannot be used with option '--json'"],
    [['--ncoers'], "unknown option '--ncoers'"],
  ] as const) {
    const { exitCode, stderr, stdout } = await pypet(folder, ['run', 'job.ts', '--json', ...flags])
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(JSON.parse(stderr)).toMatchObject({ event: 'error', code: 'PYPET_USAGE', message, exit_code: 2 })
  }
})

test('--verbose adds the stack of a job that does not load', async () => {
  const folder = fileTree({ 'job.ts': 'function f() {\n  throw new Error("boom")\n}\nf()\n' })
  const { exitCode, stderr } = await pypet(folder, ['run', 'job.ts', '--verbose'])
  expect(exitCode).toBe(2)
  expect(stderr.replaceAll(folder, '~')).toMatch(
    /caused by Error: boom\n +at f \(~\/job\.ts:2:9\)\n +at .*~\/job\.ts:4:1/,
  )
})
