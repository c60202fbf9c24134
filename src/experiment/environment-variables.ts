/** The layer of the environment variables `PYPET_…`. */
import { PypetError } from '../errors.ts'
import { nearestName } from '../trajectory/nearest-name.ts'
import { environmentName, OPTION_NAMES, type OptionName } from './options.ts'
import type { Origin } from './origin.ts'
import { type Layer, textLayer } from './text-layer.ts'

/** `PYPET_` variables that are no options: the config file (`loadConfig`), and what tests of pypet-ts use. */
const RESERVED = /^PYPET_(CONFIG$|TEST_)/

/**
 * The options that the environment gives. An empty variable counts as absent, as in most programs.
 * Unknown `PYPET_` variables are refused: a misspelt one would otherwise be obeyed by nobody.
 *
 * @throws PypetError `PYPET_CONFIG_UNKNOWN_KEY` with the nearest variable, `PYPET_CONFIG_INVALID`
 */
export function environmentLayer(
  env: Readonly<Record<string, string | undefined>>,
  workingDirectory: string,
): Layer {
  assertKnown(env)
  const given: { [Name in OptionName]?: string | undefined } = {}
  for (const name of OPTION_NAMES) given[name] = env[environmentName(name)] || undefined
  const originOf = (name: OptionName): Origin => ({ kind: 'env', name: environmentName(name) })
  return textLayer(given, { originOf, workingDirectory, code: 'PYPET_CONFIG_INVALID' })
}

function assertKnown(env: Readonly<Record<string, string | undefined>>): void {
  const known = OPTION_NAMES.map(environmentName)
  for (const variable of Object.keys(env)) {
    if (!variable.startsWith('PYPET_') || RESERVED.test(variable) || known.includes(variable)) continue
    const nearest = nearestName(variable, known)
    throw new PypetError(
      'PYPET_CONFIG_UNKNOWN_KEY',
      `there is no environment variable ${variable} of pypet-ts`,
      {
        where: variable,
        hint: nearest === undefined ? `The variables are: ${known.join(', ')}.` : `Did you mean ${nearest}?`,
      },
    )
  }
}
