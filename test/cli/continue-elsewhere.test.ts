/** What a `.cnt` file names and `continue` would load or write lies with the experiment, or the user names it. */
import { existsSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { continueRun } from '../../dist/index.js'
import { isAtHome, leadsAway } from '../../src/environment/recorded-places.ts'
import { realFileOf } from '../../src/journal/real-file.ts'
import { fileTree } from '../experiment/file-tree.ts'
import { craftedFile, type Json, looseRecords } from '../journal/crafted-cnt.ts'
import { eventsOf, factsOf, pypet, treeOf } from './pypet.ts'

/** Fails in run 2 while the file `failing` is beside it, and leaves a word when it is loaded. */
const JOB = `
import { appendFileSync, existsSync } from 'node:fs'
const here = new URL('.', import.meta.url)
appendFileSync(new URL('loaded.txt', here), 'loaded ')
export default {}
export const job = (traj) => {
  if (traj.par.x === 2 && existsSync(new URL('failing', here))) throw new Error('as asked')
  traj.addResult('z', traj.par.x)
}`
const CONFIG = JSON.stringify({ parameters: { x: 0 }, explore: { x: [0, 1, 2, 3] } })
const FILES = {
  'code/job.mjs': JOB,
  'code/pypet.config.json': CONFIG,
  'code/failing': '',
  'work/hdf5/kept': '',
}

/** An experiment in `work`, of which one run has failed, whose job lies in `code`. */
async function failed(files: Readonly<Record<string, string>> = FILES, words: readonly string[] = []) {
  const root = fileTree(files)
  const work = join(root, 'work')
  const ended = await pypet(work, ['run', '../code/job.mjs', ...words])
  expect(ended.exitCode).toBe(3)
  renameSync(join(root, 'code/failing'), join(root, 'code/was-failing'))
  writeFileSync(join(root, 'code/loaded.txt'), '')
  return {
    root,
    work,
    job: join(root, 'code/job.mjs'),
    loaded: () => readFileSync(join(root, 'code/loaded.txt'), 'utf8'),
  }
}

/** Another value at a path in the header of the first record; digests are right. */
function craft(cntFile: string, path: readonly string[], value: Json): void {
  const records = looseRecords(readFileSync(cntFile))
  let holder = records[0]?.header as Record<string, Json>
  for (const key of path.slice(0, -1)) holder = holder[key] as Record<string, Json>
  holder[path.at(-1) as string] = value
  writeFileSync(cntFile, craftedFile(records))
}

const RETRY = ['continue', 'hdf5/job.cnt', '--retry-failed']

describe.skipIf(process.platform === 'win32')('a job elsewhere', () => {
  test('is not loaded unless it is named, by the command that the refusal gives', async () => {
    const { work, job, loaded } = await failed()
    const before = treeOf(work)
    const refused = await pypet(work, RETRY)
    expect(refused).toMatchObject({ exitCode: 2, stdout: '', temporaries: [] })
    expect(refused.stderr).toBe(
      [
        `error: ${work}/hdf5/job.cnt names the job ${job}, which is not in its folder, the folder above or the working directory`,
        `  hint: If you trust it, name it: pypet-ts continue hdf5/job.cnt --job ${job} --retry-failed`,
        '',
      ].join('\n'),
    )
    expect(treeOf(work)).toEqual(before)
    expect(loaded()).toBe('')
    const command = refused.stderr.split('pypet-ts ')[1]?.trim().split(' ') as string[]
    const named = await pypet(work, command)
    expect(named.exitCode).toBe(0)
    expect(named.stdout.startsWith(`job: ${job}\n`)).toBe(true)
    expect(loaded()).not.toBe('')
  })

  test('is told by a dry run, which does not load it', async () => {
    const { work, job, loaded } = await failed()
    const dry = await pypet(work, [...RETRY, '--dry-run'])
    expect(dry.exitCode).toBe(0)
    expect(dry.stdout).toContain(`  job:      ${job} (elsewhere: name it with --job)\n`)
    const json = await pypet(work, [...RETRY, '--dry-run', '--json'])
    expect(factsOf(json)).toMatchObject({ event: 'continue-plan', job_file: job, job_is_elsewhere: true })
    expect(loaded()).toBe('')
  })

  test('needs no name where the command is given in a folder above it', async () => {
    const { root, job } = await failed()
    const ended = await pypet(root, ['continue', 'work/hdf5/job.cnt', '--retry-failed', '--json'])
    expect(ended.exitCode).toBe(0)
    expect(eventsOf(ended)[0]).toMatchObject({ event: 'job-found', job_file: job })
  })

  test('is found where it is now, when the whole experiment was moved', async () => {
    const { root } = await failed()
    const moved = fileTree({})
    for (const name of ['code', 'work']) renameSync(join(root, name), join(moved, name))
    const ended = await pypet(moved, ['continue', 'work/hdf5/job.cnt', '--retry-failed'])
    expect(ended.exitCode).toBe(0)
    expect(ended.stdout.startsWith('job: code/job.mjs\n')).toBe(true)
  })

  test('that is another one is refused by its source, also when it is named', async () => {
    const { root, work } = await failed()
    writeFileSync(join(root, 'other.mjs'), `${JOB}\n// changed`)
    const refused = await pypet(work, [...RETRY, '--job', '../other.mjs'])
    expect(refused.exitCode).toBe(2)
    expect(refused.stderr).toContain('is not the job that made')
    const allowed = await pypet(work, [...RETRY, '--job', '../other.mjs', '--allow-changed-job', '--quiet'])
    expect(allowed.exitCode).toBe(0)
  })

  test('is not hidden by a link that lies with the experiment', async () => {
    const { root, work, job } = await failed()
    symlinkSync(job, join(work, 'job.mjs'))
    craft(join(work, 'hdf5/job.cnt'), ['request', 'continuation', 'job', 'relativeFile'], '../job.mjs')
    craft(join(work, 'hdf5/job.cnt'), ['request', 'continuation', 'job', 'file'], join(root, 'none.mjs'))
    const refused = await pypet(work, RETRY)
    expect(refused.exitCode).toBe(2)
    expect(refused.stderr).toContain(`--job ${join(work, 'job.mjs')}`)
  })

  test('is named in a script as it is by the flag', async () => {
    const { work, job } = await failed()
    const cnt = join(work, 'hdf5/job.cnt')
    await expect(continueRun(cnt, { retryFailed: true })).rejects.toMatchObject({
      code: 'PYPET_USAGE',
      hint: expect.stringContaining(`--job ${job} --retry-failed`),
    })
    const reporter = { emit: () => undefined, close: async () => undefined }
    const summary = await continueRun(cnt, { retryFailed: true, job, reporter })
    expect(summary).toMatchObject({ storedCount: 4, failedCount: 0 })
  })
})

describe.skipIf(process.platform === 'win32')('what is recorded beside the job', () => {
  test('logs are not written elsewhere unless that folder is named', async () => {
    const files = { ...FILES, 'work/job.mjs': JOB, 'work/pypet.config.json': CONFIG, 'work/failing': '' }
    const root = fileTree(files)
    const work = join(root, 'work')
    const logs = join(root, 'logs elsewhere')
    expect((await pypet(work, ['run', 'job.mjs', '--log-folder', logs])).exitCode).toBe(3)
    renameSync(join(work, 'failing'), join(work, 'was-failing'))
    const before = treeOf(root)
    const refused = await pypet(work, [...RETRY, '--ncores', '1'])
    expect(refused).toMatchObject({ exitCode: 2, stdout: '' })
    expect(refused.stderr).toContain(
      `name it: pypet-ts continue hdf5/job.cnt --log-folder '${logs}' --ncores 1 --retry-failed\n`,
    )
    expect(treeOf(root)).toEqual(before)
    expect((await pypet(work, [...RETRY, '--log-folder', 'logs', '--quiet'])).exitCode).toBe(0)
    expect(existsSync(join(work, 'logs/job/main.txt'))).toBe(true)
  })

  test('a link among the logs leads nowhere else', async () => {
    const { root, work, job } = await failed()
    const victim = join(root, 'victim.txt')
    writeFileSync(victim, 'as it was')
    const log = join(work, 'logs/job/main.txt')
    renameSync(log, `${log}.kept`)
    symlinkSync(victim, log)
    const refused = await pypet(work, [...RETRY, '--job', job])
    expect(refused.exitCode).toBe(2)
    expect(refused.stderr).toContain('--log-folder')
    expect(readFileSync(victim, 'utf8')).toBe('as it was')
  })

  test.each([
    ['logTransports', '--log-transports'],
    ['storageService', '--storage-service'],
  ])('a module of %s elsewhere is not loaded unless it is named', async (option, flag) => {
    const { root, work, job } = await failed()
    const module = join(root, 'planted.mjs')
    writeFileSync(
      module,
      `import { writeFileSync } from 'node:fs'\nwriteFileSync('${root}/ran.txt', 'it ran')`,
    )
    craft(join(work, 'hdf5/job.cnt'), ['request', 'continuation', 'settings', option], module)
    if (option === 'storageService') {
      craft(join(work, 'hdf5/job.cnt'), ['request', 'continuation', 'settings', 'wrapMode'], 'queue')
      craft(join(work, 'hdf5/job.cnt'), ['request', 'continuation', 'settings', 'useHdf5'], false)
    }
    const refused = await pypet(work, [...RETRY, '--job', job])
    expect(refused.exitCode).toBe(2)
    expect(refused.stderr).toContain(`${flag} ${module}`)
    expect(existsSync(join(root, 'ran.txt'))).toBe(false)
  })

  test('a storage service is not given to an experiment that had none', async () => {
    const { work, job } = await failed()
    const refused = await pypet(work, [...RETRY, '--job', job, '--storage-service', 'service.mjs'])
    expect(refused.exitCode).toBe(2)
    expect(refused.stderr).toContain('has no storage service')
  })
})

describe.skipIf(process.platform === 'win32')('a place is at home', () => {
  test('in and below the folder, the one above it and the working directory, as links lead', () => {
    const root = fileTree({ 'a/b/c/x.cnt': '', 'a/b/job.ts': '', 'a/job.ts': '', 'cwd/deep/job.ts': '' })
    const cnt = join(root, 'a/b/c/x.cnt')
    const isHome = (path: string) => isAtHome(join(root, path), cnt, join(root, 'cwd'))
    symlinkSync(join(root, 'a'), join(root, 'a/b/out'))
    symlinkSync(join(root, 'a/b'), join(root, 'in'))
    symlinkSync(join(root, 'nowhere'), join(root, 'a/b/dangling'))
    symlinkSync(join(root, 'a/b/ring'), join(root, 'a/b/ring'))
    expect(
      ['a/b/c/job.ts', 'a/b/job.ts', 'a/b/c/d/job.ts', 'cwd/deep/job.ts', 'in/job.ts'].filter(isHome),
    ).toHaveLength(5)
    expect(['a/job.ts', 'a/b/out/job.ts', 'a/b/dangling', 'a/bc/job.ts', 'other'].filter(isHome)).toEqual([])
    expect(isHome('a/b/not/there/yet')).toBe(true)
    expect(realFileOf(join(root, 'a/b/ring'))).toBe(join(root, 'a/b/ring'))
    expect(leadsAway(join(root, 'a/b'), cnt)).toBe(join(root, 'nowhere'))
  })

  test('not everything is where the folder is the root of the system', () => {
    expect(isAtHome('/etc/passwd', '/x.cnt', '/')).toBe(false)
    expect(isAtHome('/job.ts', '/x.cnt', '/')).toBe(true)
  })
})
