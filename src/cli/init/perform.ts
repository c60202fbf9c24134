/** The action of `pypet-ts init [folder]`: writes the files of an experiment that is ready to run. */
import { existsSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { cannotWrite, PypetError, systemRefusal } from '../../errors.ts'
import { makeFolders } from '../../folders.ts'
import { shownPath } from '../../reporting/shown-path.ts'
import { shellWord } from '../../shell-word.ts'

/** @throws PypetError `PYPET_USAGE` if one of the files exists, unless it may be replaced; `PYPET_FILE_NOT_WRITABLE` */
export function initCommand(
  given: string,
  { isForced }: { readonly isForced: boolean },
  output: { write(text: string): unknown },
): void {
  const folder = resolve(given)
  const taken = Object.keys(FILES).filter((name) => existsSync(join(folder, name)))
  if (taken.length > 0 && !isForced) {
    throw new PypetError('PYPET_USAGE', `${folder} already contains ${taken.join(', ')}`, {
      where: folder,
      hint: 'Name another folder, or replace existing files with --force.',
    })
  }
  try {
    makeFolders(folder)
    for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text)
  } catch (cause) {
    const isFile = existsSync(folder) && !statSync(folder).isDirectory()
    throw cannotWrite(folder, isFile ? 'it is a file' : systemRefusal(cause).found, {
      hint: 'Name a writable folder.',
      cause,
    })
  }
  const shown = shownPath(folder)
  const steps = [
    ...(resolve('.') === folder ? [] : [`cd ${shellWord(shown)}`]),
    'pypet-ts plan job.ts',
    'pypet-ts run job.ts',
    'pypet-ts overview hdf5/pendulum.h5',
  ]
  output.write(`wrote ${Object.keys(FILES).join(', ')} into ${shown}\nnext:\n`)
  for (const step of steps) output.write(`  ${step}\n`)
}

const JOB = `// The period of a pendulum, simulated at several lengths and amplitudes.
import { cartesianProduct, defineExperiment, linspace, parameter } from 'pypet-ts'

export default defineExperiment({
  name: 'pendulum',
  comment: 'How the period of a pendulum depends on its length and amplitude',
  parameters: {
    length: parameter(1, { comment: 'm' }),
    amplitude: parameter(0.1, { comment: 'rad' }),
    gravity: parameter(9.81, { comment: 'm/s^2' }),
    noise: parameter(0.001, { comment: 'of the stopwatch, in s' }),
  },
  explore: cartesianProduct({ length: [0.5, 1, 2], amplitude: linspace(0.2, 1.8, 5) }),
  run(traj) {
    const { length, amplitude, gravity, noise } = traj.par
    const period = periodOf(length, amplitude, gravity)
    traj.addResult('period', period, { comment: 'simulated, in s' })
    // Random numbers follow from the seed and the point: the same on any number of cores.
    traj.addResult('measured', traj.random.normal(period, noise), { comment: 'with a stopwatch' })
    traj.log.info(\`a pendulum of \${length} m takes \${period.toFixed(3)} s\`)
    return period
  },
})

/** A quarter of the period is the way from the turning point to the bottom. */
function periodOf(length: number, amplitude: number, gravity: number): number {
  const step = 1e-4
  let [time, angle, speed] = [0, amplitude, 0]
  while (angle > 0) {
    speed -= (gravity / length) * Math.sin(angle) * step
    angle += speed * step
    time += step
  }
  // The last step went too far.
  return 4 * (time + angle / -speed)
}
`

const CONFIG = `# Options of pypet-ts. Flags and variables PYPET_... override them.
ncores: 0 # all cores
seed: 1
filename: ./hdf5/
logFolder: ./logs
`

const README = `# pendulum

How the period of a pendulum depends on its length and amplitude.

    pypet-ts plan job.ts                    # which points would be run
    pypet-ts run job.ts                     # all of them, into hdf5/pendulum.h5
    pypet-ts run job.ts --name longer --explore length=5,10 --explore amplitude=0.2
    pypet-ts continue hdf5/pendulum.cnt     # after a crash or a Ctrl-C
    pypet-ts overview hdf5/pendulum.h5      # what is in there

The options are in pypet.config.yaml; \`pypet-ts run --help\` lists them.
`

const IGNORED = 'hdf5/\nlogs/\n'

/** The files to write, by name. */
const FILES: Readonly<Record<string, string>> = {
  'job.ts': JOB,
  'pypet.config.yaml': CONFIG,
  'README.md': README,
  '.gitignore': IGNORED,
}
