/** The layer of the environment variables `PYPET_…`. */
import { nearestName } from '../values/nearest-name.ts'
import { environmentName, OPTION_NAMES, type OptionName } from './options.ts'
import type { Origin } from './origin.ts'
import { type Layer, textLayer } from './text-layer.ts'

/** `PYPET_` variables that are not options: the config file (`loadConfig`), and those of pypet-ts's own tests. */
const RESERVED = /^PYPET_(CONFIG$|TEST_)/

/**
 * The options set in the environment. An empty variable counts as absent, as in most programs.
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
 * Warnings about `PYPET_` variables that are not options. They may be misspelt, or belong to another program; only the
 * user knows.
 */
export function unknownVariables(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const known = OPTION_NAMES.map(environmentName)
  return Object.keys(env)
    .filter((name) => name.startsWith('PYPET_') && !RESERVED.test(name) && !known.includes(name))
    .map((name) => {
      const nearest = nearestName(name, known)
      const found = `the environment variable ${name} is ignored: there is no such option`
      return nearest === undefined ? found : `${found}; did you mean ${nearest}?`
    })
}
