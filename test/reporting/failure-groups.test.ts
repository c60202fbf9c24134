import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { toErrorRecord } from '../../src/errors.ts'
import { FailureGroups } from '../../src/reporting/failure-groups.ts'
import { shownPath, userFrame } from '../../src/reporting/shown-path.ts'

test('the user’s frame of a real error is the line that threw, whatever stacks its message quotes', () => {
  const { stack, message } = toErrorRecord(thrownHere())
  const line = /failure-groups\.test\.ts:(\d+)/.exec(stack)?.[1]
  expect(userFrame(stack, message)).toMatch(
    new RegExp(`^test/reporting/failure-groups\\.test\\.ts:${line}:\\d+$`),
  )
})

function thrownHere(): Error {
  return new RangeError('too small\n    at quoted (/quoted.ts:1:1)')
}

test.each([
  ['    at run (/data/job.ts:12:9)', '/data/job.ts:12:9'],
  ['    at async /data/job.ts:12:9', '/data/job.ts:12:9'],
  ['    at Object.run [as job] (file:///data/my%20job.ts:12:9)', '/data/my job.ts:12:9'],
  ['    at new Neuron (/data/(old)/neuron.ts:1:2)', '/data/(old)/neuron.ts:1:2'],
  ['    at /data/copy (1)/job.ts:1:2', '/data/copy (1)/job.ts:1:2'],
  ['    at async Promise.all (index 0)\n    at async run (/data/job.ts:5:6)', '/data/job.ts:5:6'],
  [
    '    at node:internal/process:1:2\n    at /data/node_modules/x/y.js:1:1\n    at /data/job.ts:3:4',
    '/data/job.ts:3:4',
  ],
  ['    at <anonymous>\n    at Array.map (<anonymous>)', undefined],
  ['', undefined],
])('of the frames %j the user wrote %s', (frames, expected) => {
  expect(userFrame(`Error: m\n${frames}`, 'm')).toBe(expected)
})

test('frames of pypet-ts itself are not the user’s', () => {
  const own = fileURLToPath(new URL('../../src/executors/perform-run.ts', import.meta.url))
  expect(userFrame(`Error: m\n    at ${own}:1:1`, 'm')).toBeUndefined()
})

test('failures that differ in numbers only are one kind, other places and names are others', () => {
  const groups = new FailureGroups()
  const at = (line: number) => `Error: m\n    at /data/job.ts:${line}:1`
  const kinds = [
    { name: 'Error', message: 'x is 1', stack: at(1) },
    { name: 'Error', message: 'x is 23', stack: at(1) },
    { name: 'Error', message: 'x is 1', stack: at(2) },
    { name: 'TypeError', message: 'x is 1', stack: at(1) },
  ]
  kinds.forEach((error, run) => {
    groups.add(run, error)
  })
  expect(groups.groups.map(({ count, runs }) => [count, runs])).toEqual([
    [2, [0, 1]],
    [1, [2]],
    [1, [3]],
  ])
})

test('memory is bounded when no two failures are alike', () => {
  const groups = new FailureGroups()
  for (let run = 0; run < 3000; run += 1)
    groups.add(run, { name: 'Error', message: 'x'.repeat(run % 2000), stack: '' })
  expect(groups.groups).toHaveLength(1000)
  const groupedCount = groups.groups.reduce((sum, group) => sum + group.count, 0)
  expect(groupedCount + groups.ungroupedCount).toBe(3000)
})

test.each([
  ['/home/a/hdf5/x.h5', 'hdf5/x.h5'],
  ['/home/b/x.h5', '/home/b/x.h5'],
  ['/home/a', '/home/a'],
  ['hdf5/x.h5', 'hdf5/x.h5'],
  ['/home/a/..x/y', '/home/a/..x/y'],
])('seen from /home/a, %s is shown as %s', (path, shown) => expect(shownPath(path, '/home/a')).toBe(shown))
