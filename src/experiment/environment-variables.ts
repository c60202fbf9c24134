/** The layer of the environment variables `PYPET_…`. */
import { nearestName } from '../values/nearest-name.ts'
import { environmentName, OPTION_NAMES, type OptionName } from './options.ts'
import type { Origin } from './origin.ts'
import { type Layer, textLayer } from './text-layer.ts'

/** `PYPET_` variables that are no options: the config file (`loadConfig`), and what tests of pypet-ts use. */
const RESERVED = /^PYPET_(CONFIG$|TEST_)/

/**
 * The options that the environment gives. An empty variable counts as absent, as in most programs.
 *
 * @throws PypetError `PYPET_CONFIG_INVALID`
 */
export function environmentLayer(
  env: Readonly<Record<string, string | undefined>>,
  workingDirectory: string,
): Layer {
  const given: { [Name in OptionName]?: string | undefined } = {}
  for (const name of OPTION_NAMES) given[name] = env[environmentName(name)] || undefined
  const originOf = (name: OptionName): Origin => ({ kind: 'env', name: environmentName(name) })
  return textLayer(given, { originOf, workingDirectory, code: 'PYPET_CONFIG_INVALID' })
}

/**
 * What is to be said of `PYPET_` variables that are no options. A misspelt one is obeyed by nobody, and one of another
 * program is none of our business: which of both it is, only the user knows.
 */
export function unknownVariables(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const known = OPTION_NAMES.map(environmentName)
  return Object.keys(env)
    .filter((name) => name.startsWith('PYPET_') && !RESERVED.test(name) && !known.includes(name))
    .map((name) => {
      const nearest = nearestName(name, known)
      const found = `there is no option for the environment variable ${name}: it is ignored`
      return nearest === undefined ? found : `${found}; did you mean ${nearest}?`
    })
}
