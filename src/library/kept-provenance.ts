/** Chooses the environment of a file whose provenance is used. */
import { PypetError } from '../errors.ts'
import type { TrajectoryTree } from '../tree/trajectory-tree.ts'
import type { RunIndex } from '../values/path.ts'
import { environmentOf, hexshaOf, inOrderOfTime, recorded } from './recorded-job.ts'

export interface KeptProvenance {
  readonly environment: string
  /** All environments with stored sources, in order of time. */
  readonly environments: readonly string[]
  /** Its leaves, by name. */
  readonly values: ReadonlyMap<string, unknown>
}

interface Choice {
  readonly run?: RunIndex
  readonly environment?: string
}

/**
 * @param file for messages
 * @throws PypetError `PYPET_PROVENANCE_NONE`, `PYPET_RUN_UNKNOWN`, `PYPET_USAGE`
 */
export function chosenProvenance(
  tree: Pick<TrajectoryTree, 'getGroup' | 'length' | 'runInformation'>,
  file: string,
  choice: Choice,
): KeptProvenance {
  const all = recorded(tree)
  const names = inOrderOfTime(
    all,
    [...new Set(all.map(({ environment }) => environment))].map((environment) => ({ environment })),
  ).map(({ environment }) => environment)
  const keeping = new Set(
    all.filter(({ name }) => name === 'provenance.files').map(({ environment }) => environment),
  )
  const environments = names.filter((name) => keeping.has(name))
  const named = meant(choice, names, { tree, file, hexsha: (name) => hexshaOf(all, name) })
  const environment = named ?? environments.at(-1)
  const values = new Map<string, unknown>()
  for (const { environment: of, name, node } of all) {
    const [, leaf] = /^provenance\.(?!continued_)(.+)$/.exec(name) ?? []
    if (of === environment && leaf !== undefined) values.set(leaf, node.get())
  }
  if (environment !== undefined && typeof values.get('files') === 'string')
    return { environment, environments, values }
  const whose = named === undefined ? 'its job' : `the job of ${named}`
  throw new PypetError('PYPET_PROVENANCE_NONE', `${file} does not hold the source of ${whose}`, {
    where: file,
    hint: 'It was written with --no-provenance or by pypet, or the experiment stopped before provenance was recorded.',
  })
}

function meant(
  { run, environment }: Choice,
  names: readonly string[],
  {
    tree,
    file,
    hexsha,
  }: {
    readonly tree: Pick<TrajectoryTree, 'runInformation'>
    readonly file: string
    readonly hexsha: (environment: string) => string
  },
): string | undefined {
  if (run !== undefined && environment !== undefined) {
    throw new PypetError('PYPET_USAGE', '--run and --environment cannot be used together', {
      where: '--run',
      hint: 'Give one of them.',
    })
  }
  if (environment !== undefined) {
    const found = names.find((name) => name === environment || hexsha(name) === environment)
    if (found !== undefined) return found
    throw new PypetError('PYPET_USAGE', `${file} has no environment ${JSON.stringify(environment)}`, {
      where: '--environment',
      hint: names.length === 0 ? 'It has none.' : `It has ${names.join(', ')}.`,
    })
  }
  if (run === undefined) return undefined
  const digest = environmentOf(tree, run)
  const found = digest === '' ? undefined : names.find((name) => hexsha(name) === digest)
  if (found !== undefined) return found
  throw new PypetError('PYPET_RUN_UNKNOWN', `${file} does not say which environment ran run ${run}`, {
    where: file,
    hint: 'The run is not stored, or its config was not kept. Restore with --environment.',
  })
}
