/** The user's own classes that restore the parameters of a job or script. Small: every thread loads it. */
import { PypetError } from '../errors.ts'
import type { ClassAddress } from '../protocol.ts'
import { classesIn, isOwnClass, type OwnClass, type OwnClasses } from '../values/own-class.ts'
import { isPlainObject } from '../values/value-forms.ts'
import type { ExperimentDefinition } from './define.ts'
import { importModule } from './import-module.ts'
import { keptClasses } from './job-functions.ts'

/** Classes that the job's module exports, that its experiment names, and that its parameters are instances of. */
export function classesOfJob(
  exports: Readonly<Record<string, unknown>>,
  definition: ExperimentDefinition | undefined,
): Map<string, OwnClass> {
  const classes = classesIn(definition?.parameters)
  // A CommonJS module is the default export of its bundle.
  const inner = isPlainObject(exports.default) ? Object.values(exports.default) : []
  for (const given of [...(definition?.dynamicImports ?? []), ...Object.values(exports), ...inner]) {
    if (typeof given === 'function' && isOwnClass(given)) classes.set(given.name, given)
  }
  return classes
}

/**
 * Adds classes of other modules. If names are equal, the job's own class counts.
 *
 * @throws PypetError `PYPET_CLASS_UNKNOWN` for a module that does not load or does not have the class
 */
export async function importClasses(
  addresses: readonly ClassAddress[],
  into: Map<string, OwnClass>,
): Promise<void> {
  for (const address of addresses) {
    const kept = keptClasses.at(address.url)
    for (const own of kept ?? (await importedClasses(address))) {
      if (!into.has(own.name)) into.set(own.name, own)
    }
  }
}

async function importedClasses({ url, file, names }: ClassAddress): Promise<OwnClass[]> {
  // A script passed them to its own thread.
  if (!url.startsWith('file:')) return []
  const exports = await importModule({ url, file }, { noun: 'class module', code: 'PYPET_CLASS_UNKNOWN' })
  return names.map((name) => {
    const found = exports[name]
    if (isOwnClass(found)) return found
    const known = Object.keys(exports).filter((key) => isOwnClass(exports[key]))
    throw new PypetError('PYPET_CLASS_UNKNOWN', `${file} exports no class ${name} with a static load`, {
      where: `${file}#${name}`,
      hint: known.length === 0 ? 'Write: static load(stored) { … }.' : `It exports ${known.join(', ')}.`,
    })
  })
}

/** @throws PypetError `PYPET_CLASS_UNKNOWN` for a parameter whose class is missing */
export function assertClasses(
  parameters: readonly { readonly name: string; readonly userClass?: string }[],
  classes: OwnClasses,
  jobFile: string,
): void {
  for (const { name, userClass } of parameters) {
    if (userClass === undefined || classes.has(userClass)) continue
    throw new PypetError(
      'PYPET_CLASS_UNKNOWN',
      `${name} is an instance of ${userClass}, which the job ${jobFile} cannot find where its runs are computed`,
      {
        where: `parameters.${name}`,
        hint: `Export ${userClass} from the job's module, or name its module: dynamicImports: ['./my-classes.ts#${userClass}'].`,
      },
    )
  }
}
