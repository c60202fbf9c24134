/**
 * Names of nodes as pypet writes them on disk (pypet `pypetconstants.py`, `naturalnaming.py`).
 * A full name joins node names with dots, `results.runs.run_00000012.z`. On disk, dots become slashes.
 */
import { PypetError } from '../errors.ts'
import { runName, runSetName } from '../names.ts'
import { cutText } from './cut-text.ts'

/**
 * The full name of a parameter of an experiment. Explorations, plans and records name parameters relative to
 * `parameters`. Derived parameters can also be explored; they keep their full names.
 *
 * `parameterLocation('neuron.tau')` is `parameters.neuron.tau`; `derived_parameters.x` does not change.
 */
export function parameterLocation(name: string): string {
  return parameterBranch(name) === 'parameters' ? `${DECLARED}${name}` : name
}

/** The branch of the parameter with this name. */
export function parameterBranch(name: string): ParameterBranch {
  return name.startsWith(DERIVED) ? 'derived_parameters' : 'parameters'
}

export type ParameterBranch = 'parameters' | 'derived_parameters'

/** The inverse of `parameterLocation`. Relative names do not change. */
export function parameterName(fullName: string): string {
  return fullName.startsWith(DECLARED) ? fullName.slice(DECLARED.length) : fullName
}

const DECLARED = 'parameters.'
const DERIVED = 'derived_parameters.'

/** A point of the exploration, counted from 0. */
export type RunIndex = number

/** Maximum length of a node name and of a full location, both from pypet. */
const NAME_LENGTH_MAX = 127
const LOCATION_LENGTH_MAX = 512

/**
 * The full name of something added during a run. `$` stands for the run's name and `$set` for the name of its run set.
 * Without a `$`, it goes below `runs.<run name>`, even with `$set`: a thousand runs share a set, and no
 * two runs may add the same name.
 *
 * `runLocation('results', 'z', 3)` is `results.runs.run_00000003.z`, and with `by.$.z` it is
 * `results.by.run_00000003.z` (pypet `naturalnaming.py`, `_add_prefix`).
 */
export function runLocation(branch: 'results' | 'derived_parameters', name: string, run: RunIndex): string {
  const parts = name.split('.')
  const prefix = parts.includes('$') ? [branch] : [branch, 'runs', runName(run)]
  const replaced = parts.map((part) => {
    if (part === '$') return runName(run)
    if (part === '$set') return runSetName(run)
    return part
  })
  return [...prefix, ...replaced].join('.')
}

/**
 * Checks a dotted name part by part: letters, digits, `_` and `-`, no leading `_`, under 128
 * characters each and 512 in all.
 *
 * @throws PypetError `PYPET_NAME_ILLEGAL`
 */
export function assertLegalName(name: string, where: string): void {
  const illegal = (found: string) =>
    new PypetError(
      'PYPET_NAME_ILLEGAL',
      `${where}: ${JSON.stringify(cutText(name, 60))} is not a legal name: ${found}`,
      {
        where,
        hint: 'Use letters, digits, "_" and "-", not starting with "_"; dots separate groups.',
      },
    )
  if (name === '') throw illegal('it is empty')
  if (name.length > LOCATION_LENGTH_MAX) throw illegal(`it is longer than ${LOCATION_LENGTH_MAX} characters`)
  for (const part of name.split('.')) {
    if (part === '') throw illegal('a part between dots is empty')
    if (part.startsWith('_')) throw illegal(`${JSON.stringify(cutText(part, 60))} starts with "_"`)
    if (part.startsWith('$'))
      throw illegal(`${JSON.stringify(cutText(part, 60))} is not a wildcard; use "$" or "$set"`)
    if (part.length > NAME_LENGTH_MAX) throw illegal(`a part is longer than ${NAME_LENGTH_MAX} characters`)
    const character = /[^A-Za-z0-9_-]/.exec(part)
    if (character) throw illegal(`it contains ${JSON.stringify(character[0])}`)
  }
}

/**
 * Checks that the name of a parameter, relative to its branch, is not the name of a derived parameter.
 *
 * @throws PypetError `PYPET_NAME_ILLEGAL`
 */
export function assertNoBranch(name: string, where: string): void {
  if (!`${name}.`.startsWith(DERIVED)) return
  throw new PypetError(
    'PYPET_NAME_ILLEGAL',
    `${where}: ${JSON.stringify(cutText(name, 60))} is not a legal name: derived parameters use it`,
    { where, hint: 'Choose another name for the group, or add a derived parameter: addDerivedParameter.' },
  )
}

/**
 * Checks the name of a trajectory: legal, and one part.
 *
 * @throws PypetError `PYPET_NAME_ILLEGAL`
 */
export function assertTrajectoryName(name: string, where: string): void {
  assertLegalName(name, where)
  if (!name.includes('.')) return
  throw new PypetError(
    'PYPET_NAME_ILLEGAL',
    `${where}: ${JSON.stringify(name)} contains a dot, which separates groups`,
    { where, hint: `Name it ${name.replaceAll('.', '_')}.` },
  )
}

/**
 * Checks the name of an item of a result: legal, and one part. An item that pypet stored under a name with dots is a
 * record here.
 *
 * @throws PypetError `PYPET_NAME_ILLEGAL`
 */
export function assertItemName(name: string, where: string): void {
  assertLegalName(name, where)
  if (!name.includes('.')) return
  throw new PypetError('PYPET_NAME_ILLEGAL', `${where}: the name of the item ${name} contains a dot`, {
    where,
    hint: `Write ${name.replaceAll('.', '_')}, or nest it: ${nested(name)}.`,
  })
}

/** `{ a: { b: … } }`. */
function nested(name: string): string {
  return name.split('.').reduceRight((inner, part) => `{ ${part}: ${inner} }`, '…')
}

/**
 * Checks that a name from a job does not contain the name of a run. Jobs use wildcards for that. A run that wrote
 * another run's name could take its place in the file.
 *
 * @throws PypetError `PYPET_NAME_ILLEGAL`
 */
export function assertNoRunName(name: string, where: string): void {
  const spelled = RUN_NAME_PART.exec(name)
  if (spelled === null) return
  throw new PypetError('PYPET_NAME_ILLEGAL', `${where}: ${spelled[1]} is a name reserved for runs`, {
    where,
    hint: 'Write "$" for the name of this run and "$set" for its run set, or choose another name.',
  })
}

/** Names that pypet reserves: `run_00000012`, `run_set_00000`, and `run_ALL` and `run_set_ALL` for no run. */
const RUN_NAME_PART = /(?:^|\.)(run_(?:\d{8,}|ALL|set_\d{5,}|set_ALL))(?=\.|$)/
