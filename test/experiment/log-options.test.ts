import { describe, expect, test } from 'vitest'
import { resolveSettings } from '../../src/experiment/layers.ts'
import { refusal } from './refusal.ts'

const resolve = (flags: object, workingDirectory = '/home/me') =>
  resolveSettings({ jobFile: 'job.ts', flags, workingDirectory }).settings

describe('names of log files', () => {
  test('files of runs are off, and switched off again by an empty name', () => {
    expect(resolve({}).logRuns).toBeUndefined()
    expect(resolve({ logRuns: '$set/$run.txt' }).logRuns).toBe('$set/$run.txt')
    expect(resolve({ logRuns: '' }).logRuns).toBeUndefined()
  })

  test.each([
    [
      '$runs.txt',
      'unknown wildcard $runs',
      'Did you mean $run? The wildcards are $env, $traj, $run, $set, $proc, $host.',
    ],
    ['$.txt', 'unknown wildcard $', 'The wildcards are $env, $traj, $run, $set, $proc, $host.'],
    ['all.txt', '"all.txt" is the same name for all runs', 'Add $run or $set'],
    ['$proc.txt', '"$proc.txt" is the same name for all runs', 'Add $run'],
    ['/tmp/$run.txt', '"/tmp/$run.txt" is outside the log folder', 'Use a name inside'],
    ['a/../../$run.txt', 'is outside the log folder', 'Use a name inside'],
  ])('the name %s is refused: %s', async (logRuns, message, hint) => {
    const error = await refusal(async () => resolve({ logRuns }))
    expect(error).toMatchObject({ code: 'PYPET_CONFIG_INVALID', where: '--log-runs' })
    expect(error.message).toContain(message)
    expect(error.hint).toContain(hint)
  })

  test('the folder takes the wildcards that are the same for all runs, and refuses others', async () => {
    expect(resolve({ logFolder: 'logs/$traj/$env' }).logFolder).toBe('/home/me/logs/$traj/$env')
    const error = await refusal(async () => resolve({ logFolder: 'logs/$run' }))
    expect(error.message).toBe('--log-folder: unknown wildcard $run')
    expect(error.hint).toContain('The wildcards are $env, $traj, $host.')
  })

  test('a dollar in the folders above is no wildcard: nobody has written it for us', () => {
    expect(resolve({}, '/home/$me').logFolder).toBe('/home/$me/logs')
  })

  test('without logs, what jobs print goes to the terminal', () => {
    expect(resolve({}).logStdout).toBe(true)
    expect(resolve({ logStdout: false }).logStdout).toBe(false)
    expect(resolve({ logging: false }).logStdout).toBe(false)
  })
})
