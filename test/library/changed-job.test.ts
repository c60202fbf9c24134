/** A job that has changed: no command mixes its runs with those of the job before without being told to. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  continueRun,
  Environment,
  loadTrajectory,
  MemoryStorage,
  mergeFiles,
  type Run,
  restore,
  run as runJob,
  verify,
} from '../../dist/index.js'
import { readCnt } from '../../src/journal/cnt-state.ts'
import { pypet, treeOf } from '../cli/pypet.ts'
import { fileTree } from '../experiment/file-tree.ts'

const JOB = `
import { defineExperiment } from 'pypet-ts'
import { factor } from './factor.mjs'
export default defineExperiment({
  name: 'demo',
  parameters: { x: 1 },
  explore: { x: [1, 2] },
  run(traj) {
    if (traj.par.x > LIMIT) throw new Error('too large')
    traj.addResult('z', factor * traj.par.x)
  },
})`

const factorOf = (factor: number) => `export const factor = ${factor}\n`

function jobFolder({ limit = 100 }: { readonly limit?: number } = {}) {
  const folder = fileTree({ 'job.mjs': JOB.replace('LIMIT', String(limit)), 'factor.mjs': factorOf(1) })
  const file = join(folder, 'demo.h5')
  const job = join(folder, 'job.mjs')
  return {
    folder,
    file,
    job,
    cnt: join(folder, 'demo.cnt'),
    options: { filename: file, logFolder: join(folder, 'logs') },
    change: (factor: number, below = limit) => {
      writeFileSync(join(folder, 'factor.mjs'), factorOf(factor))
      writeFileSync(job, JOB.replace('LIMIT', String(below)))
    },
  }
}

/** What the rows of the runs name, and which environments the file has under these names. */
async function environmentsIn(file: string) {
  using traj = await loadTrajectory(file)
  const rows = traj.runNames.map((_, run) => traj.runInformation(run).environmentHexsha)
  const groups = traj.getGroup('config.environment').childNames
  const sources = Object.fromEntries(
    groups.map((group) => {
      const name = `config.environment.${group}.job.sources`
      return [name, traj.value<string>(name)]
    }),
  )
  return {
    rows,
    groups,
    /** By its place in the order in which runs name them. */
    places: rows.map((hexsha) => [...new Set(rows)].indexOf(hexsha)),
    sourcesOf: (run: number) => {
      const group = groups.find((name) => name.startsWith(`environment_${rows[run]}_`))
      return sources[`config.environment.${group}.job.sources`]
    },
    z: Object.values(traj.getFromRuns<number>('z')),
  }
}

test('expand refuses a changed job by the names of what changed, before it is executed and anything is written', async () => {
  const { folder, file, job, options, change } = jobFolder()
  await runJob(job, { options })
  change(5)
  const before = treeOf(folder)
  const refused = await pypet(folder, ['expand', 'demo.h5', '--explore', 'x=3'])
  expect([refused.exitCode, refused.stdout]).toEqual([2, ''])
  expect(refused.stderr).toContain('job.mjs is not the job that made demo.h5: factor.mjs changed')
  expect(refused.stderr).toContain('--allow-changed-job')
  expect(treeOf(folder)).toEqual(before)

  const allowed = await pypet(folder, ['expand', 'demo.h5', '--explore', 'x=3', '--allow-changed-job'])
  expect([allowed.exitCode, allowed.stderr]).toEqual([0, ''])
  const found = await environmentsIn(file)
  expect(found.z).toEqual([1, 2, 15])
  expect(found.places).toEqual([0, 0, 1])
  expect(found.groups).toHaveLength(2)
  expect(found.sourcesOf(0)).not.toBe(found.sourcesOf(2))

  // It is the one that ran last, now.
  await expect(pypet(folder, ['expand', 'demo.h5', '--explore', 'x=4'])).resolves.toMatchObject({
    exitCode: 0,
  })

  // Each run is compared by its own source.
  const whole = await pypet(folder, ['verify', 'demo.h5', '--all'])
  expect(whole.stdout).toContain('2 of 2 runs identical, of 4 stored\n')
  expect(whole.stdout).toContain(
    'not compared: runs 0 to 1, which another version of the job made (factor.mjs changed)\n',
  )
  expect(whole.exitCode).toBe(3)
  await expect(verify(file, { runs: [1, 2] })).rejects.toMatchObject({
    code: 'PYPET_JOB_CHANGED',
    message: expect.stringContaining('is not the job that made run 1 of'),
    hint: expect.stringContaining('--run 1 --to before'),
  })

  // What a stranger does, who has the file alone.
  const command = whole.stdout.match(/pypet-ts (restore .* --to before)/)?.[1]?.split(' ') as string[]
  expect(await pypet(folder, command)).toMatchObject({ exitCode: 0 })
  const old = await verify(file, { runs: [0, 1], job: join(folder, 'before/job.mjs') })
  expect(old).toMatchObject({ identicalCount: 2, jobChanges: '' })
  const restored = await restore(file, { to: join(folder, 'later'), run: 2 })
  expect(restored.environments).toHaveLength(3)
  expect(readFileSync(join(folder, 'later/factor.mjs'), 'utf8')).toBe(factorOf(5))
  const [first] = restored.environments as [string]
  expect(await restore(file, { to: join(folder, 'first'), environment: first })).toMatchObject({
    environment: first,
  })
  await expect(restore(file, { to: join(folder, 'none'), run: 9 })).rejects.toMatchObject({
    code: 'PYPET_RUN_UNKNOWN',
  })
  await expect(restore(file, { to: join(folder, 'none'), environment: 'no' })).rejects.toMatchObject({
    code: 'PYPET_USAGE',
  })
  expect(existsSync(join(folder, 'none'))).toBe(false)
})

test.each(['queue', 'lock'] as const)(
  'continue with an allowed change begins an environment, which later ones go on with: wrap mode %s',
  async (wrapMode) => {
    const { folder, file, job, cnt, options, change } = jobFolder({ limit: 1 })
    const first = await runJob(job, { options: { ...options, wrapMode }, explore: ['x=1:5'] })
    expect(first).toMatchObject({ storedCount: 1, failedCount: 3 })
    change(10, 2)
    await expect(continueRun(cnt, { retryFailed: true })).rejects.toMatchObject({
      code: 'PYPET_JOB_CHANGED',
      message: expect.stringContaining('factor.mjs changed, job.mjs changed'),
    })
    await continueRun(cnt, { retryFailed: true, allowChangedJob: true })
    // The one that ran last is no change, and its environment goes on.
    await expect(continueRun(cnt, { retryFailed: true })).resolves.toMatchObject({ failedCount: 2 })
    change(100, 3)
    await expect(continueRun(cnt, { retryFailed: true })).rejects.toMatchObject({ code: 'PYPET_JOB_CHANGED' })
    await continueRun(cnt, { retryFailed: true, allowChangedJob: true, options: { cntCompactBytes: 0 } })
    const state = readCnt(cnt).experiment.request.continuation
    change(1000, 100)
    await continueRun(cnt, { retryFailed: true, allowChangedJob: true })
    expect(existsSync(cnt)).toBe(false)
    const found = await environmentsIn(file)
    expect(found.z).toEqual([1, 20, 300, 4000])
    expect(found.places).toEqual([0, 1, 2, 3])
    expect(found.groups).toHaveLength(4)
    expect(state.environmentName).toContain(`_${found.rows[2]}_`)
    expect(new Set([0, 1, 2, 3].map(found.sourcesOf)).size).toBe(4)
    // Every one of them has ended, and tells where its code came from.
    using traj = await loadTrajectory(file)
    for (const group of found.groups) {
      expect(traj.value<number>(`config.environment.${group}.runtime`)).toBeGreaterThanOrEqual(0)
    }
    await restore(file, { to: join(folder, 'second'), run: 1 })
    const second = { runs: [1], job: join(folder, 'second/job.mjs') }
    expect(await verify(file, second)).toMatchObject({ identicalCount: 1, jobChanges: '' })
  },
)

test('points that post-processing adds are of the environment that adds them', async () => {
  const { file, job, cnt, options } = jobFolder()
  const written = (more: string) =>
    writeFileSync(
      job,
      `import { defineExperiment } from 'pypet-ts'
       export default defineExperiment({
         name: 'demo',
         parameters: { x: 1 },
         explore: { x: [1, 2] },
         run(traj) { traj.addResult('z', traj.par.x) },
         postprocess(traj) { ${more} },
       })`,
    )
  written('throw new Error("not yet")')
  await expect(runJob(job, { options })).rejects.toMatchObject({ code: 'PYPET_POSTPROCESSING_FAILED' })
  written('if (traj.length < 4) traj.expand({ x: [7, 8] })')
  await continueRun(cnt, { allowChangedJob: true })
  const found = await environmentsIn(file)
  expect(found.z).toEqual([1, 2, 7, 8])
  expect(found.places).toEqual([0, 0, 1, 1])
})

test('with a storage service of your own, the .cnt file names the environment that goes on', async () => {
  const { job, cnt, options, change } = jobFolder({ limit: 1 })
  const storageService = new MemoryStorage()
  await runJob(job, { options: { ...options, ncores: 1 }, storageService })
  const before = readCnt(cnt).experiment.request.continuation
  change(10, 1)
  await expect(continueRun(cnt, { storageService, retryFailed: true })).rejects.toMatchObject({
    code: 'PYPET_JOB_CHANGED',
  })
  await continueRun(cnt, { storageService, retryFailed: true, allowChangedJob: true })
  const after = readCnt(cnt).experiment.request.continuation
  expect(after.environmentName).not.toBe(before.environmentName)
  expect(after.environment?.hexsha.slice(0, 7)).toBe(after.environmentName.split('_')[1])
  await expect(continueRun(cnt, { storageService, retryFailed: true })).resolves.toMatchObject({
    failedCount: 1,
  })
})

test('a script that expands its trajectory is held to the same, and runs another function only when it is allowed', async () => {
  const { file, options } = jobFolder()
  const double = (traj: Run) => void traj.addResult('z', 2 * (traj.par as { x: number }).x)
  const triple = (traj: Run) => void traj.addResult('z', 3 * (traj.par as { x: number }).x)
  {
    await using env = new Environment({ trajectory: 'demo', parameters: { x: 1 }, ...options })
    env.trajectory.explore({ x: [1, 2] })
    await env.run(double)
    env.trajectory.expand({ x: [3] })
    await env.run(double)
    env.trajectory.expand({ x: [4] })
    await expect(env.run(triple)).rejects.toMatchObject({
      code: 'PYPET_JOB_CHANGED',
      hint: expect.stringContaining('allowChangedJob: true'),
    })
  }
  // Whatever of the file is loaded.
  const trajectory = await loadTrajectory(file, { other: 'skeleton', autoLoad: false })
  await using env = new Environment({ trajectory, allowChangedJob: true, ...options })
  trajectory.expand({ x: [5] })
  const first = env.name
  await env.run(triple)
  expect(env.name).toBe(first)
  // Back to the first one: an environment runs one job.
  trajectory.expand({ x: [6] })
  await env.run(double)
  expect(env.name).not.toBe(first)
  const found = await environmentsIn(file)
  expect(found.z).toEqual([2, 4, 6, 15, 12])
  expect(found.places).toEqual([0, 0, 0, 1, 2])
  expect(await verify(file, { job: double, runs: [0, 2, 4] })).toMatchObject({
    identicalCount: 3,
    jobChanges: '',
  })
  await expect(verify(file, { job: double, runs: [3] })).rejects.toMatchObject({ code: 'PYPET_JOB_CHANGED' })
})

test('merged runs keep their environments, so that each is compared with what made it', async () => {
  const one = jobFolder()
  await runJob(one.job, { options: one.options })
  one.change(5)
  await runJob(one.job, {
    options: { ...one.options, filename: join(one.folder, 'b.h5') },
    explore: ['x=8,9'],
  })
  const into = join(one.folder, 'all.h5')
  await mergeFiles([{ file: one.file }, { file: join(one.folder, 'b.h5') }], { file: into })
  expect((await environmentsIn(into)).places).toEqual([0, 0, 1, 1])
  expect(await verify(into)).toMatchObject({
    identicalCount: 2,
    jobChanges: '',
    skipped: [{ runs: [0, 1], jobChanges: 'factor.mjs changed' }],
  })
})

test('what a job prints before it does not load is shown by a script that runs or verifies it', async () => {
  const { folder, job, file, options } = jobFolder()
  await runJob(job, { options })
  writeFileSync(job, `console.log('tau is', 7)\nthrow new Error('tau is odd')\n`)
  const script = `
import { Environment, verify } from ${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)}
const [, , file, job] = process.argv
const env = new Environment({ trajectory: 'other', filename: 'other.h5' })
await env.run(job).catch(({ code }) => console.log(code))
await verify(file, { job, allowChangedJob: true }).catch(({ code }) => console.log(code))
`
  writeFileSync(join(folder, 'script.mjs'), script)
  const { stdout, stderr } = spawnSync(process.execPath, ['script.mjs', file, job], {
    cwd: folder,
    encoding: 'utf8',
  })
  expect(stdout).toBe('PYPET_JOB_NOT_LOADABLE\nPYPET_JOB_NOT_LOADABLE\n')
  expect(stderr).toBe('tau is 7\ntau is 7\n')
})
